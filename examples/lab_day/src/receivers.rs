//! The receiving side: verifies each request and handles each event once.
//!
//! See [`Receiver::receive`]. How the receivers are served, and how they misbehave, is in
//! [`servers`](crate::servers).

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use hyper::HeaderMap;
use labhook::{Inbox, LabEvent, Message, Reply, Timestamp, Verifier};
use sha2::{Digest as _, Sha256};

use crate::day;
use crate::partners::{self, BILLING, ELN, WAREHOUSE};
use crate::receiver_store::ReceiverStore;
use crate::screen::Screen;

/// The receivers' name for the sender. Message ids are unique within a source.
const SOURCE: &str = "scheduler";

/// The number of events that an inbox remembers.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("ten thousand is not zero");

/// When the warehouse accepts its new secret: an hour before the sender starts to use it.
const NEW_SECRET: Timestamp = day::at(10, 0);

/// The number of consecutive requests with the new secret after which the warehouse drops the old
/// one.
const ROTATED_AFTER: u32 = 10;

/// One of the receiving systems.
pub struct Receiver {
    name: &'static str,
    verifier: Verifier,
    secrets: Secrets,
    inbox: Inbox,
    store: ReceiverStore,
    screen: Screen,
    stored: u64,
    duplicates: u64,
}

/// The secrets that a receiver accepts.
#[derive(Clone, Copy)]
enum Secrets {
    Old,
    /// With the number of consecutive requests that the new one has verified.
    NewAndOld(u32),
    New,
}

impl Receiver {
    /// Creates a receiver that remembers its stored events.
    pub fn new(
        name: &'static str,
        store: ReceiverStore,
        screen: Screen,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let secrets = match name {
            WAREHOUSE if now < NEW_SECRET => Secrets::Old,
            WAREHOUSE => Secrets::NewAndOld(0),
            _ => Secrets::New,
        };
        // The horizon is how long the sender may retry.
        let mut inbox = Inbox::new(CAPACITY).with_horizon(partners::retry_policy(name).span());
        for key in store.stored(name)? {
            inbox.remember(SOURCE, &key, now);
        }
        let verifier = verifier(name, secrets)?;
        Ok(Self { name, verifier, secrets, inbox, store, screen, stored: 0, duplicates: 0 })
    }

    /// Verifies, decodes, deduplicates and stores an event, and returns the reply.
    pub fn receive(&mut self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Reply {
        self.start_rotation(now);
        let verified = match self.verifier.verify(headers, body, now) {
            Ok(verified) => verified,
            Err(error) => {
                self.screen.note(now, format_args!("{}: rejects a request: {error}", self.name));
                return Reply::Refused;
            }
        };
        let Ok(event) = verified.decode::<LabEvent>() else { return Reply::Retry };
        let key = match verified.id() {
            Some(id) => id.to_string(),
            None => digest(body),
        };
        match self.inbox.begin(SOURCE, &key, now).claim(now) {
            Ok(claim) => {
                // A 2xx acknowledges the event, so it is stored first.
                if self.store.store(self.name, &key, event.event_type().as_str()).is_err() {
                    self.inbox.abandon(&claim);
                    return Reply::RetryAfter(Duration::from_secs(60));
                }
                self.inbox.done(&claim, now);
                self.stored += 1;
            }
            Err(Reply::Accepted) => self.duplicates += 1,
            Err(busy) => return busy,
        }
        self.track_rotation(verified.key_index(), now);
        Reply::Accepted
    }

    /// Returns the key under which this message is stored.
    ///
    /// Strike signs the body and no id, so its headers cannot be trusted and the body identifies
    /// the message. The outbox freezes a message's bytes at publish, so every copy has the same
    /// digest, and a second message with the same type, time and data would carry no news. The
    /// signature is no key: it changes with the secret.
    pub fn key(&self, message: &Message) -> String {
        match (self.name, message.renderings().next().and_then(|(_, it)| it.body())) {
            (BILLING, Some(body)) => digest(body),
            _ => message.id().to_string(),
        }
    }

    /// Returns the keys of its stored events.
    pub fn stored_keys(&self) -> anyhow::Result<BTreeSet<String>> {
        Ok(self.store.stored(self.name)?)
    }

    /// Returns the number of events stored since the start.
    pub const fn stored(&self) -> u64 {
        self.stored
    }

    /// Returns the number of duplicates received since the start.
    pub const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Starts the rotation when it is due.
    fn start_rotation(&mut self, now: Timestamp) {
        if matches!(self.secrets, Secrets::Old) && now >= NEW_SECRET {
            let text = "accepts its new secret too; requests still use the old one, key index 1";
            self.set_secrets(Secrets::NewAndOld(0), text, now);
        }
    }

    /// Ends the rotation after enough requests with the new secret, the verifier's first.
    fn track_rotation(&mut self, key_index: usize, now: Timestamp) {
        if let Secrets::NewAndOld(in_a_row) = self.secrets {
            let in_a_row = if key_index == 0 { in_a_row + 1 } else { 0 };
            self.secrets = Secrets::NewAndOld(in_a_row);
            if in_a_row == 1 {
                let text = "requests use the new secret, key index 0";
                self.screen.note(now, format_args!("{}: {text}", self.name));
            }
            if in_a_row == ROTATED_AFTER {
                let text = "key index stays 0; the old secret is dropped";
                self.set_secrets(Secrets::New, text, now);
            }
        }
    }

    fn set_secrets(&mut self, secrets: Secrets, text: &str, now: Timestamp) {
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
        // The new secret comes first, so its key index is 0.
        (_, Secrets::NewAndOld(_)) => Verifier::standard_webhooks(new).add_secret(old),
        (_, Secrets::New) => Verifier::standard_webhooks(new),
    })
}

fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}
