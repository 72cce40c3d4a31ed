//! A day in the laboratory: `cargo run -p lab_day`.
//!
//! A small scheduler tells seven systems what happens on its workcell: over HTTP, signed, through
//! an outbox that is kept in SQLite. Most of the systems misbehave, and half-way the scheduler
//! loses its memory. At the end every message that was accepted is looked for where it should be.
//!
//! Read [`sender`] first if you want to send, [`receivers`] if you want to receive, and [`store`]
//! for what has to be stored.

mod clock;
mod day;
mod partners;
mod receivers;
mod report;
mod screen;
mod sender;
mod servers;
mod shelf;
mod store;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::receivers::Receiver;
use crate::report::{Ledger, Report};
use crate::screen::Screen;
use crate::sender::{Sender, Stopped};
use crate::servers::Server;
use crate::shelf::Shelf;
use crate::store::Store;

const USAGE: &str = "\
usage: lab_day [--db PATH]

  --db PATH  where the scheduler keeps its outbox; the receivers keep what they hold beside it.
             A day that was interrupted goes on. Without this, all is in a temporary directory.";

/// As the shell says that a program was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let end = match (arguments.next(), arguments.next(), arguments.next()) {
        (None, ..) => in_temporary_directory().await,
        (Some(flag), Some(path), None) if flag == "--db" => live_through(path.as_ref()).await,
        (Some(flag), None, None) if flag == "--help" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    };
    end.unwrap_or_else(|error| {
        eprintln!("lab_day: {error:#}");
        ExitCode::FAILURE
    })
}

/// Leaves nothing behind, unless somebody may want to go on with it or to look into it.
async fn in_temporary_directory() -> anyhow::Result<ExitCode> {
    let directory = tempfile::Builder::new().prefix("lab_day-").tempdir()?;
    let end = live_through(&directory.path().join("day.db")).await;
    if !matches!(end, Ok(code) if code == ExitCode::SUCCESS) {
        println!("the day's files are kept in {}", directory.keep().display());
    }
    end
}

/// The walk.
async fn live_through(path: &Path) -> anyhow::Result<ExitCode> {
    let day = day::messages()?;
    let store = Store::open(path)?;
    let resumed_at = store.last_saved()?;
    let clock = Clock::starting_at(resumed_at.unwrap_or(day::START));
    let screen = Screen::new(day.len(), clock.now());
    let mut ctrl_c = tokio::spawn(ctrl_c());

    // The receivers live on while the scheduler crashes.
    let shelf = Shelf::open(&path.with_extension("receivers.db"))?;
    let (mut servers, mut urls) = (Vec::new(), Vec::new());
    for name in partners::ALL {
        let receiver = Receiver::new(name, shelf.clone(), screen.clone(), clock.now())?;
        let server = Arc::new(Server::new(name, receiver, &clock));
        screen.note(clock.now(), format_args!("{name}: {}", server.description()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        urls.push(format!("http://{}/hooks/lab", listener.local_addr()?));
        tokio::spawn(Arc::clone(&server).serve(listener));
        servers.push(server);
    }

    let mut ledger = Ledger::default();
    let mut sender = Sender::restore(store, &clock, &screen, &urls, &day)?;
    let crashes = resumed_at.is_none();
    let mut stopped = sender.run(&mut ledger, &mut ctrl_c, crashes).await?;
    if matches!(stopped, Stopped::Done) && crashes {
        bail!("the day went by without a moment bad enough for the crash");
    }
    if matches!(stopped, Stopped::HalfWay) {
        let (published, in_flight) = (sender.published(), sender.in_flight());
        drop(sender);
        let text = "events published, the last not saved; answers to come:";
        screen.note(clock.now(), format_args!("scheduler: CRASH, {published} {text} {in_flight}"));
        sender = Sender::restore(Store::open(path)?, &clock, &screen, &urls, &day)?;
        stopped = sender.run(&mut ledger, &mut ctrl_c, false).await?;
    }
    screen.close();

    if let Stopped::Interrupted { pending } = stopped {
        let path = path.display();
        println!("interrupted: all is saved, {pending} deliveries are pending. To go on:");
        println!("    cargo run -p lab_day -- --db {path}");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let real = clock.real().as_secs_f64();
    screen.note(clock.now(), format_args!("all has ended, after {real:.1} s of real time"));
    // Judged by the files, not by anybody's memory.
    drop(sender);
    let report = Report::new(&ledger, &Store::open(path)?.load()?, &servers)?;
    report.print();
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits until somebody presses Ctrl-C.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
