//! A day in the laboratory: `cargo run -p lab_day`.
//!
//! A small scheduler sends the events of its workcell to seven systems: signed, over HTTP, through
//! an outbox that is saved in SQLite. Most of the systems misbehave, and halfway through the
//! scheduler crashes. At the end the program checks that every accepted message has arrived.
//!
//! To send, read [`sender`] first, and then `examples/host`, which it runs on; to receive,
//! [`receivers`]; to find out what happened before a crash, [`incident`].

mod clock;
mod day;
mod incident;
mod partners;
mod receiver_store;
mod receivers;
mod report;
mod screen;
mod sender;
mod servers;
mod store;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError};

use anyhow::bail;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::receiver_store::ReceiverStore;
use crate::receivers::Receiver;
use crate::report::Report;
use crate::screen::Screen;
use crate::sender::{Scheduler, Stopped};
use crate::servers::Server;
use crate::store::Store;

const USAGE: &str = "\
usage: lab_day [--db PATH]

  --db PATH  the scheduler's database; the receivers' database is created beside it.
             An interrupted day is resumed. The default is a temporary directory.";

/// The shell's exit code for Ctrl-C.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let result = match (arguments.next(), arguments.next(), arguments.next()) {
        (None, ..) => in_temporary_directory().await,
        (Some(flag), Some(path), None) if flag == "--db" => run_day(path.as_ref()).await,
        (Some(flag), None, None) if flag == "--help" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("lab_day: {error:#}");
        ExitCode::FAILURE
    })
}

/// Deletes the files afterwards, unless the day was interrupted or failed.
async fn in_temporary_directory() -> anyhow::Result<ExitCode> {
    let directory = tempfile::Builder::new().prefix("lab_day-").tempdir()?;
    let result = run_day(&directory.path().join("day.db")).await;
    if !matches!(result, Ok(code) if code == ExitCode::SUCCESS) {
        println!("the day's files are kept in {}", directory.keep().display());
    }
    result
}

/// Runs the day, from the first event to the report.
async fn run_day(path: &Path) -> anyhow::Result<ExitCode> {
    let day = day::messages()?;
    let store = Store::open(path)?;
    let resumed_at = store.last_saved()?;
    let clock = Clock::starting_at(resumed_at.unwrap_or(day::START));
    let screen = Screen::new(day.len(), clock.now());
    let mut ctrl_c = tokio::spawn(ctrl_c());

    // The receivers survive the scheduler's crash.
    let receiver_store = ReceiverStore::open(&path.with_extension("receivers.db"))?;
    let (mut servers, mut urls) = (Vec::new(), Vec::new());
    for name in partners::ALL {
        let receiver = Receiver::new(name, receiver_store.clone(), screen.clone(), clock.now())?;
        let server = Arc::new(Server::new(name, receiver, &clock));
        screen.note(clock.now(), format_args!("{name}: {}", server.description()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        urls.push(format!("http://{}/hooks/lab", listener.local_addr()?));
        tokio::spawn(Arc::clone(&server).serve(listener));
        servers.push(server);
    }

    let ledger = Arc::default();
    let log = path.with_extension("log.jsonl");
    let scheduler = Scheduler {
        log: &log,
        clock: &clock,
        screen: &screen,
        urls: &urls,
        day: &day,
        ledger: &ledger,
    };
    let crashes = resumed_at.is_none();
    let mut stopped = scheduler.run(store, &mut ctrl_c, crashes).await?;
    if matches!(stopped, Stopped::Done) && crashes {
        bail!("there was no opportunity for the crash");
    }
    if let Stopped::Crashed { published, in_flight } = stopped {
        let text = "events published, a save cut off, requests in flight:";
        screen.note(clock.now(), format_args!("scheduler: CRASH, {published} {text} {in_flight}"));
        for line in incident::run_again(&log, &urls)? {
            screen.note(clock.now(), format_args!("log: {line}"));
        }
        stopped = scheduler.run(Store::open(path)?, &mut ctrl_c, false).await?;
    }
    screen.close();

    if let Stopped::Interrupted { pending } = stopped {
        let path = path.display();
        println!("interrupted: everything is saved, {pending} deliveries are pending. To resume:");
        println!("    cargo run -p lab_day -- --db {path}");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let real = clock.real().as_secs_f64();
    screen.note(
        clock.now(),
        format_args!("all deliveries have ended, after {real:.1} s of real time"),
    );
    // Check the saved files, not what is in memory.
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let report = Report::new(&ledger, &Store::open(path)?.records()?, &servers)?;
    report.print();
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits until somebody presses Ctrl-C.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
