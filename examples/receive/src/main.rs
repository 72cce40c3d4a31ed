//! A receiver of lab events over HTTP.
//!
//! ```text
//! LABHOOK_SECRET=whsec_... cargo run -p receive -- 127.0.0.1:3000    until Ctrl-C
//! cargo run -p receive -- --self-test                                sends itself six requests
//! ```
//!
//! Webhooks are posted to `/hooks`. The extractor [`Verified`] verifies the request and decodes the
//! event; [`Laboratory::handle`] skips duplicates and stores what has changed, in one transaction.
//! The signature scheme is Standard Webhooks. In production, put it behind a reverse proxy with TLS.
//!
//! A receiver whose handling is no transaction uses labhook's `Inbox` instead: see `lab_day`.

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_methods)]

mod extract;
mod laboratory;
mod refusal;
mod self_test;

use std::env;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::response::Response;
use axum::routing::post;
use labhook::{LabEvent, Reply, Secret, Timestamp, Verifier};
use tokio::net::TcpListener;

use crate::extract::Verified;
use crate::laboratory::Laboratory;
use crate::refusal::ReceiveError;

const MAX_BODY: usize = 256 * 1024;

#[derive(Clone)]
struct Receiver {
    verifier: Arc<Verifier>,
    laboratory: Arc<Laboratory>,
}

impl FromRef<Receiver> for Arc<Verifier> {
    fn from_ref(receiver: &Receiver) -> Self {
        Self::clone(&receiver.verifier)
    }
}

async fn hooks(
    State(receiver): State<Receiver>,
    Verified { id, event }: Verified<LabEvent>,
) -> Response {
    let handled = receiver.laboratory.handle(&id, &event);
    handled.map_or_else(ReceiveError::reply, |()| Reply::Accepted).into()
}

fn router(secret: Secret, laboratory: Arc<Laboratory>) -> Router {
    let verifier = Arc::new(Verifier::standard_webhooks(secret));
    Router::new()
        .route("/hooks", post(hooks))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Receiver { verifier, laboratory })
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
    let secret = Secret::from_whsec(&secret).context("LABHOOK_SECRET is not a valid secret")?;
    let router = router(secret, Arc::new(Laboratory::open("laboratory.db")?));
    let listener = TcpListener::bind(&address).await.context(address)?;
    eprintln!("listening on http://{}/hooks", listener.local_addr()?);
    let ctrl_c = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(axum::serve(listener, router).with_graceful_shutdown(ctrl_c).await?)
}
