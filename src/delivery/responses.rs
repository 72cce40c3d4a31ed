//! What a response means: [`Responses`].

use std::collections::BTreeMap;
use std::fmt;

use http::StatusCode;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::policy_file::PolicyError;

/// What a response means for the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reaction {
    /// The receiver has the message: [`Verdict::Delivered`](super::Verdict::Delivered).
    Deliver,
    /// The attempt failed, and another one may succeed.
    Retry,
    /// The receiver will never take this message:
    /// [`Verdict::Rejected`](super::Verdict::Rejected).
    Fail,
    /// The receiver wants nothing more at all: [`Verdict::Gone`](super::Verdict::Gone), and the
    /// host disables the endpoint.
    Disable,
}

/// The table that says what each response means.
///
/// A line is for one status, for a class of them, or for all the others; the narrowest line that
/// fits counts, so their order does not matter. A fresh table delivers on 2xx and retries on
/// everything else. Redirects are an answer like any other, and never followed.
///
/// In a file it is the name of a preset (`standard_webhooks`, `svix`, `strike`, `event_bridge`,
/// `event_grid`, `shopware`), or a table of lines laid over the fresh one:
///
/// ```
/// use http::StatusCode;
/// use labhook::delivery::{Reaction, Responses};
///
/// let text = r#"{"410": "disable", "501": "fail", "2xx": "deliver", "other": "retry"}"#;
/// let read: Responses = serde_json::from_str(text)?;
/// let made = Responses::new()
///     .status(StatusCode::GONE, Reaction::Disable)
///     .status(StatusCode::NOT_IMPLEMENTED, Reaction::Fail);
/// assert_eq!(read, made);
/// assert_eq!(made.reaction(StatusCode::NO_CONTENT), Reaction::Deliver);
/// assert_eq!(made.reaction(StatusCode::GONE), Reaction::Disable);
/// assert_eq!(made.reaction(StatusCode::FOUND), Reaction::Retry);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responses {
    statuses: BTreeMap<u16, Reaction>,
    successes: Reaction,
    redirections: Option<Reaction>,
    client_errors: Option<Reaction>,
    server_errors: Option<Reaction>,
    other: Reaction,
}

