//! What a response means: [`ResponseRules`].

use std::collections::BTreeMap;
use std::fmt;

use http::StatusCode;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::policy_file::RetryPolicyError;

/// What a response means for the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseAction {
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
/// use labhook::delivery::{ResponseAction, ResponseRules};
///
/// let text = r#"{"410": "disable", "501": "fail", "2xx": "deliver", "other": "retry"}"#;
/// let read: ResponseRules = serde_json::from_str(text)?;
/// let made = ResponseRules::new()
///     .with_status(StatusCode::GONE, ResponseAction::Disable)
///     .with_status(StatusCode::NOT_IMPLEMENTED, ResponseAction::Fail);
/// assert_eq!(read, made);
/// assert_eq!(made.action(StatusCode::NO_CONTENT), ResponseAction::Deliver);
/// assert_eq!(made.action(StatusCode::GONE), ResponseAction::Disable);
/// assert_eq!(made.action(StatusCode::FOUND), ResponseAction::Retry);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseRules {
    statuses: BTreeMap<u16, ResponseAction>,
    successes: ResponseAction,
    redirections: Option<ResponseAction>,
    client_errors: Option<ResponseAction>,
    server_errors: Option<ResponseAction>,
    other: ResponseAction,
}

impl ResponseRules {
    /// 2xx delivers; everything else is retried.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            statuses: BTreeMap::new(),
            successes: ResponseAction::Deliver,
            redirections: None,
            client_errors: None,
            server_errors: None,
            other: ResponseAction::Retry,
        }
    }

    /// What this one status means.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode, reaction: ResponseAction) -> Self {
        self.statuses.insert(status.as_u16(), reaction);
        self
    }

    /// What a 2xx means.
    #[must_use]
    pub const fn with_successes(mut self, reaction: ResponseAction) -> Self {
        self.successes = reaction;
        self
    }

    /// What a 3xx means.
    #[must_use]
    pub const fn with_redirections(mut self, reaction: ResponseAction) -> Self {
        self.redirections = Some(reaction);
        self
    }

    /// What a 4xx means.
    #[must_use]
    pub const fn with_client_errors(mut self, reaction: ResponseAction) -> Self {
        self.client_errors = Some(reaction);
        self
    }

    /// What a 5xx means.
    #[must_use]
    pub const fn with_server_errors(mut self, reaction: ResponseAction) -> Self {
        self.server_errors = Some(reaction);
        self
    }

    /// What everything else means.
    #[must_use]
    pub const fn with_other(mut self, reaction: ResponseAction) -> Self {
        self.other = reaction;
        self
    }

    /// The Standard Webhooks specification: 2xx delivers, 410 disables, all else is retried.
    #[must_use]
    pub fn standard_webhooks() -> Self {
        Self::new().with_status(StatusCode::GONE, ResponseAction::Disable)
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
            .with_status(StatusCode::GONE, ResponseAction::Fail)
            .with_status(StatusCode::NOT_IMPLEMENTED, ResponseAction::Fail)
    }

    /// AWS EventBridge API destinations: 2xx delivers; 401, 407, 409, 429 and 5xx are retried;
    /// all else fails for good.
    #[must_use]
    pub fn event_bridge() -> Self {
        Self::new()
            .with_status(StatusCode::UNAUTHORIZED, ResponseAction::Retry)
            .with_status(StatusCode::PROXY_AUTHENTICATION_REQUIRED, ResponseAction::Retry)
            .with_status(StatusCode::CONFLICT, ResponseAction::Retry)
            .with_status(StatusCode::TOO_MANY_REQUESTS, ResponseAction::Retry)
            .with_server_errors(ResponseAction::Retry)
            .with_other(ResponseAction::Fail)
    }

    /// Azure Event Grid with a webhook: 400, 401, 403 and 413 fail for good; 2xx delivers; all
    /// else is retried.
    #[must_use]
    pub fn event_grid() -> Self {
        Self::new()
            .with_status(StatusCode::BAD_REQUEST, ResponseAction::Fail)
            .with_status(StatusCode::UNAUTHORIZED, ResponseAction::Fail)
            .with_status(StatusCode::FORBIDDEN, ResponseAction::Fail)
            .with_status(StatusCode::PAYLOAD_TOO_LARGE, ResponseAction::Fail)
    }

    /// Shopware: 2xx delivers; 404, 408 and 429 are retried, 410 disables, and every other 4xx
    /// fails at once; all else is retried.
    #[must_use]
    pub fn shopware() -> Self {
        Self::new()
            .with_status(StatusCode::NOT_FOUND, ResponseAction::Retry)
            .with_status(StatusCode::REQUEST_TIMEOUT, ResponseAction::Retry)
            .with_status(StatusCode::GONE, ResponseAction::Disable)
            .with_status(StatusCode::TOO_MANY_REQUESTS, ResponseAction::Retry)
            .with_client_errors(ResponseAction::Fail)
    }

    /// What the table says to this status.
    #[must_use]
    pub fn action(&self, status: StatusCode) -> ResponseAction {
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

/// [`ResponseRules::new`].
impl Default for ResponseRules {
    fn default() -> Self {
        Self::new()
    }
}

impl Serialize for ResponseRules {
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

impl<'de> Deserialize<'de> for ResponseRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Table)
    }
}

struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = ResponseRules;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a response table or its lines")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<ResponseRules, E> {
        ResponseRules::named(name)
            .ok_or_else(|| E::custom(RetryPolicyError::unknown_preset(name, PRESETS)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ResponseRules, A::Error> {
        let mut lines: BTreeMap<String, ResponseAction> = BTreeMap::new();
        while let Some((status, reaction)) = map.next_entry::<String, ResponseAction>()? {
            if lines.contains_key(&status) {
                return Err(A::Error::custom(RetryPolicyError::RepeatedStatus { status }));
            }
            lines.insert(status, reaction);
        }
        let mut table = ResponseRules::new();
        for (status, reaction) in lines {
            table = match status.as_str() {
                "2xx" => table.with_successes(reaction),
                "3xx" => table.with_redirections(reaction),
                "4xx" => table.with_client_errors(reaction),
                "5xx" => table.with_server_errors(reaction),
                "other" => table.with_other(reaction),
                // Two spellings of one status cannot both be read: a status has three digits.
                text => match StatusCode::from_bytes(text.as_bytes()) {
                    Ok(status) => table.with_status(status, reaction),
                    Err(_) => return Err(A::Error::custom(RetryPolicyError::Status { status })),
                },
            };
        }
        Ok(table)
    }
}
