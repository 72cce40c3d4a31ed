//! `labhook listen`: a receiver that prints what comes.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use clap::{Args, ValueEnum};
use http::request::Parts;
use labhook::provider::DedupeKey;
use labhook::receive::{ReceiveError, Source, Sources};
use labhook::{Inbox, Reply};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::keys::Keys;
use crate::{Answer, clock, event, output, web};

const MAX_BODY: usize = 4 * 1024 * 1024;
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100_000).expect("it is not zero");

/// The name of the one source.
const SENDER: &str = "sender";

#[derive(Args)]
pub struct Options {
    /// Address to listen on. Every path is accepted.
    #[arg(default_value = "127.0.0.1:3000")]
    address: SocketAddr,
    #[command(flatten)]
    keys: Keys,
    /// What the bodies are.
    #[arg(long, value_enum, default_value_t = Bodies::Envelope)]
    bodies: Bodies,
    /// Posts each new event to this URL, with body and headers unchanged. Unless it accepts the
    /// event, the sender is asked to try again.
    #[arg(long, value_name = "URL")]
    forward: Option<String>,
    /// Ends after this number of requests; the default is to go on until Ctrl-C. The answer is no
    /// if one was refused.
    #[arg(long, value_name = "NUMBER")]
    count: Option<NonZeroUsize>,
    /// Prints one JSON object per request.
    #[arg(long)]
    json: bool,
}

/// Formats of bodies.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bodies {
    /// Lab events in labhook's envelope.
    Envelope,
    /// Standard Webhooks with event types of the sender's own.
    StandardWebhooks,
    /// CloudEvents in the structured mode.
    CloudEvents,
    /// CloudEvents in the binary mode.
    CloudEventsBinary,
    /// Segments.ai.
    Segments,
    /// Strike.
    Strike,
    /// Anything: the body is not decoded.
    Any,
}

/// What is printed of a request.
#[derive(Serialize)]
struct Line {
    status: u16,
    /// `new`, `duplicate`, or the name of an error.
    outcome: &'static str,
    event_type: Option<String>,
    id: Option<String>,
    text: String,
    forwarded: Option<String>,
}

struct Listener {
    sources: Sources,
    inbox: Mutex<Inbox>,
    bodies: Bodies,
    forward: Option<(reqwest::Client, String)>,
    json: bool,
    /// The requests until the end.
    left: Option<AtomicUsize>,
    ended: Notify,
    was_refused: AtomicBool,
}

pub async fn run(options: Options) -> anyhow::Result<Answer> {
    let verifier = options.keys.verifier()?;
    let source = match options.bodies {
        Bodies::Envelope | Bodies::Any => Source::envelope(SENDER, verifier),
        Bodies::StandardWebhooks => Source::standard_webhooks(SENDER, verifier),
        Bodies::CloudEvents => Source::cloud_events(SENDER, verifier),
        Bodies::CloudEventsBinary => Source::cloud_events_binary(SENDER, verifier),
        Bodies::Segments => Source::segments(SENDER, verifier),
        Bodies::Strike => Source::strike(SENDER, verifier),
    };
    let forward = match options.forward {
        Some(url) => Some((web::client(&url, Duration::from_secs(30))?, url)),
        None => None,
    };
    let listener = Arc::new(Listener {
        sources: Sources::new([source])?,
        inbox: Mutex::new(Inbox::new(REMEMBERED)),
        bodies: options.bodies,
        forward,
        json: options.json,
        left: options.count.map(|count| AtomicUsize::new(count.get())),
        ended: Notify::new(),
        was_refused: AtomicBool::new(false),
    });
    let socket = TcpListener::bind(options.address).await;
    let socket = socket.with_context(|| format!("cannot listen on {}", options.address))?;
    eprintln!("listening on http://{}/", socket.local_addr()?);
    let router = Router::new().fallback(handle).with_state(Arc::clone(&listener));
    let ended = Arc::clone(&listener);
    let end = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = ended.ended.notified() => {}
        }
    };
    axum::serve(socket, router).with_graceful_shutdown(end).await?;
    Ok(Answer::of(!listener.was_refused.load(Ordering::SeqCst)))
}

