//! The application's own queue: messages, and one row per delivery.

use labhook::delivery::Delivery;
use labhook::{EndpointId, Message, MessageId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, params};

/// `wake_at` is Unix time in microseconds; null once the delivery has ended.
const SCHEMA: &str = "
    CREATE TABLE message (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE delivery (
        message TEXT NOT NULL REFERENCES message,
        endpoint TEXT NOT NULL,
        state TEXT NOT NULL,
        wake_at INTEGER,
        PRIMARY KEY (message, endpoint)
    ) STRICT;
    CREATE INDEX delivery_wake_at ON delivery (wake_at) WHERE wake_at IS NOT NULL;";

pub struct Queue(Connection);

/// One row: a delivery of one message to one endpoint.
pub struct Row {
    pub message: MessageId,
    pub endpoint: EndpointId,
    pub delivery: Delivery,
}

impl Queue {
    /// Opens the database, in memory so that the example leaves no file behind.
    pub fn open() -> anyhow::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(connection))
    }

    /// Accepts the message and all its deliveries, or none of them. The application's own changes
    /// that the message reports belong in the same transaction (transactional outbox).
    pub fn insert<'a>(
        &mut self,
        message: &Message,
        endpoints: impl Iterator<Item = &'a EndpointId>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let (id, json) = (message.id().as_str(), serde_json::to_string(message)?);
        let state = serde_json::to_string(&Delivery::new(now))?;
        let transaction = self.0.transaction()?;
        transaction.execute("INSERT INTO message VALUES (?, ?)", [id, &json])?;
        for endpoint in endpoints {
            transaction.execute(
                "INSERT INTO delivery VALUES (?, ?, ?, ?)",
                params![id, endpoint.as_str(), state, now.unix_micros()],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Returns the row that has been due the longest.
    pub fn due(&self, now: Timestamp) -> anyhow::Result<Option<Row>> {
        let sql = "SELECT message, endpoint, state FROM delivery
                   WHERE wake_at <= ? ORDER BY wake_at LIMIT 1";
        let columns = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found = self.0.query_row(sql, [now.unix_micros()], columns).optional()?;
        let Some((message, endpoint, state)): Option<(String, String, String)> = found else {
            return Ok(None);
        };
        Ok(Some(Row {
            message: message.parse()?,
            endpoint: endpoint.parse()?,
            delivery: serde_json::from_str(&state)?,
        }))
    }

    /// Returns when the next row is due; `None` once every delivery has ended.
    pub fn next_wake_at(&self) -> anyhow::Result<Option<Timestamp>> {
        let sql = "SELECT min(wake_at) FROM delivery";
        let micros: Option<i64> = self.0.query_row(sql, [], |row| row.get(0))?;
        Ok(micros.map(Timestamp::from_unix_micros))
    }

    /// Saves the row, to be claimed again at `wake_at`.
    pub fn save(&self, row: &Row, wake_at: Option<Timestamp>) -> anyhow::Result<()> {
        self.0.execute(
            "UPDATE delivery SET state = ?, wake_at = ? WHERE message = ? AND endpoint = ?",
            params![
                serde_json::to_string(&row.delivery)?,
                wake_at.map(Timestamp::unix_micros),
                row.message.as_str(),
                row.endpoint.as_str(),
            ],
        )?;
        Ok(())
    }

    /// Returns the message as it was accepted.
    pub fn message(&self, id: &MessageId) -> anyhow::Result<Message> {
        let sql = "SELECT json FROM message WHERE id = ?";
        let json: String = self.0.query_row(sql, [id.as_str()], |row| row.get(0))?;
        Ok(serde_json::from_str(&json)?)
    }
}
