//! Shutdown: [`Outbox::drain`].

use super::Outbox;
use super::endpoints::EndpointSlot;
use super::input_log::Input;

impl Outbox {
    /// Starts no more attempts, until [`undrain`](Self::undrain) or a restart: the process is to
    /// end.
    ///
    /// Go on with the loop until [`is_drained`](Self::is_drained). Attempts in flight can be
    /// resolved, and messages published, which wait for the next process. Only this process is
    /// concerned: no endpoint changes.
    ///
    /// The records of endpoints may lack the last measurements of a healthy receiver. They are
    /// saved now, so that the next process goes on as this one would have.
    ///
    /// ```
    /// # use labhook::{Outbox, Registry, Step, Timestamp};
    /// # let mut outbox = Outbox::new(Registry::new(), 7);
    /// # let now = Timestamp::from_unix_seconds(1_744_882_200);
    /// outbox.drain();
    /// while !outbox.is_drained() {
    ///     match outbox.poll(now) {
    ///         Step::Save(changes) => {
    ///             // Save, as always.
    ///             outbox.saved(changes.revision());
    ///         }
    ///         Step::Wait(_) => break, // until a response to what is in flight is resolved
    ///         _ => {}
    ///     }
    /// }
    /// ```
    ///
    /// Returns `false`, and changes nothing, if that was said before.
    pub fn drain(&mut self) -> bool {
        let changed = !std::mem::replace(&mut self.draining, true);
        for number in self.endpoints.numbers() {
            let Some(slot) = self.endpoints.slot_mut(number) else { continue };
            let EndpointSlot { state: Some(state), mark, .. } = slot else { continue };
            if state.needs_record(true) {
                self.journal.touch_endpoint(number, mark);
                state.note_recorded();
            }
        }
        self.log(self.latest, || Input::Drain, &changed);
        changed
    }

    /// Ends [`drain`](Self::drain): attempts start again.
    ///
    /// Returns `false`, and changes nothing, if it was not draining.
    pub fn undrain(&mut self) -> bool {
        let changed = std::mem::take(&mut self.draining);
        self.log(self.latest, || Input::Undrain, &changed);
        changed
    }

    /// Returns whether the process can end without costing anything: no attempt can start or is in
    /// flight, and everything is saved and notified.
    ///
    /// Without [`drain`](Self::drain) it is `false`. An attempt whose response never comes ends at
    /// its [deadline](super::Attempt::deadline).
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let all_saved = self.journal.is_empty() && !self.is_behind();
        self.draining && all_saved && self.in_flight() == 0
    }

    /// Returns the number of attempts in flight, except to endpoints that the registry does not
    /// have: those stay in flight until the host adds their endpoint again.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let registered = self.endpoints.iter().filter(|slot| slot.endpoint.is_some());
        let counts = registered
            .filter_map(|slot| slot.state.as_ref())
            .map(|state| state.persisted.flow.in_flight());
        counts
            .fold(0, |sum, count| sum.saturating_add(usize::try_from(count).unwrap_or(usize::MAX)))
    }
}
