//! A transactional outbox in Postgres: `cargo run -p postgres -- --kills 30`.
//!
//! A scheduler writes its rows and the messages about them in one transaction each, and rolls some
//! back. A driver, in a process of its own, takes the messages from the database and delivers them.
//! It is killed with SIGKILL again and again, or loses its lock, while the receiver fails now and
//! then. At the end, the rows, the receiver and the records are compared.
//!
//! [`scheduler`] is what the author of a scheduler writes; `examples/host` has the rest. The server
//! is the one of `DATABASE_URL`, or is started for the purpose.

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_methods)]

mod receiver;
mod report;
mod scheduler;

use std::env;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use host::server::Server;
use host::{Clock as _, SystemClock};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::{sleep, timeout};

use crate::receiver::Receiver;
use crate::report::Report;

/// Every how many runs the transaction is rolled back.
const ROLLED_BACK: u64 = 10;

/// Every how many kills it is the driver's session that ends, and not the driver.
const DEPOSED: u32 = 5;

/// Ends the session that holds the driver's lock.
const END_SESSION: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_locks
    JOIN pg_database ON pg_database.oid = pg_locks.database AND datname = current_database()
    WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = $1
";

/// How long the last driver may take for what is left.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        // The child: it ends in good order when its parent closes the pipe, or is gone.
        ["drive", database, eln] => {
            let driven = scheduler::drive(database.to_owned(), eln, host::stdin_ends()).await;
            Ok(driven.map_or_else(
                |error| {
                    eprintln!("a driver ends: {error:#}");
                    ExitCode::FAILURE
                },
                |()| ExitCode::SUCCESS,
            ))
        }
        [] => run(5).await,
        ["--kills", kills] => run(kills.parse()?).await,
        _ => bail!("usage: postgres [--kills N]"),
    }
}

async fn run(kills: u32) -> anyhow::Result<ExitCode> {
    let Some(server) = Server::start().await? else {
        println!("skipped: no Postgres server on this machine, and no DATABASE_URL");
        return Ok(ExitCode::SUCCESS);
    };
    let database = host::postgres::connect(&server.url).await?;
    host::postgres::create_tables(&database).await?;
    let create = "CREATE TABLE run (id text PRIMARY KEY, state text NOT NULL)";
    database.batch_execute(create).await.context("the database must have no table `run`")?;
    let (receiver, eln) = Receiver::start(&server.url).await?;

    let (stop, stopped) = oneshot::channel();
    let writer = tokio::spawn(write(server.url.clone(), stopped));
    let mut deposed = Vec::new();
    for kill in 0..kills {
        let mut driver = start_driver(&server.url, &eln).await?;
        sleep(Duration::from_millis(40 + u64::from(kill) * 97 % 300)).await;
        if kill % DEPOSED == DEPOSED - 1 {
            // It goes on, without its lock: it must not save, and must end by itself.
            database.execute(END_SESSION, &[&scheduler::LOCK]).await?;
            deposed.push(driver);
        } else {
            driver.kill().await?; // SIGKILL
        }
    }
    drop(stop);
    let rolled_back = writer.await??;

    let mut driver = start_driver(&server.url, &eln).await?;
    for old in &mut deposed {
        let ended =
            timeout(PATIENCE, old.wait()).await.context("it goes on without its lock")??;
        ensure!(!ended.success(), "a driver without its lock has saved");
    }
    let settled = async {
        while Report::new(&database, &receiver).await?.is_pending() {
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, settled).await.context("something does not end")??;
    drop(driver.stdin.take());
    ensure!(driver.wait().await?.success(), "the last driver failed");

    let report = Report::new(&database, &receiver).await?;
    report.print(kills, deposed.len(), rolled_back);
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Completes runs until the other end of `stop` is gone. Returns how many it rolled back.
async fn write(url: String, mut stop: oneshot::Receiver<()>) -> anyhow::Result<u64> {
    let mut database = host::postgres::connect(&url).await?;
    let mut rolled_back = 0;
    for number in 1_u64.. {
        if stop.try_recv() == Err(TryRecvError::Closed) {
            break;
        }
        let transaction = database.transaction().await?;
        scheduler::complete(&transaction, &format!("run-{number}"), SystemClock.now()).await?;
        if number.is_multiple_of(ROLLED_BACK) {
            transaction.rollback().await?;
            rolled_back += 1;
        } else {
            transaction.commit().await?;
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(rolled_back)
}

/// Starts a driver, and waits until it has the lock.
async fn start_driver(database: &str, eln: &str) -> anyhow::Result<Child> {
    let mut driver = Command::new(env::current_exe()?)
        .args(["drive", database, eln])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = driver.stdout.take().context("it has a pipe")?;
    let line = BufReader::new(stdout).lines().next_line().await?;
    ensure!(line.as_deref() == Some("driving"), "the driver did not start: {line:?}");
    Ok(driver)
}
