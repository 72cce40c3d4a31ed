//! Digest of a state in the exhaustive search: its text without what does not matter.

use std::hash::{DefaultHasher, Hasher};

use labhook::Timestamp;

/// Equal for states with the same future.
///
/// The future does not depend on the instant of a state, on the values of revisions and sequence
/// numbers, nor on how a delivery ended. Everything else in the text distinguishes states, so an
/// unknown part of it costs time and hides nothing.
pub(crate) fn digest(text: &str, now: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut sequences = Vec::new();
    let bytes = text.as_bytes();
    let (mut done, mut at, mut within_word) = (0, 0, false);
    while at < bytes.len() {
        let word = bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_';
        let begins = word && !within_word;
        within_word = word;
        let replacement = begins.then(|| replacement(&text[at..], now, &mut sequences)).flatten();
        let Some((replacement, skipped)) = replacement else {
            at += 1;
            continue;
        };
        hasher.write(&bytes[done..at]);
        hasher.write_i64(replacement);
        at += skipped;
        done = at;
    }
    hasher.write(&bytes[done..]);
    hasher.finish()
}

/// Where the first instant ends: with its `Z`.
fn instant_end(here: &str) -> usize {
    here.find('Z').unwrap() + 1
}

/// The replacement for the text that begins here, and the length it replaces.
fn replacement<'t>(
    here: &'t str,
    now: Timestamp,
    sequences: &mut Vec<&'t str>,
) -> Option<(i64, usize)> {
    let upto = |begin: &str, end: &str| {
        here.starts_with(begin).then(|| here.find(end)).flatten().map(|skipped| (-1, skipped))
    };
    match here.as_bytes()[0] {
        // Constant throughout, or known by its id.
        b'r' => upto("registry: ", "messages: "),
        b'm' => upto("message: Message {", "deliveries: "),
        b'n' => upto("next_sequence: ", "pending: ").or_else(|| upto("notices: [", "]")),
        b'l' => upto("last: ", "}"),
        // Fair-queue positions decide the order in which attempts are sent, and here they are sent
        // together.
        b'c' => upto("counters: Counters {", "timer: ")
            // A limit is judged after eight successes, and here are three deliveries.
            .or_else(|| upto("concurrency: ConcurrencyLimit {", "rate_limit: ")),
        // No failure opens the circuit, or the first one.
        b'p' => upto("phase: Healthy(", "}"),
        b'f' => upto("fair_queue: FairQueue {", "outage: ")
            // Nothing here asks for a pause.
            .or_else(|| upto("failing: ", ",")),
        b'R' => upto("Revision(", ")"),
        b's' => upto("since: ", ","),
        b'v' => upto("verdict: ", "}"),
        b'D' => {
            let (_, state) = upto("Delivery { accepted_at: ", "state: ")?;
            if here[state..].starts_with("state: Ended") {
                return Some((-2, state + here[state..].find('}')?));
            }
            // Without a window, the time of acceptance does not matter.
            upto("Delivery { accepted_at: ", "attempts: ")
        }
        b'2' if here.starts_with("2025-04-17T") => {
            let end = instant_end(here);
            let instant: Timestamp = here[..end].parse().unwrap();
            // When to forget what has ended.
            let forget = here[end..].starts_with(", Forget(");
            Some((if forget { -3 } else { instant.unix_micros() - now.unix_micros() }, end))
        }
        b'W' if here.starts_with("Waiting { due: 2025-04-17T") => {
            let end = instant_end(here);
            let instant: Timestamp = here[15..end].parse().unwrap();
            // What is over is over.
            Some(((instant.unix_micros() - now.unix_micros()).max(0), end))
        }
        b'1' if here.starts_with("17448822") => {
            let sequence = &here[..16];
            let rank = sequences.iter().position(|it| *it == sequence).unwrap_or_else(|| {
                sequences.push(sequence);
                sequences.len() - 1
            });
            Some((i64::try_from(rank).unwrap(), 16))
        }
        _ => None,
    }
}
