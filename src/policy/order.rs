//! Which messages an endpoint receives one after the other: [`Order`].

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::Keys;
use crate::time::Timestamp;

/// Which messages an endpoint receives one after the other, in the order in which the outbox
/// accepted them.
///
/// The next one is not attempted before the delivery of the one before it has ended, whichever
/// way: a receiver sees a run's `started` before its `completed`. The price is waiting. The one at
/// the head of the line holds up all behind it for as long as it is retried, unless they may skip
/// it.
///
/// ```
/// use std::time::Duration;
/// use labhook::Order;
///
/// // The events of one run in order, and no run waits for another.
/// let order = Order::per_key().with_skip_after(Duration::from_secs(600));
/// let file = r#"{"scope":"per_key","skip_after_ms":600000}"#;
/// assert_eq!(serde_json::from_str::<Order>(file)?, order);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table of an order")]
pub struct Order {
    scope: OrderScope,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_after_attempts: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_after_ms: Option<u64>,
}

/// Which messages an [`Order`] covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum OrderScope {
    /// No message waits for another.
    #[default]
    None,
    /// Messages with equal ordering keys follow one another.
    PerKey,
    /// All messages follow one another.
    Strict,
}

impl Order {
    /// No order: each message is sent as it falls due. The default.
    #[must_use]
    pub const fn none() -> Self {
        Self::of(OrderScope::None)
    }

    /// Messages with equal [ordering keys](Keys::with_ordering) one after the other. A message without
    /// one waits for none.
    #[must_use]
    pub const fn per_key() -> Self {
        Self::of(OrderScope::PerKey)
    }

    /// All messages to the endpoint one after the other: one hopeless message stops them all.
    #[must_use]
    pub const fn strict() -> Self {
        Self::of(OrderScope::Strict)
    }

    const fn of(scope: OrderScope) -> Self {
        Self { scope, skip_after_attempts: None, skip_after_ms: None }
    }

    /// Lets others past a message of which so many attempts have failed. It is retried all the
    /// same, and then comes late.
    #[must_use]
    pub const fn with_skip_after_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.skip_after_attempts = Some(attempts);
        self
    }

    /// Lets others past a message that was accepted so long ago, in whole milliseconds. It is
    /// retried all the same, and then comes late.
    #[must_use]
    pub fn with_skip_after(mut self, duration: Duration) -> Self {
        self.skip_after_ms = Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Returns which messages the order covers.
    #[must_use]
    pub const fn scope(&self) -> OrderScope {
        self.scope
    }

    /// Returns the number of failed attempts after which others may pass a message, if any.
    #[must_use]
    pub const fn skip_after_attempts(&self) -> Option<NonZeroU32> {
        self.skip_after_attempts
    }

    /// Returns the age of a message after which others may pass it, if any.
    #[must_use]
    pub fn skip_after(&self) -> Option<Duration> {
        self.skip_after_ms.map(Duration::from_millis)
    }

    /// The name of the line that a message stands in; `None` where it stands in none.
    pub(crate) fn line<'a>(&self, keys: &'a Keys) -> Option<&'a str> {
        match self.scope {
            OrderScope::None => None,
            OrderScope::PerKey => keys.ordering.as_deref(),
            OrderScope::Strict => Some(""),
        }
    }

    /// From when on others may pass a message, by time alone.
    pub(crate) fn skip_at(&self, accepted_at: Timestamp) -> Option<Timestamp> {
        self.skip_after_ms.map(|millis| accepted_at + Duration::from_millis(millis))
    }

    /// Whether so many attempts have failed that others may pass.
    pub(crate) fn skips(&self, failed: u32) -> bool {
        self.skip_after_attempts.is_some_and(|attempts| failed >= attempts.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_stands_in_a_file() {
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
}
