//! Messages that take long and are repeated meanwhile: [`Processing`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::behaviour::Behaviour;
use super::chance::draw;

/// Processing time of an idempotent receiver, and its response to a repeat in progress.
///
/// The receiver responds to a message when it has handled it, `time` later: the attempt times out
/// if its timeout is shorter. A repeat before that meets the behaviour, such as a 409. Afterwards a
/// repeat is answered with a 200 at once.
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use labhook::simulate::{Behaviour, Processing, Receiver};
///
/// // A tenth of the messages takes a minute.
/// let busy = Behaviour::retry_after(StatusCode::CONFLICT, Duration::from_secs(30));
/// let processing = Processing::new(Duration::from_secs(60), busy).with_share(100_000);
/// let mut receiver = Receiver::new().with_processing(processing).start(0);
/// let reaction = receiver.handle(1, Duration::ZERO);
/// assert!(reaction.accepted);
/// ```
#[doc(alias = "idempotent receiver")]
#[doc(alias = "in progress")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processing {
    time: Duration,
    repeat: Behaviour,
    /// In parts per million.
    share: u32,
}

impl Processing {
    /// Creates a processing time for all messages.
    #[must_use]
    pub const fn new(time: Duration, repeat: Behaviour) -> Self {
        Self { time, repeat, share: u32::MAX }
    }

    /// Sets the share of messages that take long, in parts per million. The others are answered at
    /// once.
    #[must_use]
    pub const fn with_share(mut self, parts_per_million: u32) -> Self {
        self.share = parts_per_million;
        self
    }

    fn applies(&self, seed: u64, message: u64) -> bool {
        // Another number than that of any request, and than that of `Poison`.
        draw(seed, message, u64::MAX.wrapping_sub(1)) < self.share
    }
}

/// When each message that takes long is done.
#[derive(Clone, Debug, Default)]
pub(in crate::simulate) struct InProgress {
    done_at: BTreeMap<u64, Duration>,
}

impl InProgress {
    /// How a repeat of a message in progress is met; `None` if it is not in progress.
    pub(in crate::simulate) fn repeat<'a>(
        &self,
        processing: &'a Processing,
        message: u64,
        at: Duration,
    ) -> Option<&'a Behaviour> {
        self.done_at.get(&message).filter(|done_at| at < **done_at).map(|_| &processing.repeat)
    }

    /// Starts a message, if it is new, and returns how long it takes.
    pub(in crate::simulate) fn start(
        &mut self,
        processing: &Processing,
        seed: u64,
        message: u64,
        at: Duration,
    ) -> Duration {
        if self.done_at.contains_key(&message) || !processing.applies(seed, message) {
            return Duration::ZERO;
        }
        self.done_at.insert(message, at.saturating_add(processing.time));
        processing.time
    }
}
