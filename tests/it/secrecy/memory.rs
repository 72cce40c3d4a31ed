//! A dropped secret leaves no copy in memory. Another process makes, uses and drops it, and its
//! memory is searched from here. Linux only.
//!
//! Its stack is also searched directly after each operation, before the next one overwrites what is
//! left there. What is copied to the stack depends on the optimization, so run this in release too:
//! `cargo test --release --all-features --test it secrecy::memory`.

mod derived;
mod process;
mod scenarios;

use std::fs::File;
use std::hint::spin_loop;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};

use zeroize::Zeroizing;

use self::process::Child;
use self::scenarios::SCENARIOS;

/// The variable that names the scenario of the other process.
const SCENARIO: &str = "LABHOOK_TEST_SCENARIO";

/// What the process waits for: that its stack is searched after the operation of this line of
/// [`scenarios`], or one of the following. After the search it is [`RUNNING`] again.
static STATE: AtomicU32 = AtomicU32::new(RUNNING);
const RUNNING: u32 = 0;
/// That all of its memory is searched, while the secrets are in use.
const ALIVE: u32 = u32::MAX;
/// That all of its memory is searched, after the secrets were dropped.
const DROPPED: u32 = u32::MAX - 1;

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
    let (mut operations, mut searched) = (0, 0);
    for (name, _) in SCENARIOS {
        let mut child = Child::start(name);
        child.send(secret.as_bytes());
        loop {
            let state = child.wait();
            let search = child.search(&fragments, !matches!(state, ALIVE | DROPPED));
            searched += search.bytes;
            let found = search.found.into_iter();
            match state {
                ALIVE => assert_ne!(found.len(), 0, "{name}: a secret in use is found"),
                DROPPED => left.extend(found.map(|found| format!("{name}: {found}"))),
                line => {
                    operations += 1;
                    left.extend(found.map(|found| format!("{name}, after line {line}: {found}")));
                }
            }
            child.go_on();
            if state == DROPPED {
                break;
            }
        }
        child.end();
    }
    let processes = SCENARIOS.len();
    println!("{processes} processes, {operations} operations, {searched} bytes searched");
    assert!(left.is_empty(), "{left:#?}");
}

/// The other process. In a plain run of the tests, it does nothing.
#[test]
#[allow(clippy::disallowed_methods, reason = "the parent names the scenario")]
fn process_whose_memory_is_searched() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    let (_, make) = SCENARIOS.iter().find(|(name, _)| *name == scenario).unwrap();
    println!("{:p} {:p}", &raw const STATE, &raw const scenario);
    std::io::stdout().flush().unwrap();
    // The standard library's own handle has a buffer, which would keep a copy of the secret.
    let mut input = File::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let mut secret = Zeroizing::new(vec![0; LEN]);
    input.read_exact(&mut secret).unwrap();

    let mut work = make(std::str::from_utf8(&secret).unwrap());
    drop(secret);
    work();
    wait_for(ALIVE);
    work();
    drop(work);
    wait_for(DROPPED);
}

/// Does an operation, and has the stack searched for what it has left there.
#[inline(always)]
#[track_caller]
fn searched<T>(operation: impl FnOnce() -> T) -> T {
    let result = operation();
    wait_for(Location::caller().line());
    result
}

/// Calls nothing: that would overwrite the stack. The parent writes to the memory of this process.
#[inline(always)]
fn wait_for(state: u32) {
    STATE.store(state, Ordering::SeqCst);
    while STATE.load(Ordering::SeqCst) != RUNNING {
        spin_loop();
    }
}
