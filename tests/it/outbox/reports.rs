//! Attempt reports and counters.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};

use labhook::delivery::Failure;
use labhook::outbox::{AttemptReport, Cause, Counters, ReplayFilter};
use labhook::{Endpoint, HealthPolicy, Notice, Outbox, Outcome, Step, Ticket, Timestamp, Verdict};
use proptest::prelude::*;

use crate::support::{
    Host, answer, answer_with, at, config, eid, endpoint, mid, policy, registry, replay_all, secs,
};

fn outbox(endpoints: impl IntoIterator<Item = Endpoint>) -> Outbox {
    Outbox::new(registry(endpoints), 7).with_attempt_reports()
}

fn host() -> Host {
    Host::new(outbox([endpoint("a")]))
}

/// The attempt reports since the last call, each checked to survive a round trip through JSON.
fn reports(host: &mut Host) -> Vec<AttemptReport> {
    let notices = std::mem::take(&mut host.notices);
    let found = notices.into_iter().filter_map(|notice| match notice {
        Notice::AttemptEnded(attempted) => Some(attempted),
        _ => None,
    });
    found
        .inspect(|it| {
            let text = serde_json::to_string(it).unwrap();
            assert_eq!(serde_json::from_str::<AttemptReport>(&text).unwrap(), *it, "{text}");
        })
        .collect()
}

/// The single report.
fn single_report(host: &mut Host) -> AttemptReport {
    host.sends();
    let mut reports = reports(host);
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

#[test]
fn every_finished_attempt_is_reported() {
    let mut host = host();
    host.publish("m");
    let first = host.send();
    host.now = at(2);
    let outcome = answer_with(503, "retry-after", "7");
    host.resolve(&first, &outcome);
    let report = single_report(&mut host);
    assert_eq!((&report.message, &report.endpoint, report.number), (&mid("m"), &eid("a"), 1));
    assert_eq!(
        (report.cause, report.started_at, report.ended_at),
        (Cause::Published, at(0), at(2))
    );
    assert_eq!(report.duration(), secs(2));
    assert_eq!(
        (report.outcome, report.next_at, report.verdict),
        (Some(outcome), Some(at(9)), None)
    );

    // Timed out, however late that is found.
    host.now = at(9);
    host.send();
    host.now = at(22);
    let report = single_report(&mut host);
    assert_eq!((report.number, report.cause), (2, Cause::Retry));
    assert_eq!((report.started_at, report.ended_at), (at(9), at(19)));
    assert_eq!(report.outcome, Some(Outcome::failed(Failure::Timeout)));
    assert_eq!(report.next_at, Some(at(39)));

    host.now = at(39);
    let third = host.send();
    host.resolve(&third, &answer(200));
    let report = single_report(&mut host);
    assert_eq!(
        (report.number, report.next_at, report.verdict),
        (3, None, Some(Verdict::Delivered))
    );
}

#[test]
fn report_has_a_stable_serialized_form() {
    let mut host = host();
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    let report = serde_json::to_value(single_report(&mut host)).unwrap();
    assert_eq!(
        report,
        serde_json::json!({
            "message": "m",
            "endpoint": "a",
            "number": 1,
            "cause": "published",
            "started_at": at(0),
            "ended_at": at(0),
            "outcome": report["outcome"],
            "verdict": "delivered",
        })
    );
    let mut more = report;
    more["x"] = 1.into();
    assert!(serde_json::from_value::<AttemptReport>(more).is_err());
}

#[test]
fn delivery_ending_before_its_attempt_has_no_outcome() {
    // By the late success of another attempt, and by the removal of the endpoint.
    let mut host = host();
    host.publish("m");
    let first = host.send();
    host.now = at(15);
    let second = host.send();
    assert_eq!(reports(&mut host).len(), 1, "the first is over");
    host.now = at(16);
    host.resolve(&first, &answer(200));
    let report = single_report(&mut host);
    assert_eq!(
        (report.number, report.outcome, report.verdict),
        (2, None, Some(Verdict::Delivered))
    );
    host.resolve(&second, &answer(200));
    host.sends();
    assert!(reports(&mut host).is_empty());

    host.publish("n");
    host.send();
    host.outbox.remove_endpoint(&eid("a"), at(17)).unwrap();
    let report = single_report(&mut host);
    assert_eq!(
        (report.number, report.outcome, report.verdict),
        (1, None, Some(Verdict::Cancelled))
    );
}

#[test]
fn reports_name_probes_and_replays() {
    let health = HealthPolicy::new().with_failures(NonZeroU32::MIN).with_probes(secs(60), secs(60));
    let mut host = Host::new(outbox([endpoint("a").with_health(health)]));
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(single_report(&mut host).cause, Cause::Published);
    host.now = at(66);
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    assert_eq!(single_report(&mut host).cause, Cause::Probe);
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(1), at(66));
    replay_all(&mut host.outbox, &plan, at(66));
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    assert_eq!(single_report(&mut host).cause, Cause::Replay);
}

