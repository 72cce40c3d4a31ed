//! Key rotation: requests signed with several keys, verifiers that accept several.

use labhook::{Signer, Verifier};

use super::{BODY, NOW, id, other_secret, secret, verify};

/// A receiver that has both secrets during the whole rotation.
#[test]
fn key_index_shows_a_completed_rotation() {
    let verifier = Verifier::standard_webhooks(other_secret()).add_secret(secret());
    let index = |signer: Signer| {
        let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
        verifier.verify(&headers, BODY, NOW).unwrap().key_index()
    };
    assert_eq!(index(Signer::standard_webhooks(secret())), 1);
    assert_eq!(index(Signer::standard_webhooks(other_secret()).add_secret(secret())), 0);
    assert_eq!(index(Signer::standard_webhooks(other_secret())), 0);
    // A receiver with only the old secret is served until the sender drops it.
    let both = Signer::standard_webhooks(other_secret()).add_secret(secret());
    let headers = both.sign(&id("m"), NOW, BODY).unwrap();
    assert!(verify(&headers, BODY).is_ok());
}

#[cfg(feature = "ed25519")]
#[test]
fn one_list_carries_hmac_and_ed25519() {
    use labhook::signature::Ed25519PrivateKey;

    let key = Ed25519PrivateKey::from_seed(&[7; 32]);
    let public = key.public();
    let signer = Signer::standard_webhooks(secret()).add_key(key).unwrap();
    let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
    let list = headers["webhook-signature"].to_str().unwrap();
    assert!(list.starts_with("v1,") && list.contains(" v1a,"), "{list}");
    for verifier in [
        Verifier::standard_webhooks(secret()),
        Verifier::standard_webhooks(public.clone()),
        Verifier::standard_webhooks(other_secret()).add_key(public).unwrap(),
    ] {
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
    }
}
