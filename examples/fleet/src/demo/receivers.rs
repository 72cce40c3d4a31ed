//! The receivers, good and bad: they verify, count the copies that they accept, and log arrivals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use host::{Clock as _, SystemClock};
use labhook::{Secret, Verifier};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// How a receiver behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    Fast,
    /// Takes 20 ms.
    Good,
    /// Refuses every seventh request.
    Flaky,
    /// Answers every 41st request after the attempt's timeout.
    Late,
    /// Refuses everything in the first five seconds.
    Down,
}

impl Temper {
    pub const fn of(endpoint: usize) -> Self {
        match endpoint % 8 {
            5 => Self::Flaky,
            6 => Self::Late,
            7 => Self::Down,
            _ => Self::Good,
        }
    }

    pub const fn fast(_endpoint: usize) -> Self {
        Self::Fast
    }
}

#[derive(Default)]
pub struct Seen {
    pub requests: u64,
    pub forged: u64,
    /// The copies that were accepted, by endpoint and message.
    pub copies: BTreeMap<(usize, String), u64>,
    /// When each request came, and for which endpoint.
    pub arrivals: Vec<(Instant, usize)>,
    /// Requests of a message that came while another one was answered.
    pub overlaps: u64,
    open: BTreeSet<(usize, String)>,
}

struct Site {
    verifier: Verifier,
    temper: fn(usize) -> Temper,
    began: Instant,
    seen: Mutex<Seen>,
}

/// All receivers, on one port.
pub struct Receivers {
    site: Arc<Site>,
    origin: String,
}

impl Receivers {
    pub async fn start(secret: &Secret, temper: fn(usize) -> Temper) -> anyhow::Result<Self> {
        let verifier = Verifier::standard_webhooks(secret.clone());
        let (began, seen) = (Instant::now(), Mutex::default());
        let site = Arc::new(Site { verifier, temper, began, seen });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/hooks/{endpoint}", post(hooks));
        tokio::spawn(axum::serve(listener, router.with_state(Arc::clone(&site))).into_future());
        Ok(Self { site, origin })
    }

    pub fn url(&self, endpoint: usize) -> String {
        format!("{}/hooks/{endpoint}", self.origin)
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.site.seen()
    }
}

impl Site {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request. Returns its status, and how long the answer takes.
    fn receive(&self, key: &(usize, String), is_first: &mut bool) -> (StatusCode, Duration) {
        let mut seen = self.seen();
        seen.requests += 1;
        seen.arrivals.push((Instant::now(), key.0));
        *is_first = seen.open.insert(key.clone());
        seen.overlaps += u64::from(!*is_first);
        let (pause, refused) = match (self.temper)(key.0) {
            Temper::Fast => (0, false),
            Temper::Good => (20, false),
            Temper::Flaky => (20, seen.requests.is_multiple_of(7)),
            Temper::Late if seen.requests.is_multiple_of(41) => (1_300, false),
            Temper::Late => (20, false),
            Temper::Down => (20, self.began.elapsed() < Duration::from_secs(5)),
        };
        let status = if refused {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            // It has the message, whether or not the sender hears of it.
            *seen.copies.entry(key.clone()).or_default() += 1;
            StatusCode::NO_CONTENT
        };
        (status, Duration::from_millis(pause))
    }
}

async fn hooks(
    State(site): State<Arc<Site>>,
    Path(endpoint): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let verified = site.verifier.verify(&headers, &body[..], SystemClock.now());
    let Some(id) = verified.ok().and_then(|it| it.id().map(ToString::to_string)) else {
        site.seen().forged += 1;
        return StatusCode::FORBIDDEN;
    };
    let key = (endpoint, id);
    let mut is_first = false;
    let (status, pause) = site.receive(&key, &mut is_first);
    let open = is_first.then_some(Open { site, key });
    sleep(pause).await;
    drop(open);
    status
}

/// A request that is answered. The server drops it if the sender hangs up.
struct Open {
    site: Arc<Site>,
    key: (usize, String),
}

impl Drop for Open {
    fn drop(&mut self) {
        self.site.seen().open.remove(&self.key);
    }
}
