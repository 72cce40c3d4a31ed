//! Exports each endpoint's counters and status to the `metrics` crate.

use std::time::Duration;

use labhook::{Outbox, Timestamp};

/// How often the metrics are exported, at most.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Meter {
    exported_at: Option<Timestamp>,
}

impl Meter {
    /// Exports the metrics, unless that was done a moment ago.
    pub(crate) fn export(&mut self, outbox: &Outbox, now: Timestamp) {
        if self.exported_at.is_some_and(|at| now.saturating_since(at) < EVERY && now >= at) {
            return;
        }
        self.exported_at = Some(now);
        for endpoint in outbox.registry().iter() {
            let Ok(status) = outbox.status(endpoint.id()) else { continue };
            let labels = [("endpoint", endpoint.id().to_string())];
            for (name, count) in status.counters.iter() {
                metrics::counter!(format!("labhook_{name}_total"), &labels).absolute(count);
            }
            let age = status.oldest_pending.map_or(Duration::ZERO, |at| now.saturating_since(at));
            let gauge = |name: &'static str| metrics::gauge!(name, &labels);
            gauge("labhook_pending").set(status.pending as f64);
            gauge("labhook_due").set(status.due as f64);
            gauge("labhook_in_flight").set(f64::from(status.flow.in_flight()));
            gauge("labhook_oldest_pending_seconds").set(age.as_secs_f64());
            gauge("labhook_spacing_seconds").set(status.spacing.unwrap_or_default().as_secs_f64());
        }
    }
}
