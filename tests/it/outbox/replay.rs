//! Redelivery through the outbox: replays planned, executed, and executed twice.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use labhook::flow::{FlowPolicy, RateLimitPolicy};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{ReplayFilter, ReplayPlan};
use labhook::{Endpoint, Event, Order, Outbox, Registry, Step, Ticket, Timestamp, Verdict};
use proptest::prelude::*;

use crate::support::{
    Host, answer, at, config, eid, endpoint, mid, policy, registry, replay_all, secs, show,
};

const PACE: u64 = 3;

fn outbox(registry: Registry) -> Outbox {
    Outbox::new(registry, 7).with_retention(secs(1_000))
}

fn host(endpoints: impl IntoIterator<Item = Endpoint>) -> Host {
    Host::new(outbox(registry(endpoints)))
}

/// A single attempt.
fn single_attempt(id: &str) -> Endpoint {
    endpoint(id).with_retry(policy(&[]))
}

fn plan(host: &Host, selection: &ReplayFilter) -> ReplayPlan {
    host.outbox.plan_replay(selection, secs(PACE), host.now)
}

fn planned(plan: &ReplayPlan) -> Vec<(String, Timestamp)> {
    plan.iter().map(|(message, endpoint, due)| (format!("{message}>{endpoint}"), due)).collect()
}

/// Publishes these messages and has each fail for good.
fn failed(endpoint: Endpoint, ids: &[&str]) -> Host {
    let mut host = host([endpoint]);
    for id in ids {
        host.publish(id);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    host.sends();
    host.notice_texts();
    assert_eq!(host.outbox.pending(), 0);
    host
}

/// The separately kept counts match the deliveries.
fn assert_counts_match(host: &Host) {
    let open = |of: Option<&str>| {
        let all = host.outbox.deliveries();
        let mine = all.filter(|(_, id, _)| of.is_none_or(|of| id.as_str() == of));
        mine.filter(|(.., delivery)| delivery.verdict().is_none()).count()
    };
    assert_eq!(host.outbox.pending(), open(None));
    for endpoint in host.outbox.registry().iter() {
        let status = host.outbox.status(endpoint.id()).unwrap();
        assert_eq!(status.pending, open(Some(endpoint.id().as_str())));
    }
}

#[test]
fn replay_is_paced_for_each_endpoint() {
    let mut host = host([single_attempt("a"), single_attempt("b")]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    host.sends();
    host.notice_texts();
    host.now = at(100);
    let plan = plan(&host, &ReplayFilter::all());
    assert_eq!((plan.len(), plan.is_empty()), (6, false));
    let due = |id: &str, seconds| (id.to_owned(), at(seconds));
    assert_eq!(
        planned(&plan),
        [
            due("m1>a", 100),
            due("m1>b", 100),
            due("m2>a", 103),
            due("m2>b", 103),
            due("m3>a", 106),
            due("m3>b", 106)
        ]
    );
    assert_eq!(host.outbox.pending(), 0, "a plan changes nothing");
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 6);
    assert_counts_match(&host);
    for (seconds, sends) in [(100, ["m1>a#2", "m1>b#2"]), (103, ["m2>a#2", "m2>b#2"])] {
        host.now = at(seconds);
        let tickets = host.sends();
        assert_eq!(tickets.iter().map(show).collect::<Vec<_>>(), sends);
        for ticket in &tickets {
            host.resolve(ticket, &answer(200));
        }
        host.sends();
        assert_eq!(host.wait, Some(at(seconds + 3)));
    }
    host.now = at(106);
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    host.sends();
    assert_counts_match(&host);
    assert_eq!(host.notice_texts().len(), 6, "each is settled again");
    let counters = host.outbox.status(&eid("a")).unwrap().counters;
    assert_eq!((counters.accepted, counters.delivered, counters.exhausted), (3, 2, 4));
    assert_eq!((counters.attempts, counters.retries), (6, 3));
}

#[test]
fn replay_supersedes_the_pending_retry() {
    let mut host = host([endpoint("a").with_retry(policy(&[50, 60]))]);
    host.publish("m");
    let first = host.send();
    host.resolve(&first, &answer(500));
    host.sends();
    assert_eq!(host.wait, Some(at(50)));
    host.now = at(10);
    let plan = plan(&host, &ReplayFilter::all().with_message(mid("m")));
    assert_eq!(replay_all(&mut host.outbox, &plan, at(10)), 1);
    let second = host.send();
    assert_eq!(show(&second), "m>a#2");
    host.resolve(&second, &answer(200));
    for seconds in [20, 50, 60, 120] {
        host.now = at(seconds);
        assert!(host.sends().is_empty(), "{seconds}");
    }
    assert_counts_match(&host);
}

#[test]
fn replay_of_a_pending_delivery_is_saved_before_due() {
    let slow = || endpoint("a").with_retry(policy(&[500]));
    let mut host = host([slow()]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.sends();
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(0), at(100));
    assert_eq!(replay_all(&mut host.outbox, &plan, at(0)), 1);
    assert!(host.sends().is_empty());
    host.restart(outbox(registry([slow()])));
    assert_eq!(replay_all(&mut host.outbox, &plan, at(0)), 0, "already replayed and saved");
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(100)));
}

