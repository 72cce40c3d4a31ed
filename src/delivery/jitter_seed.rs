//! Deterministic randomness for jitter: [`JitterSeed`].

use crate::id::{EndpointId, MessageId};
use crate::mix::mix;

/// Deterministic random numbers for jitter: a pure function of (seed, message, endpoint, attempt).
///
/// Two deliveries draw different numbers. One delivery draws the same numbers on every platform,
/// in every version, and after a restart, so there is no state to save. Pick a seed once (from your
/// operating system's randomness, or any fixed number in a test) and keep it. Each sending process
/// should have its own, so that they do not retry in step. The numbers spread load; do not derive
/// secrets from them.
///
/// A draw mixes in one number after the other with the finaliser of SplitMix64: the seed, each text
/// as its length in bytes and its bytes, eight at a time and little-endian, and the attempt. The
/// algorithm is part of the API: any change would change every delay that a seed yields.
///
/// ```
/// use labhook::{EndpointId, MessageId};
/// use labhook::delivery::JitterSeed;
///
/// let (message, endpoint) = (MessageId::new("msg_1")?, EndpointId::new("eln")?);
/// let seed = JitterSeed::new(7, &message, &endpoint);
/// assert_eq!(seed.draw(1, 5), seed.draw(1, 5));
/// assert!(seed.draw(1, 5) <= 5);
/// # Ok::<(), labhook::id::IdError>(())
/// ```
#[doc(alias("random", "rng"))]
#[derive(Clone, Copy, Debug)]
pub struct JitterSeed<'a> {
    seed: u64,
    message: &'a str,
    endpoint: &'a str,
}

impl<'a> JitterSeed<'a> {
    /// Creates the seed of one delivery. This is cheap: only [`draw`](Self::draw) hashes.
    #[must_use]
    pub fn new(seed: u64, message: &'a MessageId, endpoint: &'a EndpointId) -> Self {
        Self { seed, message: message.as_str(), endpoint: endpoint.as_str() }
    }

    /// Returns a number from 0 to `bound`, both inclusive, for this attempt.
    ///
    /// The probabilities of any two numbers differ by at most one part in 2^64.
    #[must_use]
    pub fn draw(self, attempt: u32, bound: u64) -> u64 {
        let texts = [self.message, self.endpoint].map(str::as_bytes);
        let bits = texts.into_iter().fold(mix(self.seed), |state, text| {
            let len = u64::try_from(text.len()).unwrap_or(u64::MAX);
            text.chunks(8).map(word).fold(mix(state ^ len), |state, word| mix(state ^ word))
        });
        let bits = mix(bits ^ u64::from(attempt));
        let values = u128::from(bound).saturating_add(1);
        // Both factors are at most 2^64, so the product's upper half fits 64 bits.
        u64::try_from(u128::from(bits).saturating_mul(values) >> 64).unwrap_or(bound)
    }
}

/// Returns up to eight bytes as a number.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(message: &str, endpoint: &str) -> (MessageId, EndpointId) {
        (MessageId::new(message).unwrap(), EndpointId::new(endpoint).unwrap())
    }

    #[test]
    fn draws_never_change() {
        let (message, endpoint) = ids("msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", "eln");
        let seed = JitterSeed::new(7, &message, &endpoint);
        assert_eq!(seed.draw(1, u64::MAX), 2_329_586_461_947_384_663);
        assert_eq!(seed.draw(2, u64::MAX), 16_579_968_503_309_113_242);
        assert_eq!(seed.draw(u32::MAX, u64::MAX), 11_090_091_934_355_636_646);
        let (message, endpoint) = ids("a", "b");
        let seed = JitterSeed::new(u64::MAX, &message, &endpoint);
        assert_eq!(seed.draw(1, u64::MAX), 9_366_920_437_882_890_073);
        assert_eq!(seed.draw(1, 999_999), 507_781);
        assert_eq!(seed.draw(1, 0), 0);
    }

    #[test]
    fn parts_with_moved_boundary_draw_differently() {
        let (left, right) = (ids("ab", "c"), ids("a", "bc"));
        assert_ne!(
            JitterSeed::new(1, &left.0, &left.1).draw(1, u64::MAX),
            JitterSeed::new(1, &right.0, &right.1).draw(1, u64::MAX)
        );
    }

    #[test]
    fn draws_are_uniform() {
        let mut seen = [0_u32; 10];
        let (message, endpoint) = ids("m", "e");
        for attempt in 0..10_000 {
            let drawn = JitterSeed::new(1, &message, &endpoint).draw(attempt, 9);
            seen[usize::try_from(drawn).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
    }
}
