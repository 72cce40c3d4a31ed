//! Messages that any process hands over in its own transaction: [`Subscribers`] and [`take`].

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use host::Handle;
use host::postgres::{Intents, publish_intents};
use labhook::endpoint::EndpointConfig;
use labhook::{Message, Subscription};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, GenericClient};

use crate::database::within;
use crate::endpoints::Unusable;
use crate::history;
use crate::shard::Wake;

/// The number of messages that are read at once.
const BATCH: i64 = 1_000;

/// How often the table is looked at if no notification comes.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often it is read again from where it was [`SWEEPS`] ago: a transaction may commit after a
/// later one, and its rows then appear below those that were read.
///
/// Not from the start: rows that are gone are in the way while somebody holds an old snapshot. A
/// publisher whose transaction takes longer is seen after [`WHOLE_EVERY`].
const SWEEP_EVERY: Duration = Duration::from_secs(1);
const SWEEPS: usize = 15;

/// How often it is read from the start.
const WHOLE_EVERY: Duration = Duration::from_secs(60);

/// The greatest length of a notification, in bytes: Postgres takes less than 8,000.
const MAX_NOTIFICATION: usize = 7_000;

/// Who receives what: which shards a message is for.
///
/// Load it again every few seconds, or in each transaction: the shard of an endpoint that is not yet
/// in it does not get the message. A shard without a subscriber does no harm.
#[derive(Debug)]
pub struct Subscribers {
    /// For each endpoint its shard, and its subscription if that can be read: if not, its shard gets
    /// every message, and holds it until the row is fixed.
    subscriptions: Vec<(i32, Option<Subscription>)>,
}

impl Subscribers {
    /// Loads the subscriptions of all endpoints.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn load(database: &impl GenericClient) -> anyhow::Result<Self> {
        let rows = database.query("SELECT shard, config FROM endpoint", &[]).await?;
        let read = |row: &tokio_postgres::Row| {
            let config = serde_json::from_str::<EndpointConfig>(row.get(1));
            (row.get(0), config.ok().map(|it| it.subscription))
        };
        Ok(Self { subscriptions: rows.iter().map(read).collect() })
    }

    fn shards(&self, message: &Message) -> BTreeSet<i32> {
        let matches = |it: &Option<Subscription>| it.as_ref().is_none_or(|it| it.matches(message));
        let matching = self.subscriptions.iter().filter(|it| matches(&it.1));
        matching.map(|it| it.0).collect()
    }

    /// Hands messages over, in the transaction that writes the rows they are about. A message whose
    /// id waits already is left out, unless that one was refused: then it takes its place.
    ///
    /// # Errors
    ///
    /// If the transaction has failed.
    pub async fn insert(
        &self,
        transaction: &impl GenericClient,
        messages: &[Message],
    ) -> anyhow::Result<()> {
        let (mut shards, mut ids, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            let json = serde_json::to_string(message)?;
            for shard in self.shards(message) {
                shards.push(shard);
                ids.push(message.id().as_str());
                bodies.push(json.clone());
            }
        }
        // One notification for all: each one takes a lock of the whole database at its commit.
        let told: BTreeSet<_> = shards.iter().map(ToString::to_string).collect();
        let mut told = Vec::from_iter(told).join(",");
        if told.len() > MAX_NOTIFICATION {
            told.clear(); // they look by themselves
        }
        let insert = "
            WITH told AS (SELECT pg_notify('fleet', $4))
            INSERT INTO intake (key, shard, message)
            SELECT s || '/' || id, s, m
            FROM told, unnest($1::int[], $2::text[], $3::text[]) AS it (s, id, m)
            ON CONFLICT (key) DO UPDATE SET message = excluded.message, refused = NULL, seq = DEFAULT
            WHERE intake.refused IS NOT NULL";
        transaction.execute(insert, &[&shards, &ids, &bodies, &told]).await?;
        Ok(())
    }
}

/// Publishes what is handed over to a shard, until the driver ends.
///
/// The save that accepts a message deletes its row. A message that cannot be published is kept, with
/// the reason, and holds nothing up; so is one for an endpoint that cannot be used, until it can.
///
/// # Errors
///
/// If the driver has ended, or the connection breaks.
pub async fn take(
    database: &Client,
    shard: i32,
    handle: &Handle,
    unusable: &Unusable,
    wake: &Wake,
) -> anyhow::Result<()> {
    // Whether an endpoint has changed is read in the snapshot that has the messages.
    let select = "
        SELECT seq, key, message, EXISTS (
            SELECT FROM command WHERE shard = $1 AND answer IS NULL
                AND command LIKE '%\"reload\"%'
        ) FROM intake WHERE shard = $1 AND seq > $2 AND refused IS NULL ORDER BY seq LIMIT $3";
    let select = database.prepare(select).await?;
    let (mut seen, mut swept, mut whole) = (0_i64, Instant::now(), Instant::now());
    // Where the last sweeps were, the oldest first.
    let mut marks = VecDeque::from([0_i64; SWEEPS]);
    // Where a sweep goes on that has found more than a batch.
    let mut sweeping = None;
    let mut held = unusable.count();
    loop {
        let mut from = sweeping.take().unwrap_or(seen);
        if swept.elapsed() >= SWEEP_EVERY {
            swept = Instant::now();
            from = from.min(marks.pop_front().unwrap_or_default());
            marks.push_back(seen);
        }
        if whole.elapsed() >= WHOLE_EVERY || held > unusable.count() {
            (whole, held) = (Instant::now(), unusable.count());
            from = 0;
        }
        held = held.max(unusable.count());
        let rows = within(database.query(&select, &[&shard, &from, &BATCH])).await?;
        let Some(last) = rows.last() else {
            let _ = timeout(LOOK_EVERY, wake.messages.notified()).await;
            continue;
        };
        if last.get(3) {
            // The owner must know an endpoint before it publishes what was handed over after it.
            wake.commands.notify_one();
            sleep(Duration::from_millis(20)).await;
            sweeping = Some(from);
            continue;
        }
        let last: i64 = last.get(0);
        if last < seen && rows.len() == BATCH as usize {
            sweeping = Some(last);
        }
        seen = seen.max(last);
        let messages = rows.iter().map(|row| (row.get(1), row.get(2))).collect();
        let Intents { accepted, refused, failures } =
            publish_intents(handle, messages, |message| !unusable.may_match(message)).await?;
        // Of a duplicate: an earlier save has accepted it, and this row came later.
        let delete = "DELETE FROM intake WHERE key = ANY ($1)";
        within(database.execute(delete, &[&accepted])).await?;
        for (key, reason) in refused {
            tracing::error!("message {key} is refused: {reason}");
            let update = "UPDATE intake SET refused = $2 WHERE key = $1";
            database.execute(update, &[&key, &reason]).await?;
        }
        for (message, failure) in failures {
            history::unrendered(database, &message, &failure).await?;
        }
    }
}