#[test]
fn replay_skips_deliveries_in_flight() {
    let mut host = host([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    assert!(plan(&host, &ReplayFilter::all()).is_empty());
    // It was in flight when the plan was executed.
    host.resolve(&ticket, &answer(500));
    let plan = plan(&host, &ReplayFilter::all());
    host.now = at(5);
    let retry = host.send();
    assert_eq!(replay_all(&mut host.outbox, &plan, at(5)), 0);
    host.resolve(&retry, &answer(500));
    assert_eq!(replay_all(&mut host.outbox, &plan, at(5)), 0, "it has been attempted since");
    assert_counts_match(&host);
}

#[test]
fn plan_executed_twice_replays_once() {
    let mut host = failed(single_attempt("a"), &["m1", "m2"]);
    let plan = plan(&host, &ReplayFilter::all());
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<ReplayPlan>(&text).unwrap(), plan);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 2);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 0);
    let first = host.send();
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 0);
    host.resolve(&first, &answer(500));
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 0);
    host.sends();
    assert_counts_match(&host);
    assert_eq!(host.notice_texts(), ["m1>a exhausted after 2"]);
    assert!(serde_json::from_str::<ReplayPlan>(&text.replacen('{', "{\"x\":1,", 1)).is_err());
}

#[test]
fn plan_can_be_executed_again_after_a_crash() {
    // Before the replay was saved, and after.
    for saved in [false, true] {
        let mut host = failed(single_attempt("a"), &["m1", "m2"]);
        let plan = plan(&host, &ReplayFilter::all());
        replay_all(&mut host.outbox, &plan, host.now);
        if saved {
            host.sends();
        }
        host.restart(outbox(registry([single_attempt("a")])));
        let again = replay_all(&mut host.outbox, &plan, host.now);
        assert_eq!(again, if saved { 0 } else { 2 });
        assert_counts_match(&host);
        // The delivery in flight at the crash waits for its deadline.
        let mut sends: Vec<Ticket> = Vec::new();
        while host.outbox.pending() > 0 {
            for ticket in host.sends() {
                host.resolve(&ticket, &answer(200));
                sends.push(ticket);
            }
            host.now = host.wait.unwrap();
        }
        host.sends();
        let notices = host.notice_texts();
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert_eq!(sends.len(), if saved { 1 } else { 2 });
        assert_counts_match(&host);
    }
}

