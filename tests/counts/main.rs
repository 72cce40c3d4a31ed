//! Allocations and live bytes stay within bounds: a count is the same on every machine, and a time
//! is not. The guide's chapter on performance has the times.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "../../benches/shared/backlog.rs"]
mod backlog;
#[path = "../../benches/shared/fixture.rs"]
mod fixture;
#[path = "../../benches/shared/refusals.rs"]
mod refusals;

use std::hint::black_box;
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use labhook::outbox::{Change, Record};
use labhook::{Inbox, Keys, Outbox, Secret, Signer, Step, Verifier};

use crate::backlog::Backlog;
use crate::refusals::refusals;

/// The most allocations of one call; a buffer that grows counts again.
const CALLS: [(&str, u64); 17] = [
    ("verify", 0),
    ("missing-header", 0),
    ("conflicting-header", 0),
    ("mixed-brands", 0),
    ("malformed-id", 0),
    ("ambiguous-id", 0),
    ("missing-timestamp", 0),
    ("conflicting-timestamp", 0),
    ("malformed-timestamp", 0),
    ("too-old", 0),
    ("too-new", 0),
    ("too-many-candidates", 0),
    ("no-usable-signature", 0),
    ("no-match", 0),
    ("sign", 5),
    ("request", 5),
    ("inbox", 2),
];

/// The most allocations of one cycle with 10 000 pending, in tenths.
const CYCLES: [(&str, u64); 2] = [("retry", 53), ("first", 184)];

/// The most bytes that stay allocated.
const LIVE: [(&str, i64); 5] = [
    ("pending, each message to 100 endpoints", 95),
    ("pending, a message each, with the message", 1_050),
    ("pending, a message each, its body of any length detached", 620),
    ("settled and retained, to 3 endpoints", 1_190),
    ("handled in the inbox, an id of 31 characters", 132),
];

/// By how much the work of a retry cycle may grow from 1 000 to 50 000 pending, in percent.
const GROWTH: u64 = 15;

fn bound<T: Copy>(bounds: &[(&str, T)], name: &str) -> T {
    let found = bounds.iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("{name} has no bound")).1
}

/// One call goes before, uncounted.
fn assert_allocations<T>(name: &str, mut call: impl FnMut() -> T) {
    black_box(call());
    let count = measure(|| _ = black_box(call())).count_total;
    let most = bound(&CALLS, name);
    assert!(count <= most, "{name}: {count} allocations, at most {most}");
    println!("{name}: {count} of {most} allocations");
}

fn assert_live(name: &str, each: i64) {
    let most = bound(&LIVE, name);
    assert!(each <= most, "{name}: {each} bytes, at most {most}");
    println!("{name}: {each} of {most} bytes");
}

/// Returns what is made, and the bytes that it holds.
fn live<T>(make: impl FnOnce() -> T) -> (i64, T) {
    let (mut make, mut made) = (Some(make), None);
    let info = measure(|| made = make.take().map(|make| make()));
    (info.bytes_current, made.expect("it was just made"))
}

#[test]
fn verify_allocates_within_bounds() {
    let signed = fixture::signed(fixture::body(1 << 10), fixture::start());
    let verifier = Verifier::standard_webhooks(fixture::secret());
    assert_allocations("verify", || {
        assert!(verifier.verify(&signed.headers, &signed.body, signed.at).is_ok());
    });
    for (name, verifier, headers, at) in refusals() {
        let body = fixture::body(200);
        assert_allocations(name, || {
            let error = verifier.verify(&headers, &body, at).unwrap_err();
            assert_eq!(error.name(), name);
        });
    }
}

#[test]
fn sign_allocates_within_bounds() {
    let signer = Signer::standard_webhooks(fixture::secret());
    let id = fixture::message_id(&mut fastrand::Rng::with_seed(1));
    let body = fixture::body(1 << 10);
    assert_allocations("sign", || signer.sign(&id, fixture::start(), &body).is_ok());
    let (attempt, now) = fixture::attempt(1 << 10);
    assert_allocations("request", || attempt.request(now).is_ok());
}

const COUNTED: u64 = 1_000;

/// Allocations of each cycle, in tenths.
fn tenths(info: AllocationInfo) -> u64 {
    (10 * info.count_total).div_ceil(COUNTED)
}

#[test]
fn cycles_allocate_within_bounds() {
    let mut backlog = Backlog::new(10_000, 1);
    backlog.retry(1_000);
    let retry = tenths(measure(|| backlog.retry(COUNTED as usize)));
    let mut messages: Vec<_> = (0..COUNTED).map(|_| backlog.message()).collect();
    let first = tenths(measure(|| {
        for message in messages.drain(..) {
            backlog.publish(message);
            backlog.deliver_all();
        }
    }));
    for (name, count) in [("retry", retry), ("first", first)] {
        let most = bound(&CYCLES, name);
        assert!(count <= most, "{name} cycle: {count} tenths of an allocation, at most {most}");
        println!("{name} cycle: {count} of {most} tenths of an allocation");
    }
}

