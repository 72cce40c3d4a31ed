//! The host's next action: [`Step`].

use crate::outbox::attempt::Attempt;
use crate::outbox::changes::Changes;
use crate::outbox::notice::Notice;
use crate::time::Timestamp;

/// The host's next action, returned by [`Outbox::poll`](crate::Outbox::poll).
///
/// Exhaustive: a host must handle every variant.
#[derive(Debug)]
#[must_use = "a step is handed out once: dropping it drops the work"]
#[allow(clippy::exhaustive_enums, reason = "a host must handle every variant")]
pub enum Step {
    /// Write these changes to storage, then call [`Outbox::saved`](crate::Outbox::saved), or
    /// [`Outbox::unsaved`](crate::Outbox::unsaved) if that failed. The host may poll on in the
    /// meantime.
    Save(Changes),
    /// Send [`Attempt::request`] and report the outcome to
    /// [`Outbox::resolve`](crate::Outbox::resolve). Many attempts may be in flight at once.
    Send(Attempt),
    /// Log, count or alert. The outbox does not wait for it.
    Notify(Notice),
    /// Nothing to do before this instant, unless there is an input before.
    ///
    /// The instant is after the `now` of the call, and exact: a host that sleeps until then misses
    /// nothing.
    Wait(Timestamp),
    /// Nothing to do until there is an input. No attempt is in flight, except to endpoints that the
    /// registry does not have.
    Idle,
}
