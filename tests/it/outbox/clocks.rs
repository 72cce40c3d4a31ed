//! Clocks that jump, through the outbox.

use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Failure, Resolution};
use labhook::health::State;
use labhook::{Endpoint, Order, Outcome, RetryPolicy, Signer, Ticket, Timestamp, Verdict};

use super::health::{down, next_probe, patient, probe};
use crate::support::{Host, answer, at, eid, endpoint, message, policy, secs, show};

const DAY: u64 = 86_400;

/// An endpoint with every policy at its default.
fn default_endpoint() -> Endpoint {
    Endpoint::new(eid("a"), "https://a.example/", Signer::unsigned()).unwrap()
}

/// Eight attempts are in flight, and the clock leaps ahead by this.
fn leapt(ahead: Duration) -> (Host, Vec<Ticket>) {
    let mut host = Host::with([default_endpoint()]);
    for number in 0..8 {
        host.publish(&format!("m{number}"));
    }
    let sends = host.sends();
    assert_eq!(sends.len(), 8);
    host.now += ahead;
    // Their retries are due as well.
    assert!(host.sends().iter().all(|ticket| ticket.attempt() == 2));
    (host, sends)
}

#[test]
fn leap_ahead_is_not_the_fault_of_a_receiver() {
    for back in [false, true] {
        let (mut host, sends) = leapt(secs(DAY));
        assert_eq!((host.health("a").failures(), host.health("a").state()), (0, State::Healthy));
        if back {
            host.now = at(3);
            host.sends();
        }
        // The responses arrive after all, and count.
        for ticket in &sends {
            assert_eq!(host.resolve(ticket, &answer(200)), Resolution::LateSuccess);
        }
        assert_eq!(host.outbox.pending(), 0);
        assert_eq!(host.health("a").failures(), 0);
        // The next message goes at once.
        host.publish("n");
        assert_eq!(host.send_texts(), ["n>a#1"]);
    }
}

#[test]
fn response_after_a_leap_and_back_is_in_time() {
    // The outbox did not see the leap: nothing was polled in the meantime.
    let mut host = Host::with([default_endpoint()]);
    host.publish("m");
    let ticket = host.send();
    host.now = at(i64::try_from(DAY).unwrap());
    let resolution = host.resolve(&ticket, &answer(200));
    assert_eq!(resolution, Resolution::Ended(Verdict::Delivered));
    // A failure that the host reports is evidence at any time.
    let (mut host, sends) = leapt(secs(DAY));
    host.now = at(3);
    for ticket in sends {
        host.resolve(&ticket, &Outcome::failed(Failure::Connect));
    }
    assert_eq!(host.health("a").failures(), 8);
}

#[test]
fn retries_after_a_leap_back_keep_their_waits() {
    // A day ahead for three seconds, in which a message fails: its retry is 5 s later.
    let retry = policy(&[5, 20]).with_retry_after_cap(Duration::ZERO);
    let mut host = Host::with([endpoint("a").with_retry(retry)]);
    host.now = at(i64::try_from(DAY).unwrap());
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.sends();
    host.now = at(3);
    assert!(host.sends().is_empty());
    assert!(host.wait.is_some_and(|it| it <= at(3 + 5)), "{:?}", host.wait);
    host.now = at(8);
    assert_eq!(host.send_texts(), ["m>a#2"]);
}

#[test]
fn attempts_in_flight_over_a_leap_back_still_time_out() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    host.send();
    host.now = at(-14 * 86_400);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(host.now + secs(10)), "the attempt timeout");
    host.now += secs(10);
    assert!(host.sends().is_empty());
    host.now += secs(5);
    assert_eq!(host.send_texts(), ["m>a#2"]);
}

#[test]
fn down_endpoint_is_probed_within_a_wait_of_any_jump() {
    let weeks = |host: &mut Host, ahead: bool| {
        let step = secs(14 * DAY);
        host.now = if ahead { host.now + step } else { host.now - step };
    };
    for ahead in [true, false] {
        let mut host = down(patient("a"));
        probe(&mut host, &answer(500));
        weeks(&mut host, ahead);
        let from = host.now;
        let ticket = match &host.sends()[..] {
            [] => next_probe(&mut host),
            [ticket] => ticket.clone(),
            more => panic!("{more:?}"),
        };
        assert!(host.now.saturating_since(from) <= secs(66), "{ahead}");
        // Weeks ahead count as one day at most, which is more than the 600 s of this policy; back,
        // nothing is added.
        host.resolve(&ticket, &answer(200));
        assert_eq!(host.health("a").state(), State::Healthy, "{ahead}");
    }
    // A week and more ahead does not disable under the default policy.
    let health = patient("a").policy.health.with_disable_after(secs(7 * DAY));
    let mut host = down(patient("a").with_health(health));
    probe(&mut host, &answer(500));
    weeks(&mut host, true);
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(host.disabled("a"), None);
    assert_eq!(host.health("a").state(), State::Down);
}

