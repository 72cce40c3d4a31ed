//! The outbox's records and the bridge's state, in one SQLite file: [`Store`].

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use host::sqlite::Sqlite;
use labhook::Timestamp;
use labhook::outbox::{Changes, Record};
use rusqlite::OptionalExtension as _;

use crate::state::State;

/// Saves the state in the transaction of the messages that were published with it.
pub struct Store {
    sqlite: Sqlite,
    state: Arc<Mutex<State>>,
}

impl Store {
    /// Opens the file, and creates it if there is none.
    ///
    /// # Errors
    ///
    /// If another process has it open, or it cannot be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let sqlite = Sqlite::open(path)?;
        let table = "CREATE TABLE IF NOT EXISTS bridge (row INTEGER PRIMARY KEY, state TEXT)";
        sqlite.connection().execute_batch(table)?;
        let query = "SELECT state FROM bridge";
        let text: Option<String> =
            sqlite.connection().query_row(query, [], |row| row.get(0)).optional()?;
        let state = text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default();
        Ok(Self { sqlite, state: Arc::new(Mutex::new(state)) })
    }

    /// Returns the state, which the next save writes.
    #[must_use]
    pub fn state(&self) -> Arc<Mutex<State>> {
        Arc::clone(&self.state)
    }
}

impl host::Store for Store {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        self.sqlite.records()
    }

    async fn save(&mut self, changes: &Changes, _now: Timestamp) -> anyhow::Result<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = serde_json::to_string(&*state)?;
        let insert = "INSERT OR REPLACE INTO bridge VALUES (1, ?1)";
        self.sqlite.save_with(changes, |it| it.execute(insert, [state]).map(drop))
    }
}
