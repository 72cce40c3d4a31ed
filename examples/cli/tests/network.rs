//! `send` and `listen`, over loopback.

#![allow(clippy::disallowed_methods, reason = "a test starts processes")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::{SECRET, labhook, run, text};

/// A running `labhook listen`, which is killed if a test fails.
struct Listening {
    process: Child,
    url: String,
}

impl Listening {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labhook"));
        command.args(["listen", "127.0.0.1:0", "--json"]).args(arguments);
        command.env("LABHOOK_SECRET", SECRET).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, url }
    }

    /// Returns what it printed, once it has ended with this code.
    fn end(mut self, code: i32) -> Vec<Value> {
        let mut out = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(code), "{out}");
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn outcomes(lines: &[Value]) -> Vec<(u64, &str)> {
    let outcome = |line: &Value| line["status"].as_u64().unwrap();
    lines.iter().map(|line| (outcome(line), line["outcome"].as_str().unwrap())).collect()
}

#[test]
fn every_event_arrives_once_and_is_decoded() {
    let listening = Listening::start(&["--count", "38"]);
    let sent = run(labhook(&["send", &listening.url, "--twice", "--json"]), 0);
    assert_eq!(text(&sent).lines().count(), 38);
    let lines = listening.end(0);
    let of = |outcome| outcomes(&lines).iter().filter(|it| **it == (204, outcome)).count();
    assert_eq!((of("new"), of("duplicate")), (19, 19));
    assert_eq!(lines[2]["event_type"], "instruction.completed");
    let sentence = "Instruction i1c5k2 (thermocycle) of run r19a428rm8tbp has completed.";
    assert_eq!(lines[2]["text"], sentence);
}

#[test]
fn forwarded_request_is_still_genuine() {
    let behind = Listening::start(&["--count", "1"]);
    let front = Listening::start(&["--count", "1", "--forward", &behind.url]);
    run(labhook(&["send", &front.url, "--type", "plan.created"]), 0);
    let lines = front.end(0);
    assert_eq!((outcomes(&lines), &lines[0]["forwarded"]), (vec![(204, "new")], &"204".into()));
    let behind = behind.end(0);
    assert_eq!((outcomes(&behind), &behind[0]["id"]), (vec![(204, "new")], &lines[0]["id"]));
}

#[test]
fn event_that_cannot_be_forwarded_is_asked_for_again() {
    let front = Listening::start(&["--count", "2", "--forward", "http://127.0.0.1:1/"]);
    let sent = run(labhook(&["send", &front.url, "--type", "plan.created", "--twice"]), 1);
    assert!(text(&sent).ends_with("sent 2, accepted 0\n"));
    // The second is no duplicate, because the first was not handled.
    assert_eq!(outcomes(&front.end(0)), [(500, "new"), (500, "new")]);
}

#[test]
fn request_with_another_secret_is_refused() {
    let listening = Listening::start(&["--count", "1"]);
    let mut send = labhook(&["send", &listening.url, "--type", "plan.created"]);
    send.env("LABHOOK_SECRET", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    run(send, 1);
    let lines = listening.end(1);
    assert_eq!(outcomes(&lines), [(403, "no-match")]);
    let reason = "the webhook-signature header matches none of the configured keys";
    assert_eq!(lines[0]["text"], reason);
}

#[test]
fn foreign_body_is_accepted_only_on_request() {
    for (bodies, expected) in [("envelope", (500, "malformed")), ("any", (204, "new"))] {
        // Lab events in the envelope are no CloudEvents, and the other way round.
        let listening =
            Listening::start(&["--count", "1", "--bodies", bodies, "--scheme", "github"]);
        let output = {
            let mut sign = labhook(&["sign", "-", "--scheme", "github", "--json"]);
            sign.write_stdin(r#"{"action": "opened"}"#);
            run(sign, 0)
        };
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let signature = report["headers"]["x-hub-signature-256"].as_str().unwrap();
        post(&listening.url, signature, r#"{"action": "opened"}"#);
        assert_eq!(outcomes(&listening.end(0)), [expected], "{bodies}");
    }
}

/// Posts a body with one header, without an HTTP client.
fn post(url: &str, signature: &str, body: &str) {
    use std::io::Write as _;
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\
         x-hub-signature-256: {signature}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
}
