//! What may happen next in a [`World`], what must hold in it, and when two are the same.

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use labhook::Verdict;
use labhook::delivery::Failure;
use labhook::outbox::{Change, Changes, Record};

use super::duty::{Duty, Guarantee, Input, Jump, Who};
use super::world::{Driver, Request, Tally, World};
use crate::small_scope::digest::{Pieces, Retention, digest};
use crate::small_scope::search::Model;

impl World<'_> {
    /// Whether a process can take over: none has, or the limit allows for another.
    fn can_start(&self) -> bool {
        let has_slot = self.drivers.iter().any(Option::is_none);
        has_slot && (self.charge().is_none() || self.used.takeovers < self.scope.limits.takeovers)
    }

    fn can_publish(&self, who: Who, number: usize) -> bool {
        let tally = self.tallies[number];
        let too_old = tally.first.is_some_and(|it| self.scope.is_too_old(it, self.now(who)));
        !tally.acknowledged && !too_old && self.driver(who).published[number].is_none()
    }

    /// The ways to fail in the duty that is left out.
    fn faults(&self) -> Vec<u8> {
        let Some(duty) = self.scope.without else { return Vec::new() };
        if self.used.faults == self.scope.limits.faults {
            return Vec::new();
        }
        let drivers = |may: &dyn Fn(Who) -> bool| -> Vec<u8> {
            self.all().filter(|(who, it)| it.awake && may(*who)).map(|(who, _)| who.0).collect()
        };
        let requests = || (0..u8::try_from(self.wire.len()).unwrap()).collect();
        match duty {
            // A save is confirmed that is not written.
            Duty::ConfirmWhatIsDurable => drivers(&|who| {
                self.driver(who).saving.as_ref().is_some_and(|it| it.written < it.changes.len())
            }),
            // The fence is looked at, and the write comes later.
            Duty::FenceInTheWrite => drivers(&|who| {
                let driver = self.driver(who);
                driver.epoch == self.epoch
                    && driver.saving.as_ref().is_some_and(|it| !it.checked && it.written == 0)
            }),
            // Records are read before the fence is set.
            Duty::FenceBeforeReading if self.can_start() && self.read.is_none() => vec![0],
            // A driver that was deposed gets the lock again, and goes on with what it knows.
            Duty::RestoreOnceDeposed => drivers(&|who| self.driver(who).epoch < self.epoch),
            Duty::LetNothingLandLate if self.late.is_some() => vec![0],
            // A message that was forgotten is published again.
            Duty::PublishWithinRetention => drivers(&|who| {
                let driver = self.driver(who);
                driver.epoch == self.epoch
                    && self.tallies[0].ended
                    && driver.outbox.deliveries().next().is_none()
            }),
            Duty::SendOnce | Duty::FollowNoRedirects | Duty::ReportDoubtAsDoubt => requests(),
            _ => Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, which: u8) {
        self.used.faults += 1;
        let who = Who(which);
        match self.scope.without.unwrap() {
            Duty::ConfirmWhatIsDurable => self.act_on(Input::Confirm(who)),
            Duty::FenceInTheWrite => {
                self.driver_mut(who).saving.as_mut().unwrap().checked = true;
            }
            Duty::PublishWithinRetention => self.act_on(Input::Publish(who, 0)),
            Duty::FenceBeforeReading => self.read = Some(self.store.clone()),
            Duty::RestoreOnceDeposed => {
                self.epoch += 1;
                let epoch = self.epoch;
                self.driver_mut(who).epoch = epoch;
            }
            Duty::LetNothingLandLate => {
                let (changes, epoch) = self.late.take().unwrap();
                if epoch == self.epoch {
                    changes.into_iter().for_each(|change| self.carry_out(change));
                }
            }
            Duty::SendOnce => {
                let ticket = self.wire[usize::from(which)].ticket.clone();
                self.count(&ticket);
            }
            Duty::FollowNoRedirects => {
                let number = self.number(self.wire[usize::from(which)].ticket.message().as_str());
                self.tallies[number].refused += 1;
                self.act_on(Input::Answer(which, 200));
            }
            Duty::ReportDoubtAsDoubt => {
                self.answer(usize::from(which), &labhook::Outcome::failed(Failure::Connect));
            }
            other => unreachable!("{other:?} is left out in another way"),
        }
    }

    fn act_on(&mut self, input: Input) {
        let broken = self.apply(input);
        self.broken.extend(broken);
    }

    /// Notes what is broken whoever did it.
    pub(super) fn judge(&mut self) {
        for number in 0..self.tallies.len() {
            let tally = self.tallies[number];
            let deliveries = self.deliveries(number);
            let unanswered: u32 = deliveries.iter().map(|(_, it)| it.unanswered()).sum();
            let copies = u32::from(tally.sent.saturating_sub(tally.refused).saturating_sub(1));
            let known = !deliveries.is_empty() || self.charge().is_none();
            if !self.scope.at_most_once && copies > unanswered && known {
                self.broken.push(Guarantee::BoundedCopies);
            }
            let verdict = deliveries.iter().find(|it| !it.0).map(|it| it.1.verdict());
            if tally.notified.is_some() && verdict.is_some_and(|it| it != tally.notified) {
                self.broken.push(Guarantee::FinalVerdicts);
            }
        }
    }
}

