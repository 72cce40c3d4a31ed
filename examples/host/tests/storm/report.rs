//! Compares the confirmations, the receivers' copies and the records: [`Report`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use labhook::Verdict;
use labhook::delivery::Delivery;
use labhook::outbox::Record;

use crate::receivers::Seen;
use crate::sender::{ASK, ENDPOINTS, ONCE, ORDERED, PLAIN};
use crate::supervisor::Book;

#[derive(Default)]
pub struct Report {
    kills: u32,
    early_kills: u32,
    ends: BTreeMap<String, u32>,
    failed_saves: u32,
    confirmed: usize,
    /// Messages in the records that no sender has confirmed.
    unconfirmed: usize,
    delivered: usize,
    /// Deliveries that ended without a confirmation, as their guarantee demands.
    in_doubt: usize,
    requests: usize,
    /// Copies that a receiver took after the first.
    duplicates: usize,
    /// Attempts that ended without an answer: the most duplicates that there may be.
    unanswered: usize,
    wrong: Wrong,
    examples: Vec<String>,
}

/// Counts that must be zero.
#[derive(Default)]
struct Wrong {
    /// Deliveries that the receiver does not have, without a verdict that admits it.
    lost: usize,
    /// Duplicates beyond the attempts that ended without an answer, according to the records or to
    /// the senders' reports.
    needless: usize,
    /// Duplicates of the at-most-once endpoint, and those of the asking one without a decision.
    at_most_once: usize,
    /// Copies that arrived after one of a later message.
    out_of_order: usize,
    /// Requests without a saved attempt.
    unsaved: usize,
    /// Requests that could not be verified.
    forged: usize,
}

/// The requests of one delivery.
#[derive(Default)]
struct Received {
    requests: usize,
    taken: usize,
    lives: BTreeSet<u32>,
}

impl Report {
    pub fn new(records: &[Record], book: &Book, seen: &Seen) -> Self {
        let mut received: BTreeMap<(&str, u64), Received> = BTreeMap::new();
        let mut latest = 0;
        let mut report = Self {
            kills: book.kills,
            early_kills: book.early_kills,
            ends: book.ends.clone(),
            failed_saves: book.failed_saves,
            confirmed: book.confirmed.len(),
            requests: seen.copies.len(),
            wrong: Wrong { forged: seen.forged, ..Wrong::default() },
            ..Self::default()
        };
        for copy in &seen.copies {
            let delivery = received.entry((&copy.endpoint, copy.message)).or_default();
            delivery.requests += 1;
            delivery.taken += usize::from(copy.taken);
            delivery.lives.insert(copy.life);
            if copy.endpoint == ORDERED {
                if copy.message < latest {
                    report.wrong.out_of_order += 1;
                    report.example(format!("{} came after {latest}", copy.message));
                }
                latest = latest.max(copy.message);
            }
        }

        let number = |id: &str| id.trim_start_matches('m').parse().unwrap_or(0);
        let mut messages = BTreeSet::new();
        let mut deliveries: BTreeMap<(&str, u64), &Delivery> = BTreeMap::new();
        for record in records {
            match record {
                Record::Message(it) => _ = messages.insert(number(it.message().id().as_str())),
                Record::Delivery(it) => {
                    let key = (it.endpoint().as_str(), number(it.message().as_str()));
                    deliveries.insert(key, it.delivery());
                }
                _ => {}
            }
        }
        report.unconfirmed = messages.difference(&book.confirmed).count();
        for key in received.keys().filter(|(_, message)| !messages.contains(message)) {
            report.wrong.unsaved += 1;
            report.example(format!("{key:?} was sent and has no record"));
        }
        for message in book.confirmed.union(&messages) {
            for endpoint in ENDPOINTS {
                let key = (endpoint, *message);
                let nothing = Received::default();
                let copies = received.get(&key).unwrap_or(&nothing);
                report.compare(key, deliveries.get(&key).copied(), copies, book);
            }
        }
        report
    }

    fn compare(
        &mut self,
        key: (&'static str, u64),
        delivery: Option<&Delivery>,
        copies: &Received,
        book: &Book,
    ) {
        let (endpoint, message) = key;
        let verdict = delivery.and_then(Delivery::verdict);
        match verdict {
            Some(Verdict::Delivered) if copies.taken > 0 => self.delivered += 1,
            Some(Verdict::Unconfirmed) if matches!(endpoint, ONCE | ASK) => self.in_doubt += 1,
            _ => {
                self.wrong.lost += 1;
                self.example(format!("{key:?} ended as {verdict:?}, {} copies", copies.taken));
            }
        }
        let attempts = delivery.map_or(0, Delivery::attempts) as usize;
        if copies.requests > attempts {
            self.wrong.unsaved += copies.requests - attempts;
            self.example(format!("{key:?} was sent {} times of {attempts}", copies.requests));
        }
        let duplicates = copies.taken.saturating_sub(1);
        let recorded = delivery.map_or(0, Delivery::unanswered) as usize;
        // A sender reports each attempt without an answer, except for those that it dies in.
        let reported = book.unanswered.get(&(endpoint.to_owned(), message)).copied().unwrap_or(0);
        let explained = reported as usize + copies.lives.len().saturating_sub(1);
        self.duplicates += duplicates;
        self.unanswered += recorded;
        let needless = duplicates.saturating_sub(recorded.min(explained));
        if needless > 0 {
            self.wrong.needless += needless;
            self.example(format!("{key:?}: {duplicates} copies, {recorded} or {explained} due"));
        }
        let decided = book.resent.get(&message).copied().unwrap_or(0) as usize;
        let allowed = match endpoint {
            PLAIN | ORDERED => duplicates,
            ASK => decided,
            _ => 0,
        };
        if duplicates > allowed {
            self.wrong.at_most_once += duplicates - allowed;
            self.example(format!("{key:?}: {duplicates} duplicates, {allowed} allowed"));
        }
    }

    fn example(&mut self, example: String) {
        if self.examples.len() < 10 {
            self.examples.push(example);
        }
    }

    pub fn is_good(&self) -> bool {
        let Wrong { lost, needless, at_most_once, out_of_order, unsaved, forged } = self.wrong;
        [lost, needless, at_most_once, out_of_order, unsaved, forged] == [0; 6]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wrong { lost, needless, at_most_once, out_of_order, unsaved, forged } = self.wrong;
        let ended: u32 = self.ends.values().sum();
        write!(f, "{} kills and {} early ones, ", self.kills, self.early_kills)?;
        write!(f, "{ended} other ends, {} failed saves; ", self.failed_saves)?;
        write!(f, "{} messages confirmed, {} others; ", self.confirmed, self.unconfirmed)?;
        write!(f, "{} delivered, {} in doubt, lost {lost}; ", self.delivered, self.in_doubt)?;
        write!(f, "{} requests, {} duplicates ", self.requests, self.duplicates)?;
        write!(f, "after {} unanswered attempts, needless {needless}, ", self.unanswered)?;
        write!(f, "at most once {at_most_once}, out of order {out_of_order}, ")?;
        write!(f, "unsaved {unsaved}, forged {forged}")?;
        for (why, count) in &self.ends {
            write!(f, "\n  {count} ended: {why}")?;
        }
        for example in &self.examples {
            write!(f, "\n  wrong: {example}")?;
        }
        Ok(())
    }
}
