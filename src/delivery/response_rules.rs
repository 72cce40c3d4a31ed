//! Response classification: [`ResponseRules`].

use std::collections::BTreeMap;
use std::fmt;

use http::StatusCode;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::RetryPolicyError;
use crate::named::named;
use crate::policy_file::{self, Presets};

/// Effect of a response on the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseAction {
    /// The receiver accepted the message: [`Verdict::Delivered`](super::Verdict::Delivered).
    Deliver,
    /// The attempt failed, and another may succeed.
    Retry,
    /// The receiver rejects this message permanently:
    /// [`Verdict::Rejected`](super::Verdict::Rejected).
    Fail,
    /// The receiver wants no more messages at all: [`Verdict::Gone`](super::Verdict::Gone), and the
    /// endpoint should be disabled.
    Disable,
}

named!(ResponseAction, "response action", {
    Deliver => "deliver",
    Retry => "retry",
    Fail => "fail",
    Disable => "disable",
});

/// Response classification: which statuses are successes, retryable or permanent failures.
///
/// A rule is for one status, for a class of them, or for all others; the most specific rule counts,
/// so their order does not matter. New rules deliver on 2xx and retry on everything else. A
/// redirect is a response like any other, and never followed.
///
/// In a file, rules are the name of a preset (`standard_webhooks`, `svix`, `strike`,
/// `event_bridge`, `event_grid`, `shopware`), or a table that is applied on top of
/// [`new`](Self::new):
///
/// ```
/// use http::StatusCode;
/// use labhook::delivery::{ResponseAction, ResponseRules};
///
/// let file = r#"{"410": "disable", "501": "fail", "2xx": "deliver", "other": "retry"}"#;
/// let read: ResponseRules = serde_json::from_str(file)?;
/// let built = ResponseRules::new()
///     .with_status(StatusCode::GONE, ResponseAction::Disable)
///     .with_status(StatusCode::NOT_IMPLEMENTED, ResponseAction::Fail);
/// assert_eq!(read, built);
/// assert_eq!(built.action(StatusCode::NO_CONTENT), ResponseAction::Deliver);
/// assert_eq!(built.action(StatusCode::GONE), ResponseAction::Disable);
/// assert_eq!(built.action(StatusCode::FOUND), ResponseAction::Retry);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[doc(alias("retryable", "status code", "response classification"))]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResponseRules {
    statuses: BTreeMap<u16, ResponseAction>,
    successes: ResponseAction,
    redirections: Option<ResponseAction>,
    client_errors: Option<ResponseAction>,
    server_errors: Option<ResponseAction>,
    other: ResponseAction,
}

impl ResponseRules {
    /// Creates rules that deliver on 2xx and retry on everything else.
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