#[test]
fn window_of_a_late_plan_counts_from_its_execution() {
    let windowed = || endpoint("a").with_retry(policy(&[50, 50]).with_window(secs(60)));
    let mut host = host([windowed()]);
    host.publish("m");
    let ticket = host.send();
    host.now = at(10);
    host.sends();
    host.now = at(60);
    host.resolve(&ticket, &answer(500));
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a expired after 1"]);
    let plan = plan(&host, &ReplayFilter::all());
    host.now = at(500);
    assert_eq!(replay_all(&mut host.outbox, &plan, at(500)), 1);
    assert_counts_match(&host);
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.now = at(550);
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.sends();
    assert_counts_match(&host);
    assert_eq!(host.notice_texts(), ["m>a expired after 3"]);
    assert_eq!(host.outbox.pending(), 0);
    assert_eq!(host.outbox.status(&eid("a")).unwrap().counters.exhausted, 2);
    // It is forgotten when its retention is over.
    host.now = at(5_000);
    host.sends();
    assert!(host.keys().iter().all(|key| !key.starts_with("message")), "{:?}", host.keys());
}

#[test]
fn replay_skips_expired_messages() {
    let mut host = host([single_attempt("a")]);
    let event = Event::new(RunStateChanged::new("r", RunState::Started), at(0));
    for (id, seconds) in [("short", 101), ("long", 1_005)] {
        let message = event.clone().into_message(mid(id)).unwrap();
        host.outbox.publish(message.with_expires_at(at(seconds)), at(0)).unwrap();
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    host.sends();
    host.now = at(100);
    let early = plan(&host, &ReplayFilter::all());
    assert_eq!(early.len(), 2);
    host.now = at(101);
    assert_eq!(planned(&plan(&host, &ReplayFilter::all())), [("long>a".into(), at(101))]);
    // A delivery scheduled after its lifetime is skipped too.
    host.now = at(100);
    host.publish("x");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.now = at(990);
    let late = host.outbox.plan_replay(&ReplayFilter::all(), secs(20), at(990));
    assert_eq!(planned(&late), [("long>a".into(), at(990)), ("x>a".into(), at(1_010))]);
    // The early plan, now that one lifetime is over.
    host.notice_texts();
    assert_eq!(replay_all(&mut host.outbox, &early, at(990)), 1);
    // It keeps its place in the plan: the second.
    assert!(host.sends().is_empty());
    host.now = host.wait.unwrap();
    assert_eq!(host.now, at(990) + secs(PACE));
    assert_eq!(host.send_texts(), ["long>a#2"]);
    assert_counts_match(&host);
}

#[test]
fn replay_skips_disabled_and_missing_endpoints() {
    let mut host = host(["a", "b", "c", "d"].map(single_attempt));
    host.publish("m");
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    let all = plan(&host, &ReplayFilter::all());
    host.outbox.disable_endpoint(&eid("a"), None, at(0)).unwrap();
    host.outbox.remove_endpoint(&eid("b"), at(0)).unwrap();
    host.outbox.pause_endpoint(&eid("c"), at(0)).unwrap();
    host.sends();
    let now = plan(&host, &ReplayFilter::all());
    assert_eq!(planned(&now), [("m>c".into(), at(0)), ("m>d".into(), at(0))]);
    assert_eq!(replay_all(&mut host.outbox, &all, at(0)), 2);
    assert_eq!(host.send_texts(), ["m>d#2"]);
    assert_counts_match(&host);
    host.outbox.resume_endpoint(&eid("c"), at(0)).unwrap();
    assert_eq!(host.send_texts(), ["m>c#2"]);
    // After it is enabled, the same plan replays the rest.
    host.enable("a").unwrap();
    assert_eq!(replay_all(&mut host.outbox, &all, at(0)), 1);
    assert_eq!(host.send_texts(), ["m>a#2"]);
}

#[test]
fn replayed_message_is_kept_until_it_ends_again() {
    let mut host = failed(single_attempt("a"), &["m"]);
    host.now = at(999);
    let plan = plan(&host, &ReplayFilter::all());
    assert_eq!(replay_all(&mut host.outbox, &plan, at(999)), 1);
    let ticket = host.send();
    host.now = at(1_005);
    assert!(host.sends().is_empty());
    assert!(host.keys().contains(&"message/m"));
    assert_eq!(host.resolve(&ticket, &answer(200)), {
        labhook::delivery::Resolution::Ended(Verdict::Delivered)
    });
    host.sends();
    assert_eq!(host.wait, Some(at(2_005)));
    host.now = at(2_004);
    host.sends();
    assert!(host.outbox.publish(crate::support::message("m"), at(2_004)).unwrap().duplicate);
    host.now = at(2_005);
    host.sends();
    assert!(host.keys().is_empty());
    assert_eq!(host.wait, None);
    // A plan for a forgotten message, or for another message with that id, finds nothing.
    assert_eq!(replay_all(&mut host.outbox, &plan, at(2_005)), 0);
    host.publish("m");
    assert_eq!(replay_all(&mut host.outbox, &plan, at(2_005)), 0);
}

fn ordered(id: &str, order: Order) -> Endpoint {
    single_attempt(id).with_order(order)
}

#[test]
fn ordered_replay_keeps_its_accepted_position() {
    let mut host = failed(ordered("a", Order::strict()), &[]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let m1 = host.send();
    host.resolve(&m1, &answer(500));
    let m2 = host.send();
    assert_eq!(show(&m2), "m2>a#1");
    // m2 is in flight, and m3 was next.
    let plan = plan(&host, &ReplayFilter::all().with_message(mid("m1")));
    assert_eq!(replay_all(&mut host.outbox, &plan, at(0)), 1);
    assert_eq!(host.send_texts(), ["m1>a#2"], "ahead of messages accepted later");
    host.resolve(&m2, &answer(200));
    assert!(host.sends().is_empty(), "m3 waits for m1");
}

#[test]
fn due_message_waits_behind_an_earlier_replay() {
    // m2 is due, and held back by flow alone, when m1 is replayed for later.
    let rate = RateLimitPolicy::new(NonZeroU32::MIN, secs(10));
    let slow = FlowPolicy::fixed().with_rate_limit(rate);
    for order in [Order::strict(), Order::per_key()] {
        let mut host = host([ordered("a", order).with_flow(slow)]);
        let key = |id: &str| {
            Event::new(RunStateChanged::new("run", RunState::Started), at(0))
                .into_message(mid(id))
                .unwrap()
        };
        host.outbox.publish(key("m1"), at(0)).unwrap();
        host.outbox.publish(key("m2"), at(0)).unwrap();
        let m1 = host.send();
        host.resolve(&m1, &answer(500));
        assert!(host.sends().is_empty());
        assert_eq!(host.wait, Some(at(10)));
        let plan =
            host.outbox.plan_replay(&ReplayFilter::all().with_message(mid("m1")), secs(0), at(30));
        assert_eq!(replay_all(&mut host.outbox, &plan, at(0)), 1);
        assert!(host.sends().is_empty());
        host.now = at(10);
        assert!(host.sends().is_empty(), "m2 would overtake m1");
        host.now = at(30);
        let m1 = host.send();
        assert_eq!(show(&m1), "m1>a#2");
        host.resolve(&m1, &answer(200));
        host.now = at(40);
        assert_eq!(host.send_texts(), ["m2>a#1"]);
    }
}

// Comparing every pair of messages would take minutes here.
#[test]
fn long_plan_scans_skippable_messages_once() {
    const MANY: usize = 20_000;
    let order = Order::strict().with_skip_after_attempts(NonZeroU32::MIN);
    let patient = endpoint("a").with_order(order).with_retry(policy(&[900]));
    let mut host = Host::new(outbox(registry([patient])).without_storage());
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    for number in 0..MANY {
        host.publish(&format!("untried{number}"));
    }
    host.outbox.disable_endpoint(&eid("a"), None, host.now).unwrap();
    host.enable("a").unwrap();
    while matches!(host.outbox.poll(host.now), Step::Notify(_)) {}
    host.outbox.resume_endpoint(&eid("a"), host.now).unwrap();
    for number in 0..MANY {
        host.publish(&format!("failing{number}"));
        let ticket = host.send();
        host.resolve(&ticket, &answer(500));
    }
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    host.now = at(900);
    assert_eq!(host.catch_up().len(), 0);
    let due = |host: &Host| host.outbox.status(&eid("a")).unwrap().due;
    assert_eq!(due(&host), MANY);
    let plan = host.outbox.plan_replay(&ReplayFilter::all().only_failed(), secs(0), host.now);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), MANY);
    assert_eq!(due(&host), 1);
}

