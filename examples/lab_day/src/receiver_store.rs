//! The receivers' storage: the events of all seven, in one SQLite table.
//!
//! In reality these are seven databases. The report at the end of the day is based on their
//! contents.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use rusqlite::{Connection, params};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS stored (
        receiver TEXT NOT NULL, key TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (receiver, key)
    ) WITHOUT ROWID;
";

#[derive(Clone)]
pub struct ReceiverStore(Arc<Mutex<Connection>>);

impl ReceiverStore {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let connection =
            Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Stores an event of this type under its key. A key that is already stored is an error.
    pub fn store(&self, receiver: &str, key: &str, event: &str) -> rusqlite::Result<()> {
        let insert = "INSERT INTO stored VALUES (?1, ?2, ?3)";
        self.lock().execute(insert, params![receiver, key, event]).map(drop)
    }

    /// Returns the keys of the events that a receiver has stored.
    pub fn stored(&self, receiver: &str) -> rusqlite::Result<BTreeSet<String>> {
        let connection = self.lock();
        let mut statement = connection.prepare("SELECT key FROM stored WHERE receiver = ?1")?;
        statement.query_map([receiver], |row| row.get(0))?.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
