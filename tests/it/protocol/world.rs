//! The world of the search: one store, two drivers, the receiver, and the publisher.
//!
//! Nothing here is random: a world follows from the list of its inputs.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use labhook::delivery::{Delivery, Failure};
use labhook::outbox::{Changes, Record, Revision};
use labhook::{Attempt, MessageId, Notice, Outbox, Outcome, Step, Ticket, Timestamp, Verdict};

use super::duty::{Duty, Guarantee, Input, Jump, Limits, Who};
use super::scope::{RETAIN, Scope, TIMEOUT};
use crate::small_scope::digest::Pieces;
use crate::support::{answer, at, secs};

/// A save that was handed out.
#[derive(Clone)]
pub(super) struct Saving {
    pub(super) changes: Changes,
    pub(super) written: usize,
    /// Whether the fence was looked at before, if that is not part of the write.
    pub(super) checked: bool,
}

/// A process with an outbox.
#[derive(Clone)]
pub(super) struct Driver {
    pub(super) epoch: u8,
    pub(super) outbox: Outbox,
    pub(super) awake: bool,
    /// Whether something has happened since the outbox was polled.
    pub(super) stale: bool,
    pub(super) saving: Option<Saving>,
    /// The latest revision that was reported as failed.
    pub(super) failed: Option<Revision>,
    pub(super) confirmed: Revision,
    /// Attempts that were handed out, of which no request is made yet.
    pub(super) held: Vec<Rc<Attempt>>,
    /// The revision that makes each message durable that was published here.
    pub(super) published: Vec<Option<Revision>>,
    pub(super) wait: Option<Timestamp>,
    /// How far its clock is ahead.
    pub(super) ahead: Duration,
    /// Its part of the digest, unless it has changed.
    pub(super) text: OnceCell<Rc<Pieces>>,
}

/// A request that the client has sent, and waits for.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) who: Who,
    pub(super) ticket: Ticket,
    /// After this time the client gives up.
    pub(super) left: Duration,
}

/// What is known of one message, by whatever id it goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) acknowledged: bool,
    pub(super) sent: u8,
    /// Requests that the receiver certainly did not accept.
    pub(super) refused: u8,
    pub(super) notified: Option<Verdict>,
    /// Whether the store has had its verdict.
    pub(super) ended: bool,
    /// The attempts that the store has had as in flight, and those sent: a bit for each.
    pub(super) started: u16,
    pub(super) numbers: u16,
    pub(super) renamed: bool,
    /// When it was published for the first time.
    pub(super) first: Option<Timestamp>,
}

#[derive(Clone)]
pub(crate) struct World<'a> {
    pub(super) scope: &'a Scope,
    pub(super) store: BTreeMap<String, Record>,
    /// The epoch of the driver that the store lets write.
    pub(super) epoch: u8,
    pub(super) drivers: [Option<Rc<Driver>>; 2],
    pub(super) wire: Vec<Request>,
    pub(super) tallies: Vec<Tally>,
    pub(super) clock: Timestamp,
    /// How far the clock is from the true time, in microseconds.
    pub(super) wrong: i64,
    pub(super) used: Limits,
    /// Records that were read before the fence was set.
    pub(super) read: Option<BTreeMap<String, Record>>,
    /// A save without an answer that is still under way, and its epoch.
    pub(super) late: Option<(Changes, u8)>,
    pub(super) broken: Vec<Guarantee>,
}

impl<'a> World<'a> {
    pub(crate) fn new(scope: &'a Scope) -> Self {
        let mut world = Self {
            scope,
            store: BTreeMap::new(),
            epoch: 0,
            drivers: [None, None],
            wire: Vec::new(),
            tallies: vec![Tally::default(); scope.messages.len()],
            clock: at(0),
            wrong: 0,
            used: Limits::default(),
            read: None,
            late: None,
            broken: Vec::new(),
        };
        world.start();
        world
    }

    pub(super) fn driver(&self, who: Who) -> &Driver {
        self.drivers[usize::from(who.0)].as_ref().unwrap()
    }

