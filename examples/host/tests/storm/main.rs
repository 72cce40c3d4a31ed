//! Senders that are killed, on a disk that is full and with a database that goes away:
//! `cargo test -p host --all-features --test storm`.
//!
//! A [`sender`] is a process that drives an outbox in SQLite or in Postgres and publishes messages.
//! Its [`supervisor`] kills it with SIGKILL at random moments, starts the next one, and counts a
//! message as accepted only if a sender has confirmed it as durable. The [`receivers`] are HTTP
//! servers: they verify each request, note each copy, and are slow, refuse, hang, or close the
//! connection after they have taken the message. Halfway, SQLite's file moves to a small [`disk`]
//! that is filled; Postgres is stopped as by a crash, and the [`network`] to it loses replies or is
//! cut. At the end, the rest is delivered, and a [`report`] compares the confirmations, the
//! receivers' copies and the records.
//!
//! `STORM_KILLS` is the number of kills on each store, `STORM_AWAY` the number of seconds that the
//! disk is full and the database away, and `STORM_SEED` the seed: it repeats the draws, but not how
//! the processes interleave. Arguments select stores by name.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test reads the clock")]

mod disk;
mod network;
mod receivers;
mod report;
mod sender;
mod supervisor;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use host::server::Server;
use host::sqlite::Sqlite;
use tokio::time::sleep;

use crate::disk::SmallDisk;
use crate::network::Network;
use crate::report::Report;
use crate::sender::{FULL_SQLITE, POSTGRES, SQLITE};
use crate::supervisor::{Mode, Storm};

/// How long replies are held back before the connection is cut.
const BEFORE_CUT: Duration = Duration::from_millis(300);

/// The longest time without replies. Ten saves that time out end a sender.
const SILENCE: Duration = Duration::from_secs(60);

struct Settings {
    kills: u32,
    away: Duration,
    seed: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [role, store, place, receivers] = &*arguments
        && role == "sender"
    {
        return Ok(sender::run(store, place, receivers).await);
    }
    let settings = Settings {
        kills: setting("STORM_KILLS", 12)?,
        away: Duration::from_secs(setting("STORM_AWAY", 1)?),
        seed: setting("STORM_SEED", 7)?,
    };
    // As the usual test harness selects tests.
    let names: Vec<_> = arguments.iter().filter(|it| !it.starts_with('-')).collect();
    let is_selected =
        |store: &str| names.is_empty() || names.iter().any(|it| store.contains(it.as_str()));
    let mut good = true;
    if is_selected(SQLITE) {
        good &= sqlite(&settings).await.context(SQLITE)?;
    }
    if is_selected(POSTGRES) {
        good &= postgres(&settings).await.context(POSTGRES)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn setting<T: std::str::FromStr<Err: Into<anyhow::Error>>>(
    name: &str,
    default: T,
) -> anyhow::Result<T> {
    let Ok(value) = env::var(name) else { return Ok(default) };
    value.parse().map_err(Into::into).with_context(|| format!("{name} is not a number"))
}

async fn sqlite(settings: &Settings) -> anyhow::Result<bool> {
    let directory = tempfile::tempdir()?;
    let mut place = directory.path().join("outbox.db");
    let began = Instant::now();
    let mut storm = Storm::start(SQLITE, path(&place)?, settings.seed).await?;
    storm.kills(settings.kills / 2).await?;
    storm.halt().await?;
    let disk = SmallDisk::mount()?;
    match &disk {
        Some(disk) => {
            place = move_to(disk, &place)?;
            storm.resume(SQLITE, path(&place)?);
            fill(disk, &mut storm, settings.away).await?;
        }
        None => {
            println!("no small disk can be mounted here: the file cannot grow instead");
            storm.resume(FULL_SQLITE, path(&place)?);
            sleep(settings.away).await;
            storm.ends_by_itself().await?;
            storm.halt().await?;
            storm.resume(SQLITE, path(&place)?);
            storm.goes_on().await?;
        }
    }
    storm.kills(settings.kills).await?;
    let (book, receivers) = storm.end().await?;
    let records = Sqlite::open(&place)?.records()?;
    Ok(conclude(SQLITE, settings, began, &Report::new(&records, &book, &receivers.seen())))
}

fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the temporary directory has a strange name")
}

/// Copies the file to the disk.
fn move_to(disk: &SmallDisk, from: &Path) -> anyhow::Result<PathBuf> {
    // Closing the file moves SQLite's log into it.
    drop(Sqlite::open(from)?);
    let to = disk.path().join("outbox.db");
    std::fs::copy(from, &to)?;
    Ok(to)
}

/// Fills the disk: for a moment, after which the same sender goes on, and for a while, during which
/// senders give up.
async fn fill(disk: &SmallDisk, storm: &mut Storm, away: Duration) -> anyhow::Result<()> {
    let life = storm.goes_on().await?;
    disk.fill()?;
    storm.fails_to_save().await?;
    disk.make_room()?;
    ensure!(storm.goes_on().await? == life, "a sender ended in a moment without room");

    disk.fill()?;
    sleep(away).await;
    storm.ends_by_itself().await?;
    disk.make_room()?;
    storm.goes_on().await?;
    Ok(())
}

async fn postgres(settings: &Settings) -> anyhow::Result<bool> {
    let Some(mut server) = Server::start().await? else {
        println!("skipped: no Postgres server on this machine, and no DATABASE_URL");
        return Ok(true);
    };
    let database = host::postgres::connect(&server.url).await?;
    host::postgres::create_tables(&database).await?;
    let before = host::postgres::records(&database).await?;
    ensure!(before.is_empty(), "the database has an outbox already");
    drop(database);

    let network = Network::to(&server).await?;
    let place = network.as_ref().map_or(&server.url, |it| &it.url).clone();
    let began = Instant::now();
    let mut storm = Storm::start(POSTGRES, &place, settings.seed).await?;
    storm.kills(settings.kills / 2).await?;
    match &network {
        None => println!("skipped: outages, because the server is that of DATABASE_URL"),
        Some(network) => cut_off(network, &mut server, &mut storm, settings.away).await?,
    }
    storm.kills(settings.kills).await?;
    let (book, receivers) = storm.end().await?;
    let database = host::postgres::connect(&server.url).await?;
    let records = host::postgres::records(&database).await?;
    Ok(conclude(POSTGRES, settings, began, &Report::new(&records, &book, &receivers.seen())))
}

/// Takes the database away in three ways.
async fn cut_off(
    network: &Network,
    server: &mut Server,
    storm: &mut Storm,
    away: Duration,
) -> anyhow::Result<()> {
    storm.order(Mode::Spare);
    let life = storm.goes_on().await?;
    network.hold_replies();
    sleep(away.min(SILENCE)).await;
    network.heal();
    ensure!(storm.goes_on().await? == life, "a sender ended while the network was silent");

    // Saves are written, and their confirmations are lost.
    network.hold_replies();
    sleep(BEFORE_CUT).await;
    network.cut();
    storm.ends_by_itself().await?;
    network.heal();
    storm.goes_on().await?;

    ensure!(server.crash(away).await?, "the server is not ours");
    storm.goes_on().await?;
    Ok(())
}

fn conclude(store: &str, settings: &Settings, began: Instant, report: &Report) -> bool {
    println!("{store}, seed {}, {:.0?}: {report}", settings.seed, began.elapsed());
    report.is_good()
}
