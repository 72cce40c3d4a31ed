//! Webhooks for laboratory software: typed lab events, signed requests, and a delivery machine
//! that the host drives with its own HTTP client.
//!
//! labhook makes no request, opens no file, reads no clock, rolls no dice and starts no thread.
//! The host does those and labhook decides, so it fits a scheduler with threads, a service with
//! tasks, a program in a browser and a test with a clock of its own alike.
//!
//! # The walk
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
//! - To **send**, make a [`Message`] of an [`Event`], [publish](Outbox::publish) it and follow
//!   what [`Outbox::poll`] says. The [`outbox`] module teaches that loop.
//! - To **receive**, [verify](Verifier::verify) first, then [decode](Verified::decode), then ask
//!   an [`Inbox`] whether the event is new. What was not verified cannot be decoded, save through
//!   [`danger`].
//! - To **build on the events**, use the models in [`lab`], or bring your own by implementing
//!   [`Payload`].
//! - To **speak with other systems**, take the webhooks of Strateos, Automata LINQ, Strike and
//!   Segments.ai as they come, or send like them: see [`provider`]. [`CloudEvents`] and
//!   [`SlackMessage`] are formats to send in.
//!
//! # The promise
//!
//! ```text
//!  a delivery: one message on its way to one endpoint
//!
//!   Due ---start---> InFlight ---delivered, refused, nothing left---> Ended
//!    ^                 |   '----no answer, and nobody may resend----> InDoubt, Ended
//!    '-- Waiting <-----'  failed or unanswered: the RetryPolicy says for how long
//!
//!  an endpoint
//!
//!   Healthy --too many failures--> Degraded --the probes fail--> Suspended --for too long--.
//!      ^  ^-----a probe succeeds------'  ^------a probe succeeds-----'                     |
//!      '--somebody enables it-- Disabled <--410, an operator-------------------------------'
//! ```
//!
//! Three small machines make it: a [`Delivery`] says when one message is tried again, the
//! [`Health`] of an endpoint whether it is sent to at all, and its [`Flow`] how fast. Each is plain
//! data that can be saved at any moment, knows nothing of the others, and is driven by a policy that
//! can come from a file. The [`outbox`] composes them for a process that holds many messages and
//! endpoints; a host that keeps a queue or a table of its own takes the machines singly, one row
//! each. What policies come to is for [`simulate`] to say, before an outage does.
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
//! #     let body = message.rendering("labhook").unwrap().body().to_vec();
//! #     let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZI").unwrap();
//! #     let headers = Signer::standard_webhooks(secret).sign(&id, now, &body).unwrap();
//! #     (headers, body, now)
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Four things apart
//!
//! **State** is plain data that serde can save at any moment. **RetryPolicy** is plain data, lent to
//! each call, and can come from a configuration file. **Time** is an argument. **I/O** is the
//! host's.
//!
//! # Panics
//!
//! No input makes labhook panic: no bytes from the network, no saved state, no clock. The
//! exceptions are constructors that are documented to, such as [`EventType::from_static`] on text
//! that is no event type, and whose place is a `const`.
//!
//! # Features
//!
//! - `ed25519`, off by default: signatures of the Standard Webhooks kind `v1a`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic))]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod danger;
pub mod decode;
pub mod delivery;
pub mod endpoint;
pub mod event;
mod event_type;
pub mod flow;
pub mod health;
pub mod id;
pub mod json;
pub mod lab;
pub mod message;
pub mod outbox;
pub mod policy;
mod policy_file;
pub mod provider;
pub mod receive;
pub mod secret;
pub mod signature;
pub mod simulate;
mod small_map;
pub mod time;

pub use crate::delivery::{Failure, Outcome, RetryPolicy, Verdict};
pub use crate::endpoint::{Endpoint, Registry, Subscription};
pub use crate::event::{Event, EventType, Keys, Payload};
pub use crate::flow::FlowPolicy;
pub use crate::health::HealthPolicy;
pub use crate::id::{EndpointId, MessageId};
pub use crate::lab::LabEvent;
pub use crate::message::Message;
pub use crate::outbox::{Attempt, Notice, Outbox, Step, Ticket};
pub use crate::policy::{EndpointPolicy, Order};
pub use crate::receive::{Inbox, Reply};
pub use crate::secret::Secret;
pub use crate::signature::{Signer, Verified, Verifier, VerifyError};
pub use crate::time::Timestamp;

/// The README's snippets are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
