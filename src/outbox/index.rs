//! The indexes of an outbox.
//!
//! An indexed state holds a copy of its own index entry, such as [`Scheduled`](timers::Scheduled),
//! so that the entry can be found and replaced. Only the index can change that copy: each index
//! has one method that changes both, so they cannot get out of step.

pub(super) mod backlog;
pub(super) mod fair_queue;
pub(super) mod id_index;
mod line;
pub(super) mod ordering;
pub(super) mod outage;
pub(super) mod subscriptions;
pub(super) mod timers;
