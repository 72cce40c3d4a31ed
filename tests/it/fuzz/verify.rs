//! Every scheme and every vendor's constant. What is signed verifies; and whatever verifies, after
//! any change of its headers, body and time, has the MAC of its own body in a header, as computed
//! here without the crate.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Request, request};
use labhook::signature::{Algorithm, HttpMessageProfile, Scheme, SigningKey, VerifyingKey};
use labhook::{MessageId, Secret, Signer, Timestamp, Verified, Verifier};
use sha2::Sha256;

use super::reader::Reader;
use crate::signature::vendors::ALL;

const KEY: &[u8] = b"s3cRe7s3cRe7s3cRe7s3cRe7";
const URL: &str = "https://lab.example:8443/hooks/7?from=vendor%20x";
/// Checking a public key's signature takes time.
const MAX_CHANGES: usize = 24;
const START: i64 = 1_614_265_330;
const TOLERANCE: Duration = Duration::from_secs(300);
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-token");

/// What is known of a scheme without the crate.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A MAC with the key.
    Mac,
    Token,
    /// Anything else: only the body is compared.
    Other,
}

struct Pair {
    kind: Kind,
    signer: Signer,
    verifier: Verifier,
}

static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(pairs);

fn secret() -> Secret {
    Secret::from_bytes(KEY).unwrap()
}

fn pairs() -> Vec<Pair> {
    let mac = |signer, verifier| Pair { kind: Kind::Mac, signer, verifier };
    let other = |scheme: Scheme, signing: SigningKey, verifying: VerifyingKey| Pair {
        kind: Kind::Other,
        signer: Signer::new(scheme.clone(), signing).unwrap(),
        verifier: Verifier::new(scheme, verifying).unwrap(),
    };
    let mut all = vec![
        mac(Signer::standard_webhooks(secret()), Verifier::standard_webhooks(secret())),
        mac(Signer::svix(secret()), Verifier::svix(secret())),
        mac(Signer::standard_webhooks(secret()), Verifier::svix(secret())),
        mac(Signer::strike(secret()), Verifier::strike(secret())),
        Pair {
            kind: Kind::Token,
            signer: Signer::token(TOKEN_HEADER, secret()).unwrap(),
            verifier: Verifier::token(TOKEN_HEADER, secret()).unwrap(),
        },
        other(
            Scheme::HttpMessageSignatures(HttpMessageProfile::new()),
            secret().into(),
            secret().into(),
        ),
    ];
    for (_, scheme, _) in &ALL {
        if scheme.algorithm() == Algorithm::HmacSha256 {
            let signer = Signer::custom(scheme.clone(), secret()).unwrap();
            all.push(mac(signer, Verifier::custom(scheme.clone(), secret()).unwrap()));
        }
    }
    #[cfg(feature = "ed25519")]
    {
        use labhook::signature::{CustomScheme, Ed25519PrivateKey};

        let key = Ed25519PrivateKey::from_seed(&[7; 32]);
        for scheme in [
            Scheme::StandardWebhooks,
            Scheme::CustomScheme(CustomScheme::DISCORD),
            Scheme::HttpMessageSignatures(HttpMessageProfile::new()),
        ] {
            all.push(other(scheme, key.clone().into(), key.public().into()));
        }
    }
    #[cfg(feature = "p256")]
    {
        use labhook::signature::{CustomScheme, P256PrivateKey};

        let key = P256PrivateKey::from_scalar(&[7; 32]).unwrap();
        for scheme in [Scheme::StandardWebhooks, Scheme::CustomScheme(CustomScheme::SENDGRID)] {
            all.push(other(scheme, key.clone().into(), key.public().into()));
        }
    }
    #[cfg(feature = "twilio")]
    all.push(other(Scheme::Twilio, secret().into(), secret().into()));
    all
}

/// A request as it arrives.
struct Received {
    parts: request::Parts,
    body: Vec<u8>,
    now: Timestamp,
}

/// The first byte selects the scheme, and its highest bit whether the headers are the input's own.
pub(crate) fn run(data: &[u8]) {
    let mut input = Reader::new(data);
    let selected = usize::from(input.byte());
    let pair = &PAIRS[(selected & 127) % PAIRS.len()];
    let now = Timestamp::from_unix_seconds(START + i64::from(input.byte()));
    if selected >= 128 {
        let (mut parts, ()) = Request::post(URL).body(()).unwrap().into_parts();
        parts.headers = input.headers();
        let body = input.rest();
        #[cfg(any(feature = "ed25519", feature = "p256"))]
        let _ = labhook::signature::KeySet::from_json(body);
        // Of its own accord no input has a MAC.
        assert_accepted(pair, &Received { parts, body: body.to_vec(), now }, &[]);
        return;
    }
    let Some(first) = sign(pair, &mut input, now) else { return };
    let verified = pair.verifier.verify_request(&first.parts, &first.body, now);
    assert!(verified.is_ok(), "{:?} {verified:?}", pair.verifier.scheme());
    let Some(second) = sign(pair, &mut input, now) else { return };
    let bodies = [first.body.clone(), second.body.clone()];
    let mut request = first;
    for _ in 0..MAX_CHANGES {
        if input.is_empty() {
            break;
        }
        change(&mut request, &second, &mut input);
        assert_accepted(pair, &request, &bodies);
    }
}

