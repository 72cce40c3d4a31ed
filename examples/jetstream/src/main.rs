//! Deliveries as jobs of a NATS JetStream work queue: `cargo run -p jetstream -- --kills 30`.
//!
//! For applications that have a queue already: no outbox, but one job per message and endpoint, and
//! the [`Delivery`](labhook::delivery::Delivery) of each in a key-value bucket of JetStream.
//! [`worker`] is the whole pattern: poll and start, **save**, send, resolve, **save**, then hand
//! the job back until the machine's next time (a negative acknowledgement with a delay), or
//! acknowledge it. A save names the revision that it replaces: if two workers have the same job,
//! because one was frozen for longer than the queue waits, only one of them starts the attempt.
//!
//! Workers in processes of their own are killed with SIGKILL or frozen with SIGSTOP, the server is
//! killed once, and the receiver fails now and then. At the end, the states and the receiver's
//! copies are compared. The server is the one of `NATS_URL`, or is started for the purpose.
//!
//! # Limits
//!
//! - What JetStream loses is lost. By default, a server acknowledges what it has written before it
//!   syncs the disk (see its `sync_interval`), so a crash of the machine can take recent jobs and
//!   states with it. A lost job is a lost delivery; a lost state forgets attempts, and their
//!   duplicates then count nowhere. Replicas help unless they crash together.
//! - `max_deliver` must be -1, because JetStream hands out no job more often than that, and
//!   `max_ack_pending` must have room for every delivery that waits for its retry.
//! - There are at most as many duplicates as unanswered attempts. An attempt whose worker dies
//!   after the first save counts as one, even if nothing was sent. So does one whose worker is out
//!   for longer than the attempt timeout, or has a clock that is behind by as much.
//! - States stay after their delivery has ended, so that one published twice is delivered once. In
//!   production, give the bucket a `max_age` longer than any wait and any duplicate.
//! - Endpoints have no circuit breaker, no limits and no ordering here: see the guide's chapter
//!   "Without an outbox".

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_methods)]

mod queue;
mod receiver;
mod report;
mod server;
mod worker;

use std::collections::VecDeque;
use std::env;
use std::io::Read as _;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail, ensure};
use labhook::lab::{RunState, RunStateChanged};
use labhook::{Event, MessageId, Registry, Timestamp};
use tokio::process::{Child, Command};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::{sleep, timeout};

use crate::queue::{ACK_WAIT, Queue, key};
use crate::receiver::Receiver;
use crate::report::Report;
use crate::server::Server;
use crate::worker::Worker;

/// How many workers there are, and how many jobs each has at a time.
const WORKERS: usize = 2;
const JOBS: usize = 8;

/// Every how many kills the worker is frozen for a while instead.
const FROZEN: u32 = 5;

/// How long the last workers may take for what is left.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["work", url, name, receiver] => work(url, name, receiver).await,
        [] => run(5).await,
        ["--kills", kills] => run(kills.parse()?).await,
        _ => bail!("usage: jetstream [--kills N]"),
    }
}

/// The child: it may end at any time, and does when its parent closes the pipe or is gone.
async fn work(url: &str, name: &str, receiver: &str) -> anyhow::Result<ExitCode> {
    std::thread::spawn(|| {
        _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0)
    });
    let queue = Queue::open(url, name).await?;
    let registry = worker::registry(receiver)?;
    let worker = Worker { registry, queue, client: worker::client()? };
    futures_util::future::join_all((0..JOBS).map(|_| worker.run())).await;
    Ok(ExitCode::SUCCESS)
}

async fn run(kills: u32) -> anyhow::Result<ExitCode> {
    let Some(mut server) = Server::start()? else {
        println!("skipped: no nats-server on this machine, and no NATS_URL");
        return Ok(ExitCode::SUCCESS);
    };
    let (url, name) = (server.url.clone(), format!("labhook-{}", std::process::id()));
    let queue = Arc::new(Queue::open(&url, &name).await?);
    let (receiver, hooks) = Receiver::start().await?;
    let start_worker = || {
        let mut worker = Command::new(env::current_exe()?);
        worker.args(["work", &url, &name, &hooks]).stdin(Stdio::piped()).kill_on_drop(true);
        worker.spawn()
    };
    let mut workers: VecDeque<Child> =
        (0..WORKERS).map(|_| start_worker()).collect::<Result<_, _>>()?;

    let mut report = Report::default();
    let (stop, stopped) = oneshot::channel();
    let publisher = tokio::spawn(publish(Arc::clone(&queue), worker::registry(&hooks)?, stopped));
    let mut frozen = Vec::new();
    for kill in 0..kills {
        sleep(Duration::from_millis(200 + u64::from(kill) * 97 % 300)).await;
        if kill == kills / 2 {
            report.server_killed = server.kill().await?;
        }
        workers.push_back(start_worker()?);
        let mut worker = workers.pop_front().context("there are two")?;
        if kill % FROZEN == FROZEN - 1 {
            frozen.push(tokio::spawn(freeze(worker)));
            report.workers_frozen += 1;
        } else {
            worker.kill().await?; // SIGKILL
            report.workers_killed += 1;
        }
    }
    drop(stop);
    let accepted = timeout(PATIENCE, publisher).await.context("nothing is accepted")???;
    for worker in frozen {
        worker.await??;
    }
    let ended = async {
        for key in &accepted {
            while queue.saved(key).await?.is_none_or(|it| it.verdict().is_none()) {
                sleep(Duration::from_millis(100)).await;
            }
        }
        anyhow::Ok(())
    };
    // The report says which have not.
    timeout(PATIENCE, ended).await.unwrap_or(Ok(()))?;
    for mut worker in workers {
        worker.kill().await?;
    }

    report.add(accepted, &queue, &receiver).await?;
    report.print();
    queue.delete().await?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Publishes messages to all endpoints until the other end of `stop` is gone. Returns the keys of
/// the deliveries that JetStream accepted.
async fn publish(
    queue: Arc<Queue>,
    registry: Registry,
    mut stop: oneshot::Receiver<()>,
) -> anyhow::Result<Vec<String>> {
    let mut accepted = Vec::new();
    for number in 1_u64.. {
        if stop.try_recv() == Err(TryRecvError::Closed) {
            break;
        }
        let run = format!("run-{number}");
        let event = Event::new(RunStateChanged::new(&*run, RunState::Completed), now());
        let message = event.into_message(MessageId::new(format!("{run}-completed"))?)?;
        for endpoint in registry.iter() {
            while let Err(error) = queue.publish(endpoint.id(), &message).await {
                eprintln!("publishes {run} again: {error:#}");
                sleep(Duration::from_millis(100)).await;
            }
            accepted.push(key(endpoint.id().as_str(), message.id().as_str()));
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(accepted)
}

/// Freezes a worker until others have its jobs, and lets it go on.
async fn freeze(worker: Child) -> anyhow::Result<()> {
    let id = worker.id().context("it runs")?;
    for (signal, then) in [("STOP", ACK_WAIT * 2), ("CONT", ACK_WAIT)] {
        let kill = format!("kill -{signal} {id}");
        ensure!(Command::new("sh").args(["-c", &kill]).status().await?.success(), "{kill}");
        sleep(then).await;
    }
    Ok(())
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
