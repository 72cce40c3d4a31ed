//! One endpoint's health, step by step: its ladder, and the faults of others.

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use labhook::health::{
    DisabledBy, EnableError, EnabledBy, Gate, Health, Intake, NewMessages, PendingOnDisable,
    Permit, SenderOutage, Signal, SignalEffect, State, Transition,
};
use labhook::{HealthPolicy, Timestamp};

use SenderOutage::{Clear, Suspected};
use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};
use State::{Degraded, Disabled, Healthy, Suspended};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn restored(health: &Health) -> Health {
    serde_json::from_str(&serde_json::to_string(health).unwrap()).unwrap()
}

/// An endpoint with its policy.
pub(crate) struct Bed {
    pub(crate) policy: HealthPolicy,
    pub(crate) health: Health,
}

impl Bed {
    pub(crate) fn new(policy: HealthPolicy) -> Self {
        Self { policy, health: Health::new() }
    }

    pub(crate) fn admit(&mut self, now: i64) -> Gate {
        self.health.poll(&self.policy, Clear, at(now)).admit
    }

    pub(crate) fn pass(&mut self, now: i64) -> Permit {
        self.health.start(&self.policy, at(now)).unwrap()
    }

    pub(crate) fn record(&mut self, pass: Permit, signal: Signal, now: i64) -> SignalEffect {
        self.health.record(&self.policy, Clear, pass, signal, at(now))
    }

    /// Starts an attempt and records what became of it.
    pub(crate) fn attempt(&mut self, signal: Signal, now: i64) -> SignalEffect {
        let pass = self.pass(now);
        self.record(pass, signal, now)
    }

    pub(crate) fn edge(&mut self, signal: Signal, now: i64) -> (State, State) {
        let Transition { from, to, at: when, .. } = self.attempt(signal, now).transition().unwrap();
        assert_eq!(when, at(now));
        (from, to)
    }

    /// Tripped at `now`.
    pub(crate) fn degraded(policy: HealthPolicy, now: i64) -> Self {
        let mut bed = Self::new(policy);
        for _ in 1..bed.policy.failures().unwrap().get() {
            assert_eq!(bed.attempt(EndpointFault, now), SignalEffect::Counted);
        }
        assert_eq!(bed.edge(EndpointFault, now), (Healthy, Degraded));
        bed
    }

    /// Suspended by probes that failed when they were due; and since when.
    pub(crate) fn suspended(policy: HealthPolicy, now: i64) -> (Self, i64) {
        let mut bed = Self::degraded(policy, now);
        loop {
            let due = bed.health.wake_at().unwrap().unix_seconds();
            if bed.attempt(EndpointFault, due).transition().is_some() {
                assert_eq!(bed.health.state(), Suspended);
                return (bed, due);
            }
        }
    }
}

pub(crate) fn default() -> HealthPolicy {
    HealthPolicy::default()
}

#[test]
fn an_outage_goes_down_the_ladder_to_its_end() {
    let mut bed = Bed::degraded(default(), 0);
    let mut now = 0;
    let mut waits = Vec::new();
    let mut edges = Vec::new();
    while bed.health.state() != Disabled {
        let due = bed.health.wake_at().unwrap().unix_seconds();
        assert_eq!(bed.admit(due - 1), Gate::Hold { until: at(due) });
        assert_eq!(bed.health.start(&bed.policy, at(due - 1)), None);
        assert_eq!(bed.admit(due), Gate::Probe);
        waits.push(due - now);
        now = due;
        edges.extend(bed.attempt(EndpointFault, due).transition());
    }
    let week = 7 * 86_400;
    assert_eq!(waits[..7], [300, 600, 1200, 2400, 3600, 14400, 14400]);
    assert!(waits[7..waits.len() - 1].iter().all(|wait| *wait == 14400), "{waits:?}");
    let edges: Vec<_> = edges.iter().map(|edge| (edge.to, edge.at)).collect();
    assert_eq!(edges, [(Suspended, at(22_500)), (Disabled, at(22_500 + week))]);
    let disabled = bed.health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Escalation, at(22_500 + week)));
    assert_eq!(bed.admit(now), Gate::Disabled);
    assert_eq!((bed.health.wake_at(), bed.health.claim_at()), (None, None));
    let most = default().time_to_disable().unwrap();
    assert_eq!(most, secs(22_500 + 7 * 86_400 + 7 * 30));
}

