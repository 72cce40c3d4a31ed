//! Points in time: [`Timestamp`], and a vendor's spelling of one, [`TimeText`].

mod time_text;
mod timestamp;

pub use time_text::TimeText;
pub use timestamp::{ParseTimestampError, Timestamp};

pub(crate) use timestamp::{micros, millis_up};