    /// Sets the action for this status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode, action: ResponseAction) -> Self {
        self.statuses.insert(status.as_u16(), action);
        self
    }

    /// Sets the action for 2xx.
    #[must_use]
    pub const fn with_successes(mut self, action: ResponseAction) -> Self {
        self.successes = action;
        self
    }

    /// Sets the action for 3xx.
    #[must_use]
    pub const fn with_redirections(mut self, action: ResponseAction) -> Self {
        self.redirections = Some(action);
        self
    }

    /// Sets the action for 4xx.
    #[must_use]
    pub const fn with_client_errors(mut self, action: ResponseAction) -> Self {
        self.client_errors = Some(action);
        self
    }

    /// Sets the action for 5xx.
    #[must_use]
    pub const fn with_server_errors(mut self, action: ResponseAction) -> Self {
        self.server_errors = Some(action);
        self
    }

    /// Sets the action for every status without a rule.
    #[must_use]
    pub const fn with_other(mut self, action: ResponseAction) -> Self {
        self.other = action;
        self
    }

    /// Standard Webhooks specification: 2xx delivers, 410 disables, all others are retried.
    #[must_use]
    pub fn standard_webhooks() -> Self {
        Self::new().with_status(StatusCode::GONE, ResponseAction::Disable)
    }

    /// Svix: 2xx delivers; all others, including redirects, are retried. That 410 disables is taken
    /// from Standard Webhooks.
    #[must_use]
    pub fn svix() -> Self {
        Self::standard_webhooks()
    }

    /// Strike: 2xx delivers; 410 and 501 end this delivery, which is all that is documented about
    /// them; all others are retried.
    #[must_use]
    pub fn strike() -> Self {
        Self::new()
            .with_status(StatusCode::GONE, ResponseAction::Fail)
            .with_status(StatusCode::NOT_IMPLEMENTED, ResponseAction::Fail)
    }

    /// AWS EventBridge API destinations: 2xx delivers; 401, 407, 409, 429 and 5xx are retried;
    /// all others are rejected permanently.
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

    /// Azure Event Grid webhooks: 2xx delivers; 400, 401, 403 and 413 are rejected permanently; all
    /// others are retried.
    #[must_use]
    pub fn event_grid() -> Self {
        Self::new()
            .with_status(StatusCode::BAD_REQUEST, ResponseAction::Fail)
            .with_status(StatusCode::UNAUTHORIZED, ResponseAction::Fail)
            .with_status(StatusCode::FORBIDDEN, ResponseAction::Fail)
            .with_status(StatusCode::PAYLOAD_TOO_LARGE, ResponseAction::Fail)
    }

    /// Shopware: 2xx delivers; 404, 408 and 429 are retried; 410 disables; every other 4xx is
    /// rejected permanently; all others are retried.
    #[must_use]
    pub fn shopware() -> Self {
        Self::new()
            .with_status(StatusCode::NOT_FOUND, ResponseAction::Retry)
            .with_status(StatusCode::REQUEST_TIMEOUT, ResponseAction::Retry)
            .with_status(StatusCode::GONE, ResponseAction::Disable)
            .with_status(StatusCode::TOO_MANY_REQUESTS, ResponseAction::Retry)
            .with_client_errors(ResponseAction::Fail)
    }

    /// Returns the action for this status.
    #[must_use]
    pub fn action(&self, status: StatusCode) -> ResponseAction {
        if let Some(action) = self.statuses.get(&status.as_u16()) {
            return *action;
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

    /// Returns the preset with this name, which is the name of its constructor.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::PRESETS.get(name)
    }

    const PRESETS: Presets<Self> = Presets(&[
        ("standard_webhooks", Self::standard_webhooks),
        ("svix", Self::svix),
        ("strike", Self::strike),
        ("event_bridge", Self::event_bridge),
        ("event_grid", Self::event_grid),
        ("shopware", Self::shopware),
    ]);
}

/// [`ResponseRules::new`].
impl Default for ResponseRules {
    fn default() -> Self {
        Self::new()
    }
}

impl Serialize for ResponseRules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (status, action) in &self.statuses {
            map.serialize_entry(&status.to_string(), action)?;
        }
        map.serialize_entry("2xx", &self.successes)?;
        for (class, action) in
            [("3xx", self.redirections), ("4xx", self.client_errors), ("5xx", self.server_errors)]
        {
            if let Some(action) = action {
                map.serialize_entry(class, &action)?;
            }
        }
        map.serialize_entry("other", &self.other)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for ResponseRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read::<Form, _, _>(
            deserializer,
            "the name of a preset of response rules, or a table",
            Self::PRESETS,
        )
    }
}

/// The table in a file, before its keys are parsed.
struct Form(BTreeMap<String, ResponseAction>);

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FormVisitor)
    }
}

struct FormVisitor;

impl<'de> Visitor<'de> for FormVisitor {
    type Value = Form;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of response rules")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Form, A::Error> {
        let mut rules = BTreeMap::new();
        while let Some((status, action)) = map.next_entry::<String, ResponseAction>()? {
            // A map would keep the last one silently.
            if rules.contains_key(&status) {
                return Err(A::Error::custom(RetryPolicyError::DuplicateStatus { status }));
            }
            rules.insert(status, action);
        }
        Ok(Form(rules))
    }
}

impl TryFrom<Form> for ResponseRules {
    type Error = RetryPolicyError;

    fn try_from(form: Form) -> Result<Self, RetryPolicyError> {
        form.0.into_iter().try_fold(Self::new(), |rules, (status, action)| {
            Ok(match status.as_str() {
                "2xx" => rules.with_successes(action),
                "3xx" => rules.with_redirections(action),
                "4xx" => rules.with_client_errors(action),
                "5xx" => rules.with_server_errors(action),
                "other" => rules.with_other(action),
                // A status code has exactly three digits, so no code has two spellings.
                code => match StatusCode::from_bytes(code.as_bytes()) {
                    Ok(code) => rules.with_status(code, action),
                    Err(_) => return Err(RetryPolicyError::UnknownStatus { status }),
                },
            })
        })
    }
}