    pub(super) fn driver_mut(&mut self, who: Who) -> &mut Driver {
        let driver = Rc::make_mut(self.drivers[usize::from(who.0)].as_mut().unwrap());
        driver.text.take();
        driver
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Who, &Driver)> {
        let all = (0..).map(Who).zip(&self.drivers);
        all.filter_map(|(who, driver)| Some((who, driver.as_deref()?)))
    }

    /// The driver that the store lets write.
    pub(super) fn charge(&self) -> Option<(Who, &Driver)> {
        self.all().find(|(_, driver)| driver.epoch == self.epoch)
    }

    pub(super) fn now(&self, who: Who) -> Timestamp {
        self.clock + self.driver(who).ahead
    }

    /// Does what the input says, and returns what it breaks.
    pub(super) fn apply(&mut self, input: Input) -> Vec<Guarantee> {
        match input {
            Input::Publish(who, number) => self.publish(who, usize::from(number)),
            Input::Poll(who) => self.poll(who),
            Input::Write(who) => self.write(who),
            Input::Confirm(who) => self.confirm(who),
            Input::Unsaved(who) => {
                self.used.unsaved += 1;
                self.unsaved(who);
            }
            Input::Send(who, index) => self.send(who, usize::from(index)),
            Input::Answer(index, status) => self.answer(usize::from(index), &answer(status)),
            Input::Broken(index) => {
                self.answer(usize::from(index), &Outcome::failed(Failure::Broken));
            }
            Input::Crash(who) => {
                self.used.crashes += 1;
                self.end(who);
            }
            Input::Start => self.start(),
            Input::Wake(who) => self.driver_mut(who).awake = true,
            Input::Sleep => self.sleep(),
            Input::Jump(jump) => self.jump(jump),
            Input::Fault(which) => self.fault(which),
        }
        self.wire.sort_by(|one, other| (&one.ticket, one.who).cmp(&(&other.ticket, other.who)));
        self.judge();
        std::mem::take(&mut self.broken)
    }

    fn publish(&mut self, who: Who, number: usize) {
        let without = |duty| self.scope.is_without(duty);
        let again = self.tallies[number].renamed || self.drivers.iter().flatten().count() > 0;
        let rename = without(Duty::PublishUnderOneId) && self.epoch > 1 && again;
        let message = if rename { &self.scope.renamed } else { &self.scope.messages[number] };
        let (message, now) = (message.clone(), self.now(who));
        self.tallies[number].renamed |= rename;
        self.tallies[number].first.get_or_insert(now);
        self.tallies[number].acknowledged |= without(Duty::AcknowledgeWhatIsSaved);
        let driver = self.driver_mut(who);
        let published = driver.outbox.publish(message, now).unwrap();
        if published.revision <= driver.confirmed {
            self.tallies[number].acknowledged = true;
        } else {
            driver.published[number] = Some(published.revision);
        }
        self.poll(who);
    }

    /// Polls until there is nothing to do.
    pub(super) fn poll(&mut self, who: Who) {
        let now = self.now(who);
        loop {
            let step = self.driver_mut(who).outbox.poll(now);
            let driver = self.driver_mut(who);
            match step {
                Step::Save(changes) => {
                    assert!(driver.saving.is_none() && !changes.is_empty());
                    if let Some(failed) = driver.failed {
                        assert!(
                            !driver.outbox.saved(failed),
                            "a late answer is about another save"
                        );
                        assert!(!driver.outbox.unsaved(failed));
                    }
                    driver.saving = Some(Saving { changes, written: 0, checked: false });
                }
                Step::Send(attempt) => {
                    assert!(attempt.deadline() > now, "handed out past its deadline");
                    driver.held.push(Rc::new(attempt));
                }
                Step::Notify(Notice::Settled { message, verdict, .. }) => {
                    let number = self.number(message.as_str());
                    let renamed = message != *self.scope.messages[number].id();
                    if !renamed && self.tallies[number].notified.replace(verdict).is_some() {
                        self.broken.push(Guarantee::FinalVerdicts);
                    }
                }
                Step::Notify(_) => {}
                Step::Wait(until) => {
                    assert!(until > now, "a wait is after now");
                    driver.wait = Some(until).filter(|it| it.saturating_since(now) < RETAIN / 2);
                    break;
                }
                Step::Idle => {
                    driver.wait = None;
                    break;
                }
            }
        }
        let driver = self.driver_mut(who);
        driver.stale = false;
        driver.held.sort_by(|one, other| one.ticket().cmp(other.ticket()));
        self.wire.retain(|it| it.who != who || it.left > Duration::ZERO);
    }

