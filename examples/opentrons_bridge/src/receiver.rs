//! A receiver on loopback: [`Receiver`] verifies each request and keeps the event.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use host::{Clock as _, SystemClock};
use labhook::delivery::Schedule;
use labhook::{
    Endpoint, EndpointId, HealthPolicy, LabEvent, Reply, RetryPolicy, Secret, Signer, Verifier,
};
use tokio::net::TcpListener;

/// Receives the bridge's events.
#[derive(Clone)]
pub struct Receiver {
    it: Arc<Shared>,
    url: String,
    secret: Secret,
}

struct Shared {
    verifier: Verifier,
    is_down: AtomicBool,
    prints: bool,
    received: Mutex<Received>,
}

/// What came in.
#[derive(Clone, Default)]
pub struct Received {
    /// The ids, each once.
    pub ids: BTreeSet<String>,
    /// The events, in the order in which they came.
    pub events: Vec<LabEvent>,
    /// The number of requests with an id that had come before.
    pub duplicates: usize,
}

impl Receiver {
    /// Starts a receiver that prints each event, or does not.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(prints: bool) -> anyhow::Result<Self> {
        let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
        let it = Arc::new(Shared {
            verifier: Verifier::standard_webhooks(secret.clone()),
            is_down: AtomicBool::new(false),
            prints,
            received: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hooks", listener.local_addr()?);
        let router = Router::new().route("/hooks", post(hooks)).with_state(Arc::clone(&it));
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self { it, url, secret })
    }

    /// The receiver as an endpoint of the bridge.
    ///
    /// # Errors
    ///
    /// None; the URL is valid.
    pub fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let signer = Signer::standard_webhooks(self.secret.clone());
        let endpoint = Endpoint::plain_http(EndpointId::new("eln")?, &self.url, signer)?;
        // Nobody waits for the defaults here. A minute of retries, even if the machine is slow.
        let retries = Schedule::list([Duration::from_millis(100); 600]);
        let retries = RetryPolicy::new(retries).with_attempt_timeout(Duration::from_secs(1));
        Ok(endpoint.with_retry(retries).with_health(HealthPolicy::never()))
    }

    /// Answers every request with a 500, or no longer.
    pub fn set_down(&self, is_down: bool) {
        self.it.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Returns what came in.
    #[must_use]
    pub fn received(&self) -> Received {
        self.it.received().clone()
    }
}

impl Shared {
    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Reply> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Reply::Retry);
        }
        let verified = self.verifier.verify(headers, body, SystemClock.now())?;
        let event: LabEvent = verified.decode()?;
        let id = verified.id().ok_or(Reply::Retry)?.to_owned();
        let mut received = self.received();
        if !received.ids.insert(id) {
            received.duplicates += 1;
            return Ok(());
        }
        if self.prints {
            println!("  {} {}", event.timestamp(), describe(&event));
        }
        received.events.push(event);
        Ok(())
    }
}

/// An event in a few words.
#[must_use]
pub fn describe(event: &LabEvent) -> String {
    let message = |text: &Option<String>| text.clone().unwrap_or_default();
    match event {
        LabEvent::RunStateChanged(event) => {
            let (run, state) = (&event.data.run_id, &event.data.state);
            format!("run {run}: {state} ({})", message(&event.data.message))
        }
        LabEvent::InstructionCompleted(event) => {
            let operation = message(&event.data.operation);
            format!("run {}: {operation} completed", event.data.run_id)
        }
        LabEvent::SafetyStateChanged(event) => {
            let device = message(&event.data.device);
            format!("{device}: {} ({})", event.data.state, message(&event.data.message))
        }
        other => other.event_type().to_string(),
    }
}

async fn hooks(State(it): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    it.receive(&headers, &body).map_or_else(|reply| reply, |()| Reply::Accepted).into()
}
