//! Reconciles an endpoint's indexes, records and notices with its health and flow.

use std::sync::Arc;
use std::time::Duration;

use super::Outbox;
use super::endpoint_state::Next;
use super::index::timers::Timer;
use super::notice::Notice;
use super::record::RecordKey;
use crate::health::{Gate, State, Transition};
use crate::id::EndpointId;
use crate::time::Timestamp;

/// How long deliveries must have been due for their endpoint to count as falling behind.
const BEHIND_AFTER: Duration = Duration::from_secs(60);

impl Outbox {
    /// Reconciles an endpoint, and returns what may go to it next.
    ///
    /// Every change of an endpoint ends here.
    pub(super) fn reconcile_endpoint(&mut self, id: &EndpointId, now: Timestamp) -> Next {
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
        // Whether deliveries have been due for long, and wait because of the learned rate.
        let mut behind_at = None;
        if state.persisted.behind {
            state.persisted.behind = state.backlog.due() > 0;
        } else if let (Some(endpoint), Some(Gate::Open), Next::Wait { .. }) = (endpoint, gate, next)
            && state.is_paced(&endpoint.policy.flow, now)
        {
            // A cancelled start of a first attempt is not saved, so that does not count.
            let first = state.backlog.first().and_then(|it| self.messages.get(&it));
            let retry = state.backlog.retry().and_then(|it| self.messages.get(&it));
            let since = match (first, retry.and_then(|it| it.deliveries.get(id))) {
                (Some(message), _) => Some(message.accepted_at),
                (None, retry) => retry.and_then(|it| it.delivery.due_since()),
            };
            behind_at = since.map(|since| since + BEHIND_AFTER).filter(|at| *at > now);
            state.persisted.behind = since.is_some() && behind_at.is_none();
        }

        let timer_at = match next {
            // At the end of time a wait never ends.
            Next::Wait { until } if until > now => behind_at.into_iter().chain([until]).min(),
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
