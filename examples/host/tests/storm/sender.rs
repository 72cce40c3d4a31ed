//! The process that is killed: it drives an outbox, and reads commands from its standard input.
//!
//! A line of numbers publishes these messages, and `end` ends the process once nothing is pending.
//! It reports to the [`supervisor`](crate::supervisor) on its standard output, a line each and at
//! once, because the next moment may be the last.

use std::process::ExitCode;
use std::time::Duration;

use host::http::Http;
use host::postgres::Postgres;
use host::sqlite::Sqlite;
use host::{Client, Clock, Driver, Handle, Store, SystemClock};
use labhook::delivery::{DeliveryGuarantee, Schedule};
use labhook::endpoint::AddressPolicy;
use labhook::flow::AdaptiveRatePolicy;
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{Changes, Record};
use labhook::policy::Order;
use labhook::{
    Attempt, Endpoint, EndpointId, Event, FlowPolicy, HealthPolicy, Message, MessageId, Notice,
    Outbox, Outcome, Registry, RetryPolicy, Secret, Signer, Timestamp,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The stores. The file of the second one cannot grow.
pub const SQLITE: &str = "sqlite";
pub const FULL_SQLITE: &str = "full sqlite";
pub const POSTGRES: &str = "postgres";

pub const PLAIN: &str = "plain";
pub const ORDERED: &str = "ordered";
pub const ONCE: &str = "once";
pub const ASK: &str = "ask";

pub const ENDPOINTS: [&str; 4] = [PLAIN, ORDERED, ONCE, ASK];

/// Short, since what a killed sender has started waits for it.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(300);

/// The number of the advisory lock.
const LOCK: i64 = 17_744_882;

pub fn secret() -> anyhow::Result<Secret> {
    Ok(Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?)
}

/// Returns the message with this number, the same each time. Some are large.
fn message(number: u64) -> anyhow::Result<Message> {
    let mut run = RunStateChanged::new(format!("run-{number}"), RunState::Completed);
    run.message = Some("x".repeat(if number.is_multiple_of(16) { 20_000 } else { 200 }));
    let seconds = 1_744_882_200 + i64::try_from(number)?;
    let event = Event::new(run, Timestamp::from_unix_seconds(seconds));
    Ok(event.into_message(MessageId::new(format!("m{number}"))?)?)
}

fn registry(receivers: &str) -> anyhow::Result<Registry> {
    let schedule = Schedule::list([50, 100, 200].map(Duration::from_millis)).forever();
    let retry = RetryPolicy::new(schedule).with_attempt_timeout(ATTEMPT_TIMEOUT);
    // Circuits open and close during the storm.
    let health = HealthPolicy::default()
        .with_failures(std::num::NonZeroU32::new(3))
        .with_refused_for(Duration::ZERO)
        .with_probes(Duration::from_millis(100), Duration::from_millis(500));
    // Rates are learned from refusals, but never so low that the storm takes hours.
    let slowest = AdaptiveRatePolicy::new(Duration::from_millis(100));
    let flow = FlowPolicy::adaptive().with_adaptive_rate(slowest);
    let mut registry = Registry::new();
    for name in ENDPOINTS {
        let signer = Signer::standard_webhooks(secret()?);
        let url = format!("{receivers}/{name}");
        let guarantee = match name {
            ONCE => DeliveryGuarantee::AtMostOnce,
            ASK => DeliveryGuarantee::Ask,
            _ => DeliveryGuarantee::AtLeastOnce,
        };
        let endpoint = Endpoint::plain_http(EndpointId::new(name)?, &url, signer)?
            .with_retry(retry.clone().with_guarantee(guarantee))
            .with_order(if name == ORDERED { Order::strict() } else { Order::none() })
            .with_health(health)
            .with_flow(flow);
        registry.insert(endpoint)?;
    }
    Ok(registry)
}

/// Runs until the command to end, or until something fails.
pub async fn run(store: &str, place: &str, receivers: &str) -> ExitCode {
    let Err(error) = open(store, place, receivers).await else { return ExitCode::SUCCESS };
    println!("ends {}", format!("{error:#}").replace('\n', " "));
    ExitCode::FAILURE
}

async fn open(store: &str, place: &str, receivers: &str) -> anyhow::Result<()> {
    if store == POSTGRES {
        return drive(Postgres::lock(place, LOCK).await?, receivers).await;
    }
    let sqlite = Sqlite::open(place.as_ref())?;
    if store == FULL_SQLITE {
        // Its size now, if that is larger.
        sqlite.connection().execute_batch("PRAGMA max_page_count = 1")?;
    }
    drive(sqlite, receivers).await
}

async fn drive(store: impl Store + 'static, receivers: &str) -> anyhow::Result<()> {
    let outbox = Outbox::new(registry(receivers)?, 7);
    let http = Http::new(AddressPolicy::public().allow_loopback());
    let (driver, handle) =
        Driver::restore(outbox, Reporting(store), Reporting(http), SystemClock).await?;
    let (doubts, in_doubt) = unbounded_channel();
    let driver = driver.with_notices(move |notice, _| {
        if let Notice::InDoubt { message, .. } = notice {
            let _ = doubts.send(message.clone());
        }
    });
    let mut running = tokio::spawn(driver.run());
    println!("ready");
    tokio::select! {
        // First, because it has the reason.
        biased;
        ended = &mut running => return ended?,
        ended = publish(&handle, lines()) => ended?,
        ended = decide(&handle, in_doubt) => ended?,
    }
    handle.drain();
    running.await?
}

/// Returns the lines of the standard input. The process ends when it does: the supervisor is gone.
fn lines() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
        std::process::exit(1)
    });
    lines
}

