//! Digest of a state in the exhaustive search: its text without what does not matter.

use std::hash::{DefaultHasher, Hasher};

use labhook::Timestamp;

/// A piece of a state's text.
#[derive(Clone, Copy, Debug)]
enum Piece {
    /// Text up to the next piece, or what stands for it.
    Hash(u64),
    Instant(i64),
    /// An instant that is over once it is past.
    Due(i64),
    /// A number of which only the rank matters.
    Sequence(u64),
}

/// The text of a part of a state, without what does not matter at any time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces(Vec<Piece>);

/// What the future of a state depends on, beside what it always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Retention {
    /// How long a message is kept is more than any run takes.
    #[default]
    Endless,
    /// What has ended is forgotten.
    Ends,
}

impl Pieces {
    /// Equal for states with the same future.
    ///
    /// The future does not depend on the instant of a state, on the values of revisions and
    /// sequence numbers, nor on how a delivery ended. Everything else in the text distinguishes
    /// states, so an unknown part of it costs time and hides nothing.
    pub(crate) fn new(text: &str, retention: Retention) -> Self {
        let mut pieces = Vec::new();
        let bytes = text.as_bytes();
        let (mut done, mut at, mut within_word) = (0, 0, false);
        while at < bytes.len() {
            let word = bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_';
            let begins = word && !within_word;
            within_word = word;
            let replacement = begins.then(|| replacement(&text[at..], retention)).flatten();
            let Some((replacement, skipped)) = replacement else {
                at += 1;
                continue;
            };
            pieces.push(hash(&bytes[done..at]));
            pieces.push(replacement);
            at += skipped;
            done = at;
        }
        pieces.push(hash(&bytes[done..]));
        Self(pieces)
    }
}

/// Digest of the parts of a state at this time.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a Pieces>, now: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut sequences = Vec::new();
    let now = now.unix_micros();
    for piece in parts.into_iter().flat_map(|part| &part.0) {
        match *piece {
            Piece::Hash(hash) => hasher.write_u64(hash),
            Piece::Instant(at) => hasher.write_i64(at - now),
            Piece::Due(at) => hasher.write_i64((at - now).max(0)),
            Piece::Sequence(it) => {
                let rank = sequences.iter().position(|known| *known == it);
                hasher.write_usize(rank.unwrap_or(sequences.len()));
                if rank.is_none() {
                    sequences.push(it);
                }
            }
        }
    }
    hasher.finish()
}

fn hash(bytes: &[u8]) -> Piece {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    Piece::Hash(hasher.finish())
}

/// The instant that begins here and its length, if one does: `2025-04-17T09:30:00.000Z`.
fn instant(here: &str) -> Option<(i64, usize)> {
    let bytes = here.as_bytes();
    if bytes.get(4) != Some(&b'-') || bytes.get(10) != Some(&b'T') {
        return None;
    }
    let end = here.find('Z')? + 1;
    let instant: Timestamp = here[..end].parse().ok()?;
    Some((instant.unix_micros(), end))
}

/// The replacement for the text that begins here, and the length it replaces.
fn replacement(here: &str, retention: Retention) -> Option<(Piece, usize)> {
    let endless = retention == Retention::Endless;
    let upto = |begin: &str, end: &str| {
        let skipped = here.starts_with(begin).then(|| here.find(end)).flatten();
        skipped.map(|skipped| (Piece::Hash(1), skipped))
    };
    match here.as_bytes()[0] {
        // Constant throughout, or known by its id.
        b'r' => upto("registry: ", "messages: "),
        b'm' if endless => upto("message: Message {", "deliveries: "),
        b'm' => upto("message: Message {", "accepted_at: "),
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
        // An attempt is handed out only with the save that has its start.
        b's' if here.starts_with("start: Revision(") => {
            let (number, _) = here.strip_prefix("start: Revision(")?.split_once(')')?;
            Some((Piece::Sequence(number.parse().ok()?), "start: Revision(".len() + number.len()))
        }
        b's' => upto("since: ", ","),
        b'v' if endless => upto("verdict: ", "}"),
        b'D' if endless => {
            let (_, state) = upto("Delivery { accepted_at: ", "state: ")?;
            if here[state..].starts_with("state: Ended") {
                return Some((Piece::Hash(2), state + here[state..].find('}')?));
            }
            // Without a window, the time of acceptance does not matter.
            upto("Delivery { accepted_at: ", "attempts: ")
        }
        b'W' => {
            let (at, end) = instant(here.strip_prefix("Waiting { due: ")?)?;
            // What is over is over.
            Some((Piece::Due(at), 15 + end))
        }
        b'0'..=b'9' => {
            if let Some((at, end)) = instant(here) {
                // When to forget what has ended.
                let forget = endless && here[end..].starts_with(", Forget(");
                return Some((if forget { Piece::Hash(3) } else { Piece::Instant(at) }, end));
            }
            // Sequence numbers follow the clock, in microseconds.
            let end = here.find(|it: char| !it.is_ascii_digit()).unwrap_or(here.len());
            let number = here[..end].parse().ok().filter(|_| end >= 13)?;
            Some((Piece::Sequence(number), end))
        }
        _ => None,
    }
}