#[test]
fn late_success_from_before_a_replay_delivers() {
    let mut host = host([single_attempt("a")]);
    host.publish("m");
    let first = host.send();
    host.now = at(10);
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a exhausted after 1"]);
    let plan = plan(&host, &ReplayFilter::all().only_failed());
    assert_eq!(replay_all(&mut host.outbox, &plan, at(10)), 1);
    let second = host.send();
    assert_eq!(host.resolve(&first, &answer(200)), labhook::delivery::Resolution::LateSuccess);
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a delivered after 2"]);
    host.resolve(&second, &answer(200));
    assert_counts_match(&host);
    assert_eq!(host.outbox.status(&eid("a")).unwrap().flow.in_flight(), 0);
}

/// Input of the property's filters.
#[derive(Clone, Debug)]
struct Choice {
    message: Option<u8>,
    endpoint: Option<usize>,
    from: Option<i64>,
    before: Option<i64>,
    failed: bool,
}

fn choices() -> impl Strategy<Value = Choice> {
    let option = proptest::option::of::<std::ops::Range<i64>>;
    (proptest::option::of(0..6_u8), proptest::option::of(0..3_usize), option(0..30), option(0..30))
        .prop_flat_map(|(message, endpoint, from, before)| {
            any::<bool>().prop_map(move |failed| Choice { message, endpoint, from, before, failed })
        })
}

