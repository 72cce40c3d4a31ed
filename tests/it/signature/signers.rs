//! What signers check and ignore, and what `Debug` shows of keys and requests.

use labhook::signature::{CustomScheme, HttpMessageProfile, Scheme, SchemeSpec};
use labhook::{Signer, Verifier};

use super::{BODY, NOW, id, other_secret, secret, signed, verify};

#[test]
fn check_finds_what_cannot_be_signed() {
    let check = |signer: &Signer, text| signer.check(&id(text)).map_err(|error| error.to_string());
    let signed = |signer: &Signer, text| {
        signer.sign(&id(text), NOW, BODY).map(drop).map_err(|error| error.to_string())
    };
    let spec = SchemeSpec::new("x-signature", "{id}.{body}").with_id_header("x-id");
    let custom = Signer::custom(CustomScheme::new(spec).unwrap(), secret()).unwrap();
    assert_eq!(check(&custom, "msg_1"), Ok(()));
    assert_eq!(check(&custom, "msg.a"), signed(&custom, "msg.a"));
    assert!(check(&custom, "msg.a").is_err());
    // The second scheme is checked too.
    let both = Signer::strike(secret()).add_signer(custom).unwrap();
    assert!(check(&both, "msg.a").is_err());

    let one = Signer::standard_webhooks(secret());
    let most = (1..32).fold(one, |signer, _| signer.add_secret(other_secret()));
    assert_eq!(check(&most, "msg_1"), Ok(()));
    let more = most.add_secret(other_secret());
    assert_eq!(check(&more, "msg_1"), signed(&more, "msg_1"));
    assert!(check(&more, "msg_1").is_err());
}

#[test]
fn http_message_signers_are_not_combined() {
    let signer = |secret| {
        Signer::new(Scheme::HttpMessageSignatures(HttpMessageProfile::new()), secret).unwrap()
    };
    let names: Vec<_> = signer(secret()).header_names().map(ToString::to_string).collect();
    for name in ["webhook-id", "content-digest", "signature-input", "signature"] {
        assert!(names.iter().any(|set| set == name), "{name}");
    }
    assert!(signer(secret()).add_signer(signer(other_secret())).is_err());
}

#[test]
fn debug_of_a_verified_request_shows_its_proof() {
    let headers = signed(BODY);
    let shown = format!("{:?}", verify(&headers, BODY).unwrap());
    for part in ["20 bytes", "msg_1", "key_index: 0"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn debug_of_keys_shows_their_kind() {
    let secrets = format!("{:?}", Verifier::standard_webhooks(secret()));
    assert!(secrets.contains("Secret(24 bytes)"), "{secrets}");
    #[cfg(feature = "ed25519")]
    {
        let key = labhook::signature::Ed25519PrivateKey::from_seed(&[7; 32]);
        assert_eq!(format!("{:?} {:?}", key, key.public()), "Ed25519PrivateKey Ed25519PublicKey");
    }
    #[cfg(feature = "p256")]
    {
        let key = labhook::signature::P256PrivateKey::from_scalar(&[7; 32]).unwrap();
        assert_eq!(format!("{:?} {:?}", key, key.public()), "P256PrivateKey P256PublicKey");
    }
}

#[cfg(feature = "ed25519")]
#[test]
fn secret_beside_a_public_key_is_ignored() {
    use labhook::signature::{Algorithm, Ed25519PrivateKey};

    let spec = SchemeSpec::new("x-signature", "{body}").with_separator(',');
    let scheme = CustomScheme::new(spec.with_algorithm(Algorithm::Ed25519)).unwrap();
    let key = Ed25519PrivateKey::from_seed(&[7; 32]);
    let signer = Signer::custom(scheme.clone(), key.clone()).unwrap();
    let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
    let added = signer.add_secret(secret()).sign(&id("m"), NOW, BODY).unwrap();
    assert_eq!(added, headers);
    let verifier = Verifier::custom(scheme, key.public()).unwrap();
    assert_eq!(format!("{:?}", verifier.clone().add_secret(secret())), format!("{verifier:?}"));
}
