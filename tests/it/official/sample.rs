//! Random messages that are to be signed and verified.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use fastrand::Rng;
use labhook::MessageId;

use super::driver::Headers;
use super::library::{Limit, Vendor};

/// The tolerance of all of these libraries and of a verifier, in seconds, inclusive.
pub(super) const TOLERANCE: i64 = 300;

const LARGE: usize = 1 << 20;

const BYTE_ORDER_MARK: char = '\u{feff}';

pub(super) struct Sample {
    pub(super) id: MessageId,
    /// When it is signed, in Unix seconds.
    pub(super) at: i64,
    /// When it is verified: within the tolerance.
    pub(super) now: i64,
    pub(super) body: Vec<u8>,
    /// The sender's; more than one only if the scheme has a list of signatures.
    pub(super) signing: Vec<String>,
    /// The receiver's: one of the sender's, among others that it also accepts.
    pub(super) verifying: Vec<String>,
    /// The index in `verifying` of the sender's.
    pub(super) matching: usize,
}

impl Sample {
    pub(super) fn random(vendor: Vendor, is_large: bool, random: &mut Rng) -> Self {
        // The years 1970 to 9892: a clock of Python ends with the year 9999.
        let at = random.i64(1_000..250_000_000_000);
        // The ends of the range more often than by chance.
        let age = match random.u8(0..8) {
            0 => TOLERANCE,
            1 => -TOLERANCE,
            _ => random.i64(-TOLERANCE..=TOLERANCE),
        };
        let count = if vendor.has_list() { random.usize(1..=3) } else { 1 };
        let signing: Vec<_> = (0..count).map(|_| secret(vendor, random)).collect();
        let others = random.usize(0..3);
        let mut verifying: Vec<_> = (0..others).map(|_| secret(vendor, random)).collect();
        let matching = random.usize(0..=others);
        verifying.insert(matching, signing[random.usize(0..count)].clone());
        let body = if is_large { large_body(random) } else { body(random) };
        Self { id: id(random), at, now: at + age, body, signing, verifying, matching }
    }

    /// The limit of libraries that refuse such a body.
    pub(super) fn limit(&self) -> Option<Limit> {
        match std::str::from_utf8(&self.body) {
            Err(_) => Some(Limit::NotUtf8),
            Ok("") => Some(Limit::Empty),
            Ok(text) if text.starts_with(BYTE_ORDER_MARK) => Some(Limit::ByteOrderMark),
            Ok(_) => None,
        }
    }

    /// What is special about it.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static str> {
        [
            self.limit().map(Limit::kind),
            (self.body.len() >= LARGE).then_some("of 1 MiB"),
            (self.signing.len() > 1).then_some("with several signatures"),
        ]
        .into_iter()
        .flatten()
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, at, now, body, signing, verifying, .. } = self;
        let start = body.get(..200).unwrap_or(body).escape_ascii();
        write!(f, "id {id:?}, at {at}, now {now}, signed with {signing:?}, ")?;
        write!(f, "verified with {verifying:?}, body of {} bytes b\"{start}\"", body.len())
    }
}

/// Any id, up to the longest.
fn id(random: &mut Rng) -> MessageId {
    let len = if random.u8(..) < 8 { random.usize(1..=1_024) } else { random.usize(1..40) };
    loop {
        let text: String = (0..len).map(|_| char::from(random.u8(b' '..=b'~'))).collect();
        // It may not start or end with a space, or have an integer after a full stop.
        if let Ok(id) = MessageId::new(text) {
            return id;
        }
    }
}

pub(super) fn secret(vendor: Vendor, random: &mut Rng) -> String {
    if vendor.has_whsec() {
        let key: Vec<u8> = (0..random.usize(16..=64)).map(|_| random.u8(..)).collect();
        let is_padded = random.u8(0..4) > 0;
        let text = if is_padded { STANDARD.encode(key) } else { STANDARD_NO_PAD.encode(key) };
        return format!("whsec_{text}");
    }
    // Longer than a block of the hash too. No whitespace at the ends.
    let inner = text(random.usize(8..100), random).replace(['\r', '\n', '\0'], " ");
    format!("s{inner}{}", random.alphanumeric())
}