const IDS: [&str; 3] = ["a", "b", "c"];

proptest! {
    #![proptest_config(config())]

    /// A plan is exactly its set, each endpoint's share in the order of acceptance and `PACE`
    /// apart, and executing it, crash or not, makes one attempt at each.
    #[test]
    fn plan_selects_exactly_its_set(
        choice in choices(),
        statuses in proptest::collection::vec(0..4_u8, 18),
        crash in any::<bool>(),
    ) {
        let endpoints = || IDS.map(|id| endpoint(id).with_retry(policy(&[5_000])));
        let mut host = host(endpoints());
        let mut expected = BTreeSet::new();
        let mut selection = ReplayFilter::all();
        if let Some(message) = choice.message {
            selection = selection.with_message(mid(&format!("m{message}")));
        }
        if let Some(which) = choice.endpoint {
            selection = selection.with_endpoint(eid(IDS[which]));
        }
        if let Some(from) = choice.from {
            selection = selection.with_accepted_from(at(from));
        }
        if let Some(before) = choice.before {
            selection = selection.with_accepted_before(at(before));
        }
        if choice.failed {
            selection = selection.only_failed();
        }
        let mut in_flight = Vec::new();
        for number in 0..6_u8 {
            let accepted = i64::from(number) * 5;
            host.now = at(accepted);
            host.publish(&format!("m{number}"));
            for (index, ticket) in host.sends().iter().enumerate() {
                // In flight to the end, waiting for a retry, delivered, stopped.
                let response = statuses[usize::from(number) * 3 + index];
                match response {
                    0 => in_flight.push(ticket.clone()),
                    1 => _ = host.resolve(ticket, &answer(500)),
                    2 => _ = host.resolve(ticket, &answer(200)),
                    _ => {
                        let stop = crate::support::answer_with(500, "retry-after", "-1");
                        host.resolve(ticket, &stop);
                    }
                }
                let is = choice.message.is_none_or(|it| it == number)
                    && choice.endpoint.is_none_or(|it| eid(IDS[it]) == *ticket.endpoint())
                    && choice.from.is_none_or(|it| accepted >= it)
                    && choice.before.is_none_or(|it| accepted < it)
                    && (!choice.failed || response == 3);
                // The window ends at ten seconds, so those in flight fail by then.
                if is && (response != 0 || accepted + 10 <= 29) {
                    expected.insert(format!("m{number}>{}", ticket.endpoint()));
                }
            }
            host.now = at(accepted + 4);
            host.sends();
        }
        host.now = at(29);
        host.sends();
        let plan = plan(&host, &selection);
        let rows = planned(&plan);
        let set: BTreeSet<_> = rows.iter().map(|(name, _)| name.clone()).collect();
        prop_assert_eq!(&set, &expected);
        prop_assert_eq!(set.len(), rows.len());
        for id in IDS {
            let mine = rows.iter().filter(|(name, _)| name.ends_with(id)).enumerate();
            for (index, (_, due)) in mine {
                prop_assert_eq!(*due, at(29) + secs(PACE * index as u64));
            }
        }

        prop_assert_eq!(replay_all(&mut host.outbox, &plan, host.now), rows.len());
        assert_counts_match(&host);
        if crash {
            host.restart(outbox(registry(endpoints())));
            replay_all(&mut host.outbox, &plan, host.now);
        }
        let mut attempted = Vec::new();
        while host.now < at(1_000) {
            for ticket in host.sends() {
                attempted.push((format!("{}>{}", ticket.message(), ticket.endpoint()), host.now));
                host.resolve(&ticket, &answer(200));
            }
            host.now = host.wait.unwrap_or(at(1_000));
        }
        attempted.sort();
        let mut rows = rows;
        rows.sort();
        prop_assert_eq!(attempted, rows);
        assert_counts_match(&host);
    }
}

