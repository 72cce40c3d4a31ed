//! Failures by chance: [`Chance`].

use std::num::NonZeroU32;
use std::time::Duration;

use super::behaviour::Behaviour;
use crate::mix::mix;

const MILLION: u32 = 1_000_000;

/// Chance failure: a share of the requests that meets a [`Behaviour`], whatever the message.
///
/// A [share](Self::share) is drawn for each request by itself, so that a retry may succeed. Several
/// shares of a receiver add up: at 10 % and 5 %, 15 % of the requests fail. Within a period it is a
/// brown-out. [`one_in`](Self::one_in) is a dead backend behind a load balancer.
///
/// ```
/// use std::time::Duration;
/// use labhook::simulate::{Behaviour, Chance, Receiver};
///
/// let brown_out = Chance::share(500_000, Behaviour::Hangs)
///     .within(Duration::from_secs(60), Duration::from_secs(120));
/// let receiver = Receiver::new()
///     .add_chance(Chance::share(10_000, Behaviour::refuses_connections()))
///     .add_chance(brown_out);
/// ```
#[doc(alias = "brown-out")]
#[doc(alias = "random failures")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance {
    which: Which,
    from: Duration,
    to: Duration,
    pub(super) behaviour: Behaviour,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    /// In parts per million.
    Share(u32),
    OneIn(NonZeroU32),
}

impl Chance {
    const fn new(which: Which, behaviour: Behaviour) -> Self {
        Self { which, from: Duration::ZERO, to: Duration::MAX, behaviour }
    }

    /// Creates a failure of a share of the requests, in parts per million.
    #[must_use]
    pub const fn share(parts_per_million: u32, behaviour: Behaviour) -> Self {
        Self::new(Which::Share(parts_per_million), behaviour)
    }

    /// Creates a failure of every `n`-th request, the first one included: one of `n` backends is
    /// dead, and the requests go to them in turn.
    #[doc(alias = "round robin")]
    #[must_use]
    pub const fn one_in(n: NonZeroU32, behaviour: Behaviour) -> Self {
        Self::new(Which::OneIn(n), behaviour)
    }

    /// Sets the period, since the start of the simulation, without its end. By default it
    /// never ends.
    #[must_use]
    pub const fn within(mut self, from: Duration, to: Duration) -> Self {
        self.from = from;
        self.to = to;
        self
    }

    /// Whether this failure meets a request. `left` is the request's draw, less the shares before.
    fn applies(&self, left: &mut Option<u32>, request: u64, at: Duration) -> bool {
        if at < self.from || at >= self.to {
            return false;
        }
        match self.which {
            // The first, the one after the next `n`, and so on.
            Which::OneIn(n) => request.checked_rem(u64::from(n.get())) == Some(0),
            Which::Share(share) => {
                *left = left.and_then(|left| left.checked_sub(share.min(MILLION)));
                left.is_none()
            }
        }
    }
}

/// The failure that meets a request, if one does. `draw` is less than a million.
pub(super) fn failure(
    chances: &[Chance],
    draw: u32,
    request: u64,
    at: Duration,
) -> Option<&Behaviour> {
    let mut left = Some(draw);
    chances.iter().find(|it| it.applies(&mut left, request, at)).map(|it| &it.behaviour)
}

/// A number below a million that depends on all of these, evenly spread.
pub(super) fn draw(seed: u64, message: u64, request: u64) -> u32 {
    let mixed = mix(mix(mix(seed) ^ message) ^ request);
    let scaled = u128::from(mixed).wrapping_mul(u128::from(MILLION)) >> 64;
    u32::try_from(scaled).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        let count = |chances: &[Chance]| {
            let is_met = |request: &u64| {
                failure(chances, draw(7, *request, 1), *request, Duration::ZERO).is_some()
            };
            (0..100_000).filter(is_met).count()
        };
        let tenth = Chance::share(100_000, Behaviour::Hangs);
        let third = Chance::share(333_333, Behaviour::refuses_connections());
        assert!(count(std::slice::from_ref(&tenth)).abs_diff(10_000) < 300);
        assert!(count(&[tenth.clone(), third.clone()]).abs_diff(43_333) < 500);
        assert_eq!(count(&[Chance::share(0, Behaviour::Hangs)]), 0);
        assert_eq!(count(&[tenth, third, Chance::share(MILLION, Behaviour::Hangs)]), 100_000);
        let backends = NonZeroU32::new(4).unwrap();
        assert_eq!(count(&[Chance::one_in(backends, Behaviour::Hangs)]), 25_000);
    }

    #[test]
    fn chance_ends_with_its_period() {
        let secs = Duration::from_secs;
        let chance = [Chance::share(MILLION, Behaviour::Hangs).within(secs(1), secs(2))];
        let met = [0, 1, 2].map(|at| failure(&chance, 0, 0, secs(at)).is_some());
        assert_eq!(met, [false, true, false]);
    }
}
