//! Invariants of the delivery engine through the outbox, as far as the other tests check them only
//! by example or for one machine. The `invariants` module lists all thirty.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use labhook::delivery::{Jitter, JitterSeed, Schedule};
use labhook::flow::{ConcurrencyLimitPolicy, RateLimitPolicy};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::ReplayFilter;
use labhook::{
    Endpoint, Event, Failure, FlowPolicy, HealthPolicy, Notice, Order, Outbox, Outcome,
    RetryPolicy, Signer, Ticket, Timestamp, Verdict,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::support::{
    Host, answer, at, config, eid, endpoint, mid, policy, registry, replay_all, secs, show,
};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn nonzero(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// One of `from`, chosen by the ticket.
fn pick<T: Copy>(salt: u64, ticket: &Ticket, from: &[T]) -> T {
    let hash = show(ticket).bytes().fold(salt ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    from[usize::try_from((hash >> 33) % from.len() as u64).unwrap()]
}

/// A response that asks for a delay of `seconds`.
fn retry_after(status: u16, seconds: Option<u64>, now: Timestamp) -> Outcome {
    let mut headers = HeaderMap::new();
    headers.extend(seconds.map(|it| (http::header::RETRY_AFTER, it.into())));
    Outcome::response(StatusCode::from_u16(status).unwrap(), &headers, now)
}

/// An endpoint with every policy at its default.
fn default_endpoint(id: &str) -> Endpoint {
    Endpoint::new(eid(id), &format!("https://{id}.example/"), Signer::unsigned()).unwrap()
}

/// A response to an attempt: its status, the delay it asks for, and its latency in seconds.
type Reply = (u16, Option<u64>, Option<u64>);

/// When the attempts start, and how and when the delivery ends, computed from the documented rules
/// alone.
fn expected_course(
    policy: &RetryPolicy,
    replies: &[Reply],
    jitter_seed: JitterSeed<'_>,
) -> (Vec<Timestamp>, Verdict, Timestamp) {
    let close = policy.window().map(|window| at(0) + window);
    let mut starts = vec![at(0)];
    for (number, (status, asked, latency)) in (1..).zip(replies.iter().cycle()) {
        let started = starts[starts.len() - 1];
        let answered = latency.map(secs).filter(|it| *it <= policy.attempt_timeout());
        let end = started + answered.unwrap_or(policy.attempt_timeout());
        if answered.is_some() && *status == 200 {
            return (starts, Verdict::Delivered, end);
        }
        let Some(delay) = policy.schedule().delay(number) else {
            return (starts, Verdict::Exhausted, end);
        };
        let asked = asked.filter(|_| answered.is_some()).map_or(Duration::ZERO, secs);
        let delay = policy.jitter().apply(delay, number, jitter_seed);
        let next = end + delay.max(asked.min(policy.retry_after_cap()));
        if close.is_some_and(|close| next >= close) {
            return (starts, Verdict::Expired, end);
        }
        starts.push(next);
    }
    unreachable!("the replies repeat")
}

proptest! {
    #![proptest_config(config())]

    /// 8, 9 and 10: neither before nor after the larger of the scheduled delay and the one asked
    /// for, and never at or past the end of the window.
    #[test]
    fn lone_delivery_is_attempted_exactly_when_due(
        // Whole seconds, so that some instants coincide.
        delays in vec(0..9_u64, 0..5),
        spread in prop_oneof![3 => Just(0_u8), 1 => 0..60_u8],
        window in of(1..25_u64),
        cap in 0..9_u64,
        replies in vec(
            (prop::sample::select(vec![200_u16, 500, 503, 429]), of(0..13_u64), of(0..13_u64)),
            6,
        ),
        seed in any::<u64>(),
    ) {
        let policy = RetryPolicy::new(Schedule::list(delays.into_iter().map(secs)))
            .with_attempt_timeout(secs(10))
            .with_jitter(Jitter::plus_minus(spread))
            .with_window(window.map(secs))
            .with_retry_after_cap(secs(cap));
        let endpoints = [endpoint("a").with_retry(policy.clone())];
        let mut host = Host::new(Outbox::new(registry(endpoints), seed));
        host.publish("m");
        let (mut starts, mut reply) = (Vec::new(), None);
        while host.verdict("m", "a").is_none() {
            if let Some((_, ticket, (status, asked))) =
                reply.take_if(|it: &mut (Timestamp, Ticket, _)| it.0 <= host.now)
            {
                let outcome = retry_after(status, asked, host.now);
                host.resolve(&ticket, &outcome);
                continue;
            }
            for ticket in host.sends() {
                starts.push(host.now);
                let index = usize::try_from(ticket.attempt() - 1).unwrap() % replies.len();
                let (status, asked, latency) = replies[index];
                let latency = latency.map(secs).filter(|it| *it <= secs(10));
                reply = latency.map(|it| (host.now + it, ticket, (status, asked)));
            }
            if host.verdict("m", "a").is_none() {
                let next = reply.as_ref().map(|it| it.0);
                host.now = host.wait.into_iter().chain(next).min().unwrap();
            }
        }
        let (message, id) = (mid("m"), eid("a"));
        let (expected, verdict, ended_at) =
            expected_course(&policy, &replies, JitterSeed::new(seed, &message, &id));
        prop_assert_eq!(starts, expected);
        prop_assert_eq!(host.verdict("m", "a"), Some(verdict));
        let (.., delivery) = host.outbox.deliveries().next().unwrap();
        prop_assert_eq!(delivery.ended_at(), Some(ended_at));
    }

    /// 12: a step back of `d` lengthens each wait by at most `d` and shortens none, under every
    /// policy; and if the clock stays back, everything still ends.
    #[test]
    fn backward_clock_lengthens_waits_by_its_step(
        times in vec(0..600_u64, 1..25),
        backs in vec(1..100_000_u64, 1..20),
        stays in 0..100_usize,
        salt in any::<u64>(),
    ) {
        let endpoints = ["a", "b"].map(|id| default_endpoint(id).with_retry(policy(&[2, 9, 40, 90])));
        let mut host = Host::with(endpoints.clone());
        // The host's clock is behind by this.
        let (mut behind, mut round) = (Duration::ZERO, 0);
        let mut publishes: Vec<_> = times.iter().map(|it| at(0) + ms(it * 100)).collect();
        publishes.sort();
        let mut publishes = publishes.into_iter().enumerate().peekable();
        let mut backs = backs.iter().map(|it| ms(*it)).cycle();
        while publishes.peek().is_some() || host.outbox.pending() > 0 {
            while let Some((id, _)) = publishes.next_if(|(_, when)| *when <= host.now + behind) {
                host.publish(&format!("m{id}"));
            }
            loop {
                let sends = host.sends();
                if sends.is_empty() {
                    break;
                }
                for ticket in sends {
                    let status = pick(salt, &ticket, &[200, 200, 429, 503, 500, 400]);
                    let asked = pick(salt + 1, &ticket, &[None, None, Some(7)]);
                    let outcome = retry_after(status, asked, host.now);
                    host.resolve(&ticket, &outcome);
                }
            }
            let (now, wait) = (host.now, host.wait);
            for back in backs.by_ref().take(2) {
                let like = host.outbox.clone();
                host.now = now - back;
                for endpoint in endpoints.clone() {
                    // Everything is evaluated again.
                    host.outbox.replace_endpoint(endpoint, host.now).unwrap();
                }
                prop_assert!(host.sends().is_empty(), "nothing is sent earlier");
                let waits = [wait, host.wait].map(|wait| wait.map(|it| it.unix_micros()));
                if let [Some(before), Some(after)] = waits {
                    let (before, after) = (before - now.unix_micros(), after - host.now.unix_micros());
                    let step = i64::try_from(back.as_micros()).unwrap();
                    prop_assert!(after >= before, "{after} is shorter than {before}");
                    prop_assert!(after <= before + step, "{after} is longer than {before} and {step}");
                } else {
                    prop_assert_eq!(waits[0], waits[1]);
                }
                round += 1;
                if round == stays {
                    behind += back;
                    break;
                }
                (host.outbox, host.now, host.wait) = (like, now, wait);
            }
            let next = publishes.peek().map(|it| it.1 - behind);
            host.now = host.wait.into_iter().chain(next).min().unwrap().max(host.now);
        }
    }

    /// 14: from one end of time to the other, under any policy.
    #[test]
    fn extreme_times_under_any_policy_do_not_overflow(
        steps in vec(
            (
                prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(i64::MAX - 1), any::<i64>()],
                prop::sample::select(vec![200_u16, 400, 404, 410, 429, 500, 503]),
                of(prop_oneof![Just(u64::MAX), 0..100_u64]),
                0..8_u8,
            ),
            1..25,
        ),
    ) {
        let longest = Duration::MAX;
        let far = RetryPolicy::new(Schedule::list([Duration::ZERO, longest]).forever())
            .with_attempt_timeout(longest)
            .with_window(longest)
            .with_retry_after_cap(longest);
        let health = HealthPolicy::new()
            .with_failures(NonZeroU32::MIN)
            .with_refused_for(longest)
            .with_probes(longest, longest)
            .with_shed_after(longest)
            .with_disable_after(longest);
        let flow = FlowPolicy::adaptive()
            .with_concurrency(ConcurrencyLimitPolicy::adaptive(nonzero(u32::MAX), nonzero(u32::MAX)))
            .with_rate_limit(RateLimitPolicy::new(nonzero(1), longest).with_burst(nonzero(u32::MAX)));
        let make = || {
            let endpoints = [
                default_endpoint("a"),
                default_endpoint("b").with_retry(far.clone()).with_health(health).with_flow(flow),
                default_endpoint("c").with_order(Order::strict().with_skip_after(longest)),
            ];
            Outbox::new(registry(endpoints), 7).with_retention(longest)
        };
        let mut host = Host::new(make());
        for (number, (micros, status, asked, act)) in steps.into_iter().enumerate() {
            host.now = Timestamp::from_unix_micros(micros);
            host.publish(&format!("m{number}"));
            for ticket in host.sends() {
                let outcome = retry_after(status, asked, host.now);
                host.resolve(&ticket, &outcome);
            }
            let (id, now) = (eid(["a", "b", "c"][number % 3]), host.now);
            match act {
                0 => _ = host.outbox.pause_endpoint(&id, now),
                1 => _ = host.outbox.resume_endpoint(&id, now),
                2 => _ = host.outbox.disable_endpoint(&id, None, now),
                3 => _ = host.enable(id.as_str()),
                4 => {
                    let plan = host.outbox.plan_replay(&ReplayFilter::all(), longest, now);
                    replay_all(&mut host.outbox, &plan, now);
                }
                5 => {
                    // Everything is saved before.
                    host.sends();
                    host.restart(make());
                }
                _ => {}
            }
            // Polling ends, and with a wait after now.
            host.sends();
        }
    }

    /// 19: not before the time to disable is over, and then with the result of the last probe.
    #[test]
    fn disabling_is_on_time(
        first in 1..50_u64,
        longest in 1..100_u64,
        timeout in 1..20_u64,
        after in 1..300_u64,
        latencies in vec(of(0..12_u64), 8),
    ) {
        let health = HealthPolicy::new()
            .with_failures(NonZeroU32::MIN)
            .with_probes(secs(first), secs(longest))
            .with_disable_after(secs(after));
        let for_ever = RetryPolicy::new(Schedule::list([secs(1)]).forever());
        let for_ever = for_ever.with_attempt_timeout(secs(timeout));
        let mut host = Host::with([endpoint("a").with_health(health).with_retry(for_ever)]);
        for id in ["m", "n"] {
            host.publish(id);
        }
        let (mut replies, mut number) = (Vec::<(Timestamp, Ticket, Outcome)>::new(), 0);
        while host.disabled("a").is_none() {
            let now = host.now;
            for (_, ticket, outcome) in replies.extract_if(.., |(when, ..)| *when <= now) {
                host.outbox.resolve(&ticket, &outcome, now);
            }
            for ticket in host.sends() {
                number += 1;
                let latency = latencies[number % latencies.len()].filter(|it| *it < timeout);
                let timed_out = Outcome::failed(Failure::Timeout);
                let outcome = latency.map_or(timed_out, |_| answer(500));
                replies.push((now + secs(latency.unwrap_or(timeout)), ticket, outcome));
            }
            // There is always a message to probe with.
            if number < 4 && !host.health("a").state().is_healthy() {
                host.publish(&format!("spare{number}"));
            }
            let next = replies.iter().map(|it| it.0).chain(host.wait).min().unwrap();
            host.now = next.max(now);
        }
        host.sends();
        let down = host.notices.iter().find_map(|notice| match notice {
            Notice::EndpointDown { since, .. } => Some(*since),
            _ => None,
        });
        let (over, since) = (down.unwrap() + secs(after), host.disabled("a").unwrap().since);
        prop_assert!(since >= over, "early");
        let late = since.saturating_since(over);
        prop_assert!(late <= secs(timeout), "late by {late:?}");
    }

    /// 7 and 22: attempts keep to the rate limit, and nothing except what is sent counts as an
    /// attempt.
    #[test]
    fn attempts_keep_to_the_rate(
        (releases, per, burst) in (1..5_u32, 1..5_u64, 1..4_u32),
        batch in 1..5_usize,
        times in vec(0..60_u64, 1..30),
        salt in any::<u64>(),
    ) {
        let rate = RateLimitPolicy::new(nonzero(releases), secs(per)).with_burst(nonzero(burst));
        let flow = FlowPolicy::fixed().with_rate_limit(rate);
        let endpoints = [endpoint("a").with_flow(flow).with_retry(policy(&[1, 3, 9]))];
        let batch = NonZeroUsize::new(batch).unwrap();
        let mut host = Host::new(Outbox::new(registry(endpoints), 7).with_batch(batch).with_save_limit(batch));
        let mut times = times;
        times.sort_unstable();
        let mut times = times.into_iter().map(|it| at(0) + secs(it)).enumerate().peekable();
        let mut sent = Vec::new();
        while times.peek().is_some() || host.outbox.pending() > 0 {
            while let Some((id, _)) = times.next_if(|(_, when)| *when <= host.now) {
                host.publish(&format!("m{id}"));
            }
            for ticket in host.sends() {
                sent.push(host.now.saturating_since(at(0)));
                host.resolve(&ticket, &answer(pick(salt, &ticket, &[200, 500, 500])));
            }
            host.sends();
            let next = times.peek().map(|it| it.1);
            host.now = host.wait.into_iter().chain(next).min().unwrap();
        }
        let attempts: u32 = host.outbox.deliveries().map(|(.., it)| it.attempts()).sum();
        prop_assert_eq!(usize::try_from(attempts).unwrap(), sent.len());
        for (index, first) in sent.iter().enumerate() {
            for (count, last) in (1..).zip(&sent[index..]) {
                let time = (*last - *first).as_micros();
                let most = u128::from(burst) + u128::from(releases) * time / secs(per).as_micros();
                prop_assert!(count <= most, "{count} in {time} µs");
            }
        }
    }

    /// 26: while each endpoint has a backlog, none is more than one attempt behind another.
    #[test]
    fn backlogged_endpoints_take_turns(
        count in 2..7_usize,
        batch in 1..9_usize,
        backlog in 1..20_usize,
        salt in any::<u64>(),
    ) {
        let ids: Vec<_> = (0..count).map(|it| format!("e{it}")).collect();
        let wide = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(nonzero(1_000)));
        let endpoints = ids.iter().map(|id| endpoint(id).with_flow(wide).with_retry(policy(&[0, 0])));
        let batch = NonZeroUsize::new(batch).unwrap();
        let mut host = Host::new(Outbox::new(registry(endpoints), 7).with_batch(batch).with_save_limit(batch));
        for number in 0..backlog {
            host.publish(&format!("m{number}"));
        }
        let mut shares = vec![0_usize; count];
        for ticket in host.sends() {
            let which = ids.iter().position(|id| *id == ticket.endpoint().as_str()).unwrap();
            shares[which] += 1;
            let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{shares:?}");
            host.resolve(&ticket, &answer(pick(salt, &ticket, &[200, 500])));
        }
        prop_assert!(shares.iter().all(|share| *share == backlog));
    }

    /// 27 and 28: whatever is replayed meanwhile, an attempt starts only when everything before it
    /// in its key has ended.
    #[test]
    fn replay_keeps_the_order_of_its_key(
        runs in vec(0..3_u8, 1..10),
        replays in vec((0..20_usize, any::<bool>(), of(0..10_u8), 0..3_u64), 0..8),
        salt in any::<u64>(),
    ) {
        let orderly = endpoint("a").with_order(Order::per_key()).with_retry(policy(&[1, 2]));
        let mut host = Host::with([orderly]);
        for (number, run) in runs.iter().enumerate() {
            let run = format!("r{run}");
            let event = Event::new(RunStateChanged::new(run.as_str(), RunState::Started), at(0));
            let message = event.into_message(mid(&format!("m{number}"))).unwrap();
            host.outbox.publish(message, at(0)).unwrap();
        }
        let mut live: Vec<Ticket> = Vec::new();
        for round in 0..400 {
            for ticket in host.sends() {
                let number: usize = ticket.message().as_str()[1..].parse().unwrap();
                for before in (0..number).filter(|before| runs[*before] == runs[number]) {
                    let before = host.verdict(&format!("m{before}"), "a");
                    prop_assert!(before.is_some(), "{} overtakes", ticket.message());
                }
                live.push(ticket);
            }
            for (_, failed, message, spacing) in replays.iter().filter(|it| it.0 == round) {
                let mut selection = ReplayFilter::all();
                if *failed {
                    selection = selection.only_failed();
                }
                if let Some(number) = message {
                    selection = selection.with_message(mid(&format!("m{number}")));
                }
                let plan = host.outbox.plan_replay(&selection, secs(*spacing), host.now);
                replay_all(&mut host.outbox, &plan, host.now);
            }
            // Some get a response at once, the others when there is nothing else to do.
            let late = live.extract_if(.., |it| pick(salt + 1, it, &[true, false]));
            let late: Vec<_> = late.collect();
            let answered = if live.is_empty() { late } else { std::mem::replace(&mut live, late) };
            for ticket in &answered {
                host.resolve(ticket, &answer(pick(salt, ticket, &[200, 500, 500])));
            }
            if answered.is_empty() {
                if host.outbox.pending() == 0 && replays.iter().all(|it| it.0 < round) {
                    break;
                }
                host.now = host.wait.unwrap_or(host.now).min(host.now + secs(5));
            }
        }
        prop_assert_eq!(host.outbox.pending(), 0);
    }
}
