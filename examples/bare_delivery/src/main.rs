//! Without an outbox: [`Delivery`](labhook::delivery::Delivery) driven from rows in your own
//! database.
//!
//! `cargo run -p bare_delivery`
//!
//! Every delivery is a row (message id, endpoint id, state, `wake_at`) of the [`queue`], and
//! [`Host::attempt`] is the whole pattern: poll and start, **save**, send, resolve, **save**. One
//! of the two receivers is down at first, and then busy.
//!
//! Here one worker sends one request at a time. With several workers, keep the row locked from
//! the read to the first save (`FOR UPDATE SKIP LOCKED` if the database has it), and read it again,
//! locked, to resolve it. In between, the attempt's deadline is the row's lease.

// An application may read the clock; only the library must not.
#![allow(clippy::disallowed_methods)]

mod queue;
mod receivers;
mod send;

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use labhook::delivery::{Jitter, JitterSeed, Resolution, Schedule};
use labhook::lab::{RunState, RunStateChanged};
use labhook::{Event, MessageId, Outcome, Registry, RetryPolicy, Timestamp};
use queue::{Queue, Row};

/// Chosen once per application, and kept: the seed of the jitter.
const SEED: u64 = 0x1ab0_0c4e;

struct Host {
    registry: Registry,
    queue: Queue,
    client: reqwest::Client,
    began: Timestamp,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let quick = [200, 500, 1_000].map(Duration::from_millis);
    let policy = RetryPolicy::new(Schedule::list(quick).forever())
        .with_jitter(Jitter::plus_minus(20))
        .with_attempt_timeout(Duration::from_secs(2))
        .with_window(Duration::from_secs(10));
    let registry = receivers::start(&policy)?;
    let mut host = Host { registry, queue: Queue::open()?, client: send::client()?, began: now() };
    host.publish("run-17")?;
    host.publish("run-18")?;

    while let Some(wake_at) = host.queue.next_wake_at()? {
        tokio::time::sleep(wake_at.saturating_since(now())).await;
        while let Some(row) = host.queue.due(now())? {
            host.attempt(row).await?;
        }
    }
    println!("every delivery has ended");
    Ok(())
}

impl Host {
    /// Accepts a message for every endpoint whose subscription matches.
    fn publish(&mut self, run: &str) -> anyhow::Result<()> {
        let event = Event::new(RunStateChanged::new(run, RunState::Started), now());
        let message = event.into_message(MessageId::new(format!("{run}-started"))?)?;
        let wanting = self.registry.iter().filter(|it| it.subscription.matches(&message));
        self.queue.insert(&message, wanting.map(|endpoint| endpoint.id()), now())
    }

    /// Makes one attempt, if one is due.
    async fn attempt(&self, mut row: Row) -> anyhow::Result<()> {
        let endpoint = self.registry.get(&row.endpoint).context("an endpoint nobody knows")?;
        let message = self.queue.message(&row.message)?;
        let policy = &endpoint.policy.retry;
        let dice = JitterSeed::new(SEED, &row.message, &row.endpoint);

        let at = now();
        // `poll` counts an attempt that a crash interrupted as unanswered, and ends a row whose
        // retry window is over. `start` starts a delivery only if it is due.
        row.delivery.poll(policy, dice, at);
        let started = row.delivery.start(policy, at);
        // Save before sending: the row then contains every attempt that the receiver may have seen.
        self.queue.save(&row, row.delivery.claim_at(policy))?;
        let Some(started) = started else { return Ok(()) };

        let timeout = started.deadline.saturating_since(at);
        let outcome = send::send(&self.client, endpoint, &message, timeout).await;
        let resolution = row.delivery.resolve(policy, dice, started.number, &outcome, now());
        self.queue.save(&row, row.delivery.claim_at(policy))?;

        self.report(&row, at, &outcome, resolution);
        Ok(())
    }

    fn report(&self, row: &Row, at: Timestamp, outcome: &Outcome, resolution: Resolution) {
        let since = |later: Timestamp| later.saturating_since(self.began).as_secs_f64();
        let saw = match outcome {
            Outcome::Response(response) => response.status().to_string(),
            Outcome::Failed(failure) => format!("no answer ({failure:?})"),
            other => format!("{other:?}"),
        };
        let then = match resolution {
            Resolution::Retry { at } => format!("again at {:.3} s", since(at)),
            Resolution::Ended(verdict) => verdict.to_string(),
            Resolution::InDoubt => "in doubt".to_owned(),
            Resolution::LateSuccess => "delivered late".to_owned(),
            Resolution::Ignored(why) => format!("ignored ({why:?})"),
        };
        let (message, endpoint) = (row.message.as_str(), row.endpoint.as_str());
        let (at, number) = (since(at), row.delivery.attempts());
        println!("{at:.3} s  {message} -> {endpoint:4}  attempt {number}: {saw:23}  {then}");
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
