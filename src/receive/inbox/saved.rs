//! The serialized form of an inbox; the indexes are rebuilt on load.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::age::AgeClock;
use super::{Entry, Inbox};
use crate::time::{Timestamp, millis_up};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    capacity: NonZeroUsize,
    horizon_ms: u64,
    lease_ms: u64,
    next_claim: u64,
    evictions: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<AgeClock>,
    events: Vec<SavedEvent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedEvent {
    source: Box<str>,
    id: Box<str>,
    expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<u64>,
}

impl From<Saved> for Inbox {
    fn from(saved: Saved) -> Self {
        let mut inbox = Self {
            next_claim: saved.next_claim,
            evictions: saved.evictions,
            clock: saved.clock,
            ..Self::new(saved.capacity)
                .with_horizon(Duration::from_millis(saved.horizon_ms))
                .with_lease(Duration::from_millis(saved.lease_ms))
        };
        for SavedEvent { source, id, expires_at, claim } in saved.events {
            inbox.put((source.into(), id.into()), Entry { expires_at, claim });
        }
        inbox
    }
}

impl From<Inbox> for Saved {
    fn from(inbox: Inbox) -> Self {
        Self {
            capacity: inbox.capacity,
            horizon_ms: millis_up(inbox.horizon),
            lease_ms: millis_up(inbox.lease),
            next_claim: inbox.next_claim,
            evictions: inbox.evictions,
            clock: inbox.clock,
            events: inbox
                .entries
                .into_iter()
                .map(|((source, id), Entry { expires_at, claim })| SavedEvent {
                    source: (*source).into(),
                    id: (*id).into(),
                    expires_at,
                    claim,
                })
                .collect(),
        }
    }
}
