//! Instants: [`Timestamp`] for arithmetic, and [`TimeText`] to preserve a vendor's spelling.

mod rfc3339;
mod time_text;
mod timestamp;

pub use time_text::TimeText;
pub use timestamp::{ParseTimestampError, Timestamp};

pub(crate) use timestamp::{micros, millis_up};
