//! The process whose memory is searched: [`Child`].

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{RUNNING, SCENARIO};
use crate::secrecy::fragments::Fragments;

/// A run of the test binary with one scenario.
pub(super) struct Child {
    process: process::Child,
    input: ChildStdin,
    /// Kept open for the result of the test.
    _output: BufReader<ChildStdout>,
    memory: File,
    /// The address of its state.
    state: u64,
    /// An address on the stack of the test.
    stack: u64,
}

/// The result of a search.
pub(super) struct Search {
    pub(super) found: Vec<String>,
    pub(super) bytes: usize,
}

impl Child {
    #[allow(clippy::disallowed_methods, reason = "the lint is for the crate")]
    pub(super) fn start(scenario: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "secrecy::memory::process_whose_memory_is_searched"])
            .args(["--nocapture", "--test-threads=1"])
            .env(SCENARIO, scenario)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        let (state, stack) = loop {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "{scenario}: it did not start");
            let words = line.split_whitespace().filter_map(|word| word.strip_prefix("0x"));
            let mut addresses = words.map(address);
            if let Some(addresses) = addresses.next().zip(addresses.next()) {
                break addresses;
            }
        };
        let memory = format!("/proc/{}/mem", process.id());
        let memory = File::options().read(true).write(true).open(memory).unwrap();
        Self { process, input, _output: output, memory, state, stack }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).unwrap();
    }

    /// Waits until the process waits, and returns what for.
    #[allow(clippy::disallowed_methods, reason = "the lint is for the crate")]
    pub(super) fn wait(&mut self) -> u32 {
        loop {
            assert!(self.process.try_wait().unwrap().is_none(), "it ended");
            let mut state = [0; 4];
            self.memory.read_exact_at(&mut state, self.state).unwrap();
            match u32::from_ne_bytes(state) {
                RUNNING => thread::sleep(Duration::from_micros(100)),
                state => return state,
            }
        }
    }

    /// Lets the process go on.
    pub(super) fn go_on(&self) {
        self.memory.write_all_at(&RUNNING.to_ne_bytes(), self.state).unwrap();
    }

    /// Searches all memory that the process can write to, or only the stack of the test.
    pub(super) fn search(&self, fragments: &Fragments, stack_only: bool) -> Search {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.process.id())).unwrap();
        let mut search = Search { found: Vec::new(), bytes: 0 };
        for map in maps.lines() {
            let mut columns = map.split_whitespace();
            let (range, rights) = (columns.next().unwrap(), columns.next().unwrap());
            if !rights.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let (start, end) = (address(start), address(end));
            let is_stack = (start..end).contains(&self.stack);
            if stack_only && !is_stack {
                continue;
            }
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            self.memory.read_exact_at(&mut bytes, start).unwrap();
            search.bytes += bytes.len();
            let place = if is_stack { "the stack" } else { columns.nth(3).unwrap_or("the heap") };
            for (at, len, form) in fragments.find_in(&bytes) {
                let at = start + at as u64;
                search.found.push(format!("{len} bytes of {form} at {at:#x} of {place}"));
            }
        }
        search
    }

    pub(super) fn end(mut self) {
        drop(self.input);
        assert!(self.process.wait().unwrap().success());
    }
}

/// Parses hexadecimal digits.
fn address(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}