async fn publish(handle: &Handle, mut lines: UnboundedReceiver<String>) -> anyhow::Result<()> {
    while let Some(line) = lines.recv().await {
        if line == "end" {
            handle.settled().await;
            break;
        }
        let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let messages = numbers.iter().map(|it| message(*it)).collect::<Result<_, _>>()?;
        for (number, published) in numbers.iter().zip(handle.publish_all(messages).await?) {
            anyhow::ensure!(!published?.differs, "message {number} differs from the one before");
            println!("published {number}");
        }
    }
    Ok(())
}

/// Resends every other message that is in doubt, and gives the rest up.
async fn decide(handle: &Handle, mut in_doubt: UnboundedReceiver<MessageId>) -> anyhow::Result<()> {
    // An earlier sender may have died between the notice and the decision.
    let left = handle.with(|outbox, _| {
        let in_doubt = outbox.deliveries().filter(|(_, _, it)| it.in_doubt().is_some());
        in_doubt.map(|(message, _, _)| message.id().clone()).collect::<Vec<_>>()
    });
    for message in left.await? {
        decide_one(handle, message).await?;
    }
    while let Some(message) = in_doubt.recv().await {
        decide_one(handle, message).await?;
    }
    // The driver has ended, and has the reason.
    std::future::pending().await
}

async fn decide_one(handle: &Handle, message: MessageId) -> anyhow::Result<()> {
    let ask = EndpointId::new(ASK)?;
    handle
        .with(move |outbox, now| {
            if message.as_str().ends_with(['1', '3', '5', '7', '9']) {
                println!("resent {message}");
                outbox.resend(&message, &ask, now);
            } else {
                outbox.give_up(&message, &ask, now);
            }
        })
        .await
}

/// A store or a client that reports each failure.
#[derive(Clone)]
struct Reporting<T>(T);

impl<S: Store> Store for Reporting<S> {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        self.0.load().await
    }

    async fn save(&mut self, changes: &Changes, now: Timestamp) -> anyhow::Result<()> {
        let saved = self.0.save(changes, now).await;
        if saved.is_err() {
            println!("unsaved");
        }
        saved
    }
}

impl Client for Reporting<Http> {
    async fn send<K: Clock>(&self, attempt: &Attempt, clock: &K) -> Outcome {
        let outcome = self.0.send(attempt, clock).await;
        if outcome.status().is_none() {
            let ticket = attempt.ticket();
            println!("unanswered {} {}", ticket.endpoint(), ticket.message());
        }
        outcome
    }
}
