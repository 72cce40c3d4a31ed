//! One delivery through an endless outage, by each preset's schedule: every attempt at its instant,
//! to the second, and how the delivery ends.
//!
//! The attempts fail at once, so only the delays take time. Presets with jitter run without it
//! here.

use std::num::NonZeroU32;

use labhook::delivery::{Delivery, Failure, Jitter, JitterSeed, Progress, Resolution};
use labhook::{FlowPolicy, HealthPolicy, Outcome, RetryPolicy, Timestamp, Verdict};

use crate::support::{Host, at, eid, endpoint, mid, secs};

/// A preset, the instants of its attempts in seconds after the first, and its end.
struct Golden {
    name: &'static str,
    instants: Vec<i64>,
    verdict: Verdict,
}

impl Golden {
    fn policy(&self) -> RetryPolicy {
        RetryPolicy::named(self.name).unwrap().with_jitter(Jitter::NONE)
    }

    fn outage() -> Outcome {
        Outcome::failed(Failure::Connect)
    }

    /// As hours, minutes and seconds.
    fn span(&self) -> String {
        let span = self.instants.last().unwrap();
        format!("{}:{:02}:{:02}", span / 3_600, span / 60 % 60, span % 60)
    }
}

fn goldens() -> Vec<Golden> {
    let golden = |name, instants: &[i64]| Golden {
        name,
        instants: instants.to_vec(),
        verdict: Verdict::Exhausted,
    };
    // Its fifth delay is 10 h, and so are the seventeen after it.
    let mut hook0 = vec![0, 3, 13, 193, 1_993, 5_593, 16_393, 34_393];
    hook0.extend((1..=17).map(|number| 34_393 + number * 36_000));
    vec![
        golden("none", &[0]),
        golden(
            "standard_webhooks",
            &[0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105],
        ),
        golden("svix", &[0, 5, 305, 2_105, 9_305, 27_305, 63_305, 99_305]),
        golden(
            "strike",
            &[0, 3, 12, 39, 120, 363, 1_092, 3_279, 9_840, 29_523, 88_572, 265_719, 797_160],
        ),
        golden("hook0", &hook0),
        golden("outpost", &[0, 30, 90, 210, 450, 930, 1_890, 3_810, 7_650, 15_330, 30_690]),
        golden("shopware", &[0, 5, 35, 335, 2_135, 16_535]),
        // The eleventh would come after 86 800 s, which is past the 24 h.
        Golden {
            verdict: Verdict::Expired,
            ..golden(
                "event_grid",
                &[0, 10, 40, 100, 400, 1_000, 2_800, 6_400, 17_200, 38_800, 82_000],
            )
        },
    ]
}

/// Drives a delivery as a host with one row per delivery does.
fn alone(policy: &RetryPolicy) -> (Vec<Timestamp>, Verdict, Timestamp) {
    let (message, endpoint) = (mid("m"), eid("a"));
    let jitter_seed = JitterSeed::new(7, &message, &endpoint);
    let (mut now, mut instants) = (at(0), Vec::new());
    let mut delivery = Delivery::new(now);
    loop {
        match delivery.poll(policy, jitter_seed, now) {
            Progress::Due => {
                let started = delivery.start(policy, now).unwrap();
                instants.push(now);
                delivery.resolve(policy, jitter_seed, started.number, &Golden::outage(), now);
            }
            Progress::Wait { until } => now = until,
            Progress::Ended { verdict } => {
                assert_eq!(delivery.ended_at(), Some(now));
                return (instants, verdict, now);
            }
            Progress::InFlight { .. } | Progress::InDoubt { .. } => {
                panic!("each attempt ends at once")
            }
        }
    }
}

/// Drives an outbox until its one delivery ends.
fn through_outbox(host: &mut Host) -> (Vec<Timestamp>, Verdict, Timestamp) {
    host.publish("m");
    let mut instants = Vec::new();
    loop {
        for ticket in host.sends() {
            instants.push(host.now);
            assert!(!matches!(
                host.resolve(&ticket, &Golden::outage()),
                Resolution::LateSuccess | Resolution::Ignored(_)
            ));
            // The effect of a response comes with the next round.
            assert!(host.sends().is_empty());
        }
        if let Some(verdict) = host.verdict("m", "a") {
            return (instants, verdict, host.now);
        }
        host.now = host.wait.unwrap();
    }
}

#[test]
fn lone_delivery_follows_its_schedule() {
    for golden in goldens() {
        let (instants, verdict, end) = alone(&golden.policy());
        let expected: Vec<_> = golden.instants.iter().map(|second| at(*second)).collect();
        assert_eq!(instants, expected, "{}", golden.name);
        assert_eq!(verdict, golden.verdict, "{}", golden.name);
        // The last failure ends it: no delay follows.
        assert_eq!(end, *expected.last().unwrap(), "{}", golden.name);
    }
}

#[test]
fn outbox_delivery_follows_its_schedule() {
    for golden in goldens() {
        let endpoint = endpoint("a").with_retry(golden.policy());
        let mut host = Host::with([endpoint
            .with_health(HealthPolicy::never())
            .with_flow(FlowPolicy::fixed())]);
        assert_eq!(through_outbox(&mut host), alone(&golden.policy()), "{}", golden.name);
    }
}

#[test]
fn preset_spans_match_the_published_ones() {
    let spans: Vec<_> = goldens().iter().map(|it| (it.name, it.span())).collect();
    let published = [
        ("none", "0:00:00"),
        ("standard_webhooks", "75:35:05"),
        ("svix", "27:35:05"),
        // 797 160 s.
        ("strike", "221:26:00"),
        // 7 days and 11:33:13.
        ("hook0", "179:33:13"),
        ("outpost", "8:31:30"),
        ("shopware", "4:35:35"),
        // The window is 24 h.
        ("event_grid", "22:46:40"),
    ];
    assert_eq!(spans, published.map(|(name, span)| (name, span.to_owned())));
}

#[test]
fn earliest_of_event_grids_limits_applies() {
    // Its own delays reach the 24 h first. With the shortest possible delays, the attempt limit
    // applies.
    let short_delays = labhook::delivery::Schedule::list([secs(10)]).forever();
    let policy = RetryPolicy::event_grid().with_schedule(short_delays);
    let (instants, verdict, end) = alone(&policy);
    let expected: Vec<_> = (0..30).map(|number| at(number * 10)).collect();
    assert_eq!((instants, verdict, end), (expected, Verdict::Exhausted, at(290)));
    assert_eq!(policy.max_attempts(), NonZeroU32::new(30));
}

/// The effect of an endpoint's health on a lone delivery to it, with every other policy at its
/// default: none. A message that is retried and fails again says nothing new.
#[test]
fn health_does_not_delay_a_lone_delivery() {
    for golden in goldens() {
        let endpoint = endpoint("a").with_retry(golden.policy());
        let endpoint =
            endpoint.with_health(HealthPolicy::default()).with_flow(FlowPolicy::default());
        let (instants, verdict, _) = through_outbox(&mut Host::with([endpoint]));
        let expected: Vec<_> = golden.instants.iter().map(|second| at(*second)).collect();
        assert_eq!((instants, verdict), (expected, golden.verdict), "{}", golden.name);
    }
}