#[test]
fn each_success_of_a_probe_climbs_one_state() {
    let (mut bed, since) = Bed::suspended(default(), 0);
    let due = since + 14_400;
    assert_eq!(bed.edge(Success, due), (Suspended, Degraded));
    assert_eq!(bed.health.failures(), 0);
    assert_eq!(bed.admit(due), Gate::Hold { until: at(due + 300) });
    let recovery = bed.attempt(Success, due + 300).transition().unwrap();
    assert_eq!((recovery.from, recovery.to), (Degraded, Healthy));
    assert!(recovery.is_recovery());
    assert_eq!(bed.admit(due + 300), Gate::Open);
    assert_eq!(bed.health.since(), None);
}

#[test]
fn a_suspension_after_a_success_begins_its_time_anew() {
    let policy = default()
        .with_suspend_after(NonZeroU32::MIN)
        .with_disable_after(secs(1_000))
        .with_probes(secs(900), []);
    let mut bed = Bed::degraded(policy, 0);
    assert_eq!(bed.edge(EndpointFault, 900), (Degraded, Suspended));
    assert_eq!(bed.edge(Success, 1_800), (Suspended, Degraded));
    assert_eq!(bed.edge(EndpointFault, 2_700), (Degraded, Suspended));
    assert_eq!(bed.attempt(EndpointFault, 3_600), SignalEffect::Counted);
    // The last probe comes when the time is over, and not a whole wait later.
    assert_eq!(bed.admit(3_600), Gate::Hold { until: at(3_700) });
    assert_eq!(bed.edge(EndpointFault, 3_700), (Suspended, Disabled));
}

#[test]
fn a_probe_without_an_answer_fails_at_its_deadline() {
    let mut bed = Bed::degraded(default(), 0);
    let pass = bed.pass(300);
    assert!(pass.is_probe());
    assert_eq!(pass.deadline(), Some(at(330)));
    assert_eq!(bed.admit(329), Gate::Probing { deadline: at(330) });
    assert_eq!(bed.health.wake_at(), Some(at(330)));
    // However late that is found, the wait begins at the deadline.
    assert_eq!(bed.admit(400), Gate::Hold { until: at(930) });
    assert_eq!(bed.health.failures(), 1);
    assert_eq!(bed.record(pass, Success, 401), SignalEffect::Ignored);
    // Found by nobody, its answer counts, be it late.
    let pass = bed.pass(930);
    assert!(bed.record(pass, Success, 2_000).transition().unwrap().is_recovery());
}

#[test]
fn an_edge_that_poll_finds_is_told_once() {
    let policy = default().with_suspend_after(NonZeroU32::MIN);
    let mut bed = Bed::degraded(policy, 0);
    let _probe = bed.pass(300);
    let edge = bed.health.poll(&bed.policy, Clear, at(9_999)).edge.unwrap();
    assert_eq!((edge.from, edge.to, edge.at), (Degraded, Suspended, at(330)));
    assert_eq!(bed.health.poll(&bed.policy, Clear, at(9_999)).edge, None);
}

#[test]
fn while_the_guard_holds_only_waits_begin() {
    let (mut bed, since) = Bed::suspended(default().with_disable_after(secs(20_000)), 0);
    let mut now = since + 14_400;
    for _ in 0..500 {
        let pass = bed.pass(now);
        let recorded = bed.health.record(&bed.policy, Suspected, pass, EndpointFault, at(now));
        assert_eq!(recorded, SignalEffect::Counted);
        assert_eq!(bed.admit(now), Gate::Hold { until: at(now + 300) });
        now += 300;
    }
    // The first 14 400 s led up to a guarded failure: all 20 000 s are to come from there.
    let from = now - 300;
    let _ = bed.attempt(EndpointFault, now);
    assert_eq!(bed.admit(now), Gate::Hold { until: at(now + 14_400) });
    assert_eq!(bed.attempt(EndpointFault, now + 14_400), SignalEffect::Counted);
    assert_eq!(bed.admit(now + 14_400), Gate::Hold { until: at(from + 20_000) });
    assert_eq!(bed.edge(EndpointFault, from + 20_000), (Suspended, Disabled));
    // Where the probe before failed by the endpoint's fault, only the time since then is left out.
    let (mut bed, since) = Bed::suspended(default().with_disable_after(secs(20_000)), 0);
    let _ = bed.attempt(EndpointFault, since + 14_400);
    let pass = bed.pass(since + 20_000);
    let _ = bed.health.record(&bed.policy, Suspected, pass, EndpointFault, at(since + 20_000));
    let _ = bed.attempt(EndpointFault, since + 20_300);
    assert_eq!(bed.admit(since + 20_300), Gate::Hold { until: at(since + 25_600) });
    // A probe that the guard outlives without an answer is no different.
    let mut bed = Bed::degraded(default().with_suspend_after(NonZeroU32::MIN), 0);
    let _probe = bed.pass(300);
    let standing = bed.health.poll(&bed.policy, Suspected, at(330));
    assert_eq!((standing.edge, standing.admit), (None, Gate::Hold { until: at(630) }));
    assert_eq!(bed.health.state(), Degraded);
}

