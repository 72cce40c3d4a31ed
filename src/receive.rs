//! Receiving webhooks: [`Sources`] identifies the sender and decodes the event, [`Inbox`] detects
//! duplicates, and [`Reply`] is the response.
//!
//! ```
//! use labhook::receive::{ReceiveError, Sources};
//! use labhook::{Inbox, LabEvent, Reply, Timestamp};
//!
//! fn receive(
//!     sources: &Sources,
//!     inbox: &mut Inbox,
//!     headers: &http::HeaderMap,
//!     body: &[u8],
//!     now: Timestamp,
//! ) -> Result<Reply, Reply> {
//!     // From here on the request is genuine; anything else is answered with 403.
//!     let received = sources.receive(headers, body, now)?;
//!     let claim = match &received.dedupe_key {
//!         Some(key) => Some(inbox.begin(&received.source, key.as_str(), now).claim(now)?),
//!         None => None, // nothing distinguishes a redelivery: handle it as new
//!     };
//!     match received.event {
//!         LabEvent::RunStateChanged(run) => println!("{} is {}", run.data.run_id, run.data.state),
//!         LabEvent::Unreadable { event, reason, .. } => {
//!             println!("store {} for later: {reason}", event.event_type); // with its data
//!         }
//!         other => println!("{} event", other.event_type()),
//!     }
//!     if let Some(claim) = claim {
//!         inbox.done(&claim, now);
//!     }
//!     Ok(Reply::Accepted)
//! }
//! ```
//!
//! # Nothing genuine is turned away
//!
//! A genuine request is one of these, and none of them tells the sender to stop:
//!
//! | the body | result | default response |
//! |---|---|---|
//! | matches its event type | a variant of [`LabEvent`](crate::LabEvent) | yours |
//! | is of an event type that this version does not know | `LabEvent::Unknown` | yours |
//! | does not match its event type | `LabEvent::Unreadable`, with the reason | yours |
//! | names no event type, or is not JSON | [`ReceiveError::Unreadable`], with source, proof, key and reason | [`Reply::Retry`] |
//!
//! Members that are not required never decide: see [`lab`](crate::lab).

mod body_error;
mod body_format;
pub mod danger;
mod decoder;
mod error;
mod inbox;
mod proof;
mod reply;
mod source;
mod sources;

pub use body_error::BodyError;
pub use decoder::{Decoded, Incoming};
pub use error::{ReceiveError, Refusal};
pub use inbox::{Admission, Claim, Inbox, InboxChange, InboxEvent, InboxState};
pub use proof::Proof;
pub use reply::Reply;
pub use source::Source;
pub use sources::{DuplicateSourceError, Received, Sources};
