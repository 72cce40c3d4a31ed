//! The receiver: verifies, counts the copies, and fails now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use labhook::Verifier;
use tokio::net::TcpListener;

use crate::queue::key;
use crate::{now, worker};

/// Longer than the attempt timeout.
const HANG: Duration = Duration::from_millis(700);

pub struct Receiver {
    verifier: Verifier,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: u64,
    /// The number of copies of each delivery.
    copies: BTreeMap<String, u64>,
}

impl Receiver {
    /// Starts the receiver. Returns it and its URL, to which an endpoint's id is added.
    pub async fn start() -> anyhow::Result<(Arc<Self>, String)> {
        let verifier = Verifier::standard_webhooks(worker::secret()?);
        let receiver = Arc::new(Self { verifier, seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hooks", listener.local_addr()?);
        let hooks = post(hooks).with_state(Arc::clone(&receiver));
        let router = Router::new().route("/hooks/{endpoint}", hooks);
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok((receiver, url))
    }

    /// Returns the number of copies that it has of a delivery.
    pub fn copies(&self, key: &str) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.copies.get(key).copied().unwrap_or_default()
    }

    /// Returns the status, and how long the response takes.
    fn receive(&self, endpoint: &str, headers: &HeaderMap, body: &[u8]) -> (StatusCode, Duration) {
        // So that a kill finds requests in flight.
        let soon = Duration::from_millis(20);
        let Ok(verified) = self.verifier.verify(headers, body, now()) else {
            return (StatusCode::FORBIDDEN, soon);
        };
        let Some(id) = verified.id() else { return (StatusCode::BAD_REQUEST, soon) };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests += 1;
        if seen.requests.is_multiple_of(7) {
            return (StatusCode::SERVICE_UNAVAILABLE, soon);
        }
        *seen.copies.entry(key(endpoint, id)).or_default() += 1;
        // It has the message, but if the response is late the sender does not know.
        (StatusCode::NO_CONTENT, if seen.requests.is_multiple_of(41) { HANG } else { soon })
    }
}

async fn hooks(
    State(receiver): State<Arc<Receiver>>,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let (status, delay) = receiver.receive(&endpoint, &headers, &body);
    tokio::time::sleep(delay).await;
    status
}
