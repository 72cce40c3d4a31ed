//! Signature headers as proxies join them, and as senders write them while they rotate keys.

use http::{HeaderMap, HeaderName};
use labhook::signature::{CustomScheme, SchemeSpec, SchemeSpecError, TimestampForm};
use labhook::{Secret, Signer, Verifier, VerifyError};

use super::{BODY, NOW, id, other_secret, secret, signed, value};

const SIGNATURE: &str = "webhook-signature";

/// The signature of [`BODY`] with each of the two secrets.
fn signatures() -> (HeaderMap, [String; 2]) {
    let headers = signed(BODY);
    let of = |signer: Signer| {
        let headers = signer.sign(&id("msg_1"), NOW, BODY).unwrap();
        headers[SIGNATURE].to_str().unwrap().to_owned()
    };
    let both = [secret(), other_secret()].map(|secret| of(Signer::standard_webhooks(secret)));
    (headers, both)
}

fn accepts(verifier: &Verifier, name: &str, text: &str) -> bool {
    let mut headers = signed(BODY);
    headers.insert(HeaderName::try_from(name).unwrap(), value(text));
    verifier.verify(&headers, BODY, NOW).is_ok()
}

#[test]
fn joined_lines_verify_with_either_key() {
    let (_, [a, b]) = signatures();
    let verifiers = [secret(), other_secret()].map(Verifier::standard_webhooks);
    for list in [
        format!("{a},{b}"),
        format!("{a}, {b}"),
        format!("{a} {b}"),
        format!("{a},{b},"),
        format!("{a},,{b}"),
        format!("v2,x,{a},v1a,AAAA,{b}"),
        format!("garbage,{a},{b}"),
        format!("{a} v1,AAAA,{b}"),
    ] {
        for verifier in &verifiers {
            assert!(accepts(verifier, SIGNATURE, &list), "{list}");
        }
    }
    for list in
        [format!("{a},x"), format!("{a}\t{b}"), a.replace("v1,", "v1,x,"), a.replace(',', "")]
    {
        for verifier in &verifiers {
            assert!(!accepts(verifier, SIGNATURE, &list), "{list}");
        }
    }
}

#[test]
fn joined_lines_of_vendors_verify() {
    for scheme in [
        CustomScheme::GITHUB,
        CustomScheme::SHOPIFY,
        CustomScheme::PADDLE,
        CustomScheme::STRIPE,
        CustomScheme::SLACK,
    ] {
        let sign = |secret| {
            Signer::custom(scheme.clone(), secret).unwrap().sign(&id("m"), NOW, BODY).unwrap()
        };
        let (mut headers, other) = (sign(other_secret()), sign(secret()));
        for joint in [",", ", "] {
            let text = |headers: &HeaderMap| headers[scheme.header()].to_str().unwrap().to_owned();
            let list = format!("{}{joint}{}", text(&sign(other_secret())), text(&other));
            headers.insert(scheme.header(), value(&list));
            for secret in [secret(), other_secret()] {
                let verifier = Verifier::custom(scheme.clone(), secret).unwrap();
                assert!(verifier.verify(&headers, BODY, NOW).is_ok(), "{list}");
            }
        }
    }
}

#[test]
fn repeated_pairs_of_a_rotation_verify() {
    let stripe = |secret| Signer::custom(CustomScheme::STRIPE, secret).unwrap();
    let pair = |signer: Signer, seconds| {
        let at = NOW + std::time::Duration::from_secs(seconds);
        let headers = signer.sign(&id("m"), at, BODY).unwrap();
        headers["stripe-signature"].to_str().unwrap().to_owned()
    };
    let (a, b) = (pair(stripe(secret()), 0), pair(stripe(other_secret()), 0));
    for secret in [secret(), other_secret()] {
        let verifier = Verifier::custom(CustomScheme::STRIPE, secret).unwrap();
        assert!(accepts(&verifier, "stripe-signature", &format!("{a} {b}")));
        assert!(accepts(&verifier, "stripe-signature", &format!("{a},{b}")));
    }
    // One time for all: a signature is never checked with the time of another pair.
    let later = pair(stripe(secret()), 1);
    let mut headers = HeaderMap::new();
    headers.insert("stripe-signature", value(&format!("{later} {b}")));
    let verifier = Verifier::custom(CustomScheme::STRIPE, secret()).unwrap();
    let error = verifier.verify(&headers, BODY, NOW).unwrap_err();
    assert_eq!(error.name(), "conflicting-timestamp");
}

fn values_scheme() -> CustomScheme {
    CustomScheme::new(
        SchemeSpec::new("x-values", "{body}")
            .with_separator(',')
            .with_prefix("v0=")
            .with_value_separator(','),
    )
    .unwrap()
}

fn hex_of(secret: Secret) -> String {
    let headers = Signer::strike(secret).sign(&id("m"), NOW, BODY).unwrap();
    headers["x-webhook-signature"].to_str().unwrap().to_owned()
}

