//! A bot that posts the state of a Strateos project's runs to a Slack channel.
//!
//! `cargo run -p strateos_slack`
//!
//! Strateos posts its webhooks to the [`Bot`], which publishes the events to an outbox with one
//! endpoint in Slack's format, driven by the host of `examples/host`. Both ends are on loopback here: the documented webhooks are posted,
//! one of them twice, and a stand-in for Slack that is down at first prints what it receives.

mod slack;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use host::http::Http;
use host::sqlite::Sqlite;
use host::{Clock as _, Driver, Handle, SystemClock};
use labhook::delivery::Schedule;
use labhook::endpoint::AddressPolicy;
use labhook::message::format::SlackMessage;
use labhook::receive::{Sources, danger};
use labhook::{
    Endpoint, EndpointId, Inbox, MessageId, Notice, Order, Outbox, Registry, Reply, RetryPolicy,
    Signer,
};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Strateos signs nothing, so anybody who knows this path can post. Set it as the project's webhook
/// URL, and change it if it leaks.
const PATH: &str = "/strateos/9f1c7a40d2";
const WEBHOOKS: [&str; 3] = [
    include_str!("../../../tests/data/strateos/run_started.json"),
    include_str!("../../../tests/data/strateos/instruction_completed.json"),
    include_str!("../../../tests/data/strateos/run_completed.json"),
];

struct Bot {
    sources: Sources,
    inbox: Mutex<Inbox>,
    outbox: Handle,
}

/// Returns the outbox with Slack as its endpoint.
fn outbox(slack: &str) -> anyhow::Result<Outbox> {
    // The URL of an incoming webhook is the secret, so requests are not signed. For the real
    // Slack, use HTTPS (`Endpoint::new`, and the host's feature `tls`) and the default retry policy.
    let policy = RetryPolicy::new(Schedule::list([200, 400, 800].map(Duration::from_millis)));
    let endpoint = Endpoint::plain_http(EndpointId::new("slack")?, slack, Signer::unsigned())?
        .with_format(SlackMessage::new())
        // A run's `started` must not arrive after its `completed`.
        .with_order(Order::per_key())
        .with_retry(policy);
    let mut registry = Registry::new();
    registry.insert(endpoint)?;
    Ok(Outbox::new(registry, 0x1ab0_0c4e))
}

impl Bot {
    fn new(outbox: Handle) -> anyhow::Result<Self> {
        let sources = Sources::new([danger::strateos("Strateos")])?;
        let inbox = Mutex::new(Inbox::new(NonZeroUsize::new(10_000).context("not zero")?));
        Ok(Self { sources, inbox, outbox })
    }

    async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Reply> {
        let received = match self.sources.receive(headers, body, SystemClock.now()) {
            Ok(received) => received,
            Err(refusal) => return Ok(refusal.reply()),
        };
        let key = received.dedupe_key.as_ref().context("Strateos's webhooks have a key")?.as_str();
        let begun = self.inbox().begin(&received.source, key, SystemClock.now());
        let claim = match begun.claim(SystemClock.now()) {
            Ok(claim) => claim,
            // A duplicate: published before, so it gets the same success response.
            Err(reply) => return Ok(reply),
        };
        let message = received.event.into_message(MessageId::new(key)?)?;
        // Strateos will not send it again after a success response, so it has to be durable.
        if let Err(error) = self.outbox.publish(message).await {
            self.inbox().abandon(&claim);
            return Err(error);
        }
        self.inbox().done(&claim, SystemClock.now());
        Ok(Reply::Accepted)
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn hooks(State(bot): State<Arc<Bot>>, headers: HeaderMap, body: Bytes) -> Response {
    let reply = bot.receive(&headers, &body).await.unwrap_or_else(|error| {
        eprintln!("not taken: {error:#}");
        Reply::Retry
    });
    reply.into()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (slack, mut channel) = slack::start().await?;
    // A service names a file here, and restores what an earlier process left in it.
    let store = Sqlite::open(":memory:".as_ref())?;
    // The Slack of this example is on loopback.
    let http = Http::new(AddressPolicy::public().allow_loopback());
    let (driver, handle) = Driver::restore(outbox(&slack)?, store, http, SystemClock).await?;
    let driver = driver.with_notices(|notice, _| match notice {
        Notice::Settled { message, verdict, attempts, .. } => {
            println!("{message}: {verdict} at attempt {attempts}");
        }
        notice => println!("{notice}"),
    });
    let driver = tokio::spawn(driver.run());
    let bot = Arc::new(Bot::new(handle.clone())?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}{PATH}", listener.local_addr()?);
    let router = Router::new().route(PATH, post(hooks)).layer(DefaultBodyLimit::max(64 * 1024));
    tokio::spawn(axum::serve(listener, router.with_state(bot)).into_future());
    let client = reqwest::Client::builder().no_proxy().build()?;

    for body in WEBHOOKS.into_iter().chain([WEBHOOKS[0]]) {
        let status = client.post(&url).body(body.trim_end()).send().await?.status();
        println!("Strateos posts a webhook: {status}");
        ensure!(status == 204, "it was to be taken");
    }
    for _ in WEBHOOKS {
        let text = timeout(Duration::from_secs(10), channel.recv()).await?;
        println!("Slack gets {}", text.context("Slack is gone")?);
    }
    ensure!(timeout(Duration::from_millis(300), channel.recv()).await.is_err(), "one too many");
    handle.drain();
    driver.await?
}
