//! Receiving webhooks: [`Sources`] tells who sent a request, [`Inbox`] whether it is a duplicate,
//! and [`Reply`] what to respond.

pub mod danger;
mod error;
mod inbox;
mod reply;
mod sources;

pub use error::ReceiveError;
pub use inbox::{Admission, Claim, Inbox};
pub use reply::Reply;
pub use sources::{DuplicateSourceError, Proof, Received, Source, Sources};
