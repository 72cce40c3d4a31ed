//! The receiver: verifies and decodes each request, and detects duplicates.

use std::num::NonZeroUsize;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use labhook::provider::linq::Kind;
use labhook::receive::{Received, Source, Sources, danger};
use labhook::{Inbox, Reply, Timestamp, Verifier};

use crate::keys;

const MAX_BODY: usize = 256 * 1024;
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Receiver that reports the outcome of each request to `log`.
pub struct Receiver {
    signed: Sources,
    /// At a URL of its own, so that a signed request is never mistaken for an unsigned one.
    unsigned: Sources,
    inbox: Mutex<Inbox>,
    log: Sender<String>,
}

impl Receiver {
    pub fn new(log: Sender<String>) -> anyhow::Result<Self> {
        let mut signed = vec![
            Source::strike("Strike", Verifier::strike(keys::strike()?)),
            Source::segments("Segments.ai", Verifier::svix(keys::segments()?)),
            Source::cloud_events("bus", Verifier::standard_webhooks(keys::cloud_events()?)),
            Source::cloud_events_binary(
                "binary bus",
                Verifier::standard_webhooks(keys::cloud_events_binary()?),
            ),
        ];
        for kind in Kind::ALL.iter().copied() {
            let verifier = Verifier::token(keys::LINQ_TOKEN, keys::linq(kind)?)?;
            signed.push(Source::linq(format!("LINQ {kind}"), kind, verifier));
        }
        Ok(Self {
            signed: Sources::new(signed)?,
            unsigned: Sources::new([danger::strateos("Strateos")])?,
            inbox: Mutex::new(Inbox::new(REMEMBERED)),
            log,
        })
    }

    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route(keys::SIGNED_PATH, post(signed))
            .route(keys::STRATEOS_PATH, post(unsigned))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self)
    }

    /// Forgets handled events, because the vendors' examples share their ids.
    pub fn forget(&self) {
        *self.inbox.lock().unwrap_or_else(PoisonError::into_inner) = Inbox::new(REMEMBERED);
    }

    fn receive(&self, sources: &Sources, headers: &HeaderMap, body: &[u8]) -> Reply {
        let (outcome, reply) = match sources.receive(headers, body, now()) {
            Ok(received) => self.once(&received),
            // The reason is for the receiver's own log; it would help a forger.
            Err(refusal) => (refusal.name().to_owned(), refusal.reply()),
        };
        // Nothing listens any longer when the program ends.
        let _ = self.log.send(outcome);
        reply
    }

    fn once(&self, received: &Received<'_>) -> (String, Reply) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let claim = match &received.dedupe_key {
            // Duplicates cannot be detected, so each one is handled.
            None => None,
            Some(key) => match inbox.begin(&received.source, key.as_str(), now()).claim(now()) {
                Ok(claim) => Some(claim),
                Err(Reply::Accepted) => return ("seen".to_owned(), Reply::Accepted),
                Err(busy) => return ("busy".to_owned(), busy),
            },
        };
        // Handle the event here, with the inbox unlocked.
        let handled = received.event.event_type().to_string();
        if let Some(claim) = claim {
            inbox.done(&claim, now());
        }
        (handled, Reply::Accepted)
    }
}

async fn signed(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    it.receive(&it.signed, &headers, &body).into()
}

async fn unsigned(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    it.receive(&it.unsigned, &headers, &body).into()
}

pub fn now() -> Timestamp {
    SystemTime::now().into()
}