#[test]
fn pending_deliveries_hold_bounded_bytes() {
    let (nothing, _) = live(|| Backlog::empty(100));
    let (shared, _) = live(|| Backlog::new(20_000, 100));
    assert_live("pending, each message to 100 endpoints", (shared - nothing) / 20_000);
    let (own, _) = live(|| Backlog::new(10_000, 1));
    assert_live("pending, a message each, with the message", own / 10_000);
}

#[test]
fn pending_detached_messages_hold_no_body() {
    let each = |body| {
        let mut random = fastrand::Rng::with_seed(fixture::SEED);
        let (bytes, _) = live(|| {
            let mut backlog = Backlog::empty(1);
            for _ in 0..10 {
                for _ in 0..1_000 {
                    let keys = Keys::new().with_run("run-17");
                    let mut message = fixture::message_with(&mut random, keys, body);
                    assert_eq!(message.detach_bodies().len(), 1);
                    backlog.publish(message);
                }
                backlog.fail_all();
            }
            backlog
        });
        bytes / 10_000
    };
    let (short, long) = (each(200), each(20 << 10));
    assert_eq!(short, long, "bytes for a body of 200 B and of 20 KiB");
    assert_live("pending, a message each, its body of any length detached", long);
}

#[test]
fn settled_messages_hold_bounded_bytes() {
    let (bytes, _) = live(|| {
        let mut backlog = Backlog::empty(3);
        for _ in 0..3_000 {
            let message = backlog.message();
            backlog.publish(message);
            backlog.deliver_all();
        }
        backlog
    });
    assert_live("settled and retained, to 3 endpoints", bytes / 3_000);
}

/// The record of the message, and those of the delivery with its start and with its end. None of the
/// endpoint, which works.
const RECORDS: [u64; 3] = [1, 2, 0];
/// The most bytes of all of them as JSON, for a body of 200 bytes.
const RECORD_BYTES: usize = 1_030;

#[test]
fn delivered_message_writes_bounded_records() {
    const MESSAGES: u64 = 1_000;
    let mut outbox = Outbox::new(fixture::registry([fixture::endpoint(0)]), fixture::SEED);
    let mut random = fastrand::Rng::with_seed(fixture::SEED);
    let mut now = fixture::start();
    let (mut kinds, mut bytes) = ([0; 3], 0);
    // The first messages show the latency of a receiver without a queue, which is written once.
    for number in 0..MESSAGES + 100 {
        if number == 100 {
            (kinds, bytes) = ([0; 3], 0);
        }
        now += Duration::from_millis(100);
        outbox.publish(fixture::message(&mut random), now).unwrap();
        loop {
            match outbox.poll(now) {
                Step::Save(changes) => {
                    for change in changes.iter() {
                        let Change::Put(record) = change else { continue };
                        let [messages, deliveries, endpoints] = &mut kinds;
                        *match record {
                            Record::Message(_) => messages,
                            Record::Delivery(_) => deliveries,
                            _ => endpoints,
                        } += 1;
                        bytes += serde_json::to_vec(record).unwrap().len();
                    }
                    outbox.saved(changes.revision());
                }
                Step::Send(attempt) => {
                    now += Duration::from_millis(5);
                    outbox.resolve(attempt.ticket(), &fixture::success(), now);
                }
                Step::Notify(_) => {}
                Step::Wait(_) | Step::Idle => break,
            }
        }
    }
    assert_eq!(kinds, RECORDS.map(|each| each * MESSAGES));
    let bytes = bytes / MESSAGES as usize;
    println!("records of a delivered message: {bytes} of {RECORD_BYTES} bytes");
    assert!(bytes <= RECORD_BYTES, "{bytes} bytes, at most {RECORD_BYTES}");
}

#[test]
fn inbox_allocates_and_holds_within_bounds() {
    let mut random = fastrand::Rng::with_seed(fixture::SEED);
    let room = std::num::NonZeroUsize::new(20_000).unwrap();
    let (bytes, mut inbox) = live(|| {
        let mut inbox = Inbox::new(room);
        for _ in 0..10_000 {
            inbox.remember("scheduler", &fixture::id(&mut random), fixture::start());
        }
        inbox
    });
    assert_live("handled in the inbox, an id of 31 characters", bytes / 10_000);
    let ids: Vec<_> = (0..2).map(|_| fixture::id(&mut random)).collect();
    let mut ids = ids.into_iter();
    assert_allocations("inbox", || {
        let now = fixture::start();
        let id = ids.next().unwrap();
        let claim = inbox.begin("scheduler", &id, now).claim(now).unwrap();
        inbox.done(&claim, now)
    });
}

