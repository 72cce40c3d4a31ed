//! Timeline of one delivery through a week-long outage.
//!
//! `cargo run -p week_of_outage`
//!
//! One message goes to a receiver that is down for a week, under hook0's schedule of seven and a
//! half days. A single message is no evidence against its endpoint, so the circuit breaker stays
//! closed and the message follows its schedule. The outbox is real, the clock is virtual: the
//! host's loop jumps to the instant at which the outbox asks to be polled again.

use std::time::Duration;

use anyhow::bail;
use http::StatusCode;
use labhook::delivery::{Failure, Jitter};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::AttemptReport;
use labhook::{
    Endpoint, EndpointId, Event, MessageId, Notice, Outbox, Outcome, Registry, RetryPolicy, Secret,
    Signer, Step, Timestamp,
};

const HOUR: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

/// The time until an attempt gets its response, or fails.
const LATENCY: Duration = Duration::from_millis(80);

/// Prints the lines of a timeline.
struct Timeline {
    start: Timestamp,
}

impl Timeline {
    fn line(&self, at: Timestamp, left: &str, middle: &str, right: &str) {
        let at = clock(at.saturating_since(self.start));
        println!("{}", format!("{at:>11}  {left:>3}  {middle:44}{right}").trim_end());
    }

    fn attempt(&self, attempt: &AttemptReport) {
        let result = match &attempt.outcome {
            Some(Outcome::Response(response)) => format!("response {}", response.status()),
            Some(Outcome::Failed(failure)) => format!("no response ({failure})"),
            _ => "response not awaited".to_owned(),
        };
        let next = match attempt.next_at {
            Some(at) => format!("next after {}", clock(at.saturating_since(attempt.ended_at))),
            None => String::new(),
        };
        let number = attempt.number.to_string();
        self.line(attempt.started_at, &number, &result, &next);
    }

    fn notice(&self, notice: &Notice, now: Timestamp) {
        match notice {
            Notice::AttemptEnded(attempt) => self.attempt(attempt),
            Notice::Failing { attempts, .. } => {
                self.line(now, "", &format!("... {attempts} attempts have failed"), "");
            }
            Notice::Settled { verdict, attempts, .. } => {
                self.line(now, "", &format!(">>> {verdict} after {attempts} attempts"), "");
            }
            other => println!("{other}"),
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

    let start = Timestamp::from_unix_seconds(1_744_882_200);
    let mut now = start;
    let timeline = Timeline { start };
    // First nothing listens, then the receiver is up but fails, then it works.
    let (up_at, works_at) = (start + 150 * HOUR, start + WEEK);
    let respond = |at| match at {
        at if at < up_at => Outcome::failed(Failure::Connect),
        at if at < works_at => Outcome::bare(StatusCode::INTERNAL_SERVER_ERROR),
        _ => Outcome::bare(StatusCode::OK),
    };

    let event = Event::new(RunStateChanged::new("run-17", RunState::Completed), now);
    outbox.publish(event.into_message(MessageId::new("run-17-completed")?)?, now)?;
    timeline.line(now, "", "run-17 completed; its receiver is down for a week", "");
    while outbox.pending() > 0 {
        match outbox.poll(now) {
            Step::Send(attempt) => {
                // A host would send this request.
                attempt.request(now)?;
                let outcome = respond(now);
                now += LATENCY;
                outbox.resolve(attempt.ticket(), &outcome, now);
            }
            Step::Notify(notice) => timeline.notice(&notice, now),
            Step::Wait(until) => now = until,
            Step::Save(_) => bail!("an outbox without storage has nothing to save"),
            Step::Idle => bail!("a delivery is pending, but nothing is due"),
        }
    }
    // The remaining notices.
    while let Step::Notify(notice) = outbox.poll(now) {
        timeline.notice(&notice, now);
    }
    Ok(())
}