impl Model for World<'_> {
    type Input = Input;
    type Broken = Guarantee;

    fn inputs(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        let limits = self.scope.limits;
        for (who, driver) in self.all() {
            if !driver.awake {
                inputs.push(Input::Wake(who));
                continue;
            }
            let in_charge = driver.epoch == self.epoch;
            if driver.stale {
                inputs.push(Input::Poll(who));
            }
            let next = (0..self.tallies.len()).find(|it| self.can_publish(who, *it));
            if let Some(number) = next.filter(|_| in_charge) {
                inputs.push(Input::Publish(who, u8::try_from(number).unwrap()));
            }
            if let Some(saving) = &driver.saving {
                let whole = saving.written >= saving.changes.len();
                inputs.push(if whole { Input::Confirm(who) } else { Input::Write(who) });
                if self.used.unsaved < limits.unsaved {
                    inputs.push(Input::Unsaved(who));
                }
            }
            let held = 0..u8::try_from(driver.held.len()).unwrap();
            inputs.extend(held.map(|index| Input::Send(who, index)));
            if in_charge && self.used.crashes < limits.crashes {
                inputs.push(Input::Crash(who));
            }
        }
        if self.can_start() {
            inputs.push(Input::Start);
        }
        for (index, request) in (0..).zip(&self.wire) {
            if self.driver(request.who).awake {
                inputs.extend([200, 500].map(|status| Input::Answer(index, status)));
                inputs.push(Input::Broken(index));
            }
        }
        let rested = self.charge().is_some_and(|(_, it)| it.awake && !it.stale);
        let may_wait = !self.is_busy() || self.used.slow < limits.slow;
        if rested && may_wait && self.passes().is_some() {
            inputs.push(Input::Sleep);
        }
        if self.used.jumps < limits.jumps {
            let may = |jump: &Jump| match jump {
                Jump::ToWait => self.passes().is_some(),
                Jump::Right => self.wrong != 0,
                _ => true,
            };
            inputs.extend(Jump::ALL.into_iter().filter(may).map(Input::Jump));
        }
        inputs.extend(self.faults().into_iter().map(Input::Fault));
        inputs
    }

    fn fair(&self) -> Option<Input> {
        let Some((who, driver)) = self.charge() else { return Some(Input::Start) };
        if !driver.awake {
            return Some(Input::Wake(who));
        }
        if driver.stale {
            return Some(Input::Poll(who));
        }
        if let Some(saving) = &driver.saving {
            let whole = saving.written >= saving.changes.len();
            return Some(if whole { Input::Confirm(who) } else { Input::Write(who) });
        }
        if !driver.held.is_empty() {
            return Some(Input::Send(who, 0));
        }
        let mut wire = (0..).zip(&self.wire);
        if let Some((index, _)) = wire.find(|(_, it)| it.who == who) {
            return Some(Input::Answer(index, 200));
        }
        let next = (0..self.tallies.len()).find(|it| self.can_publish(who, *it));
        if let Some(number) = next {
            return Some(Input::Publish(who, u8::try_from(number).unwrap()));
        }
        driver.wait.map(|_| Input::Sleep)
    }

    fn act(&mut self, input: Input) -> Vec<Guarantee> {
        self.apply(input)
    }

    fn check(&self) {
        for (who, driver) in self.all().filter(|(_, it)| it.awake && !it.stale) {
            let wait = driver.wait.map(|it| it.saturating_since(self.now(who)));
            // A step back of less than a second is not followed.
            let longest = self.scope.longest_wait() + Duration::from_secs(1);
            assert!(wait.is_none_or(|it| it < longest), "waits for {wait:?}");
        }
    }

    fn check_end(&self) -> Vec<Guarantee> {
        let is_lost = |number: usize| {
            let tally = self.tallies[number];
            let deliveries = self.deliveries(number);
            let ended = deliveries.iter().all(|(_, it)| it.verdict().is_some());
            let present = !deliveries.is_empty() || tally.ended;
            let delivered =
                deliveries.iter().any(|(_, it)| it.verdict() == Some(Verdict::Delivered));
            let unreceived = delivered && tally.sent <= tally.refused;
            tally.acknowledged && (!ended || !present || unreceived)
        };
        let lost = (0..self.tallies.len()).any(is_lost);
        if lost { vec![Guarantee::NothingLost] } else { Vec::new() }
    }

    fn digest(&self, text: &mut String) -> u64 {
        text.clear();
        let change = |text: &mut String, change: &Change| match change {
            Change::Put(it) => {
                let _ = write!(text, "{}", it.key());
                record(text, it);
            }
            Change::Delete(key) => _ = write!(text, "{key} away,"),
        };
        let list = |text: &mut String, changes: &Changes| {
            changes.iter().for_each(|it| change(text, it));
        };
        let mut parts = Vec::new();
        for (who, driver) in self.all() {
            parts.push(Rc::clone(driver.pieces(self.scope.retention())));
            let in_charge = driver.epoch == self.epoch;
            let _ = write!(
                text,
                "{who}{in_charge}{}{}{:?}{:?},",
                driver.awake, driver.stale, driver.wait, driver.ahead
            );
            if let Some(saving) = &driver.saving {
                list(text, &saving.changes);
                let _ = write!(text, "{}{}", saving.written, saving.checked);
            }
            for attempt in &driver.held {
                let _ = write!(text, "held {:?}{:?},", attempt.ticket(), attempt.deadline());
            }
            let saving = driver.saving.as_ref().map(|it| it.changes.revision());
            for published in &driver.published {
                let _ = write!(text, "{:?}", published.map(|it| saving.map(|of| it <= of)));
            }
        }
        let restarts = self.used.crashes < self.scope.limits.crashes
            || self.used.takeovers < self.scope.limits.takeovers
            || self.charge().is_none()
            || self.scope.without.is_some();
        for (key, it) in self.store.iter().filter(|_| restarts) {
            let _ = write!(text, "{key}");
            record(text, it);
        }
        if let Some(read) = &self.read {
            text.push_str("read");
            for (key, it) in read {
                let _ = write!(text, "{key}");
                record(text, it);
            }
        }
        if let Some((changes, epoch)) = &self.late {
            let _ = write!(text, "late{}", *epoch == self.epoch);
            list(text, changes);
        }
        for Request { who, ticket, left } in &self.wire {
            let _ = write!(text, "{who}{ticket:?}{left:?}");
        }
        let may_jump = self.used.jumps < self.scope.limits.jumps;
        for tally in &self.tallies {
            // Its age matters until it is too old to be published again.
            let aged = !tally.acknowledged && self.scope.retention() == Retention::Ends;
            let _ = write!(text, "{:?}", Tally { first: tally.first.filter(|_| aged), ..*tally });
        }
        let _ = write!(text, "{:?}", self.used);
        if may_jump {
            let _ = write!(text, "off {}s", self.wrong / 500_000);
        }
        let rest = Pieces::new(text, self.scope.retention());
        digest(parts.iter().map(Rc::as_ref).chain([&rest]), self.clock)
    }
}

impl Driver {
    fn pieces(&self, retention: Retention) -> &Rc<Pieces> {
        self.text.get_or_init(|| Rc::new(Pieces::new(&format!("{:?}", self.outbox), retention)))
    }
}

fn record(text: &mut String, record: &Record) {
    let _ = match record {
        Record::Delivery(record) => write!(text, "{:?},", record.delivery()),
        Record::Message(_) => write!(text, "message,"),
        other => write!(text, "{other:?},"),
    };
}
