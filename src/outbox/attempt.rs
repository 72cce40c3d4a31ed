//! A request to send: [`Attempt`], and the [`Ticket`] that identifies it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, RequestError};
use crate::health::Permit;
use crate::id::{EndpointId, MessageId};
use crate::message::{BodyDigest, Message, Rendering};
use crate::time::Timestamp;

/// Identifies an attempt when its outcome is reported to
/// [`Outbox::resolve`](crate::Outbox::resolve).
///
/// It is plain data for any serde format: a host that sends from another process passes it along
/// with the request and gets it back with the response. Any ticket may be used at any time; a stale,
/// repeated or foreign one is reported as such and changes nothing.
///
/// ```
/// # use labhook::lab::{RunState, RunStateChanged};
/// # use labhook::{Endpoint, EndpointId, Event, MessageId, Outbox, Registry, Secret, Signer, Step};
/// # use labhook::Timestamp;
/// # let signer = Signer::standard_webhooks(Secret::from_bytes(&[7; 24])?);
/// # let mut registry = Registry::new();
/// # registry.insert(Endpoint::new(EndpointId::new("eln")?, "https://eln.example/in", signer)?)?;
/// # let mut outbox = Outbox::new(registry, 7).without_storage();
/// # let now = Timestamp::from_unix_seconds(1_744_882_200);
/// # let started = Event::new(RunStateChanged::new("run-17", RunState::Started), now);
/// # outbox.publish(started.into_message(MessageId::new("run-17-started")?)?, now)?;
/// # let Step::Send(attempt) = outbox.poll(now) else { unreachable!() };
/// use http::{HeaderMap, StatusCode};
/// use labhook::{Outcome, Ticket, Verdict};
/// use labhook::delivery::Resolution;
///
/// // To the process that sends, and back.
/// let json = serde_json::to_string(attempt.ticket())?;
/// let ticket: Ticket = serde_json::from_str(&json)?;
/// assert_eq!((ticket.message().as_str(), ticket.attempt()), ("run-17-started", 1));
///
/// let outcome = Outcome::response(StatusCode::NO_CONTENT, &HeaderMap::new(), now);
/// let resolution = outbox.resolve(&ticket, &outcome, now);
/// assert_eq!(resolution, Resolution::Ended(Verdict::Delivered));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    pub(crate) sequence: u64,
    pub(crate) message: MessageId,
    pub(crate) endpoint: EndpointId,
    pub(crate) attempt: u32,
    /// Distinguishes attempts from before and after the endpoint was enabled, across restarts.
    pub(crate) permit: Permit,
}

impl Ticket {
    /// Returns the id of the message.
    #[must_use]
    pub const fn message(&self) -> &MessageId {
        &self.message
    }

    /// Returns the id of the endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointId {
        &self.endpoint
    }

    /// Returns the attempt's number within its delivery, starting at 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// One request to send now: the content of [`Step::Send`](crate::Step::Send).
///
/// It borrows nothing, so it can move to the thread or task that sends. The request is signed there
/// too: [`request`](Self::request) does not need the outbox.
///
/// ```
/// # use labhook::lab::{RunState, RunStateChanged};
/// # use labhook::{Endpoint, EndpointId, Event, MessageId, Outbox, Registry, Secret, Signer, Step};
/// # use labhook::Timestamp;
/// # let signer = Signer::standard_webhooks(Secret::from_bytes(&[7; 24])?);
/// # let mut registry = Registry::new();
/// # registry.insert(Endpoint::new(EndpointId::new("eln")?, "https://eln.example/in", signer)?)?;
/// # let mut outbox = Outbox::new(registry, 7).without_storage();
/// # let now = Timestamp::from_unix_seconds(1_744_882_200);
/// # let started = Event::new(RunStateChanged::new("run-17", RunState::Started), now);
/// # outbox.publish(started.into_message(MessageId::new("run-17-started")?)?, now)?;
/// # let mut sent_to = None;
/// if let Step::Send(attempt) = outbox.poll(now) {
///     let (ticket, sent) = std::thread::spawn(move || {
///         let request = attempt.request(now).expect("the endpoint can sign");
///         // Send it with your HTTP client, which gives up after `attempt.timeout(now)`.
///         (attempt.ticket().clone(), request.uri().to_string())
///     })
///     .join()
///     .expect("no panic");
///     assert_eq!((ticket.endpoint().as_str(), &*sent), ("eln", "https://eln.example/in"));
///     # sent_to = Some(sent);
/// }
/// # assert!(sent_to.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Attempt {
    pub(crate) ticket: Ticket,
    pub(crate) deadline: Timestamp,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) message: Arc<Message>,
    /// The position of the rendering in the message, which has one there.
    pub(crate) rendering: u32,
}

