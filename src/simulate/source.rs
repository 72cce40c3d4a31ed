//! Generates the messages of a load: [`Source`].

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;

use crate::endpoint::Subscription;
use crate::event::{EventType, Keys};
use crate::id::{EndpointId, MessageId};
use crate::message::format::Envelope;
use crate::message::{Message, Rendering};
use crate::policy::Load;
use crate::time::Timestamp;

/// A load, and the number of its next message.
pub(super) struct Source {
    /// The prefix of its message ids.
    name: String,
    /// The type of all its events, and of no others.
    event_type: EventType,
    /// What each of its messages has for a body: nobody reads it.
    body: Rendering,
    load: Load,
    next: u64,
    /// The indexes of the endpoints that get its messages.
    endpoints: Vec<usize>,
}

impl Source {
    pub(super) fn new(name: String, load: Load) -> Self {
        let event_type = EventType::new(format!("simulated.{name}"))
            .expect("words and a number are an event type");
        let body = Rendering::new(HeaderValue::from_static("application/json"), Bytes::new());
        Self { name, event_type, body, load, next: 0, endpoints: Vec::new() }
    }

    /// When the next event arrives, if that is before the end of the load.
    pub(super) fn next_at(&self, duration: Duration) -> Option<Duration> {
        Some(self.load.at(self.next)).filter(|at| *at < duration)
    }

    pub(super) const fn next_number(&self) -> u64 {
        self.next
    }

    /// When the message of this number was published.
    pub(super) fn published_at(&self, number: u64) -> Duration {
        self.load.at(number)
    }

    pub(super) fn endpoints(&self) -> &[usize] {
        &self.endpoints
    }

    /// Adds an endpoint, and returns its subscription: to the messages of this source alone.
    pub(super) fn subscribe(&mut self, endpoint: usize) -> Subscription {
        self.endpoints.push(endpoint);
        Subscription::all().event_types([self.event_type.clone().into()])
    }

    /// The message of the next event.
    pub(super) fn next_message(&mut self, lifetime: Option<Duration>, now: Timestamp) -> Message {
        let number = self.next;
        self.next = number.saturating_add(1);
        let key = match self.load.keys() {
            Some(keys) => number.checked_rem(u64::from(keys.get())).unwrap_or(number),
            None => number,
        };
        let id = MessageId::new(numbered(&self.name, number)).expect("words and numbers are an id");
        let keys = Keys::new().with_ordering(numbered("run", key));
        Message::new(id, self.event_type.clone(), now, keys, Envelope::NAME, self.body.clone())
            .with_expires_at(lifetime.map(|lifetime| now + lifetime))
    }
}

/// A name and a number, joined by `-`.
fn numbered(name: &str, number: u64) -> String {
    [name, "-", &number.to_string()].concat()
}

/// The index of an endpoint, which its id ends with.
pub(super) fn endpoint_index(endpoint: &EndpointId) -> Option<usize> {
    endpoint.as_str().rsplit_once('-')?.1.parse().ok()
}

/// The number of a message that a [`Source`] generated.
pub(super) fn message_number(message: &MessageId) -> Option<u64> {
    message.as_str().rsplit_once('-')?.1.parse().ok()
}