#[test]
fn a_pause_stops_everything_and_its_time_does_not_count() {
    let (mut bed, since) = Bed::suspended(default().with_disable_after(secs(20_000)), 0);
    assert!(bed.health.pause(at(since + 100)));
    assert!(!bed.health.pause(at(since + 200)));
    assert_eq!(bed.health.paused_since(), Some(at(since + 100)));
    assert_eq!(bed.admit(since + 99_999), Gate::Paused);
    assert_eq!((bed.health.wake_at(), bed.health.claim_at()), (None, None));
    assert_eq!(bed.health.start(&bed.policy, at(since + 99_999)), None);
    let resumed = since + 1_000_000;
    assert!(bed.health.resume(at(resumed)));
    assert!(!bed.health.resume(at(resumed)));
    // The probe has been due for long; of the time, 100 s are used up.
    assert_eq!(bed.admit(resumed), Gate::Probe);
    assert_eq!(bed.health.claim_at(), Some(at(since + 14_400)));
    let _ = bed.attempt(EndpointFault, resumed);
    let _ = bed.attempt(EndpointFault, resumed + 14_400);
    assert_eq!(bed.admit(resumed + 14_400), Gate::Hold { until: at(resumed + 19_900) });
}

#[test]
fn a_probe_that_ends_in_a_pause_neither_suspends_nor_is_lost() {
    let mut bed = Bed::degraded(default().with_suspend_after(NonZeroU32::MIN), 0);
    let _probe = bed.pass(300);
    assert!(bed.health.pause(at(301)));
    assert_eq!(bed.health.wake_at(), Some(at(330)), "what is in flight stays so");
    assert_eq!(bed.admit(330), Gate::Paused);
    assert!(bed.health.resume(at(331)));
    assert_eq!(bed.health.state(), Degraded);
    assert_eq!(bed.admit(331), Gate::Hold { until: at(630) });
    // A success climbs, and the pause is the person's still.
    let probe = bed.pass(630);
    assert!(bed.health.pause(at(631)));
    assert!(bed.record(probe, Success, 632).transition().unwrap().is_recovery());
    assert_eq!(bed.admit(633), Gate::Paused);
}

#[test]
fn automation_never_undoes_a_person() {
    let mut health = Health::new();
    assert_eq!(health.enable(EnabledBy::Operator, at(0)), Err(EnableError::NotDisabled));
    let edge = health.disable(Some("moved to plate 7".to_owned()), at(5)).unwrap();
    assert_eq!((edge.from, edge.to, edge.is_disabling()), (Healthy, Disabled, true));
    assert_eq!(health.enable(EnabledBy::Automation, at(6)), Err(EnableError::ByOperator));
    assert_eq!(health.disable(None, at(7)), None);
    let disabled = health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Operator, at(5)));
    assert_eq!(disabled.reason.as_deref(), Some("moved to plate 7"));
    assert!(health.enable(EnabledBy::Operator, at(8)).is_ok());
    assert_eq!(health.state(), Healthy);
    assert_eq!(EnableError::NotDisabled.to_string(), "the endpoint is not disabled");
    assert_eq!(
        EnableError::ByOperator.to_string(),
        "an operator disabled the endpoint, and only an operator enables it"
    );
}

#[test]
fn a_receiver_that_wants_no_more_is_heard_in_any_state() {
    let mut bed = Bed::new(default());
    let (first, late) = (bed.pass(0), bed.pass(0));
    assert_eq!(bed.record(first, Gone, 1).transition().unwrap().from, Healthy);
    assert_eq!(bed.health.disabled().unwrap().by, DisabledBy::Receiver);
    assert_eq!(bed.record(late, Gone, 2), SignalEffect::Ignored);
    // The decision becomes the operator's, and since when it stays.
    assert_eq!(bed.health.disable(None, at(3)), None);
    let disabled = bed.health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Operator, at(1)));
    // While the guard holds, too: it is no failure.
    let (mut bed, since) = Bed::suspended(default(), 0);
    let probe = bed.pass(since + 14_400);
    let recorded = bed.health.record(&bed.policy, Suspected, probe, Gone, at(since + 14_401));
    assert_eq!(recorded.transition().unwrap().from, Suspended);
}

