//! The scheduler's storage: the host's SQLite store, the virtual clock, and the crash.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use host::sqlite::Sqlite;
use labhook::Timestamp;
use labhook::outbox::{Changes, Record};
use rusqlite::OptionalExtension as _;
use tokio::sync::Notify;

/// The number of requests that the crash has to interrupt.
const INTERRUPTED: usize = 3;

pub struct Store {
    sqlite: Sqlite,
    crash: Arc<Crash>,
}

/// The crash, which comes in the middle of a save: the changes are lost, and so are the responses
/// to all requests in flight.
#[derive(Default)]
pub struct Crash {
    /// Whether it may come.
    pub armed: AtomicBool,
    /// The number of requests in flight.
    pub in_flight: AtomicUsize,
    /// The number of those when it came.
    pub interrupted: AtomicUsize,
    /// Signals that it has come.
    pub came: Notify,
}

impl Crash {
    /// Whether it comes now.
    fn comes(&self) -> bool {
        let in_flight = self.in_flight.load(Ordering::SeqCst);
        self.interrupted.store(in_flight, Ordering::SeqCst);
        self.armed.load(Ordering::SeqCst) && in_flight >= INTERRUPTED
    }
}

impl Store {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let sqlite = Sqlite::open(path)?;
        let clock = "CREATE TABLE IF NOT EXISTS clock (row INTEGER PRIMARY KEY, micros INTEGER)";
        sqlite.connection().execute_batch(clock)?;
        Ok(Self { sqlite, crash: Arc::default() })
    }

    /// Returns the crash, which is not armed.
    pub fn crash(&self) -> Arc<Crash> {
        Arc::clone(&self.crash)
    }

    /// Loads every record.
    pub fn records(&self) -> anyhow::Result<Vec<Record>> {
        self.sqlite.records()
    }

    /// Returns the laboratory's time at the last save; `None` on a new day.
    pub fn last_saved(&self) -> anyhow::Result<Option<Timestamp>> {
        let mut statement = self.sqlite.connection().prepare("SELECT micros FROM clock")?;
        let micros = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(micros.map(Timestamp::from_unix_micros))
    }
}

impl host::Store for Store {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        self.sqlite.records()
    }

    async fn save(&mut self, changes: &Changes, now: Timestamp) -> anyhow::Result<()> {
        if self.crash.comes() {
            self.crash.came.notify_one();
            // The driver's task is dropped here.
            std::future::pending::<()>().await;
        }
        // Only the virtual clock needs this.
        let clock = "INSERT OR REPLACE INTO clock VALUES (1, ?1)";
        self.sqlite.save_with(changes, |it| it.execute(clock, [now.unix_micros()]).map(drop))
    }
}
