//! The process whose memory is searched: [`Child`].

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};

use super::SCENARIO;
use crate::secrecy::fragments::Fragments;

/// A run of the test binary with one scenario.
pub(super) struct Child {
    process: process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
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
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, input, output, stack: 0 }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).unwrap();
    }

    /// Waits until the process shows this state, and notes where its stack is.
    pub(super) fn wait_for(&mut self, state: &str) {
        let mut line = String::new();
        while !line.ends_with(&format!(": {state}\n")) {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended before `{state}`");
        }
        let (_, address) = line.split_once("0x").unwrap();
        let (address, _) = address.split_once(':').unwrap();
        self.stack = u64::from_str_radix(address, 16).unwrap();
    }

    /// Searches all memory that the process can write to.
    pub(super) fn search(&self, fragments: &Fragments) -> Search {
        let folder = format!("/proc/{}", self.process.id());
        let memory = File::open(format!("{folder}/mem")).unwrap();
        let maps = fs::read_to_string(format!("{folder}/maps")).unwrap();
        let mut search = Search { found: Vec::new(), bytes: 0 };
        for map in maps.lines() {
            let mut columns = map.split_whitespace();
            let (range, rights) = (columns.next().unwrap(), columns.next().unwrap());
            if !rights.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            let (start, end) = (address(start), address(end));
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            memory.read_exact_at(&mut bytes, start).unwrap();
            search.bytes += bytes.len();
            let place = if (start..end).contains(&self.stack) {
                "the stack"
            } else {
                columns.nth(3).unwrap_or("the heap")
            };
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
