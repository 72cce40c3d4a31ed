//! Messages for people in Slack: [`SlackMessage`].

mod summary;

use http::header::HeaderValue;
use serde::Serialize;

use super::{Format, FormatError};
use crate::lab::LabEvent;
use crate::message::{Message, Rendering};

/// Writes messages as the body of a Slack incoming webhook: `{"text": ...}`, one or two sentences
/// for people.
///
/// `&`, `<` and `>` are written as Slack's documentation of message formatting asks (`&amp;`,
/// `&lt;` and `&gt;`), so that nothing in an event is read as one of Slack's control sequences,
/// such as a call for a channel's attention. Its lighter marks, such as `*` and `_` around a word,
/// are read where a name happens to hold them, and so are bare URLs.
///
/// The pages of Strateos and Segments.ai about their webhooks both name a message in Slack as
/// what people build with them. The words are this crate's own; they do not say when it happened,
/// and an event of the host's own type is named by its type alone. Every [`LabEvent`] can be
/// expressed; a message that the host made from bytes cannot.
///
/// The URL of an incoming webhook is a secret, and all there is to prove where a message comes
/// from: the endpoint goes with [`Signer::unsigned`](crate::Signer::unsigned).
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
/// assert_eq!(
///     &rendering.body()[..],
///     br#"{"text":"Run Dilution &lt;2&gt; (r17) has failed. Out of tips."}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SlackMessage;

impl SlackMessage {
    /// The name of this format.
    pub const NAME: &'static str = "slack";

    /// The format.
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
        let text = escape(&summary::of(&event));
        let body = serde_json::to_vec(&Body { text }).map_err(|error| {
            FormatError::new("the text cannot be written as JSON").because(error)
        })?;
        Ok(Rendering::new(HeaderValue::from_static("application/json"), body))
    }
}

#[derive(Serialize)]
struct Body {
    text: String,
}

fn escape(text: &str) -> String {
    // The ampersand first: it is in the other two.
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
