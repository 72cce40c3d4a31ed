//! Messages that are handed over in Postgres, on a server to throw away.

#![cfg(feature = "postgres")]

use std::time::Duration;

use host::postgres::{self, Postgres, create_tables, insert_intent, take_intents};
use host::server::Server;
use host::{Client, Clock, Driver, Handle, SystemClock};
use http::StatusCode;
use labhook::lab::{RunState, RunStateChanged};
use labhook::{
    Attempt, Endpoint, EndpointId, Event, Message, MessageId, Outbox, Outcome, Registry, Signer,
};
use tokio::time::{sleep, timeout};

/// A receiver that accepts.
#[derive(Clone)]
struct Accepts;

impl Client for Accepts {
    async fn send<C: Clock>(&self, _: &Attempt, _: &C) -> Outcome {
        Outcome::bare(StatusCode::NO_CONTENT)
    }
}

/// A server with the tables, and a connection; `None` if the machine has no server.
async fn database() -> anyhow::Result<Option<(Server, tokio_postgres::Client)>> {
    let Some(server) = Server::start().await? else {
        println!("skipped: no Postgres server on this machine");
        return Ok(None);
    };
    let client = postgres::connect(&server.url).await?;
    create_tables(&client).await?;
    Ok(Some((server, client)))
}

fn message(id: &str) -> anyhow::Result<Message> {
    let event = Event::new(RunStateChanged::new("run-17", RunState::Started), SystemClock.now());
    Ok(event.into_message(MessageId::new(id)?)?)
}

/// Starts a driver, and what takes intents for it.
async fn start(url: &str) -> anyhow::Result<Handle> {
    let mut registry = Registry::new();
    let id = EndpointId::new("eln")?;
    registry.insert(Endpoint::new(id, "https://eln.example/in", Signer::unsigned())?)?;
    let store = Postgres::lock(url, 7).await?;
    let outbox = Outbox::new(registry, 7);
    let (driver, handle) = Driver::restore(outbox, store, Accepts, SystemClock).await?;
    tokio::spawn(driver.run());
    tokio::spawn(take_intents(url.to_owned(), handle.clone()));
    Ok(handle)
}

/// Waits until the only intent is refused, and returns the reason; `None` if there is none.
async fn left(client: &tokio_postgres::Client) -> anyhow::Result<Option<String>> {
    let wait = async {
        loop {
            let rows = client.query("SELECT refused FROM outbox_intent", &[]).await?;
            let Some(row) = rows.first() else { return anyhow::Ok(None) };
            if let Some(reason) = row.get(0) {
                return Ok(Some(reason));
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), wait).await?
}

#[tokio::test]
async fn corrected_message_replaces_a_refused_intent() -> anyhow::Result<()> {
    let Some((server, client)) = database().await? else { return Ok(()) };
    let handle = start(&server.url).await?;
    // The text of the error quotes the name of the member, with its NUL.
    let good = serde_json::to_string(&message("m")?)?;
    let bad = good.replacen('{', r#"{"a\u0000b":1,"#, 1);
    let insert = "INSERT INTO outbox_intent (id, message) VALUES ('m', $1)";
    client.execute(insert, &[&bad]).await?;
    let reason = left(&client).await?.unwrap_or_default();
    assert!(reason.contains("a\u{fffd}b"), "{reason}");

    insert_intent(&client, &message("m")?).await?;
    assert_eq!(left(&client).await?, None);
    let published = handle.with(|outbox, _| outbox.deliveries().count()).await?;
    assert_eq!(published, 1);
    Ok(())
}

#[tokio::test]
async fn intent_that_waits_is_not_replaced() -> anyhow::Result<()> {
    let Some((_server, client)) = database().await? else { return Ok(()) };
    let first = message("m")?;
    insert_intent(&client, &first).await?;
    sleep(Duration::from_millis(2)).await;
    insert_intent(&client, &message("m")?).await?;
    let kept: String = client.query_one("SELECT message FROM outbox_intent", &[]).await?.get(0);
    assert_eq!(serde_json::from_str::<Message>(&kept)?, first);
    Ok(())
}

#[tokio::test]
async fn record_under_another_key_is_an_error() -> anyhow::Result<()> {
    let Some((server, client)) = database().await? else { return Ok(()) };
    let handle = start(&server.url).await?;
    handle.publish(message("m")?).await?;
    handle.flush().await?;
    assert!(!postgres::records(&client).await?.is_empty());
    let swap = "UPDATE outbox_record SET key = 'message/n' WHERE key = 'message/m'";
    assert_eq!(client.execute(swap, &[]).await?, 1);
    let error = postgres::records(&client).await.expect_err("the key is another");
    assert_eq!(error.to_string(), "the record message/n is that of message/m");
    Ok(())
}