#[test]
fn several_values_behind_one_prefix_verify() {
    let scheme = values_scheme();
    let signer = Signer::custom(scheme.clone(), secret()).unwrap().add_secret(other_secret());
    let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
    let (a, b) = (hex_of(secret()), hex_of(other_secret()));
    assert_eq!(headers["x-values"], format!("v0={a},{b}"));
    for secret in [secret(), other_secret()] {
        let verifier = Verifier::custom(scheme.clone(), secret).unwrap();
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
    }

    let verifier = Verifier::custom(scheme, other_secret()).unwrap();
    assert!(accepts(&verifier, "x-values", &format!("v0=zz, {b}")));
    assert!(accepts(&verifier, "x-values", &format!("v1={a},v0={a},{b}")));
    // A value of another field, and one without a field.
    assert!(!accepts(&verifier, "x-values", &format!("v0={a},v1={a},{b}")));
    assert!(!accepts(&verifier, "x-values", &format!("v1={a},{b}")));
    assert!(!accepts(&verifier, "x-values", &b));
    // Only a scheme that has them accepts them.
    let one = SchemeSpec::new("x-values", "{body}").with_separator(',').with_prefix("v0=");
    let one = Verifier::custom(CustomScheme::new(one).unwrap(), other_secret()).unwrap();
    assert!(!accepts(&one, "x-values", &format!("v0={a},{b}")));
}

#[test]
fn value_separator_is_checked() {
    let spec = SchemeSpec::new("x", "{timestamp}{body}").with_separator(';').with_prefix("v0=");
    for (spec, error) in [
        (SchemeSpec::new("x", "{body}").with_value_separator('/'), SchemeSpecError::Separator),
        (
            SchemeSpec::new("x", "{body}").with_prefix("v-0=").with_value_separator('-'),
            SchemeSpecError::Separator,
        ),
        (
            spec.with_timestamp_field("t,", TimestampForm::UnixSeconds).with_value_separator(','),
            SchemeSpecError::Prefix,
        ),
        (
            spec.with_timestamp_field("t=", TimestampForm::Rfc3339).with_value_separator(':'),
            SchemeSpecError::Separator,
        ),
        (
            // A bare value could be read as a time.
            spec.with_timestamp_field("0", TimestampForm::UnixSeconds).with_value_separator(','),
            SchemeSpecError::SamePrefix,
        ),
    ] {
        assert_eq!(CustomScheme::new(spec).unwrap_err(), error, "{spec:?}");
    }
}

#[test]
fn prefix_with_a_space_verifies() {
    for (prefix, base64) in [("sha256 ", false), ("HMAC ", true), ("HMAC-SHA256 Signature=", true)]
    {
        let mut spec = SchemeSpec::new("authorization", "{body}").with_prefix(prefix);
        if base64 {
            spec = spec.with_base64();
        }
        let scheme = CustomScheme::new(spec).unwrap();
        let headers =
            Signer::custom(scheme.clone(), secret()).unwrap().sign(&id("m"), NOW, BODY).unwrap();
        let text = headers["authorization"].to_str().unwrap();
        assert!(text.starts_with(prefix));
        let verifier = Verifier::custom(scheme, secret()).unwrap();
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
        assert!(accepts(&verifier, "authorization", &format!("{prefix}AAAA, {text}")));
        let bare = text.strip_prefix(prefix).unwrap();
        assert!(!accepts(&verifier, "authorization", bare));
        assert!(!accepts(&verifier, "authorization", &format!("Bearer {bare}")));
    }
    for bad in [" sha256=", "sha256\t", "é"] {
        let spec = SchemeSpec::new("x", "{body}").with_prefix(bad);
        assert_eq!(CustomScheme::new(spec).unwrap_err(), SchemeSpecError::Prefix);
    }
}

/// The headers of both brands, with one id and time and a secret each.
fn both_brands(svix: Secret, standard: Secret) -> HeaderMap {
    let signer = Signer::svix(svix).add_signer(Signer::standard_webhooks(standard)).unwrap();
    signer.sign(&id("msg_1"), NOW, BODY).unwrap()
}

#[test]
fn both_brands_that_agree_verify() {
    for secrets in [(secret(), secret()), (secret(), other_secret()), (other_secret(), secret())] {
        let headers = both_brands(secrets.0, secrets.1);
        assert_eq!(headers.len(), 6);
        let verified = Verifier::svix(secret()).verify(&headers, BODY, NOW).unwrap();
        assert_eq!(verified.id().unwrap(), "msg_1");
        let error = Verifier::svix(secret()).verify(&headers, b"x", NOW).unwrap_err();
        assert_eq!(error.name(), "no-match");
    }
}

