//! Webhooks for laboratory software: typed lab events, signed requests, and a delivery state
//! machine that your application drives with its own HTTP client.
//!
//! labhook makes no request, opens no file, reads no clock, draws no randomness and starts no
//! thread. Your application does all of that, and labhook decides what to do and when. It therefore
//! fits a scheduler with threads, a service with tasks, a program in a browser, and a test with a
//! clock of its own.
//!
//! The [`guide`] teaches sending, receiving, persisting and operating, and has the glossary.
//!
//! # How it fits together
//!
//! ```text
//!  sender                                             receiver
//!  Event<P>      what happened, typed                 Event<P> or LabEvent
//!    | into_message(id)                                 ^ decode
//!  Message       id, keys, bytes: frozen              Verified, by a Verifier only
//!    | publish(now)                                     ^ verify(headers, body, now)
//!  Outbox        which endpoints, when, how often     HeaderMap and &[u8]
//!    | poll(now)                                        ^
//!  Step::Save(changes)   then saved(revision)           |
//!  Step::Send(attempt)   request(now)  == the client ==> POST
//!    | resolve(ticket, outcome, now)
//!  Step::Notify(notice)
//!  Step::Wait(until) or Step::Idle
//! ```
//!
//! - To **send**, make a [`Message`] of an [`Event`], [publish](Outbox::publish) it, and do what
//!   [`Outbox::poll`] asks. The [`outbox`] module teaches that loop.
//! - To **receive**, [verify](Verifier::verify), then [decode](Verified::decode), then ask an
//!   [`Inbox`] whether the event is a duplicate. A body that was not verified cannot be decoded,
//!   except through [`danger`].
//! - To **build on the events**, use the models in [`lab`], or implement [`Payload`] for your own.
//! - To **talk to other systems**, receive the webhooks of Strateos, Automata LINQ, Benchling, Tiled,
//!   Argilla, CVAT and others, or send as they do: see [`provider`].
//!   [`CloudEvents`](message::format::CloudEvents) and
//!   [`SlackMessage`](message::format::SlackMessage) are formats to send in.
//!
//! # State machines
//!
//! ```text
//!  a delivery: one message on its way to one endpoint
//!
//!   Due ---start---> InFlight ---delivered, refused, nothing left---> Ended
//!    ^                 |   '---no response, and none may be resent--> InDoubt, Ended
//!    '-- Waiting <-----'  failed: the RetryPolicy says for how long
//!
//!  an endpoint
//!
//!   Healthy --20 messages in a row fail--> Down --for 7 days--> Disabled
//!      ^  ^---------any success--------------'                   ^  |
//!      |   '--------somebody enables it--------------------------|--'
//!      '------------410, an operator-----------------------------'
//! ```
//!
//! Three small machines compose it: a [`Delivery`](delivery::Delivery) decides when one message is
//! tried again, the [`Health`](health::Health) of an endpoint is its circuit breaker, and its
//! [`Flow`](flow::Flow) limits rate and concurrency. Each is plain data that can be saved at any
//! moment, knows nothing of the others, and is driven by a policy that can come from a file. The
//! [`outbox`] composes them for a process that holds many messages and endpoints; a host with a
//! queue or a table of its own uses the machines singly, one row each. The [linter](policy::lint)
//! and the [simulator](simulate) say what a policy adds up to before an outage does.
//!
//! # Receive
//!
//! ```
//! use labhook::{LabEvent, Secret, Timestamp, Verifier};
//!
//! # let (headers, body, now) = labhook_example();
//! let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZI")?;
//! let verifier = Verifier::standard_webhooks(secret);
//!
//! let verified = verifier.verify(&headers, &body, now)?;
//! match verified.decode()? {
//!     LabEvent::RunStateChanged(run) => println!("{} is {}", run.data.run_id, run.data.state),
//!     other => println!("a {} event", other.event_type()),
//! }
//! # fn labhook_example() -> (http::HeaderMap, Vec<u8>, Timestamp) {
//! #     use labhook::lab::{RunState, RunStateChanged};
//! #     use labhook::{Event, MessageId, Signer};
//! #     let now = Timestamp::from_unix_seconds(1_744_882_200);
//! #     let id = MessageId::new("msg_1").unwrap();
//! #     let event = Event::new(RunStateChanged::new("run-17", RunState::Paused), now);
//! #     let message = event.into_message(id.clone()).unwrap();
//! #     let body = message.rendering("labhook").unwrap().body().unwrap().to_vec();
//! #     let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZI").unwrap();
//! #     let headers = Signer::standard_webhooks(secret).sign(&id, now, &body).unwrap();
//! #     (headers, body, now)
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Separation of concerns
//!
//! **State** is plain data that serde can save at any moment. **Policy** is plain data, borrowed by
//! each call, and can come from a configuration file. **Time** is an argument. **I/O** is the
//! host's.
//!
//! # Panics
//!
//! No input makes labhook panic: no bytes from the network, no saved state, no clock. The
//! exceptions are constructors for `const` contexts that are documented to panic, such as
//! [`EventType::from_static`] on text that is not an event type.
//!
//! # Features
//!
//! All are off by default.
//!
//! - `ed25519`: Ed25519 signatures, such as Standard Webhooks `v1a` and Discord's.
//! - `p256`: ECDSA P-256 signatures, such as Benchling's and SendGrid's. It adds 21 crates.
//! - `schema`: `labhook::schema`, the models described as data.
//! - `twilio`: Twilio's HMAC-SHA1 signatures.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic))]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod danger;
pub mod decode;
pub mod delivery;
pub mod endpoint;
pub mod event;
mod event_type;
pub mod flow;
pub mod guide;
pub mod health;
pub mod id;
pub mod json;
pub mod lab;
pub mod message;
mod mix;
mod named;
pub mod outbox;
pub mod policy;
mod policy_file;
pub mod provider;
pub mod receive;
#[cfg(feature = "schema")]
pub mod schema;
pub mod secret;
mod signal;
pub mod signature;
pub mod simulate;
mod small_map;
mod text;
pub mod time;

#[doc(inline)]
pub use crate::delivery::{Failure, Outcome, RetryPolicy, Verdict};
#[doc(inline)]
pub use crate::endpoint::{Endpoint, Registry, Subscription};
#[doc(inline)]
pub use crate::event::{Event, EventType, Keys, Payload};
#[doc(inline)]
pub use crate::flow::FlowPolicy;
#[doc(inline)]
pub use crate::health::HealthPolicy;
#[doc(inline)]
pub use crate::id::{EndpointId, MessageId};
#[doc(inline)]
pub use crate::lab::LabEvent;
#[doc(inline)]
pub use crate::message::Message;
#[doc(inline)]
pub use crate::outbox::{Attempt, Notice, Outbox, Step, Ticket};
#[doc(inline)]
pub use crate::policy::{EndpointPolicy, Order};
#[doc(inline)]
pub use crate::receive::{Inbox, Reply};
#[doc(inline)]
pub use crate::secret::Secret;
#[doc(inline)]
pub use crate::signature::{Signer, Verified, Verifier, VerifyError};
#[doc(inline)]
pub use crate::time::Timestamp;

/// The README's snippets are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
