//! The forms in which a secret may leak: [`Fragments`].

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The length of a fragment, in bytes. This much of a secret counts as a leak.
const LEN: usize = 8;

/// Fragments of secrets in all their forms, each with the name of the form.
pub(crate) struct Fragments {
    known: BTreeMap<[u8; LEN], String>,
    /// Whether a fragment starts with these two bytes: most places need no other look.
    starts: Vec<bool>,
}

impl Fragments {
    pub(crate) fn new() -> Self {
        Self { known: BTreeMap::new(), starts: vec![false; 1 << 16] }
    }

    /// Adds a secret as it is, in hexadecimal, and in base64 wherever it starts in what is encoded.
    pub(crate) fn add(&mut self, name: &str, secret: &[u8]) {
        self.add_bytes(name, secret);
        self.add_bytes(&format!("{name} in hex"), hex::encode(secret).as_bytes());
        self.add_bytes(&format!("{name} in upper-case hex"), hex::encode_upper(secret).as_bytes());
        for before in 0..3 {
            let shifted = [&vec![0; before], secret].concat();
            for engine in [&STANDARD, &URL_SAFE] {
                let text = engine.encode(&shifted);
                // The first and the last four characters also depend on what is around it.
                let start = if before == 0 { 0 } else { 4 };
                self.add_bytes(
                    &format!("{name} in base64"),
                    &text.as_bytes()[start..text.len() - 4],
                );
            }
        }
    }

    /// Adds a secret in this form alone.
    pub(crate) fn add_bytes(&mut self, name: &str, bytes: &[u8]) {
        for fragment in bytes.windows(LEN) {
            self.starts[start(fragment)] = true;
            self.known.entry(fragment.try_into().unwrap()).or_insert_with(|| name.to_owned());
        }
    }

    /// Returns where fragments are, and how many bytes of which form.
    pub(crate) fn find_in(&self, bytes: &[u8]) -> Vec<(usize, usize, &str)> {
        let mut found: Vec<(usize, usize, &str)> = Vec::new();
        for (at, fragment) in bytes.windows(LEN).enumerate() {
            if !self.starts[start(fragment)] {
                continue;
            }
            let Some(name) = self.known.get(fragment) else { continue };
            match found.last_mut() {
                Some((start, len, last)) if last == name && at < *start + *len => {
                    *len = at + LEN - *start;
                }
                _ => found.push((at, LEN, name)),
            }
        }
        found
    }
}

fn start(fragment: &[u8]) -> usize {
    usize::from(fragment[0]) << 8 | usize::from(fragment[1])
}
