//! Where the messages of a simulation come from: [`Source`].

use std::time::Duration;

use crate::endpoint::Subscription;
use crate::event::Event;
use crate::id::MessageId;
use crate::lab::{RunState, RunStateChanged};
use crate::message::Message;
use crate::policy::Load;
use crate::time::Timestamp;

/// A load, and how far it has come.
pub(super) struct Source {
    /// What its messages' ids begin with, and the project that all its runs belong to.
    name: String,
    load: Load,
    next: u64,
}

impl Source {
    pub(super) const fn new(name: String, load: Load) -> Self {
        Self { name, load, next: 0 }
    }

    /// When its next event comes, since the start, while the loads last.
    pub(super) fn next(&self, lasting: Duration) -> Option<Duration> {
        Some(self.load.at(self.next)).filter(|at| *at < lasting)
    }

    /// When the message of this number was published, since the start.
    pub(super) fn accepted_at(&self, number: u64) -> Duration {
        self.load.at(number)
    }

    /// To its messages, and those of no other source.
    pub(super) fn subscription(&self) -> Subscription {
        Subscription::all().projects([self.name.as_str().into()])
    }

    /// The message of its next event, which has come.
    pub(super) fn message(&mut self, lifetime: Option<Duration>, now: Timestamp) -> Message {
        let number = self.next;
        self.next = number.saturating_add(1);
        let key = match self.load.keys() {
            Some(keys) => number.checked_rem(u64::from(keys.get())).unwrap_or(number),
            None => number,
        };
        let id = MessageId::new(format!("{}-{number}", self.name))
            .expect("a word and numbers are an id");
        let mut event = RunStateChanged::new(format!("run-{key}"), RunState::Started);
        event.project_id = Some(self.name.as_str().into());
        let message = Event::new(event, now).into_message(id);
        let expires_at = lifetime.map(|lifetime| now + lifetime);
        message.expect("a run's state is written as JSON").with_expires_at(expires_at)
    }
}

/// The number of a message that a [`Source`] made.
pub(super) fn number(message: &MessageId) -> Option<u64> {
    message.as_str().rsplit_once('-')?.1.parse().ok()
}
