//! Shares of a whole, and the arithmetic of rates.

use serde::{Deserialize, Serialize};

/// A share between 0 and 1, in parts of 65 536.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u32")]
pub(super) struct Share(u32);

const WHOLE: u64 = 1 << 16;

/// More than the whole, in a record edited by hand, is the whole.
impl From<u32> for Share {
    fn from(parts: u32) -> Self {
        Self(u64::from(parts).min(WHOLE).try_into().unwrap_or(u32::MAX))
    }
}

impl Share {
    pub(super) const NONE: Self = Self(0);

    /// Returns `part / whole`, at most 1; 0 if `whole` is 0.
    pub(super) fn of(part: u64, whole: u64) -> Self {
        let share = scale(WHOLE, part.min(whole), whole);
        Self(u32::try_from(share).unwrap_or(u32::MAX))
    }

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(super) fn parts(self) -> u64 {
        u64::from(self.0).min(WHOLE)
    }

    /// Returns this share of a number, rounded down.
    pub(super) fn times(self, number: u64) -> u64 {
        scale(number, self.parts(), WHOLE)
    }

    /// Returns 1 minus this share.
    pub(super) fn rest(self) -> Self {
        Self(u32::try_from(WHOLE.saturating_sub(self.parts())).unwrap_or(u32::MAX))
    }

    /// Returns this share divided by another, at most 1.
    pub(super) fn over(self, other: Self) -> Self {
        Self::of(self.parts(), other.parts())
    }

    /// Returns this share minus another, at least 0.
    pub(super) fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Returns the share that lies `1 / steps` of the way from this one to another.
    pub(super) fn towards(self, other: Self, steps: u32) -> Self {
        if other > self {
            self.plus(Self(other.less(self).0.div_ceil(steps.max(1))))
        } else {
            self.less(Self(self.less(other).0.div_ceil(steps.max(1))))
        }
    }
}

/// `value × times / by`, saturating; 0 if `by` is 0.
pub(super) fn scale(value: u64, times: u64, by: u64) -> u64 {
    let product = u128::from(value).saturating_mul(u128::from(times));
    u64::try_from(product.checked_div(u128::from(by)).unwrap_or(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_stay_between_none_and_the_whole() {
        assert_eq!(Share::of(3, 4).times(100), 75);
        assert_eq!(Share::of(9, 4), Share::of(4, 4));
        assert_eq!(Share::of(1, 0), Share::NONE);
        assert_eq!(Share::of(1, 4).rest(), Share::of(3, 4));
        assert_eq!(Share::of(1, 4).over(Share::of(1, 2)), Share::of(1, 2));
        assert_eq!(Share::of(1, 2).over(Share::of(1, 4)), Share::of(1, 1));
        assert_eq!(Share::of(1, 4).less(Share::of(1, 2)), Share::NONE);
        assert_eq!(Share::NONE.towards(Share::of(1, 1), 4), Share::of(1, 4));
        assert_eq!(Share::of(1, 1).towards(Share::NONE, 4), Share::of(3, 4));
        assert_eq!(Share(u32::MAX).times(u64::MAX), u64::MAX);
        assert_eq!(scale(1, 1, 0), 0);
    }
}
