//! Messages that always fail: [`Poison`].

use std::ops::Range;

use super::behaviour::Behaviour;
use super::chance::draw;

/// Poisoned messages: those that meet a [`Behaviour`] at each attempt.
///
/// They are chosen by their number (the first message of a load has number 0), by chance, or both.
///
/// ```
/// use http::StatusCode;
/// use labhook::simulate::{Behaviour, Poison, Receiver};
///
/// let error = Behaviour::status(StatusCode::INTERNAL_SERVER_ERROR);
/// let receiver = Receiver::new()
///     .add_poison(Poison::numbers(100..108, error))
///     .add_poison(Poison::share(10_000, Behaviour::Hangs).among(1_000..2_000));
/// let receiver = receiver.start(1);
/// assert!(receiver.is_poisoned(107) && !receiver.is_poisoned(108));
/// ```
#[doc(alias = "poison message")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poison {
    numbers: Range<u64>,
    /// In parts per million.
    share: u32,
    pub(super) behaviour: Behaviour,
}

impl Poison {
    /// Poisons the messages with these numbers.
    #[must_use]
    pub const fn numbers(numbers: Range<u64>, behaviour: Behaviour) -> Self {
        Self { numbers, share: u32::MAX, behaviour }
    }

    /// Poisons a share of the messages, in parts per million, by chance.
    #[must_use]
    pub const fn share(parts_per_million: u32, behaviour: Behaviour) -> Self {
        Self { numbers: 0..u64::MAX, share: parts_per_million, behaviour }
    }

    /// Poisons only messages with these numbers.
    #[must_use]
    pub const fn among(mut self, numbers: Range<u64>) -> Self {
        self.numbers = numbers;
        self
    }

    pub(super) fn applies(&self, seed: u64, message: u64) -> bool {
        self.numbers.contains(&message) && draw(seed, message, u64::MAX) < self.share
    }
}
