//! Deterministic randomness for jitter: [`JitterSeed`].

use sha2::{Digest, Sha256};

use crate::id::{EndpointId, MessageId};

/// Separates this use of the hash from every other. Its text is part of the algorithm: any change
/// would change every delay that an existing seed yields.
const DOMAIN: &[u8] = b"labhook dice 1";

/// Deterministic random numbers for jitter: a pure function of (seed, message, endpoint, attempt).
///
/// Two deliveries draw different numbers. One delivery draws the same numbers on every platform,
/// in every version, and after a restart, so there is no state to save. Pick a seed once (from your
/// operating system's randomness, or any fixed number in a test) and keep it. Each sending process
/// should have its own, so that they do not retry in step. The numbers spread load; do not derive
/// secrets from them.
///
/// A draw is the first 64 bits, big-endian, of a SHA-256 over the parts, each prefixed with its
/// length as eight bytes, big-endian. So no two different sets of parts hash the same bytes.
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
        let mut hash = Sha256::new();
        for part in [
            DOMAIN,
            &self.seed.to_be_bytes(),
            self.message.as_bytes(),
            self.endpoint.as_bytes(),
            &attempt.to_be_bytes(),
        ] {
            let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash.update(len.to_be_bytes());
            hash.update(part);
        }
        let mut bits = 0_u64;
        for byte in hash.finalize().iter().take(8) {
            bits = (bits << 8) | u64::from(*byte);
        }
        let values = u128::from(bound).saturating_add(1);
        // Both factors are at most 2^64, so the product's upper half fits 64 bits.
        u64::try_from(u128::from(bits).saturating_mul(values) >> 64).unwrap_or(bound)
    }
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
        assert_eq!(seed.draw(1, u64::MAX), 17_547_617_075_089_928_327);
        assert_eq!(seed.draw(2, u64::MAX), 18_094_656_714_198_241_978);
        assert_eq!(seed.draw(u32::MAX, u64::MAX), 17_420_636_618_442_918_005);
        let (message, endpoint) = ids("a", "b");
        let seed = JitterSeed::new(u64::MAX, &message, &endpoint);
        assert_eq!(seed.draw(1, u64::MAX), 13_301_353_408_865_964_149);
        assert_eq!(seed.draw(1, 999_999), 721_067);
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
