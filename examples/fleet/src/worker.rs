//! A worker: takes shards, renews their leases, and gives back what is over its share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::Client;

use crate::database::{self, within};
use crate::shard::{self, End, Lease, Settings, Wake};

/// The pause before the database is tried again.
const RECONNECT: Duration = Duration::from_millis(250);

/// A shard that this worker holds.
struct Held {
    lease: Lease,
    wake: Arc<Wake>,
    drain: Arc<Notify>,
    is_leaving: bool,
    task: JoinHandle<anyhow::Result<End>>,
}

impl Held {
    fn leave(&mut self) {
        self.is_leaving = true;
        self.drain.notify_one();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A worker of a fleet.
pub struct Worker {
    id: String,
    settings: Settings,
    held: BTreeMap<i32, Held>,
    is_stopping: bool,
}

impl Worker {
    /// Creates a worker. Its id must be its own.
    #[must_use]
    pub const fn new(id: String, settings: Settings) -> Self {
        Self { id, settings, held: BTreeMap::new(), is_stopping: false }
    }

    /// Works until `stop` is done: then it drains its shards, and gives them back.
    ///
    /// It tries again as long as the database cannot be reached.
    pub async fn run(mut self, stop: impl Future) {
        let mut stop = Box::pin(stop);
        loop {
            tokio::select! {
                kept = self.keep() => match kept {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::warn!("worker {}: {error:#}", self.id);
                        sleep(RECONNECT).await;
                    }
                },
                _ = &mut stop, if !self.is_stopping => self.is_stopping = true,
            }
        }
    }

    /// Keeps the shards on a connection of its own, so that no amount of work delays a renewal.
    async fn keep(&mut self) -> anyhow::Result<()> {
        let connecting = database::connect_and_listen(&self.settings.url);
        let (database, mut notified) = within(connecting).await?;
        let every = Duration::from_millis(self.settings.lease_ms.unsigned_abs() / 5);
        loop {
            if within(self.tend(&database)).await? {
                return Ok(());
            }
            let next = Instant::now() + every;
            while self.wait(&mut notified, next).await? {}
        }
    }

    /// Looks after the shards. Returns whether this was the last time.
    async fn tend(&mut self, database: &Client) -> anyhow::Result<bool> {
        self.renew(database).await?;
        self.reap(database).await?;
        if self.is_stopping {
            self.held.values_mut().filter(|it| !it.is_leaving).for_each(Held::leave);
            if self.held.is_empty() {
                database.execute("DELETE FROM worker WHERE id = $1", &[&self.id]).await?;
                return Ok(true);
            }
        }
        self.balance(database).await?;
        Ok(false)
    }

    /// Passes notifications on until `next`. Returns whether there is time left.
    async fn wait(
        &self,
        notified: &mut UnboundedReceiver<i32>,
        next: Instant,
    ) -> anyhow::Result<bool> {
        tokio::select! {
            shard = notified.recv() => {
                let shard = shard.context("the connection to the database broke")?;
                if let Some(held) = self.held.get(&shard) {
                    held.wake.messages.notify_one();
                    held.wake.commands.notify_one();
                }
                Ok(true)
            }
            () = sleep_until(next) => Ok(false),
        }
    }

    /// Renews the leases. What another worker has taken is dropped at once, with what is in flight.
    async fn renew(&mut self, database: &Client) -> anyhow::Result<()> {
        let leases = self.held.values().map(|it| (it.lease.shard, it.lease.epoch));
        let (shards, epochs): (Vec<_>, Vec<_>) = leases.unzip();
        let renew = "SELECT lost FROM renew($1, $2 * interval '1 ms', $3, $4)";
        let lease_ms = self.settings.lease_ms as f64;
        let rows = database.query(renew, &[&self.id, &lease_ms, &shards, &epochs]).await?;
        for row in rows {
            self.held.remove(&row.get(0));
        }
        Ok(())
    }

    /// Looks at the shards whose driving has ended.
    async fn reap(&mut self, database: &Client) -> anyhow::Result<()> {
        let ended = self.held.iter().filter(|(_, it)| it.task.is_finished());
        for shard in ended.map(|(shard, _)| *shard).collect::<Vec<_>>() {
            let Some(mut held) = self.held.remove(&shard) else { continue };
            let Lease { shard, epoch } = held.lease;
            let is_drained = held.is_leaving;
            let parked = match (&mut held.task).await {
                Ok(Ok(End::Drained)) => None,
                Ok(Ok(End::Unreadable(error))) => {
                    tracing::error!("shard {shard} is parked: {error:#}");
                    Some(host::postgres::text(&format!("{error:#}")))
                }
                Ok(Err(error)) => {
                    tracing::warn!("shard {shard} of {}: {error:#}", self.id);
                    None
                }
                Err(error) => {
                    tracing::error!("shard {shard} of {}: {error}", self.id);
                    None
                }
            };
            // After a failure, not at once: the cause may last.
            let pause_ms = if is_drained { 0.0 } else { self.settings.lease_ms as f64 };
            let give_back = "
                UPDATE shard SET owner = NULL, parked = $3,
                    expires_at = clock_timestamp() + $4 * interval '1 ms'
                WHERE id = $1 AND epoch = $2";
            database.execute(give_back, &[&shard, &epoch, &parked, &pause_ms]).await?;
        }
        Ok(())
    }

    /// Takes shards up to this worker's share, or gives some back.
    async fn balance(&mut self, database: &Client) -> anyhow::Result<()> {
        let quota: i64 = database.query_one("SELECT quota()", &[]).await?.get(0);
        let staying = self.held.values().filter(|it| !it.is_leaving).count();
        let mut over = staying.saturating_sub(quota.try_into()?);
        for held in self.held.values_mut().rev().filter(|it| !it.is_leaving) {
            if over == 0 {
                break;
            }
            held.leave();
            over -= 1;
        }
        while !self.is_stopping {
            let take = "SELECT shard, epoch FROM take_shard($1, $2 * interval '1 ms')";
            let lease_ms = self.settings.lease_ms as f64;
            let Some(row) = database.query_opt(take, &[&self.id, &lease_ms]).await? else { break };
            let lease = Lease { shard: row.get(0), epoch: row.get(1) };
            let (wake, drain) = (Arc::default(), Arc::default());
            let run =
                shard::run(self.settings.clone(), lease, Arc::clone(&wake), Arc::clone(&drain));
            let task = tokio::spawn(run);
            self.held.insert(lease.shard, Held { lease, wake, drain, is_leaving: false, task });
        }
        Ok(())
    }
}
