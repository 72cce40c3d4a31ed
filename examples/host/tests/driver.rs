//! The driver and the SQLite store.

#![cfg(feature = "sqlite")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use host::sqlite::Sqlite;
use host::{Client, Clock, Deposed, Driver, Handle, Store, SystemClock};
use http::StatusCode;
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{Changes, Record};
use labhook::{
    Attempt, Endpoint, EndpointId, Event, Message, MessageId, Outbox, Outcome, Registry, Secret,
    Signer, Timestamp,
};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// A receiver that takes a while to accept.
#[derive(Clone)]
struct Slow;

impl Client for Slow {
    async fn send<C: Clock>(&self, _: &Attempt, _: &C) -> Outcome {
        sleep(Duration::from_millis(100)).await;
        Outcome::bare(StatusCode::NO_CONTENT)
    }
}

/// A disk on which some saves fail.
struct Full {
    sqlite: Sqlite,
    failures: Arc<AtomicU32>,
}

impl Store for Full {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        self.sqlite.load().await
    }

    async fn save(&mut self, changes: &Changes, now: Timestamp) -> anyhow::Result<()> {
        if self.failures.load(Ordering::SeqCst) > 0 {
            self.failures.fetch_sub(1, Ordering::SeqCst);
            anyhow::bail!("the disk is full");
        }
        self.sqlite.save(changes, now).await
    }
}

fn message(id: &str) -> anyhow::Result<Message> {
    let event = Event::new(RunStateChanged::new("run-17", RunState::Started), SystemClock.now());
    Ok(event.into_message(MessageId::new(id)?)?)
}

fn endpoint() -> EndpointId {
    EndpointId::new("eln").expect("it is an id")
}

fn registry() -> anyhow::Result<Registry> {
    let signer = Signer::standard_webhooks(Secret::from_bytes(&[7; 24])?);
    let mut registry = Registry::new();
    registry.insert(Endpoint::new(endpoint(), "https://eln.example/in", signer)?)?;
    Ok(registry)
}

/// Starts a driver whose first saves fail.
async fn start(
    path: &Path,
    failures: &Arc<AtomicU32>,
) -> anyhow::Result<(JoinHandle<anyhow::Result<()>>, Handle)> {
    let outbox = Outbox::new(registry()?, 7);
    let store = Full { sqlite: Sqlite::open(path)?, failures: Arc::clone(failures) };
    let (driver, handle) = Driver::restore(outbox, store, Slow, SystemClock).await?;
    Ok((tokio::spawn(driver.run()), handle))
}

fn messages(path: &Path) -> anyhow::Result<usize> {
    let records = Sqlite::open(path)?.records()?;
    Ok(records.iter().filter(|it| matches!(it, Record::Message(_))).count())
}

/// Publishes a message, and ends the driver as a crash would.
async fn publish_and_crash(path: &Path) -> anyhow::Result<()> {
    let (driver, handle) = start(path, &Arc::default()).await?;
    handle.publish(message("a")?).await?;
    driver.abort();
    let _ = driver.await;
    Ok(())
}

#[tokio::test]
async fn published_message_survives_a_crash() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("outbox.db");
    publish_and_crash(&path).await?;
    assert_eq!(messages(&path)?, 1);
    Ok(())
}

#[tokio::test]
async fn publish_waits_for_a_save_that_failed() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("outbox.db");
    let failures = Arc::new(AtomicU32::new(2));
    let (driver, handle) = start(&path, &failures).await?;
    handle.publish(message("a")?).await?;
    assert_eq!(failures.load(Ordering::SeqCst), 0);
    handle.settled().await;
    handle.drain();
    driver.await??;
    assert_eq!(messages(&path)?, 1);
    Ok(())
}

#[tokio::test]
async fn driver_ends_if_no_save_succeeds() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let failures = Arc::new(AtomicU32::new(u32::MAX));
    let (driver, handle) = start(&directory.path().join("outbox.db"), &failures).await?;
    assert!(handle.publish(message("a")?).await.is_err());
    assert!(driver.await?.is_err());
    Ok(())
}

/// A store that another process has taken over.
struct Taken;

impl Store for Taken {
    async fn load(&mut self) -> anyhow::Result<Vec<Record>> {
        Ok(Vec::new())
    }

    async fn save(&mut self, _: &Changes, _: Timestamp) -> anyhow::Result<()> {
        Err(anyhow::Error::new(Deposed).context("the answer is lost"))
    }
}

#[tokio::test]
async fn deposed_driver_saves_once() -> anyhow::Result<()> {
    let registry = registry()?;
    let (driver, handle) =
        Driver::restore(Outbox::new(registry, 7), Taken, Slow, SystemClock).await?;
    let driver = tokio::spawn(driver.run());
    assert!(handle.publish(message("a")?).await.is_err());
    let error = timeout(Duration::from_secs(1), driver).await??.unwrap_err();
    assert!(error.is::<Deposed>(), "{error:#}");
    Ok(())
}

#[tokio::test]
async fn flush_waits_for_the_save() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let failures = Arc::new(AtomicU32::new(2));
    let (_driver, handle) = start(&directory.path().join("outbox.db"), &failures).await?;
    let paused = handle.with(|outbox, now| outbox.pause_endpoint(&endpoint(), now)).await?;
    assert!(paused?);
    handle.flush().await?;
    assert_eq!(failures.load(Ordering::SeqCst), 0);
    Ok(())
}

#[tokio::test]
async fn drained_driver_waits_for_what_is_in_flight() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let (driver, handle) = start(&directory.path().join("outbox.db"), &Arc::default()).await?;
    handle.publish(message("a")?).await?;
    while handle.with(|outbox, _| outbox.in_flight()).await? == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    handle.drain();
    timeout(Duration::from_secs(5), driver).await???;
    assert_eq!(handle.pending(), 0);
    assert!(handle.publish(message("b")?).await.is_err());
    Ok(())
}

#[tokio::test]
async fn driver_without_handles_drains() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let (driver, handle) = start(&directory.path().join("outbox.db"), &Arc::default()).await?;
    drop(handle);
    timeout(Duration::from_secs(5), driver).await???;
    Ok(())
}

#[tokio::test]
async fn record_under_another_key_is_an_error() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("outbox.db");
    publish_and_crash(&path).await?;
    let store = Sqlite::open(&path)?;
    let wrong = "UPDATE outbox SET key = 'message/b' WHERE key = 'message/a'";
    assert_eq!(store.connection().execute(wrong, [])?, 1);
    let error = store.records().expect_err("the key is another");
    assert_eq!(error.to_string(), "the record message/b is that of message/a");
    Ok(())
}

#[tokio::test]
async fn second_process_cannot_open_the_file() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("outbox.db");
    let first = Sqlite::open(&path)?;
    assert!(Sqlite::open(&path).is_err());
    drop(first);
    Sqlite::open(&path)?;
    Ok(())
}
