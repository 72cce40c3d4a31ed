//! Receiving webhooks: [`Sources`] identifies the sender and decodes the event, [`Inbox`] detects
//! duplicates, and [`Reply`] is the response.

pub mod danger;
mod error;
mod inbox;
mod reply;
mod sources;

pub use error::ReceiveError;
pub use inbox::{Admission, Claim, Inbox, InboxChange, InboxEvent, InboxState};
pub use reply::Reply;
pub use sources::{DuplicateSourceError, Proof, Received, Source, Sources};
