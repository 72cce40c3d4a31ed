//! Slack incoming webhooks: [`SlackMessage`].

mod sentence;

use http::header::HeaderValue;
use serde::Serialize;

use super::error::FormatError;
use super::render::Format;
use crate::lab::LabEvent;
use crate::message::{Message, Rendering};

/// The format of a Slack incoming webhook: `{"text": ...}`, with one or two sentences per event.
///
/// `&`, `<` and `>` are escaped as Slack's documentation of message formatting requires (`&amp;`,
/// `&lt;` and `&gt;`), so no text in an event is interpreted as a Slack control sequence, such as
/// `<!channel>`. Slack still interprets its lighter markup in names, such as `*` and `_` around a
/// word, and bare URLs.
///
/// A text of more than 40,000 characters, above which Slack truncates messages, is cut there and
/// ends with `...`. The body has no blocks, to which lower limits apply.
///
/// The wording is this crate's own. It does not include the time of the event, and mentions only
/// the type of an event outside of the catalogue. Every [`LabEvent`] can be expressed; a message
/// created from bytes cannot. (Posting to Slack is the use that both Strateos and Segments.ai
/// suggest on their webhook pages.)
///
/// The URL of an incoming webhook is a secret and the only authentication, so use
/// [`Signer::unsigned`](crate::Signer::unsigned) for the endpoint.
///
/// ```
/// use labhook::{Event, MessageId, Timestamp};
/// use labhook::lab::{RunState, RunStateChanged};
/// use labhook::message::format::{Format, SlackMessage};
///
/// let mut failed = RunStateChanged::new("r17", RunState::Failed);
/// failed.title = Some("Dilution <2>".to_owned());
/// failed.message = Some("Out of tips.".to_owned());
/// let message = Event::new(failed, Timestamp::from_unix_seconds(1_744_882_200))
///     .into_message(MessageId::new("msg_1")?)?;
///
/// let rendering = SlackMessage::new().render(&message)?;
/// let body = rendering.body().expect("a new rendering has its body");
/// assert_eq!(&body[..], br#"{"text":"Run Dilution &lt;2&gt; (r17) has failed. Out of tips."}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SlackMessage;

impl SlackMessage {
    /// The name of this format.
    pub const NAME: &'static str = "slack";

    /// Creates the format.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Format for SlackMessage {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        let event: LabEvent = message.event()?;
        let text = escape(&sentence::describe(&event), MAX_LEN);
        let body = serde_json::to_vec(&Body { text }).map_err(|error| {
            FormatError::new("Slack message cannot be serialized as JSON").with_source(error)
        })?;
        Ok(Rendering::new(HeaderValue::from_static("application/json"), body))
    }
}

#[derive(Serialize)]
struct Body {
    text: String,
}

/// The longest text of a message (Slack, "Truncating really long messages"), in UTF-16 code units,
/// of which there are at least as many as characters of any other kind.
const MAX_LEN: usize = 40_000;

const ELLIPSIS: &str = "...";

/// Escapes the text, and cuts it between two characters if it is too long.
fn escape(text: &str, max_len: usize) -> String {
    let keep = max_len.saturating_sub(ELLIPSIS.len());
    let mut escaped = String::with_capacity(text.len());
    let (mut len, mut cut) = (0_usize, 0);
    for char in text.chars() {
        let (replacement, width) = match char {
            '&' => (Some("&amp;"), 5),
            '<' => (Some("&lt;"), 4),
            '>' => (Some("&gt;"), 4),
            other => (None, other.len_utf16()),
        };
        len = len.saturating_add(width);
        match replacement {
            Some(text) => escaped.push_str(text),
            None => escaped.push(char),
        }
        if len <= keep {
            cut = escaped.len();
        } else if len > max_len {
            escaped.truncate(cut);
            escaped.push_str(ELLIPSIS);
            break;
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        for (text, expected) in [
            ("12345678", "12345678"),
            ("123456789", "12345..."),
            ("1234567<", "12345..."),
            ("1<23", "1&lt;23"),
            ("1<2345", "1&lt;..."),
            ("12<345", "12..."),
            ("&&", "&amp;..."),
            ("😀😀😀😀", "😀😀😀😀"),
            ("😀😀😀😀😀", "😀😀..."),
            ("", ""),
        ] {
            let escaped = escape(text, 8);
            assert_eq!(escaped, expected);
            assert!(escaped.encode_utf16().count() <= 8);
        }
    }
}
