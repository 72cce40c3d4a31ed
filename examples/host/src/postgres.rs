//! Records in Postgres: [`Postgres`], and the messages that other processes hand over in a table.
//!
//! One process drives the outbox. It holds an advisory lock of the session that saves, so that a
//! save fails when the lock is gone: the session has ended with it. The lock needs a connection
//! of its own; a pooler between must not share sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use labhook::outbox::{Change, Changes, Record, RenderFailure};
use labhook::{Message, MessageId, Timestamp};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, GenericClient, NoTls};

use crate::{Handle, Store, read_record};

// JSON as text: `jsonb` changes the order of members and the form of numbers.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS outbox_record (key text PRIMARY KEY, record text NOT NULL);
    CREATE TABLE IF NOT EXISTS outbox_intent (
        id text PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        message text NOT NULL,
        refused text
    );
    CREATE INDEX IF NOT EXISTS outbox_intent_seq ON outbox_intent (seq) WHERE refused IS NULL;
";

// A driver that hangs, or whose machine is gone, must not keep the lock, or locked rows.
const SETTINGS: &str = "
    SET idle_in_transaction_session_timeout = '10s';
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SET synchronous_commit = on;
";

// One statement is one transaction, and leaves none open when the driver dies in the middle.
const SAVE: &str = "
    WITH put AS (
        INSERT INTO outbox_record SELECT * FROM unnest($1::text[], $2::text[])
        ON CONFLICT (key) DO UPDATE SET record = excluded.record
    ), gone AS (
        DELETE FROM outbox_record WHERE key = ANY($3)
    )
    DELETE FROM outbox_intent WHERE id = ANY($4)
";

/// The number of intents that are read at once.
const BATCH: i64 = 500;

/// Longer than the statement timeout, which the server sees to: then the network is at fault.
const SAVE_TIMEOUT: Duration = Duration::from_secs(15);

/// How often the table of intents is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Opens a connection.
///
/// # Errors
///
/// If there is no server at this URL.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("cannot connect to the database")?;
    // It ends with the client.
    tokio::spawn(connection);
    Ok(client)
}

/// Creates the two tables, if they do not exist.
///
/// # Errors
///
/// If the database refuses that.
pub async fn create_tables(client: &Client) -> anyhow::Result<()> {
    Ok(client.batch_execute(SCHEMA).await?)
}

/// Hands over a message, in the transaction that writes the rows it is about. If its id waits
/// already it is left out, unless that intent was refused: then it takes its place.
///
/// # Errors
///
/// If the transaction has failed.
pub async fn insert_intent(
    transaction: &impl GenericClient,
    message: &Message,
) -> anyhow::Result<()> {
    let insert = "
        INSERT INTO outbox_intent (id, message) VALUES ($1, $2)
        ON CONFLICT (id) DO UPDATE SET message = excluded.message, refused = NULL, seq = DEFAULT
        WHERE outbox_intent.refused IS NOT NULL";
    let json = serde_json::to_string(message)?;
    transaction.execute(insert, &[&message.id().as_str(), &json]).await?;
    Ok(())
}

/// The rows that a save writes and deletes: each key once, because an `INSERT .. ON CONFLICT` must
/// not touch a row twice.
#[derive(Debug, Default)]
pub struct Rows {
    /// The keys of the records that are written.
    pub keys: Vec<String>,
    /// These records, as JSON.
    pub records: Vec<String>,
    /// The keys of the records that are deleted.
    pub gone: Vec<String>,
    /// The ids of the messages that the save accepts: their intents are done.
    pub taken: Vec<String>,
}

impl Rows {
    /// Returns the rows of a save: of several changes of a key, the last one.
    ///
    /// # Errors
    ///
    /// If a record cannot be written as JSON.
    pub fn new(changes: &Changes) -> serde_json::Result<Self> {
        let mut last = BTreeMap::new();
        for change in changes.iter() {
            match change {
                Change::Put(it) => last.insert(it.key().to_string(), Some(it)),
                Change::Delete(key) => last.insert(key.to_string(), None),
            };
        }
        let taken = changes.accepted().map(ToString::to_string).collect();
        let mut rows = Self { taken, ..Self::default() };
        for (key, record) in last {
            match record {
                Some(record) => {
                    rows.keys.push(key);
                    rows.records.push(serde_json::to_string(record)?);
                }
                None => rows.gone.push(key),
            }
        }
        Ok(rows)
    }
}

/// Each record as JSON under its key, for the session that holds the lock.
pub struct Postgres {
    client: Client,
}

