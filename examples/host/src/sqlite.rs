//! Records in a SQLite file: [`Sqlite`].

use std::path::Path;

use anyhow::Context as _;
use labhook::Timestamp;
use labhook::outbox::{Change, Changes, Record};
use rusqlite::{Connection, Transaction, params};

use crate::{Store, read_record};

// The exclusive lock keeps a second process out until this one ends, however that comes. In WAL
// mode, `FULL` makes a commit survive a power cut; `NORMAL` only survives a crash.
const SCHEMA: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    BEGIN EXCLUSIVE;
    CREATE TABLE IF NOT EXISTS outbox (key TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    COMMIT;
";

/// Each record as JSON under its key, in a file that no other process can open.
pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Opens the file, and creates it if there is none.
    ///
    /// # Errors
    ///
    /// If another process has it open, or it cannot be written.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let open = || -> rusqlite::Result<_> {
            let connection = Connection::open(path)?;
            connection.execute_batch(SCHEMA)?;
            Ok(Self { connection })
        };
        open().with_context(|| format!("cannot open {} for one process", path.display()))
    }

    /// Returns the connection, for tables of your own in the same file.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Loads every record.
    ///
    /// # Errors
    ///
    /// If a record cannot be read.
    pub fn records(&self) -> anyhow::Result<Vec<Record>> {
        let mut statement = self.connection.prepare("SELECT key, record FROM outbox")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.map(|row| {
            let (key, record): (String, String) = row?;
            read_record(&key, &record)
        })
        .collect()
    }

    /// Writes the changes, and what `more` writes, in one transaction.
    ///
    /// # Errors
    ///
    /// If that fails. Then nothing is written.
    pub fn save_with(
        &mut self,
        changes: &Changes,
        more: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> anyhow::Result<()> {
        let transaction = self.connection.transaction()?;
        for change in changes.iter() {
            match change {
                Change::Put(record) => transaction
                    .prepare("INSERT OR REPLACE INTO outbox VALUES (?1, ?2)")?
                    .execute(params![record.key().to_string(), serde_json::to_string(record)?])?,
                Change::Delete(key) => transaction
                    .prepare("DELETE FROM outbox WHERE key = ?1")?
                    .execute([key.to_string()])?,
            };
        }
        more(&transaction)?;
        Ok(transaction.commit()?)
    }
}

/// A commit takes a few milliseconds, during which the driver's thread waits.
impl Store for Sqlite {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        self.records()
    }

    async fn save(&mut self, changes: &Changes, _now: Timestamp) -> anyhow::Result<()> {
        self.save_with(changes, |_| Ok(()))
    }
}
