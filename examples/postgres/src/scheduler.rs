//! The scheduler's part, and all that its author writes: intents, and the driver's start.

use std::time::Duration;

use host::http::Http;
use host::postgres::{Postgres, insert_intent, take_intents};
use host::{Driver, SystemClock};
use labhook::delivery::{Jitter, Schedule};
use labhook::endpoint::AddressPolicy;
use labhook::lab::{RunState, RunStateChanged};
use labhook::{
    Endpoint, EndpointId, Event, MessageId, Outbox, Registry, RetryPolicy, Secret, Signer,
    Timestamp,
};
use tokio_postgres::Transaction;

/// The number of the advisory lock: any number that nothing else in this database uses.
pub const LOCK: i64 = 17_744_882;

pub fn secret() -> anyhow::Result<Secret> {
    Ok(Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?)
}

/// Completes a run: the row and the message, in one transaction.
pub async fn complete(
    transaction: &Transaction<'_>,
    run: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    transaction.execute("INSERT INTO run VALUES ($1, 'completed')", &[&run]).await?;
    let event = Event::new(RunStateChanged::new(run, RunState::Completed), now);
    let message = event.into_message(MessageId::new(format!("{run}-completed"))?)?;
    insert_intent(transaction, &message).await
}

/// Delivers what the database has, until `stop` is done. One process does, others wait for it.
pub async fn drive(database: String, eln: &str, stop: impl Future) -> anyhow::Result<()> {
    // One retry after another, in a hurry: the program is to end. In earnest, the default.
    let retry = RetryPolicy::new(Schedule::list([Duration::from_millis(200); 50]))
        .with_jitter(Jitter::NONE)
        .with_attempt_timeout(Duration::from_millis(500));
    let signer = Signer::standard_webhooks(secret()?);
    let mut registry = Registry::new();
    registry
        .insert(Endpoint::plain_http(EndpointId::new("eln")?, eln, signer)?.with_retry(retry))?;

    let store = Postgres::lock(&database, LOCK).await?;
    println!("driving");
    let outbox = Outbox::new(registry, 7);
    let http = Http::new(AddressPolicy::public().allow_loopback()); // for the ELN of the example
    let (driver, handle) = Driver::restore(outbox, store, http, SystemClock).await?;
    let mut driver = tokio::spawn(driver.run());
    tokio::select! {
        ended = &mut driver => return ended?,
        taken = take_intents(database, handle.clone()) => return taken,
        _ = stop => handle.drain(),
    }
    driver.await?
}
