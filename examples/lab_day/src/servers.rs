//! The receivers' HTTP servers, and what is wrong with them.
//!
//! A sender meets all of this sooner or later: a receiver that is closed, one that has the event
//! and does not say so, one that is gone.

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

/// The largest body that is read. It is bounded before it is verified: the MAC is over all of it.
const MAX_BODY: usize = 64 * 1024;

/// How long the dashboard hangs, in real time: longer than it is waited for.
const HANG: Duration = partners::DASHBOARD_TIMEOUT.saturating_mul(4);

/// When the ELN opens, closes, and opens again the next morning.
const ELN_HOURS: [Timestamp; 3] = [day::at(9, 45), day::at(15, 30), day::at(24 + 6, 0)];

/// What the ELN asks for while it is closed.
const COME_BACK: Duration = Duration::from_secs(15 * 60);

pub struct Server {
    name: &'static str,
    manner: Manner,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    receiver: Receiver,
    requests: u64,
}

/// How a receiver behaves.
#[derive(Clone, Copy)]
enum Manner {
    Healthy,
    /// It opens at the first and third of these instants, and closes at the second.
    Opens([Timestamp; 3]),
    /// On every so many-th new event, after it has stored it.
    Hangs(u64),
    /// On every so many-th request, in turn before and after it has stored the event.
    Resets(u64),
    GoneFrom(Timestamp),
}

/// What becomes of a request.
enum Fate {
    Answered(Reply),
    Hung,
    Reset,
}

impl Server {
    pub fn new(name: &'static str, receiver: Receiver, clock: &Clock) -> Self {
        let manner = match name {
            ELN => Manner::Opens(ELN_HOURS),
            DASHBOARD => Manner::Hangs(9),
            ARCHIVE => Manner::Resets(6),
            PLANNER => Manner::GoneFrom(day::at(14, 0)),
            _ => Manner::Healthy,
        };
        let state = Mutex::new(State { receiver, requests: 0 });
        Self { name, manner, clock: clock.clone(), state }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What is to be expected of it.
    pub fn description(&self) -> &'static str {
        match self.name {
            ELN => "says 503 until 09:45, and again from 15:30 to the next morning",
            DASHBOARD => "hangs on every 9th event, and has it",
            ARCHIVE => "resets the connection on every 6th request, and may have it",
            PLANNER => "says 410 from 14:00 on",
            BILLING => "checks Strike's signature",
            WAREHOUSE => "changes its secret",
            _ => "is healthy",
        }
    }

    pub fn with_receiver<T>(&self, look: impl FnOnce(&Receiver) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner).receiver)
    }

    /// Answers requests, for ever.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&self).converse(stream))),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream) {
        if matches!(self.manner, Manner::Resets(_)) {
            // Closing this socket sends a RST.
            let _ = stream.set_zero_linger();
        }
        let service = service_fn(|request| self.answer(request));
        // A connection that breaks is the sender's to notice.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Broken)?.to_bytes();
        match self.decide(&head.headers, &body) {
            Fate::Answered(reply) => Ok(reply.into()),
            Fate::Hung => {
                tokio::time::sleep(HANG).await;
                Ok(Reply::Accepted.into())
            }
            Fate::Reset => Err(Broken),
        }
    }

    /// Lets the receiver have the request, as far as its manners allow.
    fn decide(&self, headers: &HeaderMap, body: &[u8]) -> Fate {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { receiver, requests } = &mut *state;
        *requests += 1;
        let before = receiver.stored();
        let mut receive = || receiver.receive(headers, body, now);
        match self.manner {
            Manner::Opens([first, close, again])
                if now < first || (close..again).contains(&now) =>
            {
                Fate::Answered(Reply::RetryAfter(COME_BACK))
            }
            Manner::GoneFrom(end) if now >= end => Fate::Answered(Reply::Gone),
            Manner::Resets(every) if requests.is_multiple_of(2 * every) => Fate::Reset,
            Manner::Resets(every) if requests.is_multiple_of(every) => {
                receive();
                Fate::Reset
            }
            Manner::Hangs(every) => {
                let reply = receive();
                let stored = receiver.stored();
                let hangs = stored > before && stored.is_multiple_of(every);
                if hangs { Fate::Hung } else { Fate::Answered(reply) }
            }
            _ => Fate::Answered(receive()),
        }
    }
}

/// Makes the server drop the connection.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is given up")
    }
}

impl std::error::Error for Broken {}