#[test]
fn retry_cycle_does_not_grow_with_the_backlog() {
    let of = |pending| {
        let mut backlog = Backlog::new(pending, 1);
        backlog.retry(1_000);
        measure(|| backlog.retry(COUNTED as usize))
    };
    let (few, many) = (of(1_000), of(50_000));
    println!("{few:?}\n{many:?}");
    for (what, few, many) in [
        ("allocations", few.count_total, many.count_total),
        ("bytes", few.bytes_total, many.bytes_total),
    ] {
        let most = few * (100 + GROWTH) / 100;
        assert!(many <= most, "{what}: {many} with 50 000 pending, {few} with 1 000");
    }
}

/// Under callgrind `.ci/run` compares the instructions of this one and of the next.
#[test]
fn retry_cycles_with_10_000_pending() {
    cycles_lose_nothing(10_000);
}

#[test]
fn retry_cycles_with_100_000_pending() {
    cycles_lose_nothing(100_000);
}

fn cycles_lose_nothing(pending: usize) {
    let mut backlog = Backlog::new(pending, 1);
    counted_cycles(&mut backlog);
    assert_eq!(backlog.outbox.pending(), pending);
}

/// Callgrind finds it by its name, and counts nothing else.
#[inline(never)]
fn counted_cycles(backlog: &mut Backlog) {
    backlog.retry(COUNTED as usize);
}

/// Under callgrind `.ci/run` compares the instructions of the three tests of each of these.
macro_rules! wrong_at {
    ($($scheme:ident: $first:ident $middle:ident $last:ident)*) => {
        $(
            #[test]
            fn $first() {
                $scheme(0);
            }

            #[test]
            fn $middle() {
                $scheme(15);
            }

            #[test]
            fn $last() {
                $scheme(31);
            }
        )*
    };
}

wrong_at! {
    wrong_hex: wrong_hex_at_0 wrong_hex_at_15 wrong_hex_at_31
    wrong_base64: wrong_base64_at_0 wrong_base64_at_15 wrong_base64_at_31
    wrong_token: wrong_token_at_0 wrong_token_at_15 wrong_token_at_31
}

fn wrong_hex(at: usize) {
    let (signer, verifier) =
        (Signer::strike(fixture::secret()), Verifier::strike(fixture::secret()));
    verify_wrong(&signer, &verifier, "x-webhook-signature", |text| {
        hex::encode(flipped(hex::decode(text).unwrap(), at))
    });
}

fn wrong_base64(at: usize) {
    let signer = Signer::standard_webhooks(fixture::secret());
    let verifier = Verifier::standard_webhooks(fixture::secret());
    verify_wrong(&signer, &verifier, "webhook-signature", |text| {
        let mac = STANDARD.decode(text.strip_prefix("v1,").unwrap()).unwrap();
        format!("v1,{}", STANDARD.encode(flipped(mac, at)))
    });
}

fn wrong_token(at: usize) {
    let name = HeaderName::from_static("x-token");
    let secret = || Secret::from_text("a token of 32 letters and spaces").unwrap();
    let signer = Signer::token(name.clone(), secret()).unwrap();
    let verifier = Verifier::token(name, secret()).unwrap();
    verify_wrong(&signer, &verifier, "x-token", |token| {
        String::from_utf8(flipped(token.as_bytes().to_vec(), at)).unwrap()
    });
}

/// Flips the lowest bit of one byte. A hexadecimal digit stays a letter or a number: the time to
/// decode it may depend on that, which is no secret.
fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    assert_eq!(bytes.len(), 32);
    bytes[at] ^= 1;
    bytes
}

fn verify_wrong(
    signer: &Signer,
    verifier: &Verifier,
    name: &'static str,
    wrong: impl Fn(&str) -> String,
) {
    let id = fixture::message_id(&mut fastrand::Rng::with_seed(1));
    let mut headers = signer.sign(&id, fixture::start(), b"body").unwrap();
    assert!(verifier.verify(&headers, b"body", fixture::start()).is_ok());
    let text = wrong(headers[name].to_str().unwrap());
    headers.insert(name, text.parse().unwrap());
    assert!(!counted_verification(verifier, &headers));
}

/// Callgrind finds it by its name, and counts nothing else.
#[inline(never)]
fn counted_verification(verifier: &Verifier, headers: &HeaderMap) -> bool {
    verifier.verify(headers, b"body", fixture::start()).is_ok()
}
