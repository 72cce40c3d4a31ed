//! The receivers' HTTP servers, and their faults.
//!
//! Every sender meets these faults sooner or later: a receiver that is down for maintenance, one
//! that stores the event without responding, one that is gone.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use labhook::{Reply, Timestamp};
use tokio::net::{TcpListener, TcpStream};

use crate::clock::Clock;
use crate::day;
use crate::partners::{self, ARCHIVE, BILLING, DASHBOARD, ELN, PLANNER, WAREHOUSE};
use crate::receivers::Receiver;

/// The largest accepted body. It is limited before it is verified, since the MAC covers all of it.
const MAX_BODY: usize = 64 * 1024;

/// How long the dashboard hangs, in real time: longer than its attempt timeout.
const HANG: Duration = partners::DASHBOARD_TIMEOUT.saturating_mul(4);

/// When the ELN opens, closes, and opens again the next morning.
const ELN_HOURS: [Timestamp; 3] = [day::at(9, 45), day::at(15, 30), day::at(24 + 6, 0)];

/// The ELN's `Retry-After` while it is closed.
const RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

pub struct Server {
    name: &'static str,
    fault: Fault,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    receiver: Receiver,
    requests: u64,
}

/// The fault of a receiver.
#[derive(Clone, Copy)]
enum Fault {
    None,
    /// It opens at the first and third of these instants, and closes at the second.
    Opens([Timestamp; 3]),
    /// Hangs on every Nth new event, after storing it.
    Hangs(u64),
    /// Resets the connection on every Nth request, alternately after and before storing the event.
    Resets(u64),
    GoneFrom(Timestamp),
}

/// The result of a request.
enum Handled {
    Replied(Reply),
    Hung,
    Reset,
}

impl Server {
    pub fn new(name: &'static str, receiver: Receiver, clock: &Clock) -> Self {
        let fault = match name {
            ELN => Fault::Opens(ELN_HOURS),
            DASHBOARD => Fault::Hangs(9),
            ARCHIVE => Fault::Resets(6),
            PLANNER => Fault::GoneFrom(day::at(14, 0)),
            _ => Fault::None,
        };
        let state = Mutex::new(State { receiver, requests: 0 });
        Self { name, fault, clock: clock.clone(), state }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Describes the receiver.
    pub fn description(&self) -> &'static str {
        match self.name {
            ELN => "responds 503 until 09:45, and again from 15:30 to the next morning",
            DASHBOARD => "hangs on every 9th event, after storing it",
            ARCHIVE => "resets the connection on every 6th request, with or without storing it",
            PLANNER => "responds 410 from 14:00 on",
            BILLING => "verifies Strike's signature",
            WAREHOUSE => "rotates its secret",
            _ => "is healthy",
        }
    }

    pub fn with_receiver<T>(&self, look: impl FnOnce(&Receiver) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner).receiver)
    }

    /// Serves requests forever.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&self).serve_connection(stream))),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream) {
        if matches!(self.fault, Fault::Resets(_)) {
            // Closing this socket sends a RST.
            let _ = stream.set_zero_linger();
        }
        let service = service_fn(|request| self.respond(request));
        // A broken connection is reported by the sender.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Broken)?.to_bytes();
        match self.handle(&head.headers, &body) {
            Handled::Replied(reply) => Ok(reply.into()),
            Handled::Hung => {
                tokio::time::sleep(HANG).await;
                Ok(Reply::Accepted.into())
            }
            Handled::Reset => Err(Broken),
        }
    }

    /// Passes the request to the receiver, unless the fault prevents it.
    fn handle(&self, headers: &HeaderMap, body: &[u8]) -> Handled {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { receiver, requests } = &mut *state;
        *requests += 1;
        let before = receiver.stored();
        let mut receive = || receiver.receive(headers, body, now);
        match self.fault {
            Fault::Opens([first, close, again]) if now < first || (close..again).contains(&now) => {
                Handled::Replied(Reply::RetryAfter(RETRY_AFTER))
            }
            Fault::GoneFrom(end) if now >= end => Handled::Replied(Reply::Gone),
            Fault::Resets(every) if requests.is_multiple_of(2 * every) => Handled::Reset,
            Fault::Resets(every) if requests.is_multiple_of(every) => {
                receive();
                Handled::Reset
            }
            Fault::Hangs(every) => {
                let reply = receive();
                let stored = receiver.stored();
                let hangs = stored > before && stored.is_multiple_of(every);
                if hangs { Handled::Hung } else { Handled::Replied(reply) }
            }
            _ => Handled::Replied(receive()),
        }
    }
}

/// Makes the server drop the connection.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection dropped on purpose")
    }
}

impl std::error::Error for Broken {}
