//! The receiver: verifies and counts, and fails now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use host::{Clock as _, SystemClock};
use labhook::{LabEvent, Verifier};
use tokio::net::TcpListener;

use crate::scheduler;

/// Longer than the attempt timeout.
const HANG: Duration = Duration::from_millis(900);

pub struct Receiver {
    verifier: Verifier,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: u64,
    /// The runs that completed, each with the number of copies.
    runs: BTreeMap<String, u64>,
}

impl Receiver {
    /// Starts the receiver. Returns it and its URL.
    pub async fn start() -> anyhow::Result<(Arc<Self>, String)> {
        let verifier = Verifier::standard_webhooks(scheduler::secret()?);
        let receiver = Arc::new(Self { verifier, seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hooks", listener.local_addr()?);
        let router = Router::new().route("/hooks", post(hooks)).with_state(Arc::clone(&receiver));
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok((receiver, url))
    }

    /// Returns the runs that it knows, each with the number of copies.
    pub fn runs(&self) -> BTreeMap<String, u64> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).runs.clone()
    }

    /// Returns the status, and whether the response is to be late.
    fn receive(&self, headers: &HeaderMap, body: &[u8]) -> (StatusCode, bool) {
        let event = match self.verifier.verify(headers, body, SystemClock.now()) {
            Ok(verified) => verified.decode(),
            Err(_) => return (StatusCode::FORBIDDEN, false),
        };
        let Ok(LabEvent::RunStateChanged(run)) = event else {
            return (StatusCode::UNPROCESSABLE_ENTITY, false);
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests += 1;
        if seen.requests.is_multiple_of(7) {
            return (StatusCode::SERVICE_UNAVAILABLE, false);
        }
        *seen.runs.entry(run.data.run_id.to_string()).or_default() += 1;
        // It has the event, but the sender will not know.
        (StatusCode::NO_CONTENT, seen.requests.is_multiple_of(41))
    }
}

async fn hooks(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let (status, late) = it.receive(&headers, &body);
    if late {
        tokio::time::sleep(HANG).await;
    } else {
        // So that a kill finds requests in flight.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    status
}