#[test]
fn attempt_from_before_a_restart_is_reported_at_end() {
    let mut host = host();
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    host.now = at(3);
    host.restart(outbox([endpoint("a")]));
    host.resolve(&sends[0], &answer(200));
    let report = single_report(&mut host);
    assert_eq!((report.started_at, report.ended_at), (at(0), at(3)));
    assert_eq!(report.outcome, Some(answer(200)));
    host.now = at(10);
    let report = single_report(&mut host);
    assert_eq!((report.message, report.ended_at), (mid("m2"), at(10)));
    assert_eq!(report.outcome, Some(Outcome::failed(Failure::Timeout)));
}

#[test]
fn attempt_never_handed_out_is_not_reported() {
    let mut host = host();
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    host.save(changes);
    host.sends();
    assert!(reports(&mut host).is_empty());
    host.outbox.resume_endpoint(&eid("a"), at(0)).unwrap();
    // The save takes longer than the attempt timeout.
    let changes = host.unsaved();
    host.now = at(11);
    host.save(changes);
    let ticket = host.send();
    assert_eq!(ticket.attempt(), 1);
    assert!(reports(&mut host).is_empty());
    let changes = host.outbox.status(&eid("a")).unwrap().counters;
    assert_eq!((changes.attempts, changes.unanswered), (1, 0));
    // No reports unless enabled.
    let mut quiet = Host::with([endpoint("a")]);
    quiet.publish("m");
    let ticket = quiet.send();
    quiet.resolve(&ticket, &answer(200));
    quiet.sends();
    assert!(reports(&mut quiet).is_empty());
}

/// A report is not handed out before the state it reports is durable.
#[test]
fn report_waits_for_its_save() {
    let mut host = host();
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    let changes = host.unsaved();
    assert!(matches!(host.outbox.poll(host.now), Step::Wait(_) | Step::Idle));
    host.save(changes);
    assert!(matches!(host.outbox.poll(host.now), Step::Notify(Notice::AttemptEnded(_))));
}

/// What the host in the property saw of an endpoint.
#[derive(Debug, Default)]
struct HostView {
    counters: [u64; 9],
    open: BTreeMap<Ticket, Timestamp>,
}

fn values(counters: &Counters) -> [u64; 9] {
    [
        counters.accepted,
        counters.attempts,
        counters.retries,
        counters.delivered,
        counters.refused,
        counters.exhausted,
        counters.cancelled,
        counters.unanswered,
        counters.shed,
    ]
}