/// A line is the message's id, and the next one its body.
fn sign(pair: &Pair, input: &mut Reader<'_>, now: Timestamp) -> Option<Received> {
    let id = MessageId::new(String::from_utf8_lossy(input.line())).ok()?;
    let body = input.line().to_vec();
    let (mut parts, ()) = Request::post(URL).body(()).unwrap().into_parts();
    parts.headers.insert("content-type", HeaderValue::from_static("application/json"));
    let signed = pair.signer.sign_request(&parts, &id, now, &body).ok()?;
    parts.headers.extend(signed);
    Some(Received { parts, body, now })
}

/// Changes the request once; some changes take a header from another signed request.
fn change(request: &mut Received, other: &Received, input: &mut Reader<'_>) {
    let Received { parts, body, now } = request;
    let kind = input.below(14);
    let byte = input.byte();
    let at = usize::from(byte);
    match kind {
        0 | 1 => {
            if let Some(byte) =
                body.len().checked_sub(1).and_then(|last| body.get_mut(at % (last + 1)))
            {
                *byte ^= 1 << (input.byte() & 7);
            }
        }
        2 => body.push(byte),
        3 => _ = body.pop(),
        4 => *body = other.body.clone(),
        5 => *now += Duration::from_secs(at as u64 * 7),
        6 => *now -= Duration::from_secs(at as u64 * 7),
        _ => {
            let names: Vec<HeaderName> = parts.headers.keys().cloned().collect();
            let Some(name) = names.get(at % names.len().max(1)) else { return };
            let mut value = parts.headers[name].as_bytes().to_vec();
            let place = usize::from(input.byte()) % (value.len() + 1);
            match kind {
                7 => {
                    if let Some(byte) = value.get_mut(place) {
                        *byte ^= 1 << (input.byte() & 7);
                    }
                }
                8 => value.insert(place, input.byte()),
                9 => {
                    if place < value.len() {
                        value.remove(place);
                    }
                }
                10 => {
                    parts.headers.remove(name);
                    return;
                }
                11 => {
                    if let Some(theirs) = other.parts.headers.get(name) {
                        value = theirs.as_bytes().to_vec();
                    }
                }
                12 => {
                    let theirs = other.parts.headers.get(name).map_or(&[][..], |it| it.as_bytes());
                    value.push(input.pick(b", ;|"));
                    value.extend_from_slice(theirs);
                }
                _ => {
                    let upper = HeaderValue::from_bytes(&value.to_ascii_uppercase()).unwrap();
                    if input.flag() {
                        parts.headers.append(name, upper);
                    } else {
                        parts.headers.insert(name, upper);
                    }
                    return;
                }
            }
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                parts.headers.insert(name, value);
            }
        }
    }
}

/// Whatever verifies must be genuine. `signed` are the bodies that were signed.
fn assert_accepted(pair: &Pair, request: &Received, signed: &[Vec<u8>]) {
    let Received { parts, body, now } = request;
    let Ok(verified) = pair.verifier.verify_request(parts, body, *now) else { return };
    let shown = || format!("{:?}: {parts:?} {body:?} at {now}", pair.verifier.scheme());
    assert_eq!(verified.body(), body.as_slice());
    assert_eq!(verified.key_index(), 0);
    if let Some(at) = verified.timestamp() {
        // A header has whole seconds, and so does the tolerance.
        let age = now.saturating_since(at).max(at.saturating_since(*now));
        assert!(age < TOLERANCE + Duration::from_secs(1), "{age:?} {}", shown());
    }
    match pair.kind {
        Kind::Mac => assert!(has_mac(&verified, &parts.headers, body), "{}", shown()),
        Kind::Token => {
            let all: Vec<_> = parts.headers.get_all(TOKEN_HEADER).iter().collect();
            assert!(all.iter().all(|value| value.as_bytes() == KEY) && !all.is_empty());
        }
        Kind::Other => assert!(signed.contains(body), "{}", shown()),
    }
}

/// Whether a header contains the MAC of the body, alone or with the time and the id that the
/// headers have, in one of the ways in which the vendors' pages put them together.
fn has_mac(verified: &Verified<'_>, headers: &HeaderMap, body: &[u8]) -> bool {
    let mut times: Vec<&[u8]> = Vec::new();
    for value in headers.values() {
        times.push(value.as_bytes().trim_ascii());
        for field in value.as_bytes().split(|byte| b",; ".contains(byte)) {
            times.extend(field.iter().position(|&byte| byte == b'=').map(|at| &field[at + 1..]));
        }
    }
    let ids: Vec<&[u8]> = headers.values().map(|it| it.as_bytes().trim_ascii()).collect();
    let is = |parts: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        let tag = mac.finalize().into_bytes();
        let (hex, base64) = (hex::encode(tag), STANDARD.encode(tag));
        headers.values().any(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.contains(&base64) || text.to_ascii_lowercase().contains(&hex)
        })
    };
    let url = URL.as_bytes();
    if verified.timestamp().is_none() {
        return is(&[body]) || is(&[url, body]);
    }
    times.iter().any(|time| {
        is(&[time, b".", body])
            || is(&[time, b":", body])
            || is(&[time, body])
            || is(&[body, time])
            || is(&[b"v0:", time, b":", body])
            || is(&[b"POST", url, body, time])
            || verified.id().is_some_and(|_| {
                ids.iter().any(|id| is(&[id, b".", time, b".", body]) || is(&[id, time, body]))
            })
    })
}
