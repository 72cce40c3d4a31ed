//! Reconciles an endpoint's indexes, records and notices with its health and flow.

use std::sync::Arc;

use super::Outbox;
use super::endpoint_state::Next;
use super::index::timers::Timer;
use super::notice::Notice;
use super::record::RecordKey;
use crate::health::{State, Transition};
use crate::id::EndpointId;
use crate::time::Timestamp;

impl Outbox {
    /// Reconciles an endpoint, and returns what may go to it next.
    ///
    /// Every change of an endpoint ends here.
    pub(super) fn reconcile_endpoint(&mut self, id: &EndpointId, now: Timestamp) -> Next {
        self.latest = self.latest.max(now);
        let endpoint = self.registry.get(id).map(Arc::as_ref);
        let Some(state) = self.endpoints.get_mut(id) else { return Next::Nothing };
        state.cancel_unsent_probe(now);
        let health = &mut state.persisted.health;
        let gate = endpoint.map(|it| health.poll(&it.policy.health, now));

        let condition = state.condition(endpoint.is_some_and(|endpoint| endpoint.enabled));
        let outage_changed = self.outage.set(&mut state.counted, condition);

        let next = match (endpoint, gate) {
            (Some(endpoint), Some(gate)) if endpoint.enabled => state.next(endpoint, gate, now),
            _ => Next::Nothing,
        };
        self.fair_queue.set(id, &mut state.share, matches!(next, Next::Go { .. }));
        let timer_at = match next {
            // At the end of time a wait never ends.
            Next::Wait { until } if until > now => Some(until),
            _ => None,
        };
        self.timers.set(&mut state.timer, timer_at, || Timer::Endpoint(id.clone()));

        if state.has_changed() {
            self.journal.touch(RecordKey::Endpoint(id.clone()));
            for notice in state.flow_notices(id, endpoint.map(|it| &it.policy.flow), now) {
                self.journal.guard_notice(notice);
            }
            state.recorded = state.persisted.clone();
        }
        if outage_changed {
            self.journal.guard_notice(self.outage_notice(now));
        }
        next
    }

    /// Notifies the host of an endpoint's new state. Returns the deliveries that this moves.
    pub(super) fn apply_transition(&mut self, id: &EndpointId, transition: Transition) -> Vec<u64> {
        let Some(state) = self.endpoints.get_mut(id) else { return Vec::new() };
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
            self.journal.touch(RecordKey::Endpoint(id.clone()));
            self.journal.guard_notice(notice);
        }
        if transition.is_disabling() { state.backlog.open().collect() } else { Vec::new() }
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
