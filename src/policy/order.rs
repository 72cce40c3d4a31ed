//! Delivery order of an endpoint's messages: [`Order`].

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::event::Keys;
use crate::named::named;
use crate::policy_file;
use crate::time::Timestamp;

/// Delivery order: which messages are delivered one after another (FIFO).
///
/// Messages of one ordering group go out in the order in which the outbox accepted them. The next
/// is attempted only when the delivery before it has ended, with whatever verdict, so that a
/// receiver sees a run's `started` before its `completed`. The price is head-of-line blocking: a
/// message that is being retried blocks its group, unless the others may skip it.
///
/// ```
/// use std::time::Duration;
/// use labhook::Order;
///
/// // Order the events within each run; runs do not wait for one another.
/// let order = Order::per_key().with_skip_after(Duration::from_secs(600));
/// let file = r#"{"scope":"per_key","skip_after_ms":600000}"#;
/// assert_eq!(serde_json::from_str::<Order>(file)?, order);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # In a file
///
/// A table of `scope` (`none`, `per_key` or `strict`), `skip_after_attempts` and `skip_after_ms`,
/// all optional; a duration can also be text, as in `skip_after = "10m"`. Unknown fields are refused,
/// and so is skipping without a scope.
#[doc(alias = "ordering")]
#[doc(alias = "FIFO")]
#[doc(alias = "head-of-line blocking")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Order {
    scope: OrderScope,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_after_attempts: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_after_ms: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "an order table such as {\"scope\": \"per_key\"}"
)]
struct Form {
    scope: OrderScope,
    skip_after_attempts: Option<NonZeroU32>,
    skip_after_ms: Option<u64>,
}

impl TryFrom<Form> for Order {
    type Error = &'static str;

    fn try_from(form: Form) -> Result<Self, &'static str> {
        let Form { scope, skip_after_attempts, skip_after_ms } = form;
        let skips = skip_after_attempts.is_some() || skip_after_ms.is_some();
        if skips && scope == OrderScope::None {
            return Err("nothing is skipped without a `scope` of `per_key` or `strict`");
        }
        Ok(Self { scope, skip_after_attempts, skip_after_ms })
    }
}

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read_table::<Form, _, _>(deserializer)
    }
}

/// Scope of an [`Order`]: which messages form an ordering group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum OrderScope {
    /// No ordering: each message is sent when it is due.
    #[default]
    None,
    /// Messages with equal [ordering keys](Keys::ordering) form a group. A message without a key
    /// belongs to none.
    PerKey,
    /// All messages to the endpoint form one group.
    Strict,
}

named!(OrderScope, "order scope", {
    None => "none",
    PerKey => "per_key",
    Strict => "strict",
});

impl Order {
    /// Creates an order of scope [`OrderScope::None`], the default.
    #[must_use]
    pub const fn none() -> Self {
        Self::new(OrderScope::None)
    }

    /// Creates an order of scope [`OrderScope::PerKey`].
    #[must_use]
    pub const fn per_key() -> Self {
        Self::new(OrderScope::PerKey)
    }

    /// Creates an order of scope [`OrderScope::Strict`]. A message that always fails blocks all
    /// others until its retries end.
    #[must_use]
    pub const fn strict() -> Self {
        Self::new(OrderScope::Strict)
    }

    const fn new(scope: OrderScope) -> Self {
        Self { scope, skip_after_attempts: None, skip_after_ms: None }
    }

    /// Sets the number of failed attempts after which others may skip a message. It is still
    /// retried, and then arrives out of order.
    #[must_use]
    pub const fn with_skip_after_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.skip_after_attempts = Some(attempts);
        self
    }

    /// Sets the time since its acceptance after which others may skip a message, in whole
    /// milliseconds. It is still retried, and then arrives out of order.
    #[must_use]
    pub fn with_skip_after(mut self, duration: Duration) -> Self {
        self.skip_after_ms = Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Returns which messages form an ordering group.
    #[must_use]
    pub const fn scope(&self) -> OrderScope {
        self.scope
    }

    /// Returns the number of failed attempts after which others may skip a message, if any.
    #[must_use]
    pub const fn skip_after_attempts(&self) -> Option<NonZeroU32> {
        self.skip_after_attempts
    }

    /// Returns the age of a message after which others may skip it, if any.
    #[must_use]
    pub fn skip_after(&self) -> Option<Duration> {
        self.skip_after_ms.map(Duration::from_millis)
    }

    /// The name of a message's ordering group; `None` if it belongs to none.
    pub(crate) fn group<'a>(&self, keys: &'a Keys) -> Option<&'a str> {
        match self.scope {
            OrderScope::None => None,
            OrderScope::PerKey => keys.ordering.as_deref(),
            OrderScope::Strict => Some(""),
        }
    }

    /// When others may skip a message because of its age.
    pub(crate) fn skip_at(&self, accepted_at: Timestamp) -> Option<Timestamp> {
        self.skip_after_ms.map(|millis| accepted_at + Duration::from_millis(millis))
    }

    /// Whether others may skip a message after this number of failed attempts.
    pub(crate) fn skips(&self, failed: u32) -> bool {
        self.skip_after_attempts.is_some_and(|attempts| failed >= attempts.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_round_trips_through_a_file() {
        for (order, file) in [
            (Order::none(), r#"{"scope":"none"}"#),
            (Order::strict().with_skip_after_attempts(NonZeroU32::MIN), {
                r#"{"scope":"strict","skip_after_attempts":1}"#
            }),
        ] {
            assert_eq!(serde_json::to_string(&order).unwrap(), file);
            assert_eq!(serde_json::from_str::<Order>(file).unwrap(), order);
        }
        assert_eq!(serde_json::from_str::<Order>("{}").unwrap(), Order::none());
        assert!(serde_json::from_str::<Order>(r#"{"scope":"strict","skip":1}"#).is_err());
    }

    #[test]
    fn scope_is_displayed_as_in_a_file() {
        for scope in [OrderScope::None, OrderScope::PerKey, OrderScope::Strict] {
            assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
        }
    }
}