#[test]
fn new_messages_are_held_or_shed() {
    let policy = default()
        .with_new_messages(NewMessages::Shed)
        .with_pending_on_disable(PendingOnDisable::Keep);
    let mut bed = Bed::degraded(policy, 0);
    let intake = |bed: &Bed, now| bed.health.intake(&bed.policy, at(now));
    assert_eq!(intake(&Bed::new(default()), 0), Intake::Take);
    assert_eq!(intake(&bed, 1), Intake::Take, "degraded always holds");
    let since = loop {
        let due = bed.health.wake_at().unwrap().unix_seconds();
        if bed.attempt(EndpointFault, due).transition().is_some() {
            break due;
        }
    };
    assert_eq!(intake(&bed, since), Intake::Shed);
    // The due probe needs a message, or the endpoint would never recover.
    assert_eq!(intake(&bed, since + 14_400), Intake::TakeIfNoneWaits);
    let _probe = bed.pass(since + 14_400);
    assert_eq!(intake(&bed, since + 14_400), Intake::Shed);
    let held = default();
    assert_eq!(bed.health.intake(&held, at(since)), Intake::Take);
    bed.health.disable(None, at(since + 14_401));
    assert_eq!(intake(&bed, since + 14_402), Intake::Shed);
}

#[test]
fn a_threshold_of_one_and_one_of_255_are_met() {
    for failures in [1, 255] {
        let policy = default().with_failures(NonZeroU8::new(failures));
        assert_eq!(Bed::degraded(policy, 0).health.state(), Degraded);
    }
}

#[test]
fn the_saved_form_is_this_one() {
    let json = |health: &Health| serde_json::to_string(health).unwrap();
    let mut bed = Bed::new(default());
    assert_eq!(json(&bed.health), r#"{"serial":0,"enabled":0,"state":{"healthy":{}}}"#);
    let _ = bed.attempt(EndpointFault, 1);
    let _ = bed.attempt(Overload, 2);
    assert_eq!(
        json(&bed.health),
        concat!(
            r#"{"serial":0,"enabled":0,"state":{"healthy":{"faults":[1000000],"#,
            r#""overload":{"first":2000000,"last":2000000,"count":1}}}}"#
        )
    );
    let mut bed = Bed::degraded(default().with_suspend_after(NonZeroU32::MIN), 0);
    let pass = bed.pass(300);
    assert_eq!(serde_json::to_string(&pass).unwrap(), r#"{"serial":1,"deadline":330000000}"#);
    assert_eq!(serde_json::from_str::<Permit>(r#"{"serial":7}"#).unwrap().deadline(), None);
    assert_eq!(
        json(&bed.health),
        concat!(
            r#"{"serial":1,"enabled":0,"state":{"degraded":{"since":0,"failed":0,"#,
            r#""probe":{"in_flight":{"serial":1,"started":300000000,"deadline":330000000}}}}}"#
        )
    );
    let _ = bed.record(pass, EndpointFault, 301);
    bed.health.pause(at(302));
    assert_eq!(
        json(&bed.health),
        concat!(
            r#"{"serial":1,"enabled":0,"paused_since":302000000,"state":{"suspended":{"#,
            r#""trouble":{"since":301000000,"failed":1,"probe":{"waiting":{"due":901000000}}},"#,
            r#""clock":{"from":301000000,"known":301000000}}}}"#
        )
    );
    bed.health.disable(Some("why".to_owned()), at(303));
    assert_eq!(
        json(&bed.health),
        concat!(
            r#"{"serial":1,"enabled":0,"paused_since":302000000,"#,
            r#""state":{"disabled":{"since":303000000,"by":"operator","reason":"why"}}}"#
        )
    );
    assert_eq!(restored(&bed.health), bed.health);
    assert_eq!(bed.health.state().to_string(), "disabled");
    for signal in [Success, EndpointFault, Overload, PayloadFault, SenderFault, Gone] {
        assert_eq!(serde_json::to_string(&signal).unwrap(), format!("\"{signal}\""));
    }
}
