//! The wheels inside: what follows an endpoint's health and flow.

use std::sync::Arc;

use super::Outbox;
use super::endpoint_state::Next;
use super::notice::Notice;
use super::record::RecordKey;
use super::timers::Timer;
use crate::health::{State, Transition};
use crate::id::EndpointId;
use crate::time::Timestamp;

impl Outbox {
    /// Brings every index up to an endpoint's state: whatever moves an endpoint ends here. Answers
    /// what may go to it next.
    pub(super) fn tend(&mut self, id: &EndpointId, now: Timestamp) -> Next {
        let endpoint = self.registry.get(id).map(Arc::as_ref);
        let Some(lane) = self.lanes.get_mut(id) else { return Next::Nothing };
        lane.cancel_unsent_probe(now);
        let standing =
            endpoint.map(|it| lane.kept.health.poll(&it.policy.health, self.watch.guard(), now));
        if let Some(edge) = standing.and_then(|standing| standing.transition) {
            let moved = self.turned(id, edge);
            self.settle_all(moved, id, now);
            return self.tend(id, now);
        }

        let census = lane.census(endpoint.is_some_and(|endpoint| endpoint.enabled));
        let turned = self.watch.count(lane.census, census);
        lane.census = census;

        let next = match (endpoint, standing) {
            (Some(endpoint), Some(standing)) if endpoint.enabled => {
                lane.next(endpoint, standing.gate, now)
            }
            _ => Next::Nothing,
        };
        self.turns.set(id, &mut lane.turn, matches!(next, Next::Go { .. }));
        let alarm = match next {
            // At the end of time a wait is over and goes on.
            Next::Wait { until } if until > now => Some(until),
            _ => None,
        };
        if lane.alarm != alarm {
            self.alarms.change(lane.alarm, alarm, Timer::Endpoint(id.clone()));
            lane.alarm = alarm;
        }
        if lane.has_news() {
            self.journal.touch(RecordKey::Endpoint(id.clone()));
            lane.recorded = lane.kept.clone();
        }
        if turned {
            self.journal.guard_notice(self.outage_notice(now));
        }
        next
    }

    /// Tells of an endpoint's new state what was not told yet of this incident, and answers which
    /// deliveries it moves.
    pub(super) fn turned(&mut self, id: &EndpointId, edge: Transition) -> Vec<u64> {
        let Some(lane) = self.lanes.get_mut(id) else { return Vec::new() };
        let told = lane.kept.told;
        lane.kept.told = told.max(edge.to);
        let (endpoint, since) = (id.clone(), edge.at);
        let notice = match edge.to {
            State::Healthy => {
                lane.kept.told = State::Healthy;
                lane.kept.flow.recovered();
                Some(Notice::EndpointRecovered { endpoint, at: edge.at })
            }
            to if to <= told => None,
            State::Degraded => Some(Notice::EndpointDegraded { endpoint, since }),
            State::Suspended => Some(Notice::EndpointSuspended { endpoint, since }),
            State::Disabled => lane
                .kept
                .health
                .disabled()
                .cloned()
                .map(|disabled| Notice::EndpointDisabled { endpoint, disabled }),
        };
        if let Some(notice) = notice {
            self.journal.touch(RecordKey::Endpoint(id.clone()));
            self.journal.guard_notice(notice);
        }
        if edge.is_disabling() { lane.queue.open().collect() } else { Vec::new() }
    }

    fn outage_notice(&self, now: Timestamp) -> Notice {
        let (failing, all) = self.watch.counts();
        if self.watch.guard().is_suspected() {
            Notice::SenderOutage { failing, all, since: now }
        } else {
            Notice::SenderOutageEnded { at: now }
        }
    }
}
