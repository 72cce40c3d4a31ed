//! A host for labhook's [`Outbox`](labhook::Outbox): the loop, an HTTP client and two stores.
//!
//! labhook itself makes no request, opens no file and reads no clock. This package does, and the
//! larger examples share it. It is not published: copy what you need.
//!
//! | module | job |
//! |---|---|
//! | [`driver`] | the loop: saves, sends, waits, publishes for other tasks, drains |
//! | [`http`] | the HTTP client, which tells failures apart and sends to allowed addresses only |
//! | [`sqlite`] | the records in a SQLite file that one process has to itself |
//! | [`postgres`] | the records in Postgres, under an advisory lock, and a table of intents |
//! | [`server`] | a Postgres server to throw away, for examples and tests |
//!
//! The driver needs three things of the world, each a trait with one or two methods: a [`Store`], a
//! [`Client`] and a [`Clock`]. A service is then:
//!
//! ```no_run
//! # async fn service(outbox: labhook::Outbox, message: labhook::Message) -> anyhow::Result<()> {
//! use host::{Driver, SystemClock, http::Http, sqlite::Sqlite};
//! use labhook::endpoint::AddressPolicy;
//!
//! let store = Sqlite::open("outbox.db".as_ref())?;
//! let addresses = AddressPolicy::public().allow_network("10.20.0.0/16".parse()?);
//! let http = Http::new(addresses);
//! let (driver, handle) = Driver::restore(outbox, store, http, SystemClock).await?;
//! let running = tokio::spawn(driver.run());
//!
//! handle.publish(message).await?; // from any task; it is durable when this returns
//! handle.drain(); // shutdown: no attempt starts, what is in flight ends, everything is saved
//! running.await??;
//! # Ok(())
//! # }
//! ```

// The one place of the examples that reads the clock for all of them; the library must not.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a host reads the clock")]

pub mod driver;
mod failure;
pub mod http;
mod meter;
#[cfg(feature = "postgres")]
pub mod postgres;
mod resolver;
#[cfg(feature = "postgres")]
pub mod server;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::fmt;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use labhook::outbox::{Changes, Record};
use labhook::{Attempt, Outcome, Timestamp};

pub use driver::{Driver, Handle};

/// Storage of an outbox's records.
pub trait Store: Send {
    /// Loads all records, in any order.
    fn load(&mut self) -> impl Future<Output = anyhow::Result<Vec<Record>>> + Send;

    /// Writes all of the changes or none. They are durable when it returns.
    ///
    /// After an error the driver saves the same changes again, together with later ones. If some
    /// other process may have taken over, every later save must fail too, best with [`Deposed`]:
    /// then the driver ends at once.
    fn save(
        &mut self,
        changes: &Changes,
        now: Timestamp,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Reads a record that is stored as JSON under this key, and must be that of the key.
///
/// # Errors
///
/// If it cannot be read, or is another's: a copy that was made under a wrong key.
pub fn read_record(key: &str, json: &str) -> anyhow::Result<Record> {
    let record: Record =
        serde_json::from_str(json).with_context(|| format!("cannot read the record {key}"))?;
    let own = record.key().to_string();
    ensure!(own == key, "the record {key} is that of {own}");
    Ok(record)
}

/// Another process has taken over, or is to: the driver must save nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposed;

impl fmt::Display for Deposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another process has taken over")
    }
}

impl std::error::Error for Deposed {}

/// HTTP client that makes one attempt.
pub trait Client: Clone + Send + 'static {
    /// Sends the attempt's request once. Returns by its deadline.
    fn send<C: Clock>(&self, attempt: &Attempt, clock: &C) -> impl Future<Output = Outcome> + Send;
}

/// Clock, which may be virtual.
pub trait Clock: Clone + Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Waits until this instant, or forever. It may be dropped before.
    ///
    /// `idle` says that no request is in flight: a virtual clock may then jump.
    fn wait(&self, until: Option<Timestamp>, idle: bool) -> impl Future<Output = ()> + Send;
}

/// Waits until the standard input ends: the parent has closed the pipe, or is gone.
pub async fn stdin_ends() {
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    // A thread, because the runtime would wait for a read of its own.
    std::thread::spawn(move || {
        let _ = std::io::Read::read(&mut std::io::stdin(), &mut [0]);
        drop(ended);
    });
    let _ = end.await;
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    async fn wait(&self, until: Option<Timestamp>, _idle: bool) {
        match until {
            Some(until) => tokio::time::sleep(until.saturating_since(self.now())).await,
            None => std::future::pending().await,
        }
    }
}
