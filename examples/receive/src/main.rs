//! A receiver of lab events over HTTP.
//!
//! ```text
//! LABHOOK_SECRET=whsec_... cargo run -p receive -- 127.0.0.1:3000    until Ctrl-C
//! cargo run -p receive -- --self-test                                sends itself six requests
//! ```
//!
//! Webhooks are posted to `/hooks`. The core is [`Receiver::receive`]: verify the request, decode
//! the event, skip duplicates. The signature scheme is Standard Webhooks. In production, put it
//! behind a reverse proxy with TLS.

// An application may read the clock and the environment; only the library must not.
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
use labhook::receive::Claim;
use labhook::{Inbox, LabEvent, MessageId, Reply, Secret, Timestamp, Verified, Verifier};
use refusal::ReceiveError;
use tokio::net::TcpListener;

/// The receiver's name for its sender, because two senders may use the same message id.
const SENDER: &str = "scheduler";
const MAX_BODY: usize = 256 * 1024;
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

struct Receiver {
    verifier: Verifier,
    /// Locked only for lookups and updates, never while an event is handled.
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

    /// Returns a new event, or why it needs no handling: it was handled before or is in progress.
    fn begin(&self, verified: &Verified<'_>, now: Timestamp) -> Result<Claim, ReceiveError> {
        let id = verified.id().map(MessageId::as_str).expect("Standard Webhooks signs the id");
        self.inbox().begin(SENDER, id, now).claim(now).map_err(|reply| match reply {
            Reply::Accepted => ReceiveError::Seen,
            busy => ReceiveError::Busy(busy),
        })
    }

    /// Handles the event. If that fails, the next delivery of it counts as new.
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

/// Handles an event in the laboratory. Its changes must be stored when it returns: the success
/// response that follows ends the delivery.
fn handle(event: LabEvent) -> Result<(), ReceiveError> {
    let mut log = io::stderr().lock();
    match event {
        LabEvent::RunStateChanged(event) => {
            writeln!(log, "  handled: run {} is {}", event.data.run_id, event.data.state)?;
        }
        LabEvent::Unknown(event) => writeln!(log, "  passed on: a {} event", event.event_type)?,
        // Store its data: nobody else has it once the response is a success.
        LabEvent::Unreadable { event, reason, .. } => {
            writeln!(log, "  stored for later: a {} event: {reason}", event.event_type)?;
        }
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
    let secret = env::var("LABHOOK_SECRET").context("LABHOOK_SECRET is not set")?;
    let router =
        router(Secret::from_whsec(&secret).context("LABHOOK_SECRET is not a valid secret")?);
    let listener = TcpListener::bind(&address).await.context(address)?;
    eprintln!("listening on http://{}/hooks", listener.local_addr()?);
    let ctrl_c = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(axum::serve(listener, router).with_graceful_shutdown(ctrl_c).await?)
}
