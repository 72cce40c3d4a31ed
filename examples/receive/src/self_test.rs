//! The receiver and a sender in one process, on loopback. It sends a genuine, a duplicate, a
//! forged and an old request, one that does not match its type, and one that is no event.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use axum::body::Bytes;
use axum::http::{HeaderValue, Request};
use labhook::lab::{RunState, RunStateChanged};
use labhook::message::Rendering;
use labhook::{Endpoint, EndpointId, Event, MessageId, Secret, Signer};
use tokio::net::TcpListener;

use crate::laboratory::Laboratory;
use crate::{now, router};

pub async fn run() -> anyhow::Result<()> {
    let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
    let guess = Secret::from_whsec("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hooks", listener.local_addr()?);
    let laboratory = Arc::new(Laboratory::open(":memory:")?);
    let router = router(secret.clone(), Arc::clone(&laboratory));
    tokio::spawn(axum::serve(listener, router).into_future());

    let endpoint = |secret| {
        Endpoint::plain_http(EndpointId::new("self")?, &url, Signer::standard_webhooks(secret))
            .map_err(anyhow::Error::from)
    };
    let (sender, forger) = (endpoint(secret)?, endpoint(guess)?);
    let paused = Event::new(RunStateChanged::new("run-17", RunState::Paused), now())
        .into_message(MessageId::new("run-17-paused")?)?;
    let good = sender.format().render(&paused)?;
    let json = HeaderValue::from_static("application/json");
    let odd = Rendering::new(
        json.clone(),
        r#"{"type":"run.state_changed","timestamp":"2025-04-17T09:30:00Z","data":{"run_id":17}}"#,
    );
    let bad = Rendering::new(json, r#"{"event":"run.state_changed"}"#);
    let hour_ago = now() - Duration::from_secs(3_600);

    let client = client()?;
    for (what, request, expected) in [
        ("genuine", sender.request(paused.id(), &good, now())?, 204),
        ("repeated", sender.request(paused.id(), &good, now())?, 204),
        ("forged", forger.request(&MessageId::new("forged")?, &good, now())?, 403),
        ("old", sender.request(&MessageId::new("old")?, &good, hour_ago)?, 403),
        ("unreadable", sender.request(&MessageId::new("unreadable")?, &odd, now())?, 204),
        ("malformed", sender.request(&MessageId::new("malformed")?, &bad, now())?, 500),
    ] {
        let status = send(&client, request).await?;
        println!("{what}: {status}");
        ensure!(status == expected, "{what}: expected status {expected}");
    }
    let changes = laboratory.changes("run-17")?;
    ensure!(changes == 1, "the duplicate was handled too: {changes} changes");
    Ok(())
}

/// A sender must not follow redirects or retry on its own; loopback needs no proxy.
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(5))
        .no_proxy()
        .build()
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> reqwest::Result<u16> {
    Ok(client.execute(request.try_into()?).await?.status().as_u16())
}
