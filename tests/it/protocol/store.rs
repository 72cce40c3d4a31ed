//! Saves: what reaches the store, and what the driver hears of it.

use labhook::outbox::{Change, Record};

use super::duty::{Duty, Who};
use super::world::{Saving, World};

impl World<'_> {
    /// The next part of the save reaches the store, which refuses it unless the driver's epoch is
    /// the latest.
    pub(super) fn write(&mut self, who: Who) {
        let driver = self.driver(who);
        let saving = driver.saving.clone().unwrap();
        let fenced = driver.epoch == self.epoch
            || self.scope.is_without(Duty::RefuseTheDeposed)
            || saving.checked;
        if !fenced {
            if self.scope.is_without(Duty::StopOnceDeposed) {
                self.unsaved(who);
            } else {
                self.end(who);
            }
            return;
        }
        let count = if self.scope.one_by_one { 1 } else { saving.changes.len() };
        for change in self.changes(&saving).into_iter().skip(saving.written).take(count) {
            self.carry_out(change);
        }
        self.driver_mut(who).saving.as_mut().unwrap().written += count;
    }

    /// The changes of a save, in the order in which they are written.
    pub(super) fn changes(&self, saving: &Saving) -> Vec<Change> {
        let mut list: Vec<_> = saving.changes.iter().cloned().collect();
        if self.scope.is_without(Duty::WriteInOrder) {
            list.reverse();
        }
        list
    }

    pub(super) fn carry_out(&mut self, change: Change) {
        let key = match &change {
            Change::Put(record) => record.key().to_string(),
            Change::Delete(key) => key.to_string(),
        };
        match change {
            Change::Put(record) => {
                if let Record::Delivery(record) = &record {
                    let number = self.number(record.message().as_str());
                    let tally = &mut self.tallies[number];
                    tally.ended |= record.delivery().verdict().is_some();
                    if let Some(started) = record.delivery().in_flight() {
                        tally.started |= 1 << started.number;
                    }
                }
                self.store.insert(key, record);
            }
            Change::Delete(_) => _ = self.store.remove(&key),
        }
    }

    pub(super) fn confirm(&mut self, who: Who) {
        let Saving { changes, .. } = self.driver_mut(who).saving.take().unwrap();
        let driver = self.driver_mut(who);
        let revision = changes.revision();
        assert!(driver.outbox.saved(revision));
        assert!(!driver.outbox.saved(revision), "confirming again changes nothing");
        assert!(!driver.outbox.unsaved(revision));
        driver.confirmed = revision;
        let published = &mut driver.published;
        let durable = published.iter_mut().map(|it| it.take_if(|it| *it <= revision).is_some());
        let durable: Vec<_> = durable.collect();
        for (tally, durable) in self.tallies.iter_mut().zip(durable) {
            tally.acknowledged |= durable;
        }
        self.poll(who);
    }

    /// The driver reports that its save has failed, whatever was written.
    pub(super) fn unsaved(&mut self, who: Who) {
        let driver = self.driver_mut(who);
        let Saving { changes, written, .. } = driver.saving.take().unwrap();
        let revision = changes.revision();
        assert!(driver.outbox.unsaved(revision));
        assert!(!driver.outbox.unsaved(revision) && !driver.outbox.saved(revision));
        driver.failed = Some(revision);
        let epoch = driver.epoch;
        if self.scope.is_without(Duty::LetNothingLandLate) && written == 0 && self.late.is_none() {
            self.late = Some((changes, epoch));
        }
        self.poll(who);
    }
}
