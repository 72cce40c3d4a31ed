//! The receiving side: what a system does that wants each event once and no forgery.
//!
//! [`Receiver::receive`] is all of it. How these systems are served, and how they misbehave, is
//! another matter: see [`servers`](crate::servers).

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use hyper::HeaderMap;
use labhook::receive::Admission;
use labhook::{Inbox, LabEvent, Message, Reply, Timestamp, Verifier};
use sha2::{Digest as _, Sha256};

use crate::day;
use crate::partners::{self, BILLING, ELN, WAREHOUSE};
use crate::screen::Screen;
use crate::shelf::Shelf;

/// What the receivers call the sender: an id is unique within its source only.
const SOURCE: &str = "scheduler";

/// How many events an inbox remembers.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("ten thousand is not zero");

/// When the warehouse learns its new secret: an hour before its sender begins to use it.
const NEW_SECRET: Timestamp = day::at(10, 0);

/// After how many requests in a row under the new secret the warehouse forgets the old one.
const ENOUGH: u32 = 10;

/// One of the systems that are told.
pub struct Receiver {
    name: &'static str,
    verifier: Verifier,
    secrets: Secrets,
    inbox: Inbox,
    shelf: Shelf,
    screen: Screen,
    stored: u64,
    duplicates: u64,
}

/// Which secrets a receiver knows.
#[derive(Clone, Copy)]
enum Secrets {
    Old,
    /// And how many requests in a row the new one has verified.
    NewAndOld(u32),
    New,
}

impl Receiver {
    /// A receiver with what it holds already.
    pub fn new(
        name: &'static str,
        shelf: Shelf,
        screen: Screen,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let secrets = match name {
            WAREHOUSE if now < NEW_SECRET => Secrets::Old,
            WAREHOUSE => Secrets::NewAndOld(0),
            _ => Secrets::New,
        };
        // A sender repeats itself for as long as its policy lets it.
        let mut inbox = Inbox::new(CAPACITY).with_horizon(partners::policy(name).span());
        for key in shelf.held(name)? {
            inbox.remember(SOURCE, &key, now);
        }
        let verifier = verifier(name, secrets)?;
        Ok(Self { name, verifier, secrets, inbox, shelf, screen, stored: 0, duplicates: 0 })
    }

    /// Verifies, decodes, deduplicates and stores; and says what to answer.
    pub fn receive(&mut self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Reply {
        self.learn(now);
        let verified = match self.verifier.verify(headers, body, now) {
            Ok(verified) => verified,
            Err(error) => {
                self.screen.note(now, format_args!("{}: refuses a request: {error}", self.name));
                return Reply::Refused;
            }
        };
        let Ok(event) = verified.decode::<LabEvent>() else { return Reply::AbortMessage };
        let key = match verified.id() {
            Some(id) => id.to_string(),
            None => digest(body),
        };
        match self.inbox.begin(SOURCE, &key, now) {
            Admission::New(claim) => {
                // An answer of 2xx is a promise, so the event is stored first.
                if self.shelf.store(self.name, &key, event.event_type().as_str()).is_err() {
                    self.inbox.abandon(&claim);
                    return Reply::RetryAfter(Duration::from_secs(60));
                }
                self.inbox.done(&claim, now);
                self.stored += 1;
            }
            Admission::Seen => self.duplicates += 1,
            Admission::InProgress { until } | Admission::Full { until } => {
                return Reply::RetryAfter(until.saturating_since(now));
            }
        }
        self.count(verified.key_index(), now);
        Reply::Accepted
    }

    /// The key under which it holds this message, if it does.
    ///
    /// Strike signs the body and no id, so no header of it can be trusted, and the body is all
    /// there is to tell two messages apart by. An outbox freezes a message's bytes when it is
    /// published, so every copy has the same digest; and of two messages with the same bytes,
    /// type, time and data included, nobody misses the second. It is not the signature, which
    /// changes with the secret.
    pub fn key(&self, message: &Message) -> String {
        match (self.name, message.renderings().next()) {
            (BILLING, Some((_, rendering))) => digest(rendering.body()),
            _ => message.id().to_string(),
        }
    }

    /// The keys of what it holds.
    pub fn held(&self) -> anyhow::Result<BTreeSet<String>> {
        Ok(self.shelf.held(self.name)?)
    }

    /// How many events it has stored since the start.
    pub const fn stored(&self) -> u64 {
        self.stored
    }

    /// How many copies came since the start of what was there already.
    pub const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Begins the rotation when its time has come.
    fn learn(&mut self, now: Timestamp) {
        if matches!(self.secrets, Secrets::Old) && now >= NEW_SECRET {
            let text = "knows its new secret too; the old one, key index 1, is in use";
            self.know(Secrets::NewAndOld(0), text, now);
        }
    }

    /// Ends the rotation when the new secret, the verifier's first, was in use for long enough.
    fn count(&mut self, key_index: usize, now: Timestamp) {
        if let Secrets::NewAndOld(in_a_row) = self.secrets {
            let in_a_row = if key_index == 0 { in_a_row + 1 } else { 0 };
            self.secrets = Secrets::NewAndOld(in_a_row);
            if in_a_row == 1 {
                let text = "the new secret, key index 0, is in use";
                self.screen.note(now, format_args!("{}: {text}", self.name));
            }
            if in_a_row == ENOUGH {
                let text = "key index stays 0; it forgets its old secret";
                self.know(Secrets::New, text, now);
            }
        }
    }

    fn know(&mut self, secrets: Secrets, text: &str, now: Timestamp) {
        if let Ok(verifier) = verifier(self.name, secrets) {
            (self.verifier, self.secrets) = (verifier, secrets);
            self.screen.note(now, format_args!("{}: {text}", self.name));
        }
    }
}

fn verifier(name: &str, secrets: Secrets) -> anyhow::Result<Verifier> {
    let (new, old) = (partners::secret(name, false)?, partners::secret(name, true)?);
    Ok(match (name, secrets) {
        (ELN, _) => Verifier::svix(new),
        (BILLING, _) => Verifier::strike(new),
        (_, Secrets::Old) => Verifier::standard_webhooks(old),
        // The new one first, so that its key index is 0.
        (_, Secrets::NewAndOld(_)) => Verifier::standard_webhooks(new).add_secret(old),
        (_, Secrets::New) => Verifier::standard_webhooks(new),
    })
}

fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}