impl Responses {
    /// 2xx delivers; everything else is retried.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            statuses: BTreeMap::new(),
            successes: Reaction::Deliver,
            redirections: None,
            client_errors: None,
            server_errors: None,
            other: Reaction::Retry,
        }
    }

    /// What this one status means.
    #[must_use]
    pub fn status(mut self, status: StatusCode, reaction: Reaction) -> Self {
        self.statuses.insert(status.as_u16(), reaction);
        self
    }

    /// What a 2xx means.
    #[must_use]
    pub const fn successes(mut self, reaction: Reaction) -> Self {
        self.successes = reaction;
        self
    }

    /// What a 3xx means.
    #[must_use]
    pub const fn redirections(mut self, reaction: Reaction) -> Self {
        self.redirections = Some(reaction);
        self
    }

    /// What a 4xx means.
    #[must_use]
    pub const fn client_errors(mut self, reaction: Reaction) -> Self {
        self.client_errors = Some(reaction);
        self
    }

    /// What a 5xx means.
    #[must_use]
    pub const fn server_errors(mut self, reaction: Reaction) -> Self {
        self.server_errors = Some(reaction);
        self
    }

    /// What everything else means.
    #[must_use]
    pub const fn other(mut self, reaction: Reaction) -> Self {
        self.other = reaction;
        self
    }

    /// The Standard Webhooks specification: 2xx delivers, 410 disables, all else is retried.
    #[must_use]
    pub fn standard_webhooks() -> Self {
        Self::new().status(StatusCode::GONE, Reaction::Disable)
    }

    /// Svix: 2xx delivers and all else, redirects too, is a failed attempt that is retried. That
    /// 410 disables is taken over from Standard Webhooks.
    #[must_use]
    pub fn svix() -> Self {
        Self::standard_webhooks()
    }

    /// Strike: 2xx delivers; 410 and 501 stop the retries of this delivery, and no more is
    /// documented of them; all else is retried.
    #[must_use]
    pub fn strike() -> Self {
        Self::new()
            .status(StatusCode::GONE, Reaction::Fail)
            .status(StatusCode::NOT_IMPLEMENTED, Reaction::Fail)
    }

    /// AWS EventBridge API destinations: 2xx delivers; 401, 407, 409, 429 and 5xx are retried;
    /// all else fails for good.
    #[must_use]
    pub fn event_bridge() -> Self {
        Self::new()
            .status(StatusCode::UNAUTHORIZED, Reaction::Retry)
            .status(StatusCode::PROXY_AUTHENTICATION_REQUIRED, Reaction::Retry)
            .status(StatusCode::CONFLICT, Reaction::Retry)
            .status(StatusCode::TOO_MANY_REQUESTS, Reaction::Retry)
            .server_errors(Reaction::Retry)
            .other(Reaction::Fail)
    }

    /// Azure Event Grid with a webhook: 400, 401, 403 and 413 fail for good; 2xx delivers; all
    /// else is retried.
    #[must_use]
    pub fn event_grid() -> Self {
        Self::new()
            .status(StatusCode::BAD_REQUEST, Reaction::Fail)
            .status(StatusCode::UNAUTHORIZED, Reaction::Fail)
            .status(StatusCode::FORBIDDEN, Reaction::Fail)
            .status(StatusCode::PAYLOAD_TOO_LARGE, Reaction::Fail)
    }

    /// Shopware: 2xx delivers; 404, 408 and 429 are retried, 410 disables, and every other 4xx
    /// fails at once; all else is retried.
    #[must_use]
    pub fn shopware() -> Self {
        Self::new()
            .status(StatusCode::NOT_FOUND, Reaction::Retry)
            .status(StatusCode::REQUEST_TIMEOUT, Reaction::Retry)
            .status(StatusCode::GONE, Reaction::Disable)
            .status(StatusCode::TOO_MANY_REQUESTS, Reaction::Retry)
            .client_errors(Reaction::Fail)
    }

    /// What the table says to this status.
    #[must_use]
    pub fn reaction(&self, status: StatusCode) -> Reaction {
        if let Some(reaction) = self.statuses.get(&status.as_u16()) {
            return *reaction;
        }
        let class = match status.as_u16() {
            200..=299 => Some(self.successes),
            300..=399 => self.redirections,
            400..=499 => self.client_errors,
            500..=599 => self.server_errors,
            _ => None,
        };
        class.unwrap_or(self.other)
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "standard_webhooks" => Self::standard_webhooks(),
            "svix" => Self::svix(),
            "strike" => Self::strike(),
            "event_bridge" => Self::event_bridge(),
            "event_grid" => Self::event_grid(),
            "shopware" => Self::shopware(),
            _ => return None,
        })
    }
}

/// The presets of responses.
const PRESETS: &str = "standard_webhooks, svix, strike, event_bridge, event_grid and shopware";

/// [`Responses::new`].
impl Default for Responses {
    fn default() -> Self {
        Self::new()
    }
}

impl Serialize for Responses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (status, reaction) in &self.statuses {
            map.serialize_entry(&status.to_string(), reaction)?;
        }
        map.serialize_entry("2xx", &self.successes)?;
        for (class, reaction) in
            [("3xx", self.redirections), ("4xx", self.client_errors), ("5xx", self.server_errors)]
        {
            if let Some(reaction) = reaction {
                map.serialize_entry(class, &reaction)?;
            }
        }
        map.serialize_entry("other", &self.other)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Responses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Table)
    }
}

struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = Responses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a response table or its lines")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Responses, E> {
        Responses::named(name).ok_or_else(|| E::custom(PolicyError::unknown_preset(name, PRESETS)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Responses, A::Error> {
        let mut lines: BTreeMap<String, Reaction> = BTreeMap::new();
        while let Some((status, reaction)) = map.next_entry::<String, Reaction>()? {
            if lines.contains_key(&status) {
                return Err(A::Error::custom(PolicyError::RepeatedStatus { status }));
            }
            lines.insert(status, reaction);
        }
        let mut table = Responses::new();
        for (status, reaction) in lines {
            table = match status.as_str() {
                "2xx" => table.successes(reaction),
                "3xx" => table.redirections(reaction),
                "4xx" => table.client_errors(reaction),
                "5xx" => table.server_errors(reaction),
                "other" => table.other(reaction),
                // Two spellings of one status cannot both be read: a status has three digits.
                text => match StatusCode::from_bytes(text.as_bytes()) {
                    Ok(status) => table.status(status, reaction),
                    Err(_) => return Err(A::Error::custom(PolicyError::Status { status })),
                },
            };
        }
        Ok(table)
    }
}
