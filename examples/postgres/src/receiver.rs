//! The receiver: verifies, counts the copies, handles each event once, and fails now and then.

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
use tokio::sync::Mutex as AsyncMutex;
use tokio_postgres::Client;

use crate::scheduler;

/// Longer than the attempt timeout.
const HANG: Duration = Duration::from_millis(900);

/// The receiver's own tables: the keys of what it has handled, and what it does with an event.
const SCHEMA: &str = "
    CREATE TABLE handled (message text PRIMARY KEY);
    CREATE TABLE archived (run text NOT NULL);
";

pub struct Receiver {
    verifier: Verifier,
    database: AsyncMutex<Client>,
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
    pub async fn start(database: &str) -> anyhow::Result<(Arc<Self>, String)> {
        let verifier = Verifier::standard_webhooks(scheduler::secret()?);
        let database = host::postgres::connect(database).await?;
        database.batch_execute(SCHEMA).await?;
        let database = AsyncMutex::new(database);
        let receiver = Arc::new(Self { verifier, database, seen: Mutex::default() });
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
    async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> (StatusCode, bool) {
        let Ok(verified) = self.verifier.verify(headers, body, SystemClock.now()) else {
            return (StatusCode::FORBIDDEN, false);
        };
        let (Ok(LabEvent::RunStateChanged(run)), Some(id)) = (verified.decode(), verified.id())
        else {
            return (StatusCode::INTERNAL_SERVER_ERROR, false);
        };
        let Some(late) = self.count(run.data.run_id.as_str()) else {
            return (StatusCode::SERVICE_UNAVAILABLE, false);
        };
        match self.handle(id, run.data.run_id.as_str()).await {
            // It has the event, but if the response is late the sender will not know.
            Ok(()) => (StatusCode::NO_CONTENT, late),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, false),
        }
    }

    /// Handles an event once: its key and what it changes are one transaction. Of two copies at the
    /// same time one waits, and finds the key.
    async fn handle(&self, message: &str, run: &str) -> Result<(), tokio_postgres::Error> {
        let mut database = self.database.lock().await;
        let transaction = database.transaction().await?;
        let insert = "INSERT INTO handled VALUES ($1) ON CONFLICT DO NOTHING";
        if transaction.execute(insert, &[&message]).await? == 1 {
            transaction.execute("INSERT INTO archived VALUES ($1)", &[&run]).await?;
        }
        transaction.commit().await
    }

    /// Counts a copy, and returns whether its response is to be late; `None` if it is refused.
    fn count(&self, run: &str) -> Option<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests += 1;
        if seen.requests.is_multiple_of(7) {
            return None;
        }
        *seen.runs.entry(run.to_owned()).or_default() += 1;
        Some(seen.requests.is_multiple_of(41))
    }
}

async fn hooks(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let (status, late) = it.receive(&headers, &body).await;
    if late {
        tokio::time::sleep(HANG).await;
    } else {
        // So that a kill finds requests in flight.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    status
}
