//! Manual control of a [`Health`]: pause, resume, disable and enable.

use super::breaker::Health;
use super::disabled::{DisabledBy, EnabledBy};
use super::error::EnableError;
use super::phase::Phase;
use super::transition::Transition;
use crate::time::Timestamp;

impl Health {
    /// Pauses the endpoint on behalf of an operator: nothing starts until
    /// [`resume`](Self::resume), pending deliveries are held, and the time does not count towards
    /// disabling. Attempts in flight continue.
    ///
    /// Returns `false`, and changes nothing, if it is already paused.
    pub fn pause(&mut self, now: Timestamp) -> bool {
        if self.paused_since.is_some() {
            return false;
        }
        self.paused_since = Some(now);
        true
    }

    /// Resumes a paused endpoint, in the state it is in.
    ///
    /// Returns `false`, and changes nothing, if it is not paused.
    pub fn resume(&mut self, now: Timestamp) -> bool {
        let Some(since) = self.paused_since.take() else {
            return false;
        };
        if let Some(down) = self.phase.down_mut() {
            down.timer.exclude(since, now);
        }
        true
    }

    /// Disables the endpoint on behalf of an operator, with an optional reason.
    ///
    /// Returns `None` if it is already disabled. If an operator did that, nothing changes.
    /// Otherwise the decision becomes the operator's, and the time since which it is disabled
    /// stays.
    pub fn disable(&mut self, reason: Option<String>, now: Timestamp) -> Option<Transition> {
        if let Phase::Disabled(disabled) = &mut self.phase {
            if disabled.by != DisabledBy::Operator {
                (disabled.by, disabled.reason) = (DisabledBy::Operator, reason);
            }
            return None;
        }
        Some(self.phase.disable(DisabledBy::Operator, reason, now))
    }

    /// Enables a disabled endpoint: it is healthy, all counters are reset, and results of attempts
    /// that started earlier are ignored. A pause stays in effect.
    ///
    /// # Errors
    ///
    /// [`EnableError`] if the endpoint is not disabled, or if automation tries to undo an
    /// operator's decision. Nothing changes then.
    pub fn enable(&mut self, by: EnabledBy, now: Timestamp) -> Result<Transition, EnableError> {
        match (self.disabled().map(|disabled| disabled.by), by) {
            (None, _) => Err(EnableError::NotDisabled),
            (Some(DisabledBy::Operator), EnabledBy::Automation) => Err(EnableError::ByOperator),
            (Some(_), _) => {
                self.expire_permits();
                self.enabled_serial = self.serial;
                Ok(self.phase.recover(now))
            }
        }
    }
}
