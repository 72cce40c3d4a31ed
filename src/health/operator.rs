//! What people and programs decide over a [`Health`].

use super::Health;
use super::answer::Transition;
use super::disabled::{DisabledBy, EnableError, EnabledBy};
use super::state::Inner;
use crate::time::Timestamp;

impl Health {
    /// An operator pauses the endpoint: nothing starts until [`resume`](Self::resume), what waits
    /// is held, and the time does not count towards disabling. What is in flight stays so.
    ///
    /// `false`, and nothing is changed, where it is paused already.
    pub fn pause(&mut self, now: Timestamp) -> bool {
        if self.paused_since.is_some() {
            return false;
        }
        self.paused_since = Some(now);
        true
    }

    /// An operator resumes a paused endpoint, which is in the state that it was in.
    ///
    /// `false`, and nothing is changed, where it is not paused.
    pub fn resume(&mut self, now: Timestamp) -> bool {
        let Some(since) = self.paused_since.take() else {
            return false;
        };
        if let Inner::Suspended { clock, .. } = &mut self.state {
            clock.skip(since, now);
        }
        true
    }

    /// An operator disables the endpoint, and may say why.
    ///
    /// `None` where it is disabled already: by an operator, then nothing is changed; by another,
    /// then the decision is the operator's from here on, and since when it is disabled stays.
    pub fn disable(&mut self, reason: Option<String>, now: Timestamp) -> Option<Transition> {
        if let Inner::Disabled(disabled) = &mut self.state {
            if disabled.by != DisabledBy::Operator {
                (disabled.by, disabled.reason) = (DisabledBy::Operator, reason);
            }
            return None;
        }
        Some(self.state.disable(DisabledBy::Operator, reason, now))
    }

    /// Enables a disabled endpoint: it is healthy, nothing of what was counted stays, and no
    /// attempt that started before counts any more. A pause stays.
    ///
    /// # Errors
    ///
    /// [`EnableError`] where the endpoint is not disabled, or where a program would undo what a
    /// person did. Nothing is changed then.
    pub fn enable(&mut self, by: EnabledBy, now: Timestamp) -> Result<Transition, EnableError> {
        match (self.disabled().map(|disabled| disabled.by), by) {
            (None, _) => Err(EnableError::NotDisabled),
            (Some(DisabledBy::Operator), EnabledBy::Automation) => Err(EnableError::ByOperator),
            (Some(_), _) => {
                self.renew();
                self.enabled = self.serial;
                Ok(self.state.recover(now))
            }
        }
    }
}
