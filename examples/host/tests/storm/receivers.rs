//! Receivers that verify each request, note each copy, and fail in several ways: [`Receivers`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use host::{Clock as _, SystemClock};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use labhook::Verifier;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::sender::{self, ATTEMPT_TIMEOUT, ORDERED};

/// A request that was genuine.
pub struct Copy {
    /// The number of the sender: the first part of the URL's path.
    pub life: u32,
    pub endpoint: String,
    pub message: u64,
    /// Whether the receiver has the message now, whatever its answer was.
    pub taken: bool,
}

pub struct Seen {
    rng: fastrand::Rng,
    /// In the order of arrival.
    pub copies: Vec<Copy>,
    /// The latest message that was taken in order.
    pub latest: u64,
    /// Requests that cannot be verified.
    pub forged: usize,
    /// Until when an endpoint refuses everything.
    refuses: BTreeMap<String, Instant>,
}

/// A receiver's reaction to a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reaction {
    Accept(Duration),
    Refuse,
    /// Takes the message and closes the connection.
    HangUp,
    /// Takes the message and answers after the attempt's timeout.
    Hang,
}

struct Site {
    verifier: Verifier,
    /// Whether everything is accepted at once.
    calm: AtomicBool,
    seen: Mutex<Seen>,
}

/// All receivers, on one port.
#[derive(Clone)]
pub struct Receivers {
    site: Arc<Site>,
    pub origin: String,
}

impl Receivers {
    pub async fn start(seed: u64) -> anyhow::Result<Self> {
        let rng = fastrand::Rng::with_seed(seed);
        let (copies, refuses) = (Vec::new(), BTreeMap::new());
        let seen = Seen { rng, copies, latest: 0, forged: 0, refuses };
        let verifier = Verifier::standard_webhooks(sender::secret()?);
        let site = Arc::new(Site { verifier, calm: AtomicBool::new(false), seen: seen.into() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        tokio::spawn(serve(Arc::clone(&site), listener));
        Ok(Self { site, origin })
    }

    /// Makes all of them accept everything from now on.
    pub fn calm_down(&self) {
        self.site.calm.store(true, Ordering::SeqCst);
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.site.seen()
    }
}

impl Seen {
    fn react(&mut self, endpoint: &str) -> Reaction {
        let now = Instant::now();
        if self.refuses.get(endpoint).is_some_and(|until| now < *until) {
            return Reaction::Refuse;
        }
        match self.rng.u8(..100) {
            0..3 => {
                let until = now + Duration::from_millis(self.rng.u64(100..600));
                self.refuses.insert(endpoint.to_owned(), until);
                Reaction::Refuse
            }
            3..8 => Reaction::Refuse,
            8..12 => Reaction::HangUp,
            12..14 => Reaction::Hang,
            14..40 => Reaction::Accept(Duration::from_millis(self.rng.u64(20..200))),
            _ => Reaction::Accept(Duration::ZERO),
        }
    }
}

async fn serve(site: Arc<Site>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&site).serve_connection(stream))),
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

impl Site {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| self.respond(request));
        // The sender may be dead.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, HungUp> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| HungUp)?.to_bytes();
        let mut path = head.uri.path().trim_start_matches('/').split('/');
        let verified = self.verifier.verify(&head.headers, &body, SystemClock.now());
        let id = verified.ok().and_then(|it| it.id()?.strip_prefix('m')?.parse().ok());
        let life = path.next().and_then(|it| it.parse().ok());
        let (Some(life), Some(endpoint), Some(message)) = (life, path.next(), id) else {
            self.seen().forged += 1;
            return Ok(response(StatusCode::FORBIDDEN));
        };
        let reaction = {
            let mut seen = self.seen();
            let reaction = match self.calm.load(Ordering::SeqCst) {
                true => Reaction::Accept(Duration::ZERO),
                false => seen.react(endpoint),
            };
            let (endpoint, taken) = (endpoint.to_owned(), reaction != Reaction::Refuse);
            if taken && endpoint == ORDERED {
                seen.latest = seen.latest.max(message);
            }
            seen.copies.push(Copy { life, endpoint, message, taken });
            reaction
        };
        match reaction {
            Reaction::Accept(pause) => {
                sleep(pause).await;
                Ok(response(StatusCode::NO_CONTENT))
            }
            Reaction::Refuse => Ok(response(StatusCode::SERVICE_UNAVAILABLE)),
            Reaction::HangUp => Err(HungUp),
            Reaction::Hang => {
                sleep(ATTEMPT_TIMEOUT * 2).await;
                Ok(response(StatusCode::NO_CONTENT))
            }
        }
    }
}

fn response(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}

/// Makes the server close the connection.
#[derive(Debug)]
struct HungUp;

impl fmt::Display for HungUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hung up on purpose")
    }
}

impl std::error::Error for HungUp {}
