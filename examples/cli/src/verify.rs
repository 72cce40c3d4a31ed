//! `labhook verify`: is a captured request genuine, and if not, why not?

mod advice;

use std::time::Duration;

use clap::Args;
use humantime::parse_duration;
use labhook::{LabEvent, Timestamp, Verified};
use serde::Serialize;

use crate::keys::Keys;
use crate::request::Capture;
use crate::{Answer, clock, event, output};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    capture: Capture,
    #[command(flatten)]
    keys: Keys,
    /// Time of receipt, RFC 3339 or Unix seconds; the default is the clock's. A request that was
    /// captured a while ago needs the time of then.
    #[arg(long, value_name = "TIME", value_parser = clock::parse)]
    now: Option<Timestamp>,
    /// How far the signature's time may be from the time of receipt, either way.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5m")]
    tolerance: Duration,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
#[serde(untagged)]
enum Report {
    Genuine {
        verified: bool,
        scheme: String,
        key_index: usize,
        id: Option<String>,
        signed_at: Option<String>,
        body_bytes: usize,
        event_type: Option<String>,
        event: Option<String>,
        note: Option<String>,
    },
    Refused {
        verified: bool,
        scheme: String,
        error: &'static str,
        reason: String,
        advice: Vec<String>,
        note: Option<String>,
    },
}

pub fn run(options: &Options) -> anyhow::Result<Answer> {
    let captured = options.capture.read()?;
    let verifier = options.keys.verifier()?.with_tolerance(options.tolerance, options.tolerance);
    let now = options.now.unwrap_or_else(clock::now);
    let scheme = options.keys.scheme_name().to_owned();
    let report = match captured.verify(&verifier, &captured.body, now) {
        Ok(verified) => genuine(scheme, &verified, captured.note.clone()),
        Err(error) => Report::Refused {
            verified: false,
            scheme,
            error: error.name(),
            reason: error.to_string(),
            advice: advice::of(&error, &captured, &options.keys, now)?,
            note: captured.note.clone(),
        },
    };
    let is_genuine = matches!(report, Report::Genuine { .. });
    if options.json {
        output::json(&report)?
    } else {
        print(&report)?
    }
    Ok(Answer::of(is_genuine))
}

fn genuine(scheme: String, verified: &Verified<'_>, note: Option<String>) -> Report {
    // Most schemes are of other senders, whose bodies are no lab events.
    let event = verified.decode::<LabEvent>().ok();
    Report::Genuine {
        verified: true,
        scheme,
        key_index: verified.key_index(),
        id: verified.id().map(str::to_owned),
        signed_at: verified.timestamp().map(|at| at.to_string()),
        body_bytes: verified.body().len(),
        event_type: event.as_ref().map(|event| event.event_type().to_string()),
        event: event.as_ref().map(event::describe),
        note,
    }
}

fn print(report: &Report) -> anyhow::Result<()> {
    let field = |name: &str, value: &str| output::line(format!("  {name:<10} {value}"));
    let note = match report {
        Report::Genuine { scheme, key_index, id, signed_at, body_bytes, event, note, .. } => {
            output::line(format!("genuine by {scheme}, with secret {}", key_index + 1))?;
            let unsigned = "not signed: detect duplicates by an id in the body";
            field("id", id.as_deref().unwrap_or(unsigned))?;
            field("signed at", signed_at.as_deref().unwrap_or("not signed: replays have no end"))?;
            field("body", &format!("{body_bytes} bytes"))?;
            if let Some(event) = event {
                field("event", event)?;
            }
            note
        }
        Report::Refused { scheme, error, reason, advice, note, .. } => {
            output::line(format!("refused by {scheme} ({error}): {reason}"))?;
            for advice in advice {
                output::line(format!("  - {advice}"))?;
            }
            note
        }
    };
    if let Some(note) = note {
        output::line(format!("  note: {note}"))?;
    }
    Ok(())
}
