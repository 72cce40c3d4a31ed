//! One delivery's timeline through a week of outage.
//!
//! `cargo run -p week_of_outage`
//!
//! A receiver is gone for a week, and one message is for it, under hook0's schedule of seven days
//! and a half and labhook's default health. The outbox is real and the clock is not: the host's
//! loop jumps to whatever instant the outbox names, so that the week takes no time.

use std::time::Duration;

use anyhow::bail;
use http::StatusCode;
use labhook::delivery::{Failure, Jitter};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{AttemptReport, Cause};
use labhook::{
    Endpoint, EndpointId, Event, MessageId, Notice, Outbox, Outcome, Registry, RetryPolicy, Secret,
    Signer, Step, Timestamp,
};

const HOUR: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How long the receiver, or the attempt to reach it, takes.
const LATENCY: Duration = Duration::from_millis(80);

/// Writes the lines of a timeline.
struct Timeline {
    began: Timestamp,
}

impl Timeline {
    fn line(&self, at: Timestamp, left: &str, middle: &str, right: &str) {
        let at = clock(at.saturating_since(self.began));
        println!("{}", format!("{at:>11}  {left:>3}  {middle:42}{right}").trim_end());
    }

    fn attempt(&self, attempted: &AttemptReport) {
        let saw = match &attempted.outcome {
            Some(Outcome::Response(response)) => format!("answered {}", response.status()),
            Some(Outcome::Failed(failure)) => format!("no answer ({failure})"),
            _ => "nobody waits for the answer".to_owned(),
        };
        let why = if attempted.cause == Cause::Probe { "probe: " } else { "" };
        let next = match attempted.next_at {
            Some(at) => format!("next after {}", clock(at.saturating_since(attempted.ended_at))),
            None => String::new(),
        };
        let number = attempted.number.to_string();
        self.line(attempted.started_at, &number, &format!("{why}{saw}"), &next);
    }

    fn note(&self, notice: &Notice, now: Timestamp) {
        match notice {
            Notice::AttemptEnded(attempted) => self.attempt(attempted),
            Notice::Failing { attempts, .. } => {
                self.line(now, "", &format!("... {attempts} attempts have failed"), "");
            }
            Notice::EndpointDegraded { since, .. } => {
                self.line(*since, "", "=== endpoint degraded", "one probe at a time from here on");
            }
            Notice::EndpointSuspended { since, .. } => {
                self.line(*since, "", "=== endpoint suspended", "it may yet be disabled");
            }
            Notice::EndpointDisabled { disabled, .. } => {
                self.line(disabled.since, "", "=== endpoint disabled", "what waits is cancelled");
            }
            Notice::EndpointRecovered { at, .. } => {
                self.line(*at, "", "=== endpoint healthy", "");
            }
            Notice::Settled { verdict, attempts, .. } => {
                self.line(now, "", &format!(">>> {verdict} after {attempts} attempts"), "");
            }
            other => println!("{other:?}"),
        }
    }
}

/// Days, hours, minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    format!("{}d {:02}:{:02}:{:02}", hours / 24, hours % 24, minutes % 60, seconds % 60)
}

fn main() -> anyhow::Result<()> {
    let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
    let (id, signer) = (EndpointId::new("eln")?, Signer::standard_webhooks(secret));
    let endpoint = Endpoint::new(id, "https://eln.example/hooks", signer)?
        .with_retry(RetryPolicy::hook0().with_jitter(Jitter::NONE));
    let mut registry = Registry::new();
    registry.insert(endpoint)?;
    let mut outbox = Outbox::new(registry, 7).without_storage().with_attempt_reports();

    let began = Timestamp::from_unix_seconds(1_744_882_200);
    let mut now = began;
    let timeline = Timeline { began };
    // Nobody listens for a while, then somebody does who cannot work yet.
    let down = (began + 150 * HOUR, began + WEEK);
    let answer = |at| match at {
        at if at < down.0 => Outcome::failed(Failure::Connect),
        at if at < down.1 => Outcome::bare(StatusCode::INTERNAL_SERVER_ERROR),
        _ => Outcome::bare(StatusCode::OK),
    };

    let event = Event::new(RunStateChanged::new("run-17", RunState::Completed), now);
    outbox.publish(event.into_message(MessageId::new("run-17-completed")?)?, now)?;
    timeline.line(now, "", "run-17 completed, and its receiver is gone for a week", "");
    while outbox.pending() > 0 {
        match outbox.poll(now) {
            Step::Send(attempt) => {
                // A host would send this; making it shows that it can be.
                attempt.request(now)?;
                let outcome = answer(now);
                now = now + LATENCY;
                outbox.resolve(attempt.ticket(), &outcome, now);
            }
            Step::Notify(notice) => timeline.note(&notice, now),
            Step::Wait(until) => now = until,
            Step::Save(_) => bail!("an outbox without storage has nothing to save"),
            Step::Idle => bail!("a delivery is pending, and nothing would ever happen"),
        }
    }
    // What is left to tell.
    while let Step::Notify(notice) = outbox.poll(now) {
        timeline.note(&notice, now);
    }
    Ok(())
}