#[test]
fn both_brands_that_disagree_are_rejected() {
    let verifier = Verifier::svix(secret());
    for brand in ["svix", "webhook"] {
        for (name, text) in [("id", "msg_2"), ("timestamp", "1614265331")] {
            let mut headers = both_brands(secret(), secret());
            let name = HeaderName::try_from(format!("{brand}-{name}")).unwrap();
            headers.insert(name, value(text));
            let error = verifier.verify(&headers, BODY, NOW).unwrap_err();
            assert_eq!(error, VerifyError::MixedBrands);
        }
        for name in ["id", "timestamp", "signature"] {
            let mut headers = both_brands(secret(), secret());
            headers.remove(format!("{brand}-{name}"));
            let error = verifier.verify(&headers, BODY, NOW).unwrap_err();
            assert_eq!(error, VerifyError::MixedBrands, "{brand}-{name}");
        }
        // No two brands share a limit each.
        let mut headers = both_brands(secret(), secret());
        let name = HeaderName::try_from(format!("{brand}-signature")).unwrap();
        headers.insert(name, value(&["v1,AAAA"; 32].join(" ")));
        let error = verifier.verify(&headers, BODY, NOW).unwrap_err();
        assert_eq!(error.name(), "too-many-candidates");
    }
}

fn numbered(number: u8) -> Secret {
    Secret::from_bytes(&[number; 24]).unwrap()
}

/// Each brand has all of the signatures.
#[test]
fn both_brands_at_the_limit_of_keys_verify() {
    let add = |signer| (2..=32).fold(signer, |it: Signer, key| it.add_secret(numbered(key)));
    let (svix, standard) = (Signer::svix(numbered(1)), Signer::standard_webhooks(numbered(1)));
    let signer = add(svix).add_signer(add(standard)).unwrap();
    let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
    for key in [1, 32] {
        let verified = Verifier::svix(numbered(key)).verify(&headers, BODY, NOW);
        assert_eq!(verified.map(|it| it.key_index()), Ok(0));
    }
}

#[cfg(feature = "ed25519")]
#[test]
fn both_brands_with_ed25519_keys_verify() {
    use labhook::signature::Ed25519PrivateKey;
    let key = |number| Ed25519PrivateKey::from_seed(&[number; 32]);
    let add = |signer| (2..=4).fold(signer, |it: Signer, number| it.add_key(key(number)).unwrap());
    let (svix, standard) = (Signer::svix(key(1)), Signer::standard_webhooks(key(1)));
    let signer = add(svix).add_signer(add(standard)).unwrap();
    let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
    for number in [1, 4] {
        let verifier = Verifier::svix(key(number).public());
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
    }
}

#[test]
fn joined_versions_without_separator_verify() {
    let spec = SchemeSpec::new("x-versions", "{body}").with_prefix("v1,").with_base64();
    let scheme = CustomScheme::new(spec).unwrap();
    let sign = |secret| {
        let headers =
            Signer::custom(scheme.clone(), secret).unwrap().sign(&id("m"), NOW, BODY).unwrap();
        headers["x-versions"].to_str().unwrap().to_owned()
    };
    let (a, b) = (sign(secret()), sign(other_secret()));
    for secret in [secret(), other_secret()] {
        let verifier = Verifier::custom(scheme.clone(), secret).unwrap();
        for joint in [",", ", ", " , ", "\t,"] {
            assert!(accepts(&verifier, "x-versions", &format!("{a}{joint}{b}")), "{joint:?}");
        }
        assert!(!accepts(&verifier, "x-versions", &a.replace(',', ", ")));
    }
}

#[test]
fn two_schemes_at_once_verify_with_either() {
    let old = Signer::custom(CustomScheme::SLACK, other_secret()).unwrap();
    let signer = old.add_signer(Signer::standard_webhooks(secret())).unwrap();
    assert_eq!(signer.schemes().count(), 2);
    assert_eq!(signer.header_names().count(), 5);
    let headers = signer.sign(&id("msg_1"), NOW, BODY).unwrap();
    assert_eq!(headers.len(), 5);
    for verifier in [
        Verifier::custom(CustomScheme::SLACK, other_secret()).unwrap(),
        Verifier::standard_webhooks(secret()),
    ] {
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
    }
    assert!(Verifier::standard_webhooks(other_secret()).verify(&headers, BODY, NOW).is_err());

    // Added secrets belong to the first scheme.
    let headers = signer.add_secret(secret()).sign(&id("msg_1"), NOW, BODY).unwrap();
    assert!(Verifier::standard_webhooks(other_secret()).verify(&headers, BODY, NOW).is_err());

    let unsigned = Signer::unsigned().add_signer(Signer::strike(secret())).unwrap();
    assert_eq!(unsigned.header_names().count(), 1);
}

#[test]
fn signers_of_one_header_are_not_combined() {
    let error = Signer::svix(secret()).add_signer(Signer::svix(other_secret())).unwrap_err();
    assert_eq!(error.to_string(), "both signers set the svix-id header");
    assert_eq!(error.name(), "svix-id");
}
