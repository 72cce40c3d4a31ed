//! A dropped secret leaves no copy in memory. Another process makes, uses and drops it, and its
//! memory is searched from here. Linux only.

mod derived;
mod process;
mod scenarios;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;

use zeroize::Zeroizing;

use self::process::Child;
use self::scenarios::SCENARIOS;

/// The variable that names the scenario of the other process.
const SCENARIO: &str = "LABHOOK_TEST_SCENARIO";
const ALIVE: &str = "secrets are alive";
const DROPPED: &str = "secrets were dropped";

/// The number of characters of a secret.
const LEN: usize = 48;

/// A text that occurs nowhere in the test binary.
fn secret() -> String {
    let mut random = fastrand::Rng::with_seed(0x01ab_400c);
    (0..LEN).map(|_| random.alphanumeric()).collect()
}

#[test]
fn dropped_secrets_leave_no_copy_in_memory() {
    let secret = secret();
    let fragments = derived::fragments(secret.as_bytes());
    let mut left = Vec::new();
    let mut searched = 0;
    for (name, _) in SCENARIOS {
        let mut child = Child::start(name);
        child.send(secret.as_bytes());
        child.wait_for(ALIVE);
        let alive = child.search(&fragments);
        assert!(!alive.found.is_empty(), "{name}: a secret in use is found");
        child.send(b".");
        child.wait_for(DROPPED);
        let dropped = child.search(&fragments);
        child.send(b".");
        child.end();
        searched += dropped.bytes;
        left.extend(dropped.found.into_iter().map(|found| format!("{name}: {found}")));
    }
    println!("{} processes, {searched} bytes searched", SCENARIOS.len());
    assert!(left.is_empty(), "{left:#?}");
}

/// The other process. In a plain run of the tests, it does nothing.
#[test]
#[allow(clippy::disallowed_methods, reason = "the parent names the scenario")]
fn process_whose_memory_is_searched() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    let (_, make) = SCENARIOS.iter().find(|(name, _)| *name == scenario).unwrap();
    // The standard library's own handle has a buffer, which would keep a copy of the secret.
    let mut input = File::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let mut secret = Zeroizing::new(vec![0; LEN]);
    input.read_exact(&mut secret).unwrap();
    let mut show = |state: &str| {
        println!("{:p}: {state}", &raw const state);
        std::io::stdout().flush().unwrap();
        input.read_exact(&mut [0]).unwrap();
    };

    let mut work = make(std::str::from_utf8(&secret).unwrap());
    drop(secret);
    work();
    show(ALIVE);
    work();
    drop(work);
    show(DROPPED);
}
