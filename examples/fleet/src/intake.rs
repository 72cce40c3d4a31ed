//! Messages that any process hands over in its own transaction: [`Subscribers`] and [`take`].

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::Context as _;
use host::Handle;
use host::postgres::{Intents, publish_intents};
use labhook::endpoint::EndpointConfig;
use labhook::{Message, Subscription};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, GenericClient};

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

/// Who receives what: which shards a message is for.
///
/// It is as old as its [`load`](Self::load). A shard that is left out learns nothing of a message;
/// one that is named too much finds no subscriber.
#[derive(Debug)]
pub struct Subscribers {
    subscriptions: Vec<(i32, Subscription)>,
}

impl Subscribers {
    /// Loads the subscriptions of all endpoints.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or a configuration is not valid.
    pub async fn load(database: &impl GenericClient) -> anyhow::Result<Self> {
        let rows = database.query("SELECT shard, config, id FROM endpoint", &[]).await?;
        let read = |row: &tokio_postgres::Row| {
            let config: EndpointConfig = serde_json::from_str(row.get(1))
                .with_context(|| format!("the endpoint {}", row.get::<_, &str>(2)))?;
            Ok((row.get(0), config.subscription))
        };
        Ok(Self { subscriptions: rows.iter().map(read).collect::<anyhow::Result<_>>()? })
    }

    fn shards(&self, message: &Message) -> BTreeSet<i32> {
        let matching = self.subscriptions.iter().filter(|it| it.1.matches(message));
        matching.map(|it| it.0).collect()
    }

    /// Hands messages over, in the transaction that writes the rows they are about. A message whose
    /// id waits already is left out.
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
        let told = Vec::from_iter(told).join(",");
        let insert = "
            WITH told AS (SELECT pg_notify('fleet', $4))
            INSERT INTO intake (key, shard, message)
            SELECT s || '/' || id, s, m
            FROM told, unnest($1::int[], $2::text[], $3::text[]) AS it (s, id, m)
            ON CONFLICT DO NOTHING";
        transaction.execute(insert, &[&shards, &ids, &bodies, &told]).await?;
        Ok(())
    }
}

/// Publishes what is handed over to a shard, until the driver ends.
///
/// The save that accepts a message deletes its row. A message that cannot be published is kept, with
/// the reason, and holds nothing up.
///
/// # Errors
///
/// If the driver has ended, or the connection breaks.
pub async fn take(
    database: &Client,
    shard: i32,
    handle: &Handle,
    wake: &Notify,
) -> anyhow::Result<()> {
    let select = database.prepare(
        "SELECT seq, key, message FROM intake
         WHERE shard = $1 AND seq > $2 AND refused IS NULL ORDER BY seq LIMIT $3",
    );
    let select = select.await?;
    let (mut seen, mut swept, mut whole) = (0_i64, Instant::now(), Instant::now());
    // Where the last sweeps were, the oldest first.
    let mut marks = VecDeque::from([0_i64; SWEEPS]);
    loop {
        let mut from = seen;
        if swept.elapsed() >= SWEEP_EVERY {
            swept = Instant::now();
            from = marks.pop_front().unwrap_or_default();
            marks.push_back(seen);
        }
        if whole.elapsed() >= WHOLE_EVERY {
            whole = Instant::now();
            from = 0;
        }
        let rows = database.query(&select, &[&shard, &from, &BATCH]).await?;
        let Some(last) = rows.last() else {
            let _ = timeout(LOOK_EVERY, wake.notified()).await;
            continue;
        };
        seen = seen.max(last.get(0));
        let messages = rows.iter().map(|row| (row.get(1), row.get(2))).collect();
        let Intents { accepted, refused } = publish_intents(handle, messages).await?;
        // Of a duplicate: an earlier save has accepted it, and this row came later.
        database.execute("DELETE FROM intake WHERE key = ANY ($1)", &[&accepted]).await?;
        for (key, reason) in refused {
            tracing::error!("message {key} is refused: {reason}");
            let update = "UPDATE intake SET refused = $2 WHERE key = $1";
            database.execute(update, &[&key, &reason]).await?;
        }
    }
}
