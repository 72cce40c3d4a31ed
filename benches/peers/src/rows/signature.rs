//! Signing and verifying.

use hmac::{Hmac, KeyInit, Mac};
use labhook::{MessageId, Signer, Timestamp, Verifier};
use sha2::Sha256;

use crate::fixture::{self, SECRET, SEED, Signed};
use crate::measure::{Effort, Work, compare};
use crate::row::{Row, Unit};

const KIB: usize = 1 << 10;

pub fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes < KIB => format!("{bytes} B"),
        bytes if bytes < KIB * KIB => format!("{} KiB", bytes / KIB),
        bytes => format!("{} MiB", bytes / KIB / KIB),
    }
}

/// The least that signing and verifying could be: RustCrypto's HMAC-SHA256, with its key set up
/// each time.
pub fn bare_hmac(key: &[u8], signed: &Signed) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("every length of key is valid");
    mac.update(signed.prefix.as_bytes());
    mac.update(&signed.body);
    mac.finalize().into_bytes().into()
}

/// A request signed now, by the clock, because some peers read it.
pub fn signed_now(body: Vec<u8>) -> Signed {
    let now = Timestamp::from(std::time::SystemTime::now());
    fixture::signed(body, Timestamp::from_unix_seconds(now.unix_seconds()))
}

pub fn verify(effort: Effort) -> Vec<Row> {
    let against = "HMAC-SHA256 (RustCrypto), the key set up each time";
    let mut row = Row::new("verify", against, Unit::Times).drawn("verify");
    let verifier = Verifier::standard_webhooks(fixture::secret());
    let key = fixture::secret().expose_bytes().to_vec();
    for bytes in [200, KIB, 20 * KIB, KIB * KIB] {
        let signed = signed_now(fixture::body(bytes));
        let mut ours = Work(|| {
            let verified = verifier.verify(&signed.headers, &signed.body, signed.at);
            verified.expect("the request is genuine").key_index()
        });
        let mut theirs = Work(|| bare_hmac(&key, &signed));
        row.push(size(bytes), compare(effort, &mut ours, &mut theirs).ratio);
    }
    vec![row]
}

pub fn verify_peers(effort: Effort) -> Vec<Row> {
    let svix = svix::webhooks::Webhook::new(SECRET).expect("the secret is valid");
    let standard = standardwebhooks::Webhook::new(SECRET).expect("the secret is valid");
    let secret = webhook_verify::Secret::new(SECRET);
    let verifier = Verifier::standard_webhooks(fixture::secret());
    let row = |peer: &str| {
        Row::new(format!("{peer}'s verify"), "labhook's", Unit::TimesFaster).drawn(peer)
    };
    let mut rows = ["svix", "standardwebhooks", "webhook-verify"].map(row);
    for bytes in [200, KIB, 4 * KIB, KIB * KIB] {
        // Signed now: the peers compare with the clock, within five minutes.
        let signed = signed_now(fixture::body(bytes));
        let (headers, body) = (&signed.headers, &signed.body[..]);
        let mut ours = Work(|| {
            let verified = verifier.verify(headers, body, signed.at);
            verified.expect("the request is genuine").key_index()
        });
        let [first, second, third] = &mut rows;
        let mut theirs = Work(|| svix.verify(body, headers).expect("the request is genuine"));
        first.push(size(bytes), 1.0 / compare(effort, &mut ours, &mut theirs).ratio);
        let mut theirs = Work(|| standard.verify(body, headers).expect("the request is genuine"));
        second.push(size(bytes), 1.0 / compare(effort, &mut ours, &mut theirs).ratio);
        let mut theirs = Work(|| {
            let provider = webhook_verify::Provider::StandardWebhooks;
            let verified =
                webhook_verify::verify(provider, headers, body, &secret, Default::default());
            verified.expect("the request is genuine");
        });
        third.push(size(bytes), 1.0 / compare(effort, &mut ours, &mut theirs).ratio);
    }
    rows.into()
}

pub fn sign(effort: Effort) -> Vec<Row> {
    let against = "HMAC-SHA256 (RustCrypto), the key set up each time";
    let mut row = Row::new("sign 1 KiB", against, Unit::Times).drawn("sign 1 KiB");
    let signer = Signer::standard_webhooks(fixture::secret());
    let key = fixture::secret().expose_bytes().to_vec();
    let signed = signed_now(fixture::body(KIB));
    let id = message_id();
    let mut theirs = Work(|| bare_hmac(&key, &signed));
    let mut ours = Work(|| signer.sign(&id, signed.at, &signed.body));
    row.push("headers", compare(effort, &mut ours, &mut theirs).ratio);
    let (attempt, now) = fixture::attempt(KIB);
    let mut ours = Work(|| attempt.request(now));
    row.push("`Attempt::request`", compare(effort, &mut ours, &mut theirs).ratio);
    vec![row]
}

pub fn message_id() -> MessageId {
    fixture::message_id(&mut fastrand::Rng::with_seed(SEED))
}
