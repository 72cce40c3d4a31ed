//! A bot that tells a Slack channel how the runs of a Strateos project are doing.
//!
//! `cargo run -p strateos_slack`
//!
//! Strateos posts its webhooks to the [`Bot`], which publishes what they tell to an outbox whose
//! one endpoint writes messages for Slack. Here both ends are on loopback: the documented webhooks
//! are posted, one of them twice, and a Slack that is down at first prints what it gets.

// A host reads the clock; it is the core that does not.
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

/// Strateos signs nothing: whoever knows this path can post. Set it as the project's webhook URL,
/// and change it when somebody has learned it.
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
    /// Something was published.
    published: Notify,
}

impl Bot {
    fn new(slack: &str) -> anyhow::Result<Self> {
        // The URL of an incoming webhook is the whole secret, so nothing is signed. A real Slack
        // is reached by HTTPS (`Endpoint::new`), and deserves the default policy's patience.
        let policy = RetryPolicy::new(Schedule::list([200, 400, 800].map(Duration::from_millis)));
        let endpoint = Endpoint::plain_http(EndpointId::new("slack")?, slack, Signer::unsigned())?
            .with_format(SlackMessage::new())
            // What has started is not told of after what has completed.
            .with_order(Order::per_key())
            .with_retry(policy);
        let mut registry = Registry::new();
        registry.insert(endpoint)?;
        Ok(Self {
            sources: Sources::new([danger::strateos("Strateos")])?,
            inbox: Mutex::new(Inbox::new(NonZeroUsize::new(10_000).context("not zero")?)),
            // A bot that must not lose a message over a restart stores: Strateos was told that the
            // event is taken, and will not send it again. See the example `lab_day`.
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
            // It has been published, and Strateos is told so once more.
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
        Reply::AbortMessage
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
