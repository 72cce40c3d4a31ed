//! A bot that posts the state of a Strateos project's runs to a Slack channel.
//!
//! `cargo run -p strateos_slack`
//!
//! Strateos posts its webhooks to the [`Bot`], which publishes the events to an outbox with one
//! endpoint in Slack's format. Both ends are on loopback here: the documented webhooks are posted,
//! one of them twice, and a stand-in for Slack that is down at first prints what it receives.

// An application may read the clock; only the library must not.
#![allow(clippy::disallowed_methods)]

mod deliver;
mod slack;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use labhook::delivery::Schedule;
use labhook::message::format::SlackMessage;
use labhook::receive::{Sources, danger};
use labhook::{
    Endpoint, EndpointId, Inbox, MessageId, Order, Outbox, Registry, Reply, RetryPolicy, Signer,
    Timestamp,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;
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
    outbox: Mutex<Outbox>,
    /// Signals that a message was published.
    published: Notify,
}

impl Bot {
    fn new(slack: &str) -> anyhow::Result<Self> {
        // The URL of an incoming webhook is the secret, so requests are not signed. For the real
        // Slack, use HTTPS (`Endpoint::new`) and the default retry policy.
        let policy = RetryPolicy::new(Schedule::list([200, 400, 800].map(Duration::from_millis)));
        let endpoint = Endpoint::plain_http(EndpointId::new("slack")?, slack, Signer::unsigned())?
            .with_format(SlackMessage::new())
            // A run's `started` must not arrive after its `completed`.
            .with_order(Order::per_key())
            .with_retry(policy);
        let mut registry = Registry::new();
        registry.insert(endpoint)?;
        Ok(Self {
            sources: Sources::new([danger::strateos("Strateos")])?,
            inbox: Mutex::new(Inbox::new(NonZeroUsize::new(10_000).context("not zero")?)),
            // To survive a restart, build the outbox with storage: Strateos gets a success response
            // and will not send the event again. See the example `lab_day`.
            outbox: Mutex::new(Outbox::new(registry, 0x1ab0_0c4e).without_storage()),
            published: Notify::new(),
        })
    }

    fn receive(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> anyhow::Result<Reply> {
        let received = match self.sources.receive(headers, body, now) {
            Ok(received) => received,
            Err(refusal) => return Ok(refusal.reply()),
        };
        let key = received.dedupe_key.as_ref().context("Strateos's webhooks have a key")?.as_str();
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let claim = match inbox.begin(&received.source, key, now).claim(now) {
            Ok(claim) => claim,
            // A duplicate: published before, so it gets the same success response.
            Err(reply) => return Ok(reply),
        };
        let message = received.event.into_message(MessageId::new(key)?)?;
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner).publish(message, now)?;
        inbox.done(&claim, now);
        self.published.notify_one();
        Ok(Reply::Accepted)
    }
}

async fn hooks(State(bot): State<Arc<Bot>>, headers: HeaderMap, body: Bytes) -> Response {
    let reply = bot.receive(&headers, &body, now()).unwrap_or_else(|error| {
        eprintln!("not taken: {error:#}");
        Reply::Retry
    });
    reply.into()
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (slack, mut channel) = slack::start().await?;
    let bot = Arc::new(Bot::new(&slack)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}{PATH}", listener.local_addr()?);
    let router = Router::new().route(PATH, post(hooks)).layer(DefaultBodyLimit::max(64 * 1024));
    tokio::spawn(axum::serve(listener, router.with_state(Arc::clone(&bot))).into_future());
    let client = deliver::client()?;
    tokio::spawn(deliver::run(Arc::clone(&bot), client.clone()));

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
    Ok(())
}