    /// Makes the request of an attempt, and sends it.
    fn send(&mut self, who: Who, index: usize) {
        let now = self.now(who);
        let attempt = self.driver_mut(who).held.remove(index);
        let ticket = attempt.ticket().clone();
        let early = self.scope.is_without(Duty::MakeTheRequestLast);
        if !early && attempt.request(now).is_err() {
            let failed = Outcome::failed(Failure::Sender);
            self.driver_mut(who).outbox.resolve(&ticket, &failed, now);
            return self.poll(who);
        }
        let number = self.number(ticket.message().as_str());
        let bit = 1 << ticket.attempt();
        let tally = &mut self.tallies[number];
        if self.scope.without.is_none() {
            assert!(tally.started & bit != 0, "{ticket:?} was sent before it was saved");
            assert!(tally.numbers & bit == 0, "{ticket:?} was sent twice");
        }
        tally.numbers |= bit;
        let left = if self.scope.is_without(Duty::GiveUpAtTheDeadline) {
            Duration::MAX
        } else if early {
            TIMEOUT
        } else {
            attempt.timeout(now)
        };
        self.count(&ticket);
        self.wire.push(Request { who, ticket, left });
    }

    /// Counts a request that the receiver may accept.
    pub(super) fn count(&mut self, ticket: &Ticket) {
        let is_under_way =
            |it: &Request| it.ticket.message() == ticket.message() && !it.left.is_zero();
        if self.wire.iter().any(is_under_way) {
            self.broken.push(Guarantee::OneAtATime);
        }
        let number = self.number(ticket.message().as_str());
        let tally = &mut self.tallies[number];
        tally.sent += 1;
        if self.scope.at_most_once && tally.sent - tally.refused > 1 {
            self.broken.push(Guarantee::AtMostOnce);
        }
    }

    pub(super) fn answer(&mut self, index: usize, outcome: &Outcome) {
        let Request { who, ticket, .. } = self.wire.remove(index);
        let number = self.number(ticket.message().as_str());
        let refused = outcome.status().is_some_and(|it| !it.is_success());
        self.tallies[number].refused += u8::from(refused);
        let now = self.now(who);
        if !self.scope.is_without(Duty::ReportEachOutcome) {
            self.driver_mut(who).outbox.resolve(&ticket, outcome, now);
        }
        self.poll(who);
    }

    /// The process ends, and with it its requests.
    pub(super) fn end(&mut self, who: Who) {
        self.drivers[usize::from(who.0)] = None;
        self.wire.retain(|it| it.who != who);
    }

    /// A process takes over, and restores the records.
    fn start(&mut self) {
        let charge = self.charge().map(|(who, _)| who);
        if let Some(who) = charge {
            self.used.takeovers += 1;
            self.driver_mut(who).awake = false;
            self.driver_mut(who).stale = true;
        }
        self.epoch += 1;
        let slot = self.drivers.iter().position(Option::is_none).unwrap();
        let mut ahead = Duration::ZERO;
        if self.scope.is_without(Duty::GoByOneClock) && charge.is_some() {
            ahead = TIMEOUT;
        }
        let seed = if self.scope.is_without(Duty::KeepTheSeed) { u64::from(self.epoch) } else { 7 };
        let records = self.read.take().unwrap_or_else(|| self.store.clone());
        let outbox = self.scope.outbox(seed);
        self.drivers[slot] = Some(Rc::new(Driver {
            epoch: self.epoch,
            outbox: outbox.restore(records.into_values(), self.clock + ahead).unwrap(),
            awake: true,
            stale: true,
            saving: None,
            failed: None,
            confirmed: Revision::default(),
            held: Vec::new(),
            published: vec![None; self.tallies.len()],
            wait: None,
            ahead,
            text: OnceCell::new(),
        }));
        self.poll(Who(u8::try_from(slot).unwrap()));
    }

