//! Requests that were changed after they were signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;

use super::driver::Headers;
use super::library::Vendor;
use super::sample::{self, TOLERANCE};

/// A request, as its receiver has it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    pub(super) now: i64,
    pub(super) secrets: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tampering {
    Body,
    Id,
    Time,
    /// One bit of each signature, or its last byte is missing.
    Signature,
    /// The version of each signature, or the algorithm.
    Version,
    Secret,
    /// The time is too long ago.
    Stale,
    /// The time is too far ahead.
    Ahead,
    /// One header is missing.
    Missing,
}

impl Tampering {
    /// Chooses one that the vendor's requests can have.
    pub(super) fn random(vendor: Vendor, random: &mut Rng) -> Self {
        use Tampering as T;
        let mut possible = vec![T::Body, T::Signature, T::Secret, T::Missing];
        if !vendor.form().prefix.is_empty() {
            possible.push(T::Version);
        }
        if vendor.has_id() {
            possible.push(T::Id);
        }
        if vendor.has_time() {
            possible.extend([T::Time, T::Stale, T::Ahead]);
        }
        possible[random.usize(0..possible.len())]
    }

    /// Changes a request that was signed at this time.
    pub(super) fn apply(self, vendor: Vendor, at: i64, request: &mut Request, random: &mut Rng) {
        let Request { headers, body, now, secrets } = request;
        match self {
            Self::Body => change_body(body, random),
            Self::Id => edit(headers, |name| name.ends_with("-id"), |id| change_id(id, random)),
            Self::Time => {
                let other = loop {
                    let other = *now + random.i64(-TOLERANCE..=TOLERANCE);
                    if other != at && other >= 0 {
                        break other;
                    }
                };
                change_time(vendor, headers, &at.to_string(), &other.to_string());
            }
            Self::Signature => {
                let is_cut = random.u8(0..4) == 0;
                let at = random.usize(0..32 * 8);
                edit_signatures(vendor, headers, |prefix, text| {
                    format!("{prefix}{}", change_mac(vendor, text, is_cut, at))
                });
            }
            Self::Version => {
                let other = match vendor {
                    Vendor::GitHub => "sha1=",
                    Vendor::Stripe => "v0=",
                    Vendor::Slack => "v1=",
                    _ => ["v2,", "v1a,", "V1,"][random.usize(0..3)],
                };
                edit_signatures(vendor, headers, |_, text| format!("{other}{text}"));
            }
            Self::Secret => {
                secrets.iter_mut().for_each(|secret| *secret = sample::secret(vendor, random));
            }
            Self::Stale => *now = at + TOLERANCE + 1 + excess(random),
            Self::Ahead => *now = (at - TOLERANCE - 1 - excess(random)).max(0),
            Self::Missing => {
                let suffixes: Vec<_> = [
                    vendor.has_id().then_some("-id"),
                    (vendor.has_time() && vendor != Vendor::Stripe).then_some("-timestamp"),
                    Some("-signature"),
                ]
                .into_iter()
                .flatten()
                .collect();
                let suffix = suffixes[random.usize(0..suffixes.len())];
                headers.retain(|name, _| !name.contains(suffix));
            }
        }
    }
}

/// Beyond the tolerance by nothing, a little or a lot.
fn excess(random: &mut Rng) -> i64 {
    match random.u8(0..3) {
        0 => 0,
        1 => random.i64(0..100),
        _ => random.i64(0..1_000_000_000),
    }
}

fn change_body(body: &mut Vec<u8>, random: &mut Rng) {
    match random.u8(0..4) {
        0 => body.push(random.u8(..)),
        1 if !body.is_empty() => _ = body.pop(),
        _ if body.is_empty() => body.push(b'x'),
        _ => {
            let at = random.usize(0..body.len());
            body[at] ^= 1 << random.u8(0..8);
        }
    }
}

/// Changes one character to another that an id can have.
fn change_id(id: &str, random: &mut Rng) -> String {
    let mut bytes = id.as_bytes().to_vec();
    let at = random.usize(0..bytes.len());
    let other = loop {
        let other = bytes[at] ^ (1 << random.u8(0..7));
        if other.is_ascii_graphic() {
            break other;
        }
    };
    bytes[at] = other;
    String::from_utf8(bytes).unwrap()
}

fn change_time(vendor: Vendor, headers: &mut Headers, old: &str, new: &str) {
    if vendor == Vendor::Stripe {
        let (old, new) = (format!("t={old},"), format!("t={new},"));
        edit(headers, |_| true, |value| value.replacen(&old, &new, 1));
    } else {
        edit(headers, |name| name.ends_with("-timestamp"), |_| new.to_owned());
    }
}

/// Changes one bit of a signature, or removes its last byte.
fn change_mac(vendor: Vendor, text: &str, is_cut: bool, bit: usize) -> String {
    let is_base64 = vendor.form().is_base64;
    let mut mac =
        if is_base64 { STANDARD.decode(text).unwrap() } else { hex::decode(text).unwrap() };
    assert_eq!(mac.len(), 32);
    if is_cut {
        mac.pop();
    } else {
        mac[bit / 8] ^= 1 << (bit % 8);
    }
    if is_base64 { STANDARD.encode(mac) } else { hex::encode(mac) }
}

fn edit(
    headers: &mut Headers,
    is_meant: impl Fn(&str) -> bool,
    mut change: impl FnMut(&str) -> String,
) {
    let mut changed = 0;
    // Both names of a header change alike.
    let mut first: Option<(String, String)> = None;
    for (_, value) in headers.iter_mut().filter(|(name, _)| is_meant(name)) {
        let new = match &first {
            Some((old, new)) if old == value => new.clone(),
            _ => change(value),
        };
        assert_ne!(new, *value);
        first = Some((std::mem::replace(value, new.clone()), new));
        changed += 1;
    }
    assert!(changed > 0, "{headers:?}");
}

/// Changes all signatures of the version that verifiers know, given prefix and text.
fn edit_signatures(vendor: Vendor, headers: &mut Headers, change: impl Fn(&str, &str) -> String) {
    let form = vendor.form();
    let one = |element: &str| match element.strip_prefix(form.prefix) {
        Some(text) => change(form.prefix, text),
        None => element.to_owned(),
    };
    let is_meant = |name: &str| name.contains("-signature");
    edit(headers, is_meant, |value| match form.separator {
        Some(separator) => {
            value.split(separator).map(one).collect::<Vec<_>>().join(&separator.to_string())
        }
        None => one(value),
    });
}
