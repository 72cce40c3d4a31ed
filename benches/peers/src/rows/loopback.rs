//! From end to end over loopback: labhook with a client, against the client alone.

#[cfg(feature = "dispatcher")]
mod dispatcher;
mod server;

use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use labhook::flow::{ConcurrencyLimitPolicy, FlowPolicy};
use labhook::{Endpoint, Failure, Message, Outbox, Outcome, Signer, Step, Timestamp};
use std::num::NonZeroU32;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use self::server::Server;
use crate::fixture::{self, SEED};
use crate::measure::{Effort, Side, compare_calls};
use crate::row::{Row, Unit};

/// Requests in flight.
const IN_FLIGHT: u32 = 64;

/// Bytes of a body.
const BODY: usize = 1 << 10;

/// An HTTP client.
trait Post: Clone + Send + 'static {
    fn post(&self, request: Request<Bytes>) -> impl Future<Output = StatusCode> + Send;
}

impl Post for reqwest::Client {
    async fn post(&self, request: Request<Bytes>) -> StatusCode {
        let request = request.try_into().expect("the URL is valid");
        self.execute(request).await.expect("the server is up").status()
    }
}

impl Post for Client<HttpConnector, Full<Bytes>> {
    async fn post(&self, request: Request<Bytes>) -> StatusCode {
        self.request(request.map(Full::new)).await.expect("the server is up").status()
    }
}

/// The client alone.
struct Bare<'a, C> {
    runtime: &'a Runtime,
    client: C,
    url: String,
    body: Bytes,
}

impl<C: Post> Side for Bare<'_, C> {
    fn run(&mut self, calls: usize) {
        self.runtime.block_on(async {
            let mut in_flight = JoinSet::new();
            for _ in 0..calls {
                if in_flight.len() == IN_FLIGHT as usize {
                    in_flight.join_next().await;
                }
                let request = Request::builder().method(Method::POST).uri(&self.url);
                let request = request.header("content-type", "application/json");
                let request = request.body(self.body.clone()).expect("the URL is valid");
                let client = self.client.clone();
                in_flight.spawn(async move {
                    assert!(client.post(request).await.is_success());
                });
            }
            while in_flight.join_next().await.is_some() {}
        });
    }
}

/// labhook with the client. Saves are confirmed at once.
struct Ours<'a, C> {
    runtime: &'a Runtime,
    client: C,
    outbox: Outbox,
    messages: Vec<Message>,
}

impl<'a, C: Post> Ours<'a, C> {
    fn new(runtime: &'a Runtime, client: C, url: &str) -> Self {
        let signer = Signer::standard_webhooks(fixture::secret());
        let endpoint = Endpoint::plain_http(fixture::endpoint_id(0), url, signer);
        let limit = NonZeroU32::new(IN_FLIGHT).expect("not zero");
        let flow = FlowPolicy::adaptive().with_concurrency(ConcurrencyLimitPolicy::fixed(limit));
        let endpoint = endpoint.expect("the URL is valid").with_flow(flow);
        let outbox = Outbox::new(fixture::registry([endpoint]), SEED);
        Self { runtime, client, outbox, messages: Vec::new() }
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

impl<C: Post> Side for Ours<'_, C> {
    fn prepare(&mut self, calls: usize) {
        let mut random = fastrand::Rng::new();
        let message = |_| {
            let keys = labhook::Keys::new().with_run("run-17");
            fixture::message_with(&mut random, keys, BODY)
        };
        self.messages = (0..calls).map(message).collect();
    }

    fn run(&mut self, calls: usize) {
        for message in self.messages.drain(..) {
            self.outbox.publish(message, now()).expect("ids need not be strict");
        }
        let outbox = &mut self.outbox;
        self.runtime.block_on(async {
            let mut in_flight = JoinSet::new();
            let mut delivered = 0;
            loop {
                match outbox.poll(now()) {
                    Step::Save(changes) => _ = outbox.saved(changes.revision()),
                    Step::Send(attempt) => {
                        let client = self.client.clone();
                        in_flight.spawn(async move {
                            let outcome = match attempt.request(now()) {
                                Ok(request) => Outcome::bare(client.post(request).await),
                                Err(_) => Outcome::failed(Failure::Sender),
                            };
                            (attempt, outcome)
                        });
                    }
                    Step::Notify(_) => {}
                    Step::Wait(_) | Step::Idle => {
                        let mut response = in_flight.join_next().await;
                        if response.is_none() {
                            break;
                        }
                        // All responses that are there, so that one save has many changes.
                        while let Some(ended) = response {
                            let (attempt, outcome) = ended.expect("a request does not panic");
                            outbox.resolve(attempt.ticket(), &outcome, now());
                            delivered += 1;
                            response = in_flight.try_join_next();
                        }
                    }
                }
            }
            assert_eq!((delivered, outbox.pending()), (calls, 0));
        });
    }
}

pub fn loopback(effort: Effort) -> Vec<Row> {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime of as many threads as there are cores");
    let calls = if effort.quick { 200 } else { 2_000 };
    let work = format!("end to end on loopback, {IN_FLIGHT} in flight, 1 KiB, saves on");
    let row = |against| Row::new(work.clone(), against, Unit::TimesFaster);
    let mut whole = row("requests per CPU second, server included, of the client alone");
    whole = whole.drawn("the client alone");
    let mut by_clock = row("requests/s of the client alone");
    let mut share = |name: &str, ours: &mut dyn Side, theirs: &mut dyn Side| {
        let compared = compare_calls(effort, calls, ours, theirs);
        whole.push(name, 1.0 / compared.of_process);
        by_clock.push(name, 1.0 / compared.by_clock);
    };
    let url = server.url();
    let body = Bytes::from(fixture::body(BODY));
    let client = reqwest::Client::new();
    let mut ours = Ours::new(&runtime, client.clone(), &url);
    let mut bare = Bare { runtime: &runtime, client, url: url.clone(), body: body.clone() };
    share("reqwest", &mut ours, &mut bare);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut ours_on_hyper = Ours::new(&runtime, client.clone(), &url);
    let mut bare_hyper = Bare { runtime: &runtime, client, url: url.clone(), body };
    share("hyper", &mut ours_on_hyper, &mut bare_hyper);
    #[cfg_attr(not(feature = "dispatcher"), expect(unused_mut))]
    let mut rows = vec![whole, by_clock];
    #[cfg(feature = "dispatcher")]
    {
        let row = |against| Row::new(work.clone(), against, Unit::TimesFaster);
        let mut whole = row("requests per CPU second, server included, of webhook-dispatcher");
        let mut by_clock = row("requests/s of webhook-dispatcher");
        let mut theirs = dispatcher::Theirs::new(&runtime, &server);
        let sides: [(&str, &mut dyn Side); 4] = [
            ("labhook on reqwest", &mut ours),
            ("reqwest", &mut bare),
            ("labhook on hyper", &mut ours_on_hyper),
            ("hyper", &mut bare_hyper),
        ];
        for (name, ours) in sides {
            let compared = compare_calls(effort, calls, ours, &mut theirs);
            whole.push(name, 1.0 / compared.of_process);
            by_clock.push(name, 1.0 / compared.by_clock);
        }
        rows.extend([whole, by_clock]);
    }
    rows
}