proptest! {
    #![proptest_config(config())]

    /// Counters and status match what the host saw: each attempt that it was handed is reported
    /// once, with the outcome it passed in, and so is each delivery's verdict.
    #[test]
    fn counters_match_what_the_host_saw(
        script in proptest::collection::vec((0..10_u8, 0..2_usize, 0..9_u8), 1..60),
        batch in 1..4_usize,
    ) {
        const IDS: [&str; 2] = ["a", "b"];
        let batch = NonZeroUsize::new(batch).unwrap();
        let endpoints = IDS.map(|id| endpoint(id).with_retry(policy(&[3, 8])));
        let mut host = Host::new(outbox(endpoints).with_batch(batch).with_save_limit(batch).with_retention(secs(100_000)));
        let mut seen: BTreeMap<String, HostView> = BTreeMap::new();
        let mut handed: BTreeMap<Ticket, Outcome> = BTreeMap::new();
        let (mut disabled, mut number) = (false, 0);
        let length = script.len();
        let tail = std::iter::repeat_n((99, 0, 0), 400);
        for (step, (action, which, status)) in script.into_iter().chain(tail).enumerate() {
            match action {
                0..=3 => {
                    number += 1;
                    let published = host.publish(&format!("m{number}"));
                    for id in published.endpoints {
                        seen.entry(id.to_string()).or_default().counters[0] += 1;
                    }
                    for id in published.shed {
                        seen.entry(id.to_string()).or_default().counters[8] += 1;
                    }
                }
                4..=7 => {
                    let mine = seen.entry(IDS[which].to_owned()).or_default();
                    if let Some(ticket) = mine.open.keys().next().cloned() {
                        let outcome = match status {
                            0..=2 => answer(200),
                            3 | 4 => answer(500),
                            5 => answer_with(500, "retry-after", "-1"),
                            6 => Outcome::failed(Failure::Connect),
                            7 => Outcome::failed(Failure::Broken),
                            _ => answer(400),
                        };
                        mine.open.remove(&ticket);
                        host.resolve(&ticket, &outcome);
                        handed.insert(ticket, outcome);
                    }
                }
                8 if status == 0 => {
                    if disabled {
                        host.enable("b").unwrap();
                    } else {
                        host.outbox.disable_endpoint(&eid("b"), None, host.now).unwrap();
                    }
                    disabled = !disabled;
                }
                _ => host.now += secs(2),
            }
            for ticket in host.sends() {
                let mine = seen.entry(ticket.endpoint().to_string()).or_default();
                mine.counters[1] += 1;
                mine.counters[2] += u64::from(ticket.attempt() > 1);
                mine.open.insert(ticket, host.now);
            }
            for notice in std::mem::take(&mut host.notices) {
                match notice {
                    Notice::AttemptEnded(report) => {
                        let mine = seen.get_mut(report.endpoint.as_str()).unwrap();
                        let is = |it: &&Ticket| {
                            it.message() == &report.message
                                && it.endpoint() == &report.endpoint
                                && it.attempt() == report.number
                        };
                        let answered = handed.keys().find(is).cloned();
                        let outcome = answered.and_then(|ticket| handed.remove(&ticket));
                        if outcome.is_none() {
                            let open = mine.open.keys().find(is).cloned();
                            let started = mine.open.remove(&open.unwrap()).unwrap();
                            prop_assert_eq!(report.started_at, started);
                            prop_assert_eq!(report.duration(), secs(10));
                        }
                        let timeout = Outcome::failed(Failure::Timeout);
                        let outcome = outcome.unwrap_or(timeout);
                        mine.counters[7] += u64::from(outcome.is_in_doubt());
                        prop_assert_eq!(report.outcome, Some(outcome));
                        prop_assert!(report.next_at.is_none() || report.verdict.is_none());
                    }
                    Notice::Settled { endpoint, verdict, .. } => {
                        let place = match verdict {
                            Verdict::Delivered => 3,
                            Verdict::Stopped => 4,
                            Verdict::Exhausted => 5,
                            Verdict::Cancelled => 6,
                            other => panic!("{other}"),
                        };
                        seen.get_mut(endpoint.as_str()).unwrap().counters[place] += 1;
                    }
                    _ => {}
                }
            }
            for (id, mine) in &seen {
                let status = host.outbox.status(&eid(id)).unwrap();
                prop_assert_eq!(values(&status.counters), mine.counters, "{} of {}", step, length);
                let in_flight = usize::try_from(status.flow.in_flight()).unwrap();
                prop_assert_eq!(in_flight, mine.open.len());
                let [accepted, _, _, ended @ .., _, _] = mine.counters;
                let pending = u64::try_from(status.pending).unwrap();
                prop_assert_eq!(pending, accepted - ended.iter().sum::<u64>());
            }
        }
        prop_assert_eq!(host.outbox.pending(), 0);
        prop_assert!(handed.is_empty(), "{:?} was never reported", handed);
    }
}