impl Postgres {
    /// Connects, and waits for the lock: a second process is a standby.
    ///
    /// # Errors
    ///
    /// If there is no server, or the connection breaks.
    pub async fn lock(url: &str, lock: i64) -> anyhow::Result<Self> {
        let client = connect(url).await?;
        client.batch_execute(SETTINGS).await?;
        client.execute("SELECT pg_advisory_lock($1)", &[&lock]).await?;
        // Not before: waiting for the lock may take days.
        client.batch_execute("SET statement_timeout = '10s'").await?;
        Ok(Self { client })
    }
}

impl Store for Postgres {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        records(&self.client).await
    }

    /// Deletes the intents of the messages that the changes make durable, too.
    async fn save(&mut self, changes: &Changes, _now: Timestamp) -> anyhow::Result<()> {
        let Rows { keys, records, gone, taken } = Rows::new(changes)?;
        let parameters: [&(dyn ToSql + Sync); 4] = [&keys, &records, &gone, &taken];
        let save = self.client.execute(SAVE, &parameters);
        timeout(SAVE_TIMEOUT, save).await.context("the database does not answer")??;
        Ok(())
    }
}

/// Loads every record.
///
/// # Errors
///
/// If the connection breaks, or a record cannot be read.
pub async fn records(client: &Client) -> anyhow::Result<Vec<Record>> {
    let rows = client.query("SELECT key, record FROM outbox_record", &[]).await?;
    rows.iter().map(|row| read_record(row.get(0), row.get(1))).collect()
}

/// Returns the text of an error for a column. It may quote a NUL, which Postgres takes in no text.
#[must_use]
pub fn text(error: &impl ToString) -> String {
    error.to_string().replace('\0', "\u{fffd}")
}

/// What became of messages that were handed over.
#[derive(Debug)]
pub struct Intents {
    /// The ids of those that are durable in the outbox, duplicates among them.
    pub accepted: Vec<String>,
    /// The ids of those that cannot be published, each with the reason.
    pub refused: Vec<(String, String)>,
    /// The endpoints that do not receive a message because it cannot be written in their format.
    pub failures: Vec<(MessageId, RenderFailure)>,
}

/// Publishes messages that were handed over: the id of each, and its JSON. What `may` does not let
/// through is left out.
///
/// # Errors
///
/// If the driver has ended.
pub async fn publish_intents(
    handle: &Handle,
    rows: Vec<(String, String)>,
    may: impl Fn(&Message) -> bool,
) -> anyhow::Result<Intents> {
    let (mut messages, mut ids) = (Vec::new(), Vec::new());
    let (mut accepted, mut refused, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for (id, json) in rows {
        match serde_json::from_str::<Message>(&json) {
            Ok(message) if may(&message) => {
                ids.push((id, message.id().clone()));
                messages.push(message);
            }
            Ok(_) => {}
            Err(error) => refused.push((id, text(&error))),
        }
    }
    for ((id, message), result) in ids.into_iter().zip(handle.publish_all(messages).await?) {
        match result {
            Ok(published) => {
                let failed = published.render_failures.into_iter();
                failures.extend(failed.map(|failure| (message.clone(), failure)));
                accepted.push(id);
            }
            Err(error) => refused.push((id, text(&error))),
        }
    }
    Ok(Intents { accepted, refused, failures })
}

/// Publishes the intents, in the order of their insertion, until the driver ends.
///
/// The save that accepts a message deletes its intent. An intent that cannot be published is kept,
/// with the reason in its column `refused`, and holds nothing up.
///
/// # Errors
///
/// If the driver has ended, or the connection breaks.
pub async fn take_intents(url: String, handle: Handle) -> anyhow::Result<()> {
    let client = connect(&url).await?;
    // By what is there, and not by the last `seq`: a transaction may commit after a later one.
    let select =
        "SELECT id, message FROM outbox_intent WHERE refused IS NULL ORDER BY seq LIMIT $1";
    loop {
        let rows = client.query(select, &[&BATCH]).await?;
        if rows.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        let rows = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let Intents { accepted, refused, failures } =
            publish_intents(&handle, rows, |_| true).await?;
        for (message, failure) in failures {
            tracing::error!("message {message}, endpoint {}: {}", failure.endpoint, failure.error);
        }
        // Duplicates: an earlier save has accepted them, and does not delete a second intent.
        client.execute("DELETE FROM outbox_intent WHERE id = ANY($1)", &[&accepted]).await?;
        for (id, reason) in refused {
            tracing::error!("intent {id} is refused: {reason}");
            let update = "UPDATE outbox_intent SET refused = $2 WHERE id = $1";
            client.execute(update, &[&id, &reason]).await?;
        }
    }
}
