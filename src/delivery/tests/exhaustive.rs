//! Every state that one delivery can reach in a small world, and every call in each of them.

use std::collections::BTreeMap;

use super::*;

const HORIZON: i64 = 9;

/// Two retries, 2 ms apart; an attempt may take 2 ms; the window is 7 ms.
fn policy() -> Policy {
    Policy::new(Schedule::list([ms(2), ms(2)])).with_attempt_timeout(ms(2)).with_window(ms(7))
}

#[derive(Clone, Debug)]
enum Call {
    Tick,
    Crash,
    Start,
    Unstart(u32),
    Resolve(u32, Outcome),
    End,
}

fn calls() -> Vec<Call> {
    let mut calls = vec![Call::Tick, Call::Crash, Call::Start, Call::End];
    for number in 0..=4 {
        calls.push(Call::Unstart(number));
        for outcome in [answer(200), answer(503), answer(410), Outcome::failed(Failure::Timeout)] {
            calls.push(Call::Resolve(number, outcome));
        }
    }
    calls
}

/// Only crashes and time from here: the delivery has to reach a verdict by itself.
fn ends_by_itself(mut delivery: Delivery, dice: Dice<'_>, mut now: Timestamp) {
    let policy = policy();
    for _ in 0..12 {
        delivery = restored(&delivery);
        match delivery.poll(&policy, dice, now) {
            Progress::Due => assert!(delivery.start(&policy, now).is_some()),
            Progress::InFlight { deadline, .. } => now = deadline,
            Progress::Wait { until } => now = until,
            Progress::Ended { .. } => return,
        }
    }
    panic!("no verdict: {delivery:?}");
}

#[test]
fn from_every_reachable_state_there_is_one_verdict() {
    let policy = policy();
    let (message, endpoint) = ids();
    let dice = Dice::new(7, &message, &endpoint);
    let calls = calls();
    let mut seen = BTreeMap::new();
    let mut open = vec![(Delivery::new(at(0)), 0)];
    while let Some((before, now)) = open.pop() {
        let key = (serde_json::to_string(&before).unwrap(), now);
        if seen.insert(key, ()).is_some() {
            continue;
        }
        ends_by_itself(before.clone(), dice, at(now));
        for call in &calls {
            let (mut after, mut now) = (before.clone(), now);
            match call {
                Call::Tick => {
                    now += 1;
                    after.poll(&policy, dice, at(now));
                }
                Call::Crash => after = restored(&after),
                Call::Start => {
                    if let Some(started) = after.start(&policy, at(now)) {
                        assert!(before.in_flight().is_none(), "one live attempt");
                        assert_eq!(started.number, before.attempts() + 1, "numbers rise by one");
                        assert!(now < 7, "nothing is released at or past the window's end");
                    } else {
                        assert_eq!(after, before);
                    }
                }
                Call::Unstart(number) => {
                    let live = before.in_flight().map(|started| started.number);
                    assert_eq!(after.unstart(*number), live == Some(*number));
                }
                Call::Resolve(number, outcome) => {
                    match after.resolve(&policy, dice, *number, outcome, at(now)) {
                        Resolution::Ignored(_) => assert_eq!(after, before),
                        Resolution::Retry { .. } => assert_eq!(after.verdict(), None),
                        Resolution::Ended(verdict) => assert_eq!(after.verdict(), Some(verdict)),
                        Resolution::LateSuccess => {
                            assert_eq!(after.verdict(), Some(Verdict::Delivered));
                        }
                    }
                }
                Call::End => {
                    assert_eq!(after.end(Verdict::Cancelled, at(now)), before.verdict().is_none());
                }
            }
            if before.verdict().is_some() {
                assert_eq!(after, before, "terminal states absorb");
            }
            assert!(after.unanswered() >= before.unanswered());
            assert!(after.unanswered() <= after.attempts());
            assert!(after.attempts() <= 3);
            if now <= HORIZON {
                open.push((after, now));
            }
        }
    }
    assert!(seen.len() > 500, "only {} states", seen.len());
}
