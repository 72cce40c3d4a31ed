//! Limits on the number of signatures in one request.

/// The largest number of signatures that a request may carry, of any version and encoding.
///
/// A signature in the headers of both Svix and Standard Webhooks counts once. A verifier rejects a
/// request with more. During key rotation a sender writes two or three. A
/// [`Signer`](super::Signer) can have at most this number of keys too.
pub const MAX_CANDIDATES: usize = 32;

/// The largest number of Ed25519 and ECDSA signatures that a request may carry if the verifier has a
/// public key.
///
/// It is lower than [`MAX_CANDIDATES`] because each of them costs a verification per key.
pub const MAX_PUBLIC_KEY_CANDIDATES: usize = 4;