#[test]
fn message_never_tried_outlives_a_leap_and_its_window() {
    let windowed = patient("a").with_retry(policy(&[1; 40]).with_window(secs(DAY)));
    let mut host = down(windowed);
    for number in 0..5 {
        host.publish(&format!("n{number}"));
    }
    host.sends();
    host.now += secs(21 * DAY);
    let mut sent = Vec::new();
    loop {
        let sends = host.sends();
        for ticket in &sends {
            sent.push(show(ticket));
            host.resolve(ticket, &answer(200));
        }
        if host.outbox.pending() == 0 {
            break;
        }
        if sends.is_empty() {
            host.now = host.wait.unwrap();
        }
    }
    let mut delivered = 0;
    for (message, _, delivery) in host.outbox.deliveries() {
        let tried = message.id().as_str().starts_with('m');
        let expected = if tried { Verdict::Expired } else { Verdict::Delivered };
        assert_eq!(delivery.verdict(), Some(expected), "{} {sent:?}", message.id());
        delivered += u32::from(!tried);
    }
    assert_eq!(delivered, 5);
}

/// An attempt of a delivery that its deadline would end, and the clock leaps ahead by weeks.
fn leapt_past_the_end(retry: RetryPolicy) -> (Host, Ticket) {
    let mut host = Host::with([endpoint("a").with_retry(retry)]);
    host.publish("m");
    let ticket = host.send();
    host.now += secs(21 * DAY);
    assert!(host.sends().is_empty());
    (host, ticket)
}

#[test]
fn real_success_after_a_leap_ends_the_delivery() {
    let retries = || policy(&[5, 20]).with_window(secs(DAY));
    let guarantee = DeliveryGuarantee::AtMostOnce;
    for (retry, end) in [
        (retries(), Verdict::Expired),
        (policy(&[]), Verdict::Exhausted),
        (policy(&[5]).with_guarantee(guarantee), Verdict::Unconfirmed),
    ] {
        let (mut host, ticket) = leapt_past_the_end(retry.clone());
        host.now += secs(2);
        assert_eq!(host.resolve(&ticket, &answer(200)), Resolution::Ended(Verdict::Delivered));
        // Without a response it ends after another timeout, even if that is found late again.
        for late in [10, 3_600] {
            let (mut host, _) = leapt_past_the_end(retry.clone());
            assert_eq!(host.wait, Some(host.now + secs(10)));
            assert_eq!(host.verdict("m", "a"), None);
            host.now += secs(late);
            assert!(host.sends().is_empty());
            assert_eq!(host.verdict("m", "a"), Some(end), "{late}");
        }
    }
}

#[test]
fn leap_back_is_seen_between_two_inputs() {
    // Nothing is polled while the clock is a day ahead.
    let retry = policy(&[5, 20]).with_retry_after_cap(Duration::ZERO);
    let mut host = Host::with([endpoint("a").with_retry(retry)]);
    host.publish("m");
    let ticket = host.send();
    host.now = at(i64::try_from(DAY).unwrap());
    host.resolve(&ticket, &answer(500));
    host.now = at(3);
    assert!(host.sends().is_empty());
    assert!(host.wait.is_some_and(|it| it <= at(3 + 5)), "{:?}", host.wait);
}

#[test]
fn group_waits_no_longer_for_a_clock_that_was_ahead() {
    let ordered = endpoint("a").with_order(Order::strict().with_skip_after(secs(60)));
    let mut host = Host::with([ordered.with_retry(policy(&[600; 9]))]);
    host.now = at(i64::try_from(DAY).unwrap());
    host.publish("m1");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.publish("m2");
    host.sends();
    host.now = at(3);
    assert!(host.sends().is_empty());
    host.now = at(40);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(63)), "a minute after the clock was set right");
    host.now = at(63);
    assert_eq!(host.send_texts(), ["m2>a#1"]);
}

#[test]
fn message_of_the_wrong_year_is_sent_when_the_clock_is_right() {
    // A year behind at boot, until the time service answers.
    let mut host = Host::with([default_endpoint()]);
    host.now = Timestamp::from_unix_seconds(at(0).unix_seconds() - 365 * 86_400);
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    host.outbox.publish(message("m"), host.now).unwrap();
    assert!(host.sends().is_empty());
    host.now = at(0);
    assert!(host.sends().is_empty());
    host.outbox.resume_endpoint(&eid("a"), host.now).unwrap();
    let ticket = host.send();
    assert_eq!(host.resolve(&ticket, &answer(200)), Resolution::Ended(Verdict::Delivered));
}

#[test]
fn requested_pause_ends_in_time_after_a_leap_back() {
    let mut host = Host::with([endpoint("a")]);
    host.now = at(i64::try_from(DAY).unwrap());
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &crate::support::answer_with(503, "retry-after", "60"));
    }
    host.publish("n");
    assert!(host.sends().is_empty());
    host.now = at(3);
    assert!(host.sends().is_empty());
    assert!(host.wait.is_some_and(|it| it <= at(63)), "{:?}", host.wait);
    host.now = at(63);
    assert!(host.send_texts().contains(&"n>a#1".to_owned()));
}
