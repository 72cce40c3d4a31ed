//! The serialized form of an inbox; the indexes are rebuilt on load.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Inbox;
use super::changes::{InboxEvent, InboxState};
use crate::time::millis_up;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    capacity: NonZeroUsize,
    horizon_ms: u64,
    lease_ms: u64,
    state: InboxState,
    events: Vec<InboxEvent>,
}

impl From<Saved> for Inbox {
    fn from(saved: Saved) -> Self {
        Self::new(saved.capacity)
            .with_horizon(Duration::from_millis(saved.horizon_ms))
            .with_lease(Duration::from_millis(saved.lease_ms))
            .restore(saved.state, saved.events)
    }
}

impl From<Inbox> for Saved {
    fn from(inbox: Inbox) -> Self {
        let (state, events) = inbox.rows();
        Self {
            capacity: inbox.capacity,
            horizon_ms: millis_up(inbox.horizon),
            lease_ms: millis_up(inbox.lease),
            state,
            events: events.collect(),
        }
    }
}
