//! The jitter study of AWS ("Exponential Backoff And Jitter", Marc Brooker, 2015), run through a
//! real [`Delivery`]: the effect of the crate's jitter on clients that all contend for one row.
//!
//! As in the study's simulator: a client reads the row's version, then writes if that is still the
//! version; a client whose write lost backs off and starts over. Each message takes the network 10
//! ms, with a standard deviation of 2 ms. Backoff is 10 ms doubled each time, at most 2 s;
//! decorrelated jitter is based at 5 ms. A read and a write are one attempt here, and a write that
//! lost is a 409.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Delivery, Jitter, JitterSeed, Progress, Resolution, Schedule};
use labhook::{EndpointId, MessageId, Outcome, RetryPolicy, Timestamp, Verdict};

use crate::support::{at, eid, mid, secs};

/// Number of averaged runs, each with its own seed.
const RUNS: u64 = 40;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A network in whole microseconds: the sum of twelve uniform draws is nearly normal.
struct Net(u64);

impl Net {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Twelve draws up to 2 ms have a mean of 12 ms and a deviation of 2 ms, since the variance of
    /// one is a twelfth of its range squared.
    fn delay(&mut self) -> Duration {
        let sum: u64 = (0..12).map(|_| self.next() % 2_001).sum();
        Duration::from_micros(sum.abs_diff(2_000))
    }
}

/// A message on the network.
#[derive(Clone, Copy)]
enum Arrival {
    Due,
    Read,
    Version(u32),
    Write(u32),
    Written(bool),
}

/// Events ordered by time, then by creation.
#[derive(Default)]
struct Events {
    queue: BTreeMap<(Timestamp, u64), (usize, Arrival)>,
    made: u64,
}

impl Events {
    fn push(&mut self, time: Timestamp, client: usize, arrival: Arrival) {
        self.made += 1;
        self.queue.insert((time, self.made), (client, arrival));
    }
}

struct Client {
    message: MessageId,
    delivery: Delivery,
}

/// Number of writes until all clients had written, and the time until then.
fn contend(jitter: &Jitter, clients: u64, seed: u64) -> (u64, Duration) {
    let schedule = Schedule::exponential(ms(10), 2, secs(2), u32::MAX);
    let policy = RetryPolicy::new(schedule).with_jitter(jitter.clone());
    let endpoint: EndpointId = eid("row");
    let mut net = Net(seed);
    let mut events = Events::default();
    let mut all = Vec::new();
    for client in 0..clients {
        let (message, delivery) = (mid(&format!("client-{client}")), Delivery::new(at(0)));
        events.push(at(0), all.len(), Arrival::Due);
        all.push(Client { message, delivery });
    }
    let (mut version, mut calls, mut last) = (0_u32, 0, at(0));
    while let Some(((now, _), (id, arrival))) = events.queue.pop_first() {
        last = now;
        let Client { message, delivery } = &mut all[id];
        let jitter_seed = JitterSeed::new(seed, message, &endpoint);
        match arrival {
            Arrival::Due => {
                assert_eq!(delivery.poll(&policy, jitter_seed, now), Progress::Due);
                assert!(delivery.start(&policy, now).is_some());
                events.push(now + net.delay(), id, Arrival::Read);
            }
            Arrival::Read => events.push(now + net.delay(), id, Arrival::Version(version)),
            Arrival::Version(read) => events.push(now + net.delay(), id, Arrival::Write(read)),
            Arrival::Write(read) => {
                calls += 1;
                let won = read == version;
                version += u32::from(won);
                events.push(now + net.delay(), id, Arrival::Written(won));
            }
            Arrival::Written(won) => {
                let status = if won { StatusCode::OK } else { StatusCode::CONFLICT };
                let (number, outcome) = (delivery.attempts(), Outcome::bare(status));
                match delivery.resolve(&policy, jitter_seed, number, &outcome, now) {
                    Resolution::Retry { at } => events.push(at, id, Arrival::Due),
                    ended => assert_eq!(ended, Resolution::Ended(Verdict::Delivered)),
                }
            }
        }
    }
    assert!(all.iter().all(|client| client.delivery.verdict().is_some()));
    assert_eq!(u64::from(version), clients, "each client wins one write");
    (calls, last.saturating_since(at(0)))
}

/// The mean number of writes, and the mean time in milliseconds.
fn mean(jitter: &Jitter, clients: u64) -> (u64, u64) {
    let (mut calls, mut time) = (0, Duration::ZERO);
    for seed in 1..=RUNS {
        let run = contend(jitter, clients, seed);
        calls += run.0;
        time += run.1;
    }
    (calls / RUNS, u64::try_from(time.as_millis()).unwrap() / RUNS)
}

#[test]
fn jitter_reproduces_the_aws_study() {
    println!("clients  jitter        calls  time in ms");
    for (clients, pinned) in [
        (50, [(628, 36_635), (331, 2_834), (347, 4_249), (372, 2_090)]),
        (100, [(1_856, 63_665), (796, 5_005), (811, 6_648), (1_002, 4_482)]),
    ] {
        let decorrelated = Jitter::decorrelated(ms(5), secs(2));
        let modes = [
            ("none", Jitter::NONE),
            ("full", Jitter::FULL),
            ("equal", Jitter::EQUAL),
            ("decorrelated", decorrelated),
        ];
        let measured = modes.map(|(name, jitter)| {
            let (calls, time) = mean(&jitter, clients);
            println!("{clients:>7}  {name:12}  {calls:>5}  {time:>10}");
            (calls, time)
        });
        let [none, full, equal, decorrelated] = measured;
        // Without jitter it takes the most work and the most time.
        for jittered in [full, equal, decorrelated] {
            assert!(none.0 > jittered.0 && none.1 > jittered.1, "{none:?} {jittered:?}");
        }
        // Full jitter takes the least work; equal jitter a little more, and much longer.
        assert!(full.0 < equal.0 && full.0 < decorrelated.0, "{measured:?}");
        assert!(full.1 < equal.1, "{measured:?}");
        // Against decorrelated jitter, full jitter takes less work and a little more time.
        assert!(decorrelated.1 < full.1, "{measured:?}");
        assert_eq!(measured, pinned, "none, full, equal, decorrelated");
    }
}
