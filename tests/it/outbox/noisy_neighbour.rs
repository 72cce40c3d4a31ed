//! The noisy neighbour: 400 events a second to an endpoint that hangs, beside 99 healthy ones with
//! one event a second each.
//!
//! The host sends as many attempts at once as it is handed. All endpoints share the storage, where
//! each save takes 10 ms plus 1 ms for every 16 changes, and the batch: of the four attempts that a
//! save starts, each goes to one endpoint at the expense of another. That is less capacity than is
//! published, so concurrency limits and fair queueing decide who gets it.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use labhook::flow::ConcurrencyLimitPolicy;
use labhook::id::RunId;
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::Revision;
use labhook::{
    Endpoint, Event, FlowPolicy, HealthPolicy, MessageId, Outbox, RetryPolicy, Step, Subscription,
    Ticket, Timestamp,
};

use crate::support::{answer, at, eid, endpoint, mid, registry, secs};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Events of the simulation.
enum Arrival {
    Publish(String),
    Saved(Revision),
    Answer(Ticket),
}

/// A healthy receiver takes 20 ms; the other never responds.
const LATENCY: u64 = 20;
const SECONDS: u64 = 12;

/// The times from publishing to response of the healthy endpoints' events, shortest first.
fn delays(noisy: bool, health: &HealthPolicy, flow: FlowPolicy) -> Vec<Duration> {
    let with = |id: &str| -> Endpoint {
        let only = Subscription::all().runs([RunId::from(id)]);
        let like = endpoint(id).with_health(*health).with_flow(flow);
        like.with_retry(RetryPolicy::standard_webhooks()).with_subscription(only)
    };
    let ids: Vec<_> = (0..99).map(|number| format!("quiet-{number:02}")).collect();
    let all = ids.iter().map(String::as_str).chain(["hung"]);
    let four = NonZeroUsize::new(4).unwrap();
    let mut outbox = Outbox::new(registry(all.map(with)), 7).with_batch(four);
    let mut queue: BTreeMap<(Timestamp, u64), Arrival> = BTreeMap::new();
    let mut made = 0;
    let mut push = |queue: &mut BTreeMap<_, _>, when, arrival| {
        made += 1;
        queue.insert((when, made), arrival);
    };
    for second in 0..SECONDS {
        for (number, id) in (0_u64..).zip(&ids) {
            let when = at(0) + ms(second * 1_000 + number * 10);
            push(&mut queue, when, Arrival::Publish(id.clone()));
        }
        for number in 0..if noisy { 400 } else { 0 } {
            let when = at(0) + Duration::from_micros(second * 1_000_000 + number * 2_500);
            push(&mut queue, when, Arrival::Publish("hung".to_owned()));
        }
    }
    let (mut published, mut delays) = (0, Vec::new());
    let mut accepted: BTreeMap<MessageId, Timestamp> = BTreeMap::new();
    let mut now = at(0);
    while now < at(0) + secs(SECONDS + 1) {
        while let Some(first) = queue.first_entry().filter(|first| first.key().0 <= now) {
            match first.remove() {
                Arrival::Publish(id) => {
                    published += 1;
                    let event = Event::new(RunStateChanged::new(id, RunState::Started), now);
                    let id = mid(&format!("m{published}"));
                    accepted.insert(id.clone(), now);
                    outbox.publish(event.into_message(id).unwrap(), now).unwrap();
                }
                Arrival::Saved(revision) => assert!(outbox.saved(revision)),
                Arrival::Answer(ticket) => {
                    delays.push(now.saturating_since(accepted[ticket.message()]));
                    outbox.resolve(&ticket, &answer(200), now);
                }
            }
        }
        let wait = loop {
            match outbox.poll(now) {
                Step::Save(changes) => {
                    let slower = u64::try_from(changes.len()).unwrap() / 16;
                    push(&mut queue, now + ms(10 + slower), Arrival::Saved(changes.revision()));
                }
                Step::Send(attempt) => {
                    let ticket = attempt.ticket().clone();
                    if *ticket.endpoint() != eid("hung") {
                        push(&mut queue, now + ms(LATENCY), Arrival::Answer(ticket));
                    }
                }
                Step::Notify(_) => {}
                Step::Wait(until) => break Some(until),
                Step::Idle => break None,
            }
        };
        let in_flight = outbox.status(&eid("hung")).unwrap().flow.in_flight();
        assert!(in_flight <= flow.concurrency().max().get(), "the endpoint keeps to its own limit");
        let next = queue.first_key_value().map(|it| it.0.0);
        now = next.into_iter().chain(wait).min().unwrap_or(Timestamp::MAX).max(now);
    }
    delays.sort();
    delays
}

#[test]
fn hung_endpoint_does_not_delay_its_neighbours() {
    let (never, wide) = (HealthPolicy::never(), NonZeroU32::new(100_000).unwrap());
    for (name, health, flow) in [
        ("default", HealthPolicy::default(), FlowPolicy::default()),
        // It keeps hanging, and only its concurrency limit holds it back.
        ("no health", never, FlowPolicy::fixed()),
        // Not even that: everything published to it is in flight, and only fair queueing holds it
        // back.
        (
            "no window",
            never,
            FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(wide)),
        ),
    ] {
        let quiet = delays(false, &health, flow);
        let beside = delays(true, &health, flow);
        // All of them, except the last ones still in flight.
        assert_eq!(quiet.len(), 99 * usize::try_from(SECONDS).unwrap());
        assert_eq!(beside.len(), quiet.len());
        let p99 = |delays: &[Duration]| delays[delays.len() * 99 / 100];
        println!("{name}: p99 {:?} alone, {:?} beside the hung one", p99(&quiet), p99(&beside));
        assert!(p99(&beside) <= p99(&quiet) * 2, "{name}");
    }
}
