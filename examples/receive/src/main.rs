//! A receiver of lab events over HTTP.
//!
//! ```text
//! LABHOOK_SECRET=whsec_... cargo run -p receive -- 127.0.0.1:3000    until Ctrl-C
//! cargo run -p receive -- --self-test                                sends itself five requests
//! ```
//!
//! The webhooks go to `POST /hooks`. What matters is [`Receiver::receive`]: a few lines between
//! the bytes off the wire and an event that is genuine, typed and new. It speaks Standard Webhooks;
//! put a reverse proxy with TLS before it.

// A host reads the clock and the environment; it is the core that does not.
#![allow(clippy::disallowed_methods)]

mod refusal;
mod self_test;

use std::env;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use labhook::receive::{Admission, Claim};
use labhook::{Inbox, LabEvent, MessageId, Reply, Secret, Timestamp, Verified, Verifier};
use refusal::ReceiveError;
use tokio::net::TcpListener;

/// This receiver's own name for its sender; two senders may use one message id.
const SENDER: &str = "scheduler";
const MAX_BODY: usize = 256 * 1024;
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

struct Receiver {
    verifier: Verifier,
    /// Held to look something up or to write it down, never while an event is handled.
    inbox: Mutex<Inbox>,
}

impl Receiver {
    fn receive(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), ReceiveError> {
        let verified = self.verifier.verify(headers, body, now)?;
        let event = verified.decode().map_err(ReceiveError::Malformed)?;
        let claim = self.begin(&verified, now)?;
        let handled = handle(event);
        self.end(&claim, handled.is_ok());
        handled
    }

    /// Tells a new event from one that was handled before, or is being handled just now.
    fn begin(&self, verified: &Verified<'_>, now: Timestamp) -> Result<Claim, ReceiveError> {
        let id = verified.id().map(MessageId::as_str).expect("Standard Webhooks signs the id");
        match self.inbox().begin(SENDER, id, now) {
            Admission::New(claim) => Ok(claim),
            Admission::Seen => Err(ReceiveError::Seen),
            Admission::InProgress { until } | Admission::Full { until } => {
                Err(ReceiveError::Busy { wait: until.saturating_since(now) })
            }
        }
    }

    /// An event that could not be handled is new again when it is repeated.
    fn end(&self, claim: &Claim, handled: bool) {
        if handled {
            self.inbox().done(claim, now());
        } else {
            self.inbox().abandon(claim);
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the laboratory makes of an event. When it returns, what it changed is stored: the answer
/// that follows tells the sender to forget the event.
fn handle(event: LabEvent) -> Result<(), ReceiveError> {
    let mut log = io::stderr().lock();
    match event {
        LabEvent::RunStateChanged(event) => {
            writeln!(log, "  handled: run {} is {}", event.data.run_id, event.data.state)?;
        }
        LabEvent::Unknown(event) => writeln!(log, "  passed on: a {} event", event.event_type)?,
        event => writeln!(log, "  handled: a {} event", event.event_type())?,
    }
    Ok(())
}

async fn hooks(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    let reply =
        it.receive(&headers, &body, now()).map_or_else(ReceiveError::reply, |()| Reply::Accepted);
    reply.into()
}

fn router(secret: Secret) -> Router {
    let inbox = Mutex::new(Inbox::new(REMEMBERED));
    let receiver = Receiver { verifier: Verifier::standard_webhooks(secret), inbox };
    Router::new()
        .route("/hooks", post(hooks))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(receiver))
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Some(address) = env::args().nth(1) else {
        eprintln!("usage: LABHOOK_SECRET=whsec_$(openssl rand -base64 24) receive 127.0.0.1:3000");
        eprintln!("       receive --self-test");
        std::process::exit(2);
    };
    if address == "--self-test" {
        return self_test::run().await;
    }
    let secret = env::var("LABHOOK_SECRET").context("LABHOOK_SECRET is to hold the secret")?;
    let router = router(Secret::from_whsec(&secret).context("LABHOOK_SECRET is of no use")?);
    let listener = TcpListener::bind(&address).await.context(address)?;
    eprintln!("listening on http://{}/hooks", listener.local_addr()?);
    let ctrl_c = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(axum::serve(listener, router).with_graceful_shutdown(ctrl_c).await?)
}
