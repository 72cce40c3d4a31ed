//! The receivers' storage: what each of them holds, in one SQLite table.
//!
//! It stands for seven databases. The end of the day is judged by what is in here, and not by
//! what anybody remembers or answered.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use rusqlite::{Connection, params};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS held (
        receiver TEXT NOT NULL, key TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (receiver, key)
    ) WITHOUT ROWID;
";

#[derive(Clone)]
pub struct Shelf(Arc<Mutex<Connection>>);

impl Shelf {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let connection =
            Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Stores an event of this type under its key. The key being there already is an error.
    pub fn store(&self, receiver: &str, key: &str, event: &str) -> rusqlite::Result<()> {
        let insert = "INSERT INTO held VALUES (?1, ?2, ?3)";
        self.lock().execute(insert, params![receiver, key, event]).map(drop)
    }

    /// The keys of what a receiver holds.
    pub fn held(&self, receiver: &str) -> rusqlite::Result<BTreeSet<String>> {
        let connection = self.lock();
        let mut statement = connection.prepare("SELECT key FROM held WHERE receiver = ?1")?;
        statement.query_map([receiver], |row| row.get(0))?.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