#[test]
fn replayed_delivery_still_failing_notifies_again() {
    let mut host = Host::with([endpoint("a").with_retry(policy(&[1, 1, 1]))]);
    host.publish("m");
    let fail = |host: &mut Host| {
        for _ in 0..4 {
            let ticket = host.send();
            host.resolve(&ticket, &answer(500));
            host.now += secs(1);
        }
        host.sends();
        host.notice_texts()
    };
    assert_eq!(fail(&mut host), ["m>a failing after 3", "m>a exhausted after 4"]);
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(0), host.now);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    assert_eq!(fail(&mut host), ["m>a failing after 7", "m>a exhausted after 8"]);
}

/// Scanning all of them each time would take two and a half billion comparisons.
#[test]
fn replay_of_one_message_scans_no_other() {
    let mut host = Host::new(Outbox::new(registry([endpoint("a")]), 7).without_storage());
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    for number in 0..50_000 {
        host.publish(&format!("m{number}"));
    }
    let planned = |id: &str| {
        let one = ReplayFilter::all().with_message(mid(id));
        host.outbox.plan_replay(&one, secs(0), host.now).len()
    };
    assert_eq!(planned("nobody"), 0);
    assert!((0..50_000).all(|number| planned(&format!("m{number}")) == 1));
}

#[test]
fn replayed_delivery_clears_when_its_end_was_found() {
    let mut host = Host::with([endpoint("e").with_retry(policy(&[5]).with_window(secs(100)))]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.sends();
    // It expired unnoticed, and is replayed.
    host.now = at(500);
    host.sends();
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(1), host.now);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.sends();
    let (_, row) = host.disk.iter().find(|(key, _)| key.starts_with("delivery")).unwrap();
    let row = serde_json::to_value(row).unwrap().to_string();
    assert!(!row.contains("found_at"), "{row}");
}
