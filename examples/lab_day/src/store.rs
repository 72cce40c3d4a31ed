//! The scheduler's storage: the outbox's records in one SQLite table of two columns.
//!
//! An [`Outbox`](labhook::Outbox) needs no more: each [`Record`] as JSON under the text of its key,
//! and one transaction for each [`Changes`].

use std::path::Path;

use anyhow::Context as _;
use labhook::Timestamp;
use labhook::outbox::{Change, Changes, Record};
use rusqlite::{Connection, OptionalExtension as _, params};

// In WAL mode, `FULL` makes a commit survive a power cut; `NORMAL` only survives a crash.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS outbox (key TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS clock (row INTEGER PRIMARY KEY, micros INTEGER NOT NULL);
";

pub struct Store {
    connection: Connection,
}

impl Store {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let connection =
            Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection })
    }

    /// Writes all of the changes or none. They are on disk when it returns.
    pub fn save(&mut self, changes: &Changes, now: Timestamp) -> anyhow::Result<()> {
        let transaction = self.connection.transaction()?;
        for change in changes.iter() {
            match change {
                Change::Put(record) => transaction.execute(
                    "INSERT OR REPLACE INTO outbox VALUES (?1, ?2)",
                    params![record.key().to_string(), serde_json::to_string(record)?],
                )?,
                Change::Delete(key) => {
                    transaction.execute("DELETE FROM outbox WHERE key = ?1", [key.to_string()])?
                }
            };
        }
        // Only the virtual clock needs this.
        let clock = "INSERT OR REPLACE INTO clock VALUES (1, ?1)";
        transaction.execute(clock, [now.unix_micros()])?;
        Ok(transaction.commit()?)
    }

    /// Loads every record, for [`Outbox::restore`](labhook::Outbox::restore).
    pub fn load(&self) -> anyhow::Result<Vec<Record>> {
        let mut statement = self.connection.prepare("SELECT key, record FROM outbox")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.map(|row| {
            let (key, record): (String, String) = row?;
            serde_json::from_str(&record).with_context(|| format!("cannot read the record {key}"))
        })
        .collect()
    }

    /// Returns the laboratory's time at the last save; `None` on a new day.
    pub fn last_saved(&self) -> anyhow::Result<Option<Timestamp>> {
        let mut statement = self.connection.prepare("SELECT micros FROM clock")?;
        let micros = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(micros.map(Timestamp::from_unix_micros))
    }
}
