//! What a host does next: [`Step`].

use crate::outbox::attempt::Attempt;
use crate::outbox::notice::Notice;
use crate::outbox::record::Changes;
use crate::time::Timestamp;

/// What [`Outbox::poll`](crate::Outbox::poll) asks of the host.
///
/// Exhaustive: a host must meet every arm.
#[derive(Debug)]
#[must_use = "a step is handed out once: dropping it drops the work"]
#[allow(clippy::exhaustive_enums, reason = "a host must meet every arm")]
pub enum Step {
    /// Write these changes, then call [`Outbox::saved`](crate::Outbox::saved), or
    /// [`Outbox::unsaved`](crate::Outbox::unsaved) where that failed. Polling on in the meantime
    /// is fine.
    Save(Changes),
    /// Send [`Attempt::request`] and hand what came of it to
    /// [`Outbox::resolve`](crate::Outbox::resolve). Many attempts may be in flight at once.
    Send(Attempt),
    /// Take note. Nothing waits for it.
    Notify(Notice),
    /// Nothing to do before this instant, which is after the `now` of the call, unless an input
    /// comes first. It is exact: sleeping until then loses nothing.
    Wait(Timestamp),
    /// Nothing to do until an input comes. No attempt is in flight, save to endpoints that the
    /// registry does not know.
    Idle,
}
