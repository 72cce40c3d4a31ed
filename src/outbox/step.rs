//! The host's next action: [`Step`].

use crate::outbox::attempt::Attempt;
use crate::outbox::changes::Changes;
use crate::outbox::notice::Notice;
use crate::time::Timestamp;

/// The host's next action, returned by [`Outbox::poll`](crate::Outbox::poll).
///
/// Exhaustive: a host must handle every variant.
///
/// ```
/// use labhook::outbox::Changes;
/// use labhook::{Attempt, Outbox, Step, Timestamp};
///
/// /// Does all that there is to do now. Returns when to call again, unless there is an input before.
/// fn run(
///     outbox: &mut Outbox,
///     now: Timestamp,
///     save: impl Fn(&Changes),  // returns when the changes are durable
///     send: impl Fn(Attempt),   // to a thread that reports the outcome to `resolve`
/// ) -> Option<Timestamp> {
///     loop {
///         match outbox.poll(now) {
///             Step::Save(changes) => {
///                 save(&changes);
///                 outbox.saved(changes.revision());
///             }
///             Step::Send(attempt) => send(attempt),
///             Step::Notify(notice) => println!("{notice}"),
///             Step::Wait(until) => return Some(until),
///             Step::Idle => return None,
///         }
///     }
/// }
/// ```
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
