//! A process that drives one library, which answers each line of JSON with another.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::install::Language;

pub(super) type Headers = BTreeMap<String, String>;

/// What a library says to a request.
#[derive(Debug, Deserialize)]
pub(super) struct Verdict {
    pub(super) accepted: bool,
    /// The exception, if it was not accepted.
    pub(super) why: Option<String>,
}

/// What a library sends.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    pub(super) headers: Headers,
    #[serde(default)]
    body: String,
}

impl Sent {
    pub(super) fn body(&self) -> Vec<u8> {
        STANDARD.decode(&self.body).unwrap()
    }
}

pub(super) struct Driver {
    child: Child,
    /// `None` once it is to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The library, its language and its installed version, to be shown.
    pub(super) name: String,
}

impl Driver {
    /// Starts the library's driver. If it cannot be installed, says so and returns `None`.
    pub(super) fn start(language: Language, library: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Started {
            version: String,
        }

        let language_name = language.name();
        let mut command = match language.driver(library) {
            Ok(command) => command,
            Err(why) => {
                println!("skipped: official: {library} ({language_name}): {why}");
                return None;
            }
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut driver = Self { child, input, output, name: library.to_owned() };
        let Started { version } = driver.answer();
        driver.name = format!("{library} ({language_name} {version})");
        Some(driver)
    }

    pub(super) fn verify(
        &mut self,
        secrets: &[String],
        headers: &Headers,
        body: &[u8],
        now: i64,
    ) -> Verdict {
        let body = STANDARD.encode(body);
        let verify = json!({
            "op": "verify", "secrets": secrets, "headers": headers, "body": body, "now": now,
        });
        self.call(&verify)
    }

    pub(super) fn sign(
        &mut self,
        secrets: &[String],
        id: &str,
        timestamp: i64,
        body: &[u8],
    ) -> Headers {
        let body = STANDARD.encode(body);
        let sign = json!({
            "op": "sign", "secrets": secrets, "id": id, "timestamp": timestamp, "body": body,
        });
        let sent: Sent = self.call(&sign);
        sent.headers
    }

    /// Sends a request, and returns the answer.
    pub(super) fn call<T: DeserializeOwned>(&mut self, request: &Value) -> T {
        let mut line = serde_json::to_vec(request).unwrap();
        line.push(b'\n');
        let mut input = self.input.as_ref().unwrap();
        input.write_all(&line).unwrap();
        self.answer()
    }

    fn answer<T: DeserializeOwned>(&mut self) -> T {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let name = &self.name;
        assert!(!line.is_empty(), "the driver of {name} ended: its error is printed above");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.input.take());
        _ = self.child.wait();
    }
}