impl Attempt {
    /// Returns the ticket to report the outcome with.
    #[must_use]
    pub const fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Returns the instant at which the outbox counts the attempt as timed out. The host must
    /// abandon the request by then.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Returns the time that the request may take from `now` on: the timeout for the HTTP client.
    #[must_use]
    pub fn timeout(&self, now: Timestamp) -> Duration {
        self.deadline.saturating_since(now)
    }

    /// Returns the endpoint as it was when the attempt was handed out.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Returns the name of the format in which the message is sent.
    ///
    /// It was the endpoint's when the message was published; the endpoint may have another by now.
    #[must_use]
    pub fn format(&self) -> &str {
        self.rendered().0
    }

    /// Returns the reference to the body, if your application
    /// [keeps](crate::Message::detach_bodies) it. Fetch the body then, and call
    /// [`request_with_body`](Self::request_with_body).
    #[must_use]
    pub fn kept_body(&self) -> Option<&BodyDigest> {
        self.rendered().1.kept_body()
    }

    fn rendered(&self) -> (&str, &Rendering) {
        let rendered = self.message.rendering_at(self.rendering);
        rendered.expect("an attempt is made from a rendering that its message has")
    }

    /// Builds the signed request.
    ///
    /// `now` is the clock's time as the request is sent. It becomes the signature's timestamp.
    ///
    /// # Errors
    ///
    /// [`RequestError::TooLate`] at or past the [deadline](Self::deadline), so that a process that
    /// was frozen does not send what its successor is sending; [`RequestError::BodyKept`] if your
    /// application [keeps](Self::kept_body) the body; other variants if the request cannot be
    /// built. Resolve the attempt as [`Failure::Sender`](crate::delivery::Failure::Sender) then.
    pub fn request(&self, now: Timestamp) -> Result<Request<Bytes>, RequestError> {
        self.check_deadline(now)?;
        self.endpoint.request(self.message.id(), self.rendered().1, now)
    }

    /// Builds the signed request with a body that your application [kept](Self::kept_body).
    ///
    /// The request is the one that [`request`](Self::request) would build if the message had the
    /// body. Checking the body costs a SHA-256 of it.
    ///
    /// # Errors
    ///
    /// [`RequestError::OtherBody`] if these are other bytes than those that were rendered, and the
    /// errors of [`request`](Self::request). Resolve the attempt as
    /// [`Failure::Sender`](crate::delivery::Failure::Sender) then, and also if the body cannot be
    /// fetched: the [guide](crate::guide::persisting#bodies-that-you-keep) says what follows.
    pub fn request_with_body(
        &self,
        body: impl Into<Bytes>,
        now: Timestamp,
    ) -> Result<Request<Bytes>, RequestError> {
        self.check_deadline(now)?;
        self.endpoint.request_with_body(self.message.id(), self.rendered().1, body, now)
    }

    fn check_deadline(&self, now: Timestamp) -> Result<(), RequestError> {
        if now < self.deadline { Ok(()) } else { Err(RequestError::TooLate) }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("ticket", &self.ticket)
            .field("deadline", &self.deadline)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
