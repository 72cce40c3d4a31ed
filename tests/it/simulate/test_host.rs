//! The host for users' tests.

use labhook::outbox::Notice;
use labhook::simulate::TestHost;
use labhook::{Failure, Outbox, Outcome, Verdict};

use crate::support::{answer, at, eid, endpoint, message, registry, show};

fn outbox() -> Outbox {
    Outbox::new(registry([endpoint("a")]), 7)
}

fn sent(host: &TestHost) -> Vec<(i64, String)> {
    let start = at(0).unix_seconds();
    host.sent.iter().map(|(at, ticket)| (at.unix_seconds() - start, show(ticket))).collect()
}

#[test]
fn test_host_drives_to_the_end() {
    let mut host = TestHost::new(outbox(), at(0));
    host.outbox.publish(message("m"), at(0)).unwrap();
    let mut statuses = [500, 204].into_iter();
    assert_eq!(host.run(at(3_600), |_, _| answer(statuses.next().unwrap())), 0);
    assert_eq!(sent(&host), [(0, "m>a#1".to_owned()), (5, "m>a#2".to_owned())]);
    let settled = host.notices.iter().any(|notice| {
        matches!(notice, Notice::Settled { verdict: Verdict::Delivered, attempts: 2, .. })
    });
    assert!(settled, "{:?}", host.notices);
    assert_eq!(host.records.keys().collect::<Vec<_>>(), ["delivery/m/a", "message/m"]);
}

#[test]
fn test_host_reports_timeouts_at_their_deadlines() {
    let mut host = TestHost::new(outbox(), at(0));
    host.outbox.publish(message("m"), at(0)).unwrap();
    let pending = host.run(at(3_600), |_, _| Outcome::failed(Failure::Timeout));
    // 10 s, then the waits of 5 s and 20 s.
    let times: Vec<_> = sent(&host).into_iter().map(|(at, _)| at).collect();
    assert_eq!((pending, times), (0, vec![0, 15, 45]));
    assert_eq!(host.now, at(55));
}

#[test]
fn test_host_stops_at_the_limit_or_when_nothing_moves() {
    let mut host = TestHost::new(outbox(), at(0));
    host.outbox.publish(message("m"), at(0)).unwrap();
    assert_eq!(host.run(at(4), |_, _| answer(500)), 1);
    assert_eq!(host.now, at(0));
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    assert_eq!(host.run(at(3_600), |_, _| answer(200)), 1, "held");
    assert_eq!(host.sent.len(), 1);
}

#[test]
fn test_host_survives_a_crash() {
    let mut host = TestHost::new(outbox(), at(0));
    host.outbox.publish(message("m"), at(0)).unwrap();
    assert_eq!(host.run(at(1), |_, _| answer(500)), 1);
    host.outbox.publish(message("lost"), host.now).unwrap();
    host.restart(outbox()).unwrap();
    assert_eq!(host.run(at(3_600), |_, _| answer(200)), 0);
    assert_eq!(sent(&host).len(), 2, "the message that was not saved is gone");
}
