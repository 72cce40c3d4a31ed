//! The database's clock: [`DatabaseClock`].
//!
//! The clocks of several machines differ, and a worker that takes a shard goes on where another has
//! left off. So all of them go by the clock of the database.

use std::time::Duration;

use labhook::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio_postgres::Client;

/// The database's clock as it was read once, plus the time since then.
///
/// Two workers differ by less than the time that reading it took.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseClock {
    read: Timestamp,
    /// When it was read, on the clock of this machine.
    at: Duration,
}

impl DatabaseClock {
    /// Reads the database's clock.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn read(database: &Client) -> Result<Self, tokio_postgres::Error> {
        let select = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let asked = since_boot();
        let micros: i64 = database.query_one(select, &[]).await?.get(0);
        let at = asked + (since_boot() - asked) / 2;
        Ok(Self { read: Timestamp::from_unix_micros(micros), at })
    }
}

impl host::Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        self.read + since_boot().saturating_sub(self.at)
    }

    async fn wait(&self, until: Option<Timestamp>, _idle: bool) {
        match until {
            Some(until) => tokio::time::sleep(until.saturating_since(self.now())).await,
            None => std::future::pending().await,
        }
    }
}

/// Returns the time since the machine started. It runs on while the machine sleeps, so that a worker
/// that wakes up knows that its attempts are too late.
fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
