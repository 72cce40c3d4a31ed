//! The peer that sends by itself: webhook-dispatcher.

use std::time::Duration;

use tokio::runtime::Runtime;
use webhook_dispatcher::{Dispatcher, DispatcherConfig, Endpoint, Event, OverflowPolicy};

use super::server::Server;
use super::{BODY, IN_FLIGHT};
use crate::fixture::{self, SECRET};
use crate::measure::Side;

pub struct Theirs<'a> {
    runtime: &'a Runtime,
    server: &'a Server,
    dispatcher: Dispatcher,
    random: fastrand::Rng,
    events: Vec<Event>,
}

impl<'a> Theirs<'a> {
    pub fn new(runtime: &'a Runtime, server: &'a Server) -> Self {
        let in_flight = IN_FLIGHT as usize;
        let config = DispatcherConfig {
            max_in_flight: in_flight,
            worker_count: in_flight,
            shard_queue_size: 100_000,
            overflow_policy: OverflowPolicy::Block,
            ..DispatcherConfig::default()
        };
        let dispatcher = runtime.block_on(async {
            let dispatcher = Dispatcher::new(config);
            let endpoint = Endpoint::new("endpoint-0", server.url())
                .with_secret(SECRET.as_bytes())
                .with_max_concurrent(in_flight);
            dispatcher.register_endpoint(endpoint).await;
            dispatcher
        });
        Self { runtime, server, dispatcher, random: fastrand::Rng::new(), events: Vec::new() }
    }
}

impl Side for Theirs<'_> {
    fn prepare(&mut self, calls: usize) {
        let event = |_| Event::new(fixture::id(&mut self.random), fixture::body(BODY));
        self.events = (0..calls).map(event).collect();
    }

    fn run(&mut self, calls: usize) {
        let end = self.server.requests() + calls;
        let events = std::mem::take(&mut self.events);
        self.runtime.block_on(async {
            for event in events {
                let to = vec![webhook_dispatcher::EndpointId("endpoint-0".to_owned())];
                self.dispatcher.dispatch(event, to).await.expect("the queue has room");
            }
            while self.server.requests() < end {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
}
