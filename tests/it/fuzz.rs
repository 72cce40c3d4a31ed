//! Fuzz targets: the bodies that `tests/fuzz` runs on mutated bytes, run here on the inputs that it
//! has found to be different, and on each that has ever failed.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

mod decode;
mod endpoints;
mod headers;
mod outbox;
mod policies;
mod reader;
mod saved_state;
mod verify;

/// Runs a corpus, and the inputs that have failed once: one input a line, in base64.
fn run_corpus(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let corpus = fs::read_to_string(folder.join(format!("{target}.txt"))).unwrap();
    // Nothing may have failed yet.
    let found = fs::read_to_string(folder.join(format!("{target}.found.txt"))).unwrap_or_default();
    let mut count = 0;
    for line in corpus.lines().chain(found.lines()) {
        run(&STANDARD.decode(line).unwrap());
        count += 1;
    }
    assert!(count > 20, "{count} inputs");
}

macro_rules! corpora {
    ($($test:ident: $target:ident;)+) => {
        $(
            #[test]
            fn $test() {
                run_corpus(stringify!($target), $target::run);
            }
        )+
    };
}

corpora! {
    bodies_of_the_corpus_round_trip: decode;
    endpoints_of_the_corpus_make_their_requests: endpoints;
    headers_of_the_corpus_are_read_or_refused: headers;
    outboxes_of_the_corpus_keep_their_promises: outbox;
    files_of_the_corpus_round_trip: policies;
    saved_states_of_the_corpus_go_on: saved_state;
    requests_of_the_corpus_verify_if_genuine: verify;
}
