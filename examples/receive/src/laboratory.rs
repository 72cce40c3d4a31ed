//! What the receiver does with an event, in one transaction of its own database.

use std::sync::{Mutex, PoisonError};

use labhook::{LabEvent, MessageId};
use rusqlite::{Connection, Transaction};

use crate::refusal::ReceiveError;

/// The receiver's name for its sender, because two senders may use the same message id.
const SENDER: &str = "scheduler";

// Rows of `handled` may be deleted when the sender no longer retries or replays.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS handled (
        sender TEXT, message TEXT, at INTEGER DEFAULT (unixepoch()), PRIMARY KEY (sender, message)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS unread (event TEXT NOT NULL, reason TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS run (id TEXT PRIMARY KEY, state TEXT NOT NULL, changes INTEGER);
";

pub struct Laboratory(Mutex<Connection>);

impl Laboratory {
    pub fn open(path: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Handles an event once. It is stored when this returns: the success response that follows
    /// ends the delivery.
    ///
    /// The message's key and what the event changes are one transaction. So a crash leaves both or
    /// neither, and of two deliveries at the same time one waits and finds the key.
    pub fn handle(&self, message: &MessageId, event: &LabEvent) -> Result<(), ReceiveError> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let insert = "INSERT INTO handled (sender, message) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        if transaction.execute(insert, [SENDER, message.as_str()])? == 0 {
            return Err(ReceiveError::Seen);
        }
        change(&transaction, event)?;
        Ok(transaction.commit()?)
    }

    /// Returns how often a run has changed its state.
    pub fn changes(&self, run: &str) -> rusqlite::Result<u32> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connection.query_row("SELECT changes FROM run WHERE id = ?1", [run], |row| row.get(0))
    }
}

fn change(transaction: &Transaction<'_>, event: &LabEvent) -> rusqlite::Result<()> {
    match event {
        LabEvent::RunStateChanged(event) => {
            let upsert = "INSERT INTO run VALUES (?1, ?2, 1) ON CONFLICT (id) DO UPDATE
                SET state = excluded.state, changes = changes + 1";
            let (run, state) = (event.data.run_id.as_str(), event.data.state.to_string());
            transaction.execute(upsert, [run, &state])?;
            eprintln!("  handled: run {run} is {state}");
        }
        // Nobody else has it once the response is a success.
        LabEvent::Unreadable { event, reason, .. } => {
            let json = serde_json::to_string(event).unwrap_or_default();
            transaction
                .execute("INSERT INTO unread VALUES (?1, ?2)", [json, reason.to_string()])?;
            eprintln!("  stored for later: a {} event: {reason}", event.event_type);
        }
        LabEvent::Unknown(event) => eprintln!("  passed on: a {} event", event.event_type),
        event => eprintln!("  handled: a {} event", event.event_type()),
    }
    Ok(())
}
