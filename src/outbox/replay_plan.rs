//! What to redeliver: [`ReplayFilter`] and [`ReplayPlan`].

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Outbox;
use crate::delivery::{Delivery, Verdict};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

/// Selects the deliveries to replay, such as the dead letters of one endpoint. Deliveries must meet
/// all conditions.
///
/// ```
/// use std::time::Duration;
/// use labhook::{EndpointId, Timestamp};
/// use labhook::outbox::ReplayFilter;
///
/// // Yesterday's failed deliveries to the ELN.
/// let today = Timestamp::from_unix_seconds(1_744_848_000);
/// let yesterday = Timestamp::from_unix_seconds(1_744_761_600);
/// let missed = ReplayFilter::all()
///     .with_endpoint(EndpointId::new("eln")?)
///     .with_accepted_from(yesterday)
///     .with_accepted_before(today)
///     .only_failed();
/// # Ok::<(), labhook::id::IdError>(())
/// ```
#[doc(alias = "redelivery")]
#[doc(alias = "resend")]
#[doc(alias = "dead letter")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayFilter {
    pub(super) message: Option<MessageId>,
    pub(super) endpoint: Option<EndpointId>,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    only_failed: bool,
}

impl ReplayFilter {
    /// Selects all deliveries that the outbox has: the pending ones, and those of settled messages
    /// within their [retention](Outbox::with_retention).
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects only deliveries of this message.
    #[must_use]
    pub fn with_message(mut self, id: MessageId) -> Self {
        self.message = Some(id);
        self
    }

    /// Selects only deliveries to this endpoint.
    #[must_use]
    pub fn with_endpoint(mut self, id: EndpointId) -> Self {
        self.endpoint = Some(id);
        self
    }

    /// Selects only deliveries of messages that were accepted at or after this instant.
    #[must_use]
    pub const fn with_accepted_from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Selects only deliveries of messages that were accepted before this instant.
    #[must_use]
    pub const fn with_accepted_before(mut self, at: Timestamp) -> Self {
        self.before = Some(at);
        self
    }

    /// Selects only deliveries that ended with a verdict other than [`Verdict::Delivered`].
    #[must_use]
    pub const fn only_failed(mut self) -> Self {
        self.only_failed = true;
        self
    }

    /// Returns whether a delivery of a selected message is selected.
    pub(super) fn selects(&self, endpoint: &EndpointId, delivery: &Delivery) -> bool {
        self.endpoint.as_ref().is_none_or(|id| id == endpoint)
            && self.from.is_none_or(|from| delivery.accepted_at() >= from)
            && self.before.is_none_or(|before| delivery.accepted_at() < before)
            && (!self.only_failed || (delivery.verdict().is_some() && !is_delivered(delivery)))
    }
}

/// A list of deliveries to replay, each with the instant at which it becomes due.
///
/// [`Outbox::plan_replay`] makes it, and [`Outbox::replay`] carries it out, part by part. It is
/// plain data with serde: show it to an operator for approval, or save it.
#[doc(alias = "redelivery")]
#[doc(alias = "resend")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayPlan {
    pub(super) planned_at: Timestamp,
    pub(super) replays: VecDeque<Planned>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Planned {
    pub(super) sequence: u64,
    pub(super) message: MessageId,
    pub(super) endpoint: EndpointId,
    /// The delivery's state as it was planned. A delivery that has changed since is left out.
    pub(super) attempts: u32,
    pub(super) replays: u32,
    pub(super) delivered: bool,
    pub(super) due: Timestamp,
}

impl ReplayPlan {
    /// Returns each delivery and when it becomes due, in the order in which the messages were
    /// accepted.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&MessageId, &EndpointId, Timestamp)> {
        self.replays.iter().map(|it| (&it.message, &it.endpoint, it.due))
    }

    /// Returns the number of deliveries in the plan.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replays.len()
    }

    /// Returns whether the plan is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replays.is_empty()
    }
}

pub(super) fn is_delivered(delivery: &Delivery) -> bool {
    delivery.verdict() == Some(Verdict::Delivered)
}

pub(super) fn is_withdrawn(delivery: &Delivery) -> bool {
    delivery.verdict() == Some(Verdict::Withdrawn)
}
