//! Reconciles an endpoint's indexes, records and notices with its health and flow.

use super::Outbox;
use super::endpoint_state::Next;
use super::endpoints::EndpointSlot;
use super::index::timers::{Term, Timer};
use super::notice::Notice;
use super::slab::EndpointNo;
use crate::health::{State, Transition};
use crate::time::Timestamp;

impl Outbox {
    /// Reconciles an endpoint, and returns what may go to it next.
    ///
    /// Every change of an endpoint ends here.
    pub(super) fn reconcile_endpoint(&mut self, number: EndpointNo, now: Timestamp) -> Next {
        self.latest = self.latest.max(now);
        let stopping = self.draining;
        let Some(slot) = self.endpoints.slot_mut(number) else { return Next::Nothing };
        let EndpointSlot { id, endpoint, state: Some(state), roster, mark, is_swept, .. } = slot
        else {
            return Next::Nothing;
        };
        let endpoint = endpoint.as_deref();
        state.cancel_unsent_probe(now);
        if let Some(endpoint) = endpoint {
            state.persisted.flow.cap_pause(endpoint.policy.retry.retry_after_cap(), now);
        }
        let health = &mut state.persisted.health;
        let gate = endpoint.map(|it| health.poll(&it.policy.health, now));

        let condition = state.condition(endpoint.is_some_and(|endpoint| endpoint.enabled));
        let outage_changed = self.outage.set(&mut state.counted, condition);

        let next = match (endpoint, gate) {
            (Some(endpoint), Some(gate)) if endpoint.enabled && !*is_swept => {
                state.next(endpoint, gate, now)
            }
            _ => Next::Nothing,
        };
        self.fair_queue.set(number, &mut state.share, matches!(next, Next::Go { .. }));
        let timer_at = match next {
            // At the end of time a wait never ends.
            Next::Wait { until } if until > now => Some(until),
            _ => None,
        };
        let terms = (Term::Soon, Term::Soon);
        self.timers.set(&mut state.timer, timer_at, Timer::Endpoint(number), terms);

        if state.needs_record(stopping) {
            self.journal.touch_endpoint(number, mark);
            let policy = endpoint.map(|endpoint| &endpoint.policy.flow);
            for notice in state.flow_notices(id, policy, roster.pending(), now) {
                self.journal.guard_notice(notice);
            }
            state.note_recorded();
        }
        if outage_changed {
            self.journal.guard_notice(self.outage_notice(now));
        }
        next
    }

    /// Notifies the host of an endpoint's new state.
    pub(super) fn apply_transition(&mut self, number: EndpointNo, transition: Transition) {
        let Some(slot) = self.endpoints.slot_mut(number) else { return };
        let EndpointSlot { id, state: Some(state), mark, .. } = slot else { return };
        let persisted = &mut state.persisted;
        let (endpoint, at) = (id.clone(), transition.at);
        let notice = match transition.to {
            State::Healthy => {
                persisted.flow.recovered(at);
                Some(Notice::EndpointRecovered { endpoint, at })
            }
            State::Down => Some(Notice::EndpointDown { endpoint, since: at }),
            State::Disabled => persisted
                .health
                .disabled()
                .cloned()
                .map(|disabled| Notice::EndpointDisabled { endpoint, disabled }),
        };
        if let Some(notice) = notice {
            self.journal.touch_endpoint(number, mark);
            self.journal.guard_notice(notice);
        }
    }

    fn outage_notice(&self, now: Timestamp) -> Notice {
        let (failing, all) = self.outage.counts();
        if self.outage.outage().is_suspected() {
            Notice::SenderOutage { failing, all, since: now }
        } else {
            Notice::SenderOutageEnded { at: now }
        }
    }
}
