//! Every reachable state of one delivery in a small world, and every call in each of them.

use std::collections::BTreeSet;

use super::*;

const HORIZON: i64 = 9;

/// Two retries, 2 ms apart; an attempt may take 2 ms; the window is 7 ms.
fn policy(doubt: DeliveryGuarantee) -> RetryPolicy {
    RetryPolicy::new(Schedule::list([ms(2), ms(2)]))
        .with_attempt_timeout(ms(2))
        .with_window(ms(7))
        .with_guarantee(doubt)
}

#[derive(Clone, Debug)]
enum Call {
    Tick,
    Start,
    Unstart(u32),
    Resolve(u32, Outcome),
    End,
    Resend,
    Replay(i64),
}

fn calls() -> Vec<Call> {
    let mut calls = vec![Call::Tick, Call::Start, Call::End, Call::Resend];
    calls.extend([Call::Replay(0), Call::Replay(1)]);
    for number in 0..=4 {
        calls.push(Call::Unstart(number));
        let failures = [Failure::Timeout, Failure::Connect].map(Outcome::failed);
        for outcome in [answer(200), answer(503), answer(410)].into_iter().chain(failures) {
            calls.push(Call::Resolve(number, outcome));
        }
    }
    calls
}

/// A crash, and from here on only time: the delivery must reach a verdict by itself, or be in doubt
/// if the policy asks the host.
fn ends_by_itself(
    mut delivery: Delivery,
    policy: &RetryPolicy,
    seed: JitterSeed<'_>,
    mut now: Timestamp,
) {
    for _ in 0..12 {
        match delivery.poll(policy, seed, now) {
            Progress::Due => assert!(delivery.start(policy, now).is_some()),
            Progress::InFlight { deadline, .. } => now = deadline,
            Progress::Wait { until } => now = until,
            Progress::InDoubt { .. } => {
                assert_eq!(policy.guarantee(), DeliveryGuarantee::Ask);
                return;
            }
            Progress::Ended { .. } => return,
        }
    }
    panic!("no verdict: {delivery:?}");
}

/// A search node: the delivery, the time, and the last attempt after which the host allowed
/// another.
type Node = (Delivery, i64, u32);

/// Makes the call and checks its effect; `None` if the search does not continue from there.
fn make(call: &Call, node: &Node, policy: &RetryPolicy, seed: JitterSeed<'_>) -> Option<Node> {
    let (before, now, decided) = node;
    let (mut after, mut now, mut decided) = (before.clone(), *now, *decided);
    match call {
        Call::Tick => {
            now += 1;
            after.poll(policy, seed, at(now));
        }
        Call::Start => {
            if let Some(started) = after.start(policy, at(now)) {
                assert!(before.in_flight().is_none(), "one live attempt");
                assert_eq!(started.number, before.attempts() + 1, "attempt numbers rise by one");
                let close = before.window_end(policy);
                assert!(close.is_none_or(|close| at(now) < close), "started too late");
                let is_first = before.attempts_since_replay() == 0;
                assert!(is_first || close.is_some(), "the window bounds retries");
                let undecided =
                    (decided + 1..=before.attempts).any(|it| before.unanswered.contains(it));
                let at_most_once = policy.guarantee() != DeliveryGuarantee::AtLeastOnce;
                assert!(!(at_most_once && undecided), "no attempt follows an unconfirmed one");
            } else {
                assert_eq!(after, *before);
            }
        }
        Call::Unstart(number) => {
            let live = before.in_flight().map(|started| started.number);
            assert_eq!(after.cancel_start(*number), live == Some(*number));
        }
        Call::Resolve(number, outcome) => {
            match after.resolve(policy, seed, *number, outcome, at(now)) {
                Resolution::Ignored(_) => assert_eq!(after, *before),
                Resolution::Retry { .. } => assert_eq!(after.verdict(), None),
                Resolution::InDoubt => assert_eq!(after.in_doubt(), Some(at(now))),
                Resolution::Ended(verdict) => assert_eq!(after.verdict(), Some(verdict)),
                Resolution::LateSuccess => {
                    assert_eq!(after.verdict(), Some(Verdict::Delivered));
                }
            }
        }
        Call::End => {
            assert_eq!(after.end(Verdict::Cancelled, at(now)), before.verdict().is_none());
        }
        Call::Resend => {
            if after.resend(at(now)) {
                decided = after.attempts();
            }
        }
        Call::Replay(wait) => {
            if before.replays() == 1 || !after.replay(at(now + wait)) {
                return None;
            }
            decided = after.attempts();
        }
    }
    let replayed = after.replays() > before.replays();
    if before.verdict().is_some() && !replayed {
        assert_eq!(after, *before, "terminal states absorb");
    }
    let doubt_is_over = before.in_doubt().is_some() && after.unanswered() < before.unanswered();
    assert!(doubt_is_over || after.unanswered() >= before.unanswered());
    assert!(after.unanswered() <= after.attempts());
    assert!(after.attempts_since_replay() <= 3);
    let moved = after != *before || now > node.1;
    (moved && now <= HORIZON).then_some((after, now, decided))
}

fn search(guarantee: DeliveryGuarantee, expires_at: Option<Timestamp>) -> usize {
    let policy = policy(guarantee);
    let (message, endpoint) = ids();
    let seed = JitterSeed::new(7, &message, &endpoint);
    let calls = calls();
    let mut seen = BTreeSet::new();
    let mut open: Vec<Node> = vec![(Delivery::new(at(0)).with_expires_at(expires_at), 0, 0)];
    while let Some(node) = open.pop() {
        let (delivery, now, decided) = &node;
        if !seen.insert((serde_json::to_string(delivery).unwrap(), *now, *decided)) {
            continue;
        }
        let crashed = restored(delivery);
        assert_eq!(crashed, *delivery);
        ends_by_itself(crashed, &policy, seed, at(*now));
        open.extend(calls.iter().filter_map(|call| make(call, &node, &policy, seed)));
    }
    seen.len()
}

#[test]
fn every_state_ends_in_one_verdict_or_in_doubt() {
    for doubt in
        [DeliveryGuarantee::AtLeastOnce, DeliveryGuarantee::AtMostOnce, DeliveryGuarantee::Ask]
    {
        for expires_at in [None, Some(at(8))] {
            let states = search(doubt, expires_at);
            println!("{doubt:?}, {expires_at:?}: {states} states");
            assert!(states > 1_000, "only {states} states");
        }
    }
}
