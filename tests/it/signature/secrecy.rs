//! Fault 9 of other implementations: no `Debug` and no `Display` may contain a secret, a MAC or a
//! body.

use std::error::Error;
use std::fmt::{Debug, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::secret::SecretError;
use labhook::signature::{CustomScheme, SigningKey, VerifyingKey};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier, danger};

const KEY: &str = "kEyMaTeRiAl-0123456789";
const BODY: &[u8] = b"bOdYcOnTeNt-0123456789";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_614_265_330);

/// Everything that was printed.
#[derive(Default)]
struct Printed(String);

impl Printed {
    fn debug(&mut self, value: &impl Debug) {
        write!(self.0, "{value:?}\n{value:#?}\n").unwrap();
    }

    fn error(&mut self, error: &(impl Error + 'static)) {
        self.debug(error);
        let mut next: Option<&dyn Error> = Some(error);
        while let Some(error) = next {
            writeln!(self.0, "{error}").unwrap();
            next = error.source();
        }
    }

    /// Searches for the bytes in every common text form.
    fn must_not_contain(&self, bytes: &[u8]) {
        let list = format!("{bytes:?}");
        let spellings = [
            String::from_utf8_lossy(bytes).into_owned(),
            hex::encode(bytes),
            hex::encode_upper(bytes),
            STANDARD.encode(bytes),
            list.trim_matches(['[', ']']).to_owned(),
            list.trim_matches(['[', ']']).replace(", ", ",\n    "),
        ];
        for spelling in spellings {
            assert!(!self.0.contains(&spelling), "{spelling} in {}", self.0);
        }
    }
}

fn secret() -> Secret {
    Secret::from_text(KEY).unwrap()
}

fn signers() -> Vec<(Signer, Verifier)> {
    let token = HeaderName::from_static("x-token");
    vec![
        (
            Signer::standard_webhooks(secret()).add_secret(secret()),
            Verifier::standard_webhooks(secret()).add_secret(secret()),
        ),
        (Signer::svix(secret()), Verifier::svix(secret())),
        (Signer::strike(secret()), Verifier::strike(secret())),
        (
            Signer::token(token.clone(), secret()).unwrap(),
            Verifier::token(token, secret()).unwrap(),
        ),
        (
            Signer::custom(CustomScheme::SLACK, secret()).unwrap(),
            Verifier::custom(CustomScheme::SLACK, secret()).unwrap(),
        ),
    ]
}

/// The encoded MACs of a header, or the token.
fn tags(value: &HeaderValue) -> Vec<String> {
    let text = value.to_str().unwrap();
    let strip = |field: &str| field.trim_start_matches("v1,").trim_start_matches("v0=").to_owned();
    text.split(' ').map(strip).collect()
}

#[test]
fn output_has_no_secret_mac_or_body() {
    let mut printed = Printed::default();
    let mut macs = Vec::new();
    let id = MessageId::new("m").unwrap();

    printed.debug(&SigningKey::from(secret()));
    printed.debug(&VerifyingKey::from(secret()));
    printed.debug(&danger::unsigned(BODY));
    for (signer, verifier) in signers() {
        printed.debug(&signer);
        printed.debug(&verifier);
        let headers = signer.sign(&id, NOW, BODY).unwrap();
        // The headers too: an application may log them.
        printed.debug(&headers);
        let header = signer.header_names().last().unwrap();
        macs.extend(tags(&headers[header]));
        printed.debug(&verifier.verify(&headers, BODY, NOW).unwrap());

        // Every error that these headers can cause.
        let mut reject = |headers: &HeaderMap, body: &[u8], now: Timestamp| {
            if let Err(error) = verifier.verify(headers, body, now) {
                printed.error(&error);
            }
        };
        reject(&HeaderMap::new(), BODY, NOW);
        reject(&headers, b"other", NOW);
        reject(&headers, BODY, Timestamp::MIN);
        reject(&headers, BODY, Timestamp::MAX);
        for name in signer.header_names() {
            for value in ["", "m.1", "v1,AAAA", "+5"] {
                let mut headers = headers.clone();
                headers.append(name, HeaderValue::from_static(value));
                reject(&headers, BODY, NOW);
                headers.insert(name, HeaderValue::from_static(value));
                reject(&headers, BODY, NOW);
            }
        }
    }
    for error in [
        Secret::from_whsec(KEY).unwrap_err(),
        Secret::from_base64(KEY).unwrap_err(),
        SecretError::Empty,
    ] {
        printed.error(&error);
    }
    let header = HeaderName::from_static("x-token");
    let with_line_feed = Secret::from_bytes(format!("{KEY}\n").as_bytes()).unwrap();
    printed.error(&Signer::token(header, with_line_feed).unwrap_err());

    assert!(printed.0.contains("NoMatch") && printed.0.contains("TooOld"));
    printed.must_not_contain(KEY.as_bytes());
    printed.must_not_contain(BODY);
    assert!(macs.len() >= 5);
    for mac in macs {
        assert!(!printed.0.contains(&mac), "{mac}");
        let decoded = [STANDARD.decode(&mac).ok(), hex::decode(&mac).ok()];
        for bytes in decoded.into_iter().flatten() {
            printed.must_not_contain(&bytes);
        }
    }
}

#[cfg(feature = "ed25519")]
#[test]
fn output_has_no_ed25519_key() {
    use labhook::signature::{Ed25519PrivateKey, Ed25519PublicKey};

    let seed: [u8; 32] = std::array::from_fn(|index| u8::try_from(index * 7 + 3).unwrap());
    let key = Ed25519PrivateKey::from_seed(&seed);
    let whsk = key.expose_whsk();
    let whpk = key.public().to_whpk();
    let mut printed = Printed::default();
    printed.debug(&key);
    printed.debug(&key.public());
    printed.debug(&Signer::standard_webhooks(key.clone()));
    printed.debug(&Verifier::standard_webhooks(key.public()));
    printed.error(&Ed25519PrivateKey::from_whsk(&whsk.replace('=', "")).unwrap_err());
    printed.error(&Ed25519PrivateKey::from_whsk(&whpk).unwrap_err());
    printed.error(&Ed25519PublicKey::from_whpk(&whsk).unwrap_err());
    printed.must_not_contain(&seed);
    printed.must_not_contain(&STANDARD.decode(&whpk[5..]).unwrap());
    assert!(!printed.0.contains(&whsk[5..40]));
}
