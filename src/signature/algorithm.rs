//! Algorithm of a signature: [`Algorithm`].

use crate::named::named;

/// Signature algorithm of a scheme, which decides the kind of key.
///
/// `Display` and `FromStr` use the names `hmac_sha256`, `ed25519` and `ecdsa_p256`, for schemes that
/// come from a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 2104), keyed with a shared [`Secret`](crate::Secret).
    HmacSha256,
    /// Ed25519 (RFC 8032): 64 bytes. Its keys need the feature `ed25519`.
    Ed25519,
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5), in ASN.1 DER (RFC 3279, section 2.2.3). Its keys
    /// need the feature `p256`.
    EcdsaP256,
}

named!(Algorithm, "signature algorithm", {
    HmacSha256 => "hmac_sha256",
    Ed25519 => "ed25519",
    EcdsaP256 => "ecdsa_p256",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithm_round_trips_as_text() {
        for algorithm in [Algorithm::HmacSha256, Algorithm::Ed25519, Algorithm::EcdsaP256] {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        assert_eq!(
            "rsa".parse::<Algorithm>().unwrap_err().to_string(),
            "unknown signature algorithm `rsa`, \
             expected one of `hmac_sha256`, `ed25519`, `ecdsa_p256`"
        );
    }
}
