//! Wire formats: the [`Format`] trait, and the formats that this crate provides.
//!
//! | format | request body |
//! |---|---|
//! | [`Envelope`] | the Standard Webhooks envelope `{"type", "timestamp", "data"}`; the default |
//! | [`CloudEvents`] | CloudEvents 1.0.2, in structured, binary or batched mode |
//! | [`SlackMessage`] | a Slack incoming webhook |
//!
//! The vendors' formats are in [`provider`](crate::provider). Choose a format per endpoint with
//! [`Endpoint::with_format`](crate::Endpoint::with_format).

mod cloud_events;
mod envelope;
mod error;
mod render;
mod slack;

pub use cloud_events::{CloudEvent, CloudEventHeaderError, CloudEvents, CloudEventsSourceError};
pub use envelope::Envelope;
pub use error::FormatError;
pub use render::Format;
pub use slack::SlackMessage;