async fn handle(State(listener): State<Arc<Listener>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let reply = match to_bytes(body, MAX_BODY).await {
        Ok(body) => listener.receive(&parts, body).await,
        // Nothing was verified.
        Err(_) => Reply::Refused,
    };
    if reply == Reply::Refused {
        listener.was_refused.store(true, Ordering::SeqCst);
    }
    if let Some(left) = &listener.left
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        listener.ended.notify_one();
    }
    reply.into()
}

impl Listener {
    /// Verifies, decodes and forwards a request, prints it, and returns the response.
    async fn receive(&self, parts: &Parts, body: Bytes) -> Reply {
        let (mut line, key) = self.read(parts, &body);
        let key = match key {
            Ok(key) => key,
            Err(reply) => return self.print(line, reply),
        };
        let begun = key
            .as_ref()
            .map(|key| self.inbox().begin(SENDER, key.as_str(), clock::now()).claim(clock::now()));
        let claim = match begun.transpose() {
            Ok(claim) => claim,
            Err(reply) => {
                line.outcome = if reply == Reply::Accepted { "duplicate" } else { "in-progress" };
                return self.print(line, reply);
            }
        };
        let mut reply = Reply::Accepted;
        if let Some((client, url)) = &self.forward {
            let (forwarded, is_accepted) = forward(client, url, parts, body).await;
            line.forwarded = Some(forwarded);
            if !is_accepted {
                reply = Reply::Retry;
            }
        }
        if let Some(claim) = claim {
            if reply == Reply::Accepted {
                self.inbox().done(&claim, clock::now());
            } else {
                self.inbox().abandon(&claim);
            }
        }
        self.print(line, reply)
    }

    /// Returns the key of a genuine request, or the response to one that cannot be read.
    fn read(&self, parts: &Parts, body: &[u8]) -> (Line, Result<Option<DedupeKey>, Reply>) {
        let line = |outcome, text: String, key: Option<&DedupeKey>| Line {
            status: 0,
            outcome,
            event_type: None,
            id: key.map(|key| key.as_str().to_owned()),
            text: output::harmless(&text),
            forwarded: None,
        };
        match self.sources.receive_request(parts, body, clock::now()) {
            Ok(received) => {
                let text = event::describe(&received.event);
                let event_type = Some(received.event.event_type().to_string());
                let line = line("new", text, received.dedupe_key.as_ref());
                (Line { event_type, ..line }, Ok(received.dedupe_key))
            }
            Err(ReceiveError::Unreadable(it)) if self.bodies == Bodies::Any => {
                let text = format!("{} bytes", body.len());
                (line("new", text, it.dedupe_key.as_ref()), Ok(it.dedupe_key))
            }
            Err(error) => {
                let reason = match &error {
                    ReceiveError::NotGenuine { tried } if tried.len() == 1 => {
                        tried[0].1.to_string()
                    }
                    ReceiveError::Unreadable(it) => format!("genuine, but {}", it.reason),
                    error => error.to_string(),
                };
                (line(error.name(), reason, None), Err(error.reply()))
            }
        }
    }

    fn print(&self, mut line: Line, reply: Reply) -> Reply {
        line.status = reply.status().as_u16();
        let printed = if self.json {
            output::json(&line)
        } else {
            let event_type = line.event_type.as_deref().unwrap_or("-");
            let forwarded = line.forwarded.as_ref().map(|it| format!(" [forwarded: {it}]"));
            let Line { status, outcome, text, .. } = &line;
            let forwarded = forwarded.unwrap_or_default();
            let text = format!("{status} {outcome:<10} {event_type:<21} {text}{forwarded}");
            output::line(text).map_err(Into::into)
        };
        if printed.is_err() {
            // Nobody reads any longer.
            self.ended.notify_one();
        }
        reply
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Posts a request to another receiver. Returns what to print, and whether it was accepted.
async fn forward(
    client: &reqwest::Client,
    url: &str,
    parts: &Parts,
    body: Bytes,
) -> (String, bool) {
    let request = client.request(parts.method.clone(), url);
    match request.headers(web::forwarded(&parts.headers)).body(body).send().await {
        Ok(response) => (response.status().as_u16().to_string(), response.status().is_success()),
        Err(error) => (web::failure(&error).to_owned(), false),
    }
}
