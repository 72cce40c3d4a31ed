//! One shard: its lease, its store and its driver.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use host::http::Http;
use host::postgres::Rows;
use host::{Deposed, Driver};
use labhook::endpoint::AddressPolicy;
use labhook::outbox::{Changes, Record};
use labhook::{Outbox, Registry, Timestamp};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use crate::clock::DatabaseClock;
use crate::database::within;
use crate::endpoints::Unusable;
use crate::{database, endpoints, history, intake, operate};

/// The right to save a shard, until another worker takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    pub shard: i32,
    pub epoch: i64,
}

/// How a shard is driven.
#[derive(Clone)]
pub struct Settings {
    pub url: String,
    /// How long a lease lasts without being renewed.
    pub lease_ms: i64,
    /// Whether the history of attempts is written.
    pub history: bool,
    /// The client that sends, with its connections.
    pub http: Http,
    /// One shard is restored at a time: that takes a thread, which the others need.
    pub restoring: Arc<Semaphore>,
}

impl Settings {
    /// Returns the settings of a worker that writes the history.
    #[must_use]
    pub fn new(url: String, lease_ms: i64) -> Self {
        let restoring = Arc::new(Semaphore::new(1));
        // The receivers of this example are on loopback.
        let http = Http::new(AddressPolicy::public().allow_loopback());
        Self { url, lease_ms, history: true, http, restoring }
    }
}

/// Wakes those that look for what is new, when a notification comes.
#[derive(Debug, Default)]
pub struct Wake {
    pub messages: Notify,
    pub commands: Notify,
}

/// How the driving of a shard ended.
#[derive(Debug)]
pub enum End {
    /// It was asked to, and all is saved.
    Drained,
    /// The records cannot be restored: neither by this worker nor by another.
    Unreadable(anyhow::Error),
}

/// The records of a shard, for the owner of this epoch.
struct Store {
    settings: Settings,
    lease: Lease,
    restored: Vec<Record>,
    connection: Option<(Client, Statement)>,
}

impl Store {
    async fn write(&mut self, rows: &Rows) -> anyhow::Result<bool> {
        if self.connection.is_none() {
            let client = database::connect(&self.settings.url).await?;
            let save = "SELECT save($1, $2, $3 * interval '1 ms', $4, $5, $6, $7)";
            let save = client.prepare(save).await?;
            self.connection = Some((client, save));
        }
        let (client, save) = self.connection.as_ref().context("it was just made")?;
        let Lease { shard, epoch } = &self.lease;
        // Postgres multiplies intervals by a double only.
        let lease_ms = self.settings.lease_ms as f64;
        let parameters: [&(dyn ToSql + Sync); 7] =
            [shard, epoch, &lease_ms, &rows.keys, &rows.records, &rows.gone, &rows.taken];
        Ok(client.query_one(save, &parameters).await?.get(0))
    }
}

impl host::Store for Store {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        Ok(std::mem::take(&mut self.restored))
    }

    async fn save(&mut self, changes: &Changes, _now: Timestamp) -> anyhow::Result<()> {
        let rows = Rows::new(changes)?;
        match within(self.write(&rows)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Deposed.into()),
            // It may still be written, at any later time, and must then not be older than what was
            // written since. So this is the last save under this epoch.
            Err(error) => Err(anyhow::Error::new(Deposed).context(format!("{error:#}"))),
        }
    }
}

/// Drives a shard until `drain` asks for the end.
///
/// # Errors
///
/// If the lease is another's, or the database cannot be reached. Nothing is lost: the next owner
/// goes on with what is saved.
pub async fn run(
    settings: Settings,
    lease: Lease,
    wake: Arc<Wake>,
    drain: Arc<Notify>,
) -> anyhow::Result<End> {
    let shard = lease.shard;
    let client = database::connect(&settings.url).await?;
    let clock = DatabaseClock::read(&client).await?;
    let restoring = settings.restoring.clone().acquire_owned().await?;
    let (mut registry, unusable) = (Registry::new(), Unusable::default());
    for (id, loaded) in endpoints::load(&client, shard).await? {
        unusable.note(&id, Some(&loaded));
        if let Ok(endpoint) = loaded.endpoint {
            registry.insert(endpoint)?;
        }
    }
    // After the lease was taken: an earlier owner can write nothing more. `0` follows on `/`.
    let select = "SELECT key, record FROM record WHERE key >= $1 || '/' AND key < $1 || '0'";
    client.batch_execute("SET statement_timeout = 0").await?; // for many records
    let rows = client.query(select, &[&shard.to_string()]).await?;
    client.batch_execute("SET statement_timeout = '10s'").await?;
    let prefix = format!("{shard}/").len();
    let read = move |row: &tokio_postgres::Row| {
        let key: &str = row.get(0);
        host::read_record(key.get(prefix..).unwrap_or(key), row.get(1))
    };
    let restored = spawn_blocking(move || rows.iter().map(read).collect()).await?;
    let restored = match restored {
        Ok(records) => records,
        Err(error) => return Ok(End::Unreadable(error)),
    };

    let (history, http) = (settings.history, settings.http.clone());
    let store = Store { settings, lease, restored, connection: None };
    let mut outbox = Outbox::new(registry, shard.unsigned_abs().into());
    if history {
        outbox = outbox.with_attempt_reports();
    }
    let (driver, handle) = match Driver::restore(outbox, store, http, clock).await {
        Ok(restored) => restored,
        Err(error) => return Ok(End::Unreadable(error)),
    };
    drop(restoring);
    let (noticed, mut notices) = unbounded_channel();
    let driver = driver.with_notices(move |notice, at| _ = noticed.send((notice.clone(), at)));

    let work = async {
        tokio::try_join!(
            intake::take(&client, shard, &handle, &unusable, &wake),
            operate::answer(&client, lease, &handle, &unusable, &wake.commands),
            async {
                drain.notified().await;
                handle.drain();
                anyhow::Ok(())
            },
        )
    };
    let seen = async {
        tokio::join!(
            history::persist(|| history::report(&client, lease, &handle, &unusable)),
            history::persist(|| history::tidy(&client)),
            history::write(&client, &mut notices),
        )
    };
    tokio::select! {
        // The others fail when the driver has ended, and that is no reason.
        biased;
        ended = driver.run() => ended?,
        // What is in flight is cut off, as in a crash.
        worked = work => return Err(worked.err().context("it works until it fails")?),
        _ = seen => anyhow::bail!("the history has ended"),
    }
    // The last notices, but nobody waits long for them: the next owner is to begin.
    let _ = timeout(Duration::from_secs(1), history::write(&client, &mut notices)).await;
    Ok(End::Drained)
}