    /// Time passes until something can happen by itself.
    fn sleep(&mut self) {
        let passes = self.passes().unwrap();
        self.used.slow += u8::from(self.is_busy());
        self.clock += passes;
        for it in self.wire.iter_mut().filter(|it| it.left != Duration::MAX) {
            it.left = it.left.saturating_sub(passes);
        }
        // What is neither awaited nor answered any more.
        let awake = |who| self.driver(who).awake;
        let over: Vec<_> = self.wire.iter().map(|it| it.left.is_zero() && !awake(it.who)).collect();
        let mut over = over.into_iter();
        self.wire.retain(|_| !over.next().unwrap());
        self.make_stale();
    }

    fn make_stale(&mut self) {
        for driver in self.drivers.iter_mut().flatten().filter(|it| !it.stale) {
            let driver = Rc::make_mut(driver);
            driver.stale = true;
            driver.wait = None;
        }
    }

    /// How much time passes until something can happen by itself.
    pub(super) fn passes(&self) -> Option<Duration> {
        let awake = self.all().filter(|(_, it)| it.awake && !it.stale);
        let waits = awake.filter_map(|(who, it)| Some(it.wait?.saturating_since(self.now(who))));
        let wire = self.wire.iter().map(|it| it.left);
        waits.chain(wire).filter(|it| !it.is_zero() && *it != Duration::MAX).min()
    }

    /// Whether the driver has something to save or to send.
    pub(super) fn is_busy(&self) -> bool {
        self.charge().is_some_and(|(_, it)| it.saving.is_some() || !it.held.is_empty())
    }

    fn jump(&mut self, jump: Jump) {
        self.used.jumps += 1;
        let (before, day) = (self.clock, secs(86_400));
        self.clock = match jump {
            Jump::ToWait => self.clock + self.passes().unwrap(),
            Jump::Day => self.clock + day,
            Jump::Future => Timestamp::from_unix_seconds(17_000_000_000),
            Jump::BackHalf => self.clock - Duration::from_millis(500),
            Jump::Back => self.clock - secs(7),
            Jump::DayBack => self.clock - day,
            Jump::Past => Timestamp::from_unix_seconds(31_536_000),
            Jump::Right => Timestamp::from_unix_micros(self.clock.unix_micros() - self.wrong),
        };
        self.wrong += self.clock.unix_micros() - before.unix_micros();
        self.make_stale();
    }

    /// The number of a message, by whatever id it goes.
    pub(super) fn number(&self, id: &str) -> usize {
        let known = self.scope.messages.iter().position(|it| it.id().as_str() == id);
        known.unwrap_or(0)
    }

    /// What becomes of the deliveries of a message, if all stays as it is: as the driver has it, or
    /// the store if there is none.
    pub(super) fn deliveries(&self, number: usize) -> Vec<(bool, Delivery)> {
        let is_of = |id: &str| self.number(id) == number;
        let is_renamed = |id: &MessageId| id != self.scope.messages[number].id();
        match self.charge() {
            Some((_, driver)) => {
                let all = driver.outbox.deliveries();
                let of = all.filter(|(message, ..)| is_of(message.id().as_str()));
                of.map(|(message, _, it)| (is_renamed(message.id()), it)).collect()
            }
            None => {
                let records = self.store.values().filter_map(|record| match record {
                    Record::Delivery(it) if is_of(it.message().as_str()) => {
                        Some((is_renamed(it.message()), it.delivery().clone()))
                    }
                    _ => None,
                });
                records.collect()
            }
        }
    }
}
