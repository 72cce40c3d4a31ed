//! `labhook lint`: what is wrong with a policy.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use humantime::parse_duration;
use labhook::policy::Load;
use labhook::policy::lint::{Assumptions, Severity};
use serde::Serialize;

use crate::load::{self, show};
use crate::{Answer, output, policy_file};

#[derive(Args)]
pub struct Options {
    /// Policy file: the tables `retry`, `health`, `flow` and `order`, in TOML or JSON (`.json`).
    #[arg(value_name = "POLICY")]
    file: PathBuf,
    /// The file has whole endpoints: checks the one of this name.
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// Events per time, such as 20/s.
    #[arg(long, value_name = "LOAD", value_parser = load::parse)]
    load: Option<Load>,
    /// Longest outage of the receiver.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    outage: Option<Duration>,
    /// How long a message is useful.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    lifetime: Option<Duration>,
    /// The answer is no if there is a finding of this severity or above: note, risk or
    /// contradiction.
    #[arg(long, value_name = "SEVERITY", default_value_t = Severity::Contradiction)]
    deny: Severity,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints; a bound that does not exist is `null`.
#[derive(Serialize)]
struct Report {
    findings: Vec<Found>,
    denied: usize,
    most_attempts: Option<u32>,
    span_ms: Option<u128>,
    time_to_disable_ms: Option<u128>,
}

#[derive(Serialize)]
struct Found {
    severity: Severity,
    name: &'static str,
    text: String,
}

pub fn run(options: &Options) -> anyhow::Result<Answer> {
    let policy = policy_file::load(&options.file, options.endpoint.as_deref())?;
    let mut assumptions = Assumptions::new();
    if let Some(load) = options.load {
        assumptions = assumptions.with_load(load);
    }
    if let Some(outage) = options.outage {
        assumptions = assumptions.with_outage(outage);
    }
    if let Some(lifetime) = options.lifetime {
        assumptions = assumptions.with_lifetime(lifetime);
    }
    let findings = policy.lint(&assumptions);
    let denied = findings.iter().filter(|it| it.severity() >= options.deny).count();
    let summary = policy.summary();
    if options.json {
        let found = findings.iter().map(|it| Found {
            severity: it.severity(),
            name: it.name(),
            text: it.to_string(),
        });
        output::json(&Report {
            findings: found.collect(),
            denied,
            most_attempts: summary.attempts,
            span_ms: summary.span.map(|span| span.as_millis()),
            time_to_disable_ms: summary.time_to_disable.map(|time| time.as_millis()),
        })?;
        return Ok(Answer::of(denied == 0));
    }
    for finding in &findings {
        output::line(format!("{}: {finding} [{}]", finding.severity(), finding.name()))?;
    }
    let attempts = summary.attempts.map_or("any number of".to_owned(), |it| it.to_string());
    let span = summary.span.map_or("forever".to_owned(), |span| format!("over {}", show(span)));
    let disabled = summary.time_to_disable;
    let disabled = disabled.map_or("never".to_owned(), |time| format!("after {}", show(time)));
    output::line(format!("a delivery gets {attempts} attempts, {span}"))?;
    output::line(format!("a failing endpoint is disabled {disabled}"))?;
    output::line(format!("findings: {}, denied: {denied}", findings.len()))?;
    Ok(Answer::of(denied == 0))
}