fn body(random: &mut Rng) -> Vec<u8> {
    let len = random.usize(1..600);
    match random.u8(0..20) {
        0 => Vec::new(),
        1 => [BYTE_ORDER_MARK.to_string(), text(len, random)].concat().into_bytes(),
        2..=4 => (0..len).map(|_| random.u8(..)).collect(),
        5..=11 => text(len, random).into_bytes(),
        _ => json(random).into_bytes(),
    }
}

/// 1 MiB of text; of bytes rather less often.
fn large_body(random: &mut Rng) -> Vec<u8> {
    if random.u8(0..4) == 0 {
        return (0..LARGE).map(|_| random.u8(..)).collect();
    }
    (0..LARGE).map(|_| random.u8(b' '..=b'~')).collect()
}

fn json(random: &mut Rng) -> String {
    let data = text(random.usize(0..200), random);
    let event =
        serde_json::json!({ "type": "run.note", "data": { "n": random.i32(..), "text": data } });
    event.to_string()
}

/// Characters of one to four bytes in UTF-8, and those that have a meaning somewhere.
fn text(len: usize, random: &mut Rng) -> String {
    let special = ['\0', '\r', '\n', '\t', '"', '\\', '.', ',', ':', '=', '\u{2028}', '\u{feff}'];
    let char = |random: &mut Rng| match random.u8(0..10) {
        0 => special[random.usize(0..special.len())],
        1 => random.char('\u{80}'..='\u{7ff}'),
        2 => random.char('\u{800}'..='\u{d7ff}'),
        3 => random.char('\u{1_0000}'..='\u{1_ffff}'),
        _ => random.char(' '..='~'),
    };
    let text: String = (0..len).map(|_| char(random)).collect();
    text.trim_start_matches(BYTE_ORDER_MARK).to_owned()
}

/// Signatures of versions that no verifier knows, as a sender will have that introduces one.
pub(super) fn add_unknown_versions(vendor: Vendor, headers: &mut Headers, random: &mut Rng) {
    let mac: Vec<u8> = (0..random.usize(1..70)).map(|_| random.u8(..)).collect();
    let version = match vendor {
        Vendor::StandardWebhooks | Vendor::Svix => {
            format!("{}{}", ["v1a,", "v2,", "v10,"][random.usize(0..3)], STANDARD.encode(mac))
        }
        Vendor::Stripe => format!("{}{}", ["v0=", "v2="][random.usize(0..2)], hex::encode(mac)),
        _ => return,
    };
    let separator = vendor.form().separator.unwrap();
    for (_, value) in headers.iter_mut().filter(|(name, _)| name.contains("signature")) {
        let mut signatures: Vec<_> = value.split(separator).collect();
        // Stripe's time is the first.
        let start = usize::from(vendor == Vendor::Stripe);
        signatures.insert(random.usize(start..=signatures.len()), &version);
        *value = signatures.join(&separator.to_string());
    }
}

/// Gives the headers the names that Svix uses: `svix-`, `webhook-`, or both.
pub(super) fn rename_as_svix(headers: &mut Headers, random: &mut Rng) {
    let suffixes = ["id", "timestamp", "signature"];
    let values = suffixes.map(|suffix| {
        let name = |brand| format!("{brand}-{suffix}");
        headers.get(&name("svix")).or(headers.get(&name("webhook"))).unwrap().clone()
    });
    headers.clear();
    let brands = [&["svix"][..], &["webhook"], &["svix", "webhook"]][random.usize(0..3)];
    for brand in brands {
        for (suffix, value) in suffixes.iter().zip(&values) {
            headers.insert(format!("{brand}-{suffix}"), value.clone());
        }
    }
}
