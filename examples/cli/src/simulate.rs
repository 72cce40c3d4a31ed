//! `labhook simulate`: policies against a model of their receiver.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use http::StatusCode;
use humantime::parse_duration;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Report, Scenario};
use labhook::{EndpointPolicy, Verdict};
use serde::Serialize;

use crate::load::{self, show};
use crate::picture::{self, Panel};
use crate::{Answer, output, policy_file};

#[derive(Args)]
pub struct Options {
    /// Policy files, each of which gets the same load and receiver; none is the default policy.
    #[arg(value_name = "POLICY")]
    files: Vec<PathBuf>,
    /// The files have whole endpoints: takes the one of this name.
    #[arg(long, value_name = "NAME", requires = "files")]
    endpoint: Option<String>,
    /// Events per time.
    #[arg(long, value_name = "LOAD", value_parser = load::parse, default_value = "1/s")]
    load: Load,
    /// How long events arrive. The simulation goes on until every delivery has ended.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration, default_value = "1h")]
    lasts: Duration,
    /// Outage of the receiver, such as 10m..25m; may be repeated.
    #[arg(long, value_name = "PERIOD", value_parser = load::parse_period)]
    outage: Vec<(Duration, Duration)>,
    /// What the receiver does in an outage: `refuse` connections, `hang`, or a status such as 503.
    #[arg(long, value_name = "BEHAVIOUR", value_parser = behaviour, default_value = "refuse")]
    outage_is: Behaviour,
    /// Messages that the receiver accepts in a second; it answers 429 to others.
    #[arg(long, value_name = "NUMBER")]
    capacity: Option<NonZeroU32>,
    /// Time until a response.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "20ms")]
    latency: Duration,
    /// Time after which a message expires.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    lifetime: Option<Duration>,
    /// Seed of the jitter. The same seed gives the same numbers.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Writes a picture of the attempts and the backlog over time.
    #[arg(long, value_name = "PATH")]
    svg: Option<PathBuf>,
    /// Prints one JSON object per policy.
    #[arg(long)]
    json: bool,
}

/// The figures of one policy; what `--json` prints. The answer is no unless every message is
/// delivered.
#[derive(Serialize)]
struct Figures {
    policy: String,
    messages: u64,
    delivered: u64,
    shed: u64,
    pending: u64,
    attempts: u64,
    failed_attempts: u64,
    duplicates: u64,
    p50_ms: Option<u128>,
    p99_ms: Option<u128>,
    max_ms: Option<u128>,
    first_success_after_ms: Option<u128>,
    peak_requests: u64,
    ended_at_ms: u128,
}

fn behaviour(text: &str) -> Result<Behaviour, String> {
    match text {
        "refuse" => Ok(Behaviour::refuses_connections()),
        "hang" => Ok(Behaviour::Hangs),
        status => status
            .parse()
            .ok()
            .and_then(|code: u16| StatusCode::from_u16(code).ok())
            .map(Behaviour::status)
            .ok_or_else(|| "expected `refuse`, `hang` or a status".to_owned()),
    }
}

pub fn run(options: &Options) -> anyhow::Result<Answer> {
    let mut policies = Vec::new();
    for file in &options.files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        policies.push((name, policy_file::load(file, options.endpoint.as_deref())?));
    }
    if policies.is_empty() {
        policies.push(("default".to_owned(), EndpointPolicy::default()));
    }
    let reports = simulate(options, &policies);
    let names = policies.iter().map(|(name, _)| name.as_str());
    let panels: Vec<_> = names.zip(&reports).map(|(name, report)| Panel { name, report }).collect();
    if let Some(path) = &options.svg {
        let picture = picture::draw(&panels, &options.outage);
        svg::save(path, &picture).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let figures: Vec<_> = panels.iter().map(figures).collect();
    if options.json {
        figures.iter().try_for_each(output::json)?;
    } else {
        output::line(table(&figures))?;
    }
    Ok(Answer::of(figures.iter().all(|it| it.delivered == it.messages)))
}

fn simulate(options: &Options, policies: &[(String, EndpointPolicy)]) -> Vec<Report> {
    let mut receiver = Receiver::new().with_latency(options.latency);
    if let Some(capacity) = options.capacity {
        receiver = receiver.with_capacity(capacity);
    }
    for (from, to) in &options.outage {
        receiver = receiver.add_outage(*from, *to, options.outage_is.clone());
    }
    let mut scenario = Scenario::new(options.load, options.lasts).with_seed(options.seed);
    if let Some(lifetime) = options.lifetime {
        scenario = scenario.with_lifetime(lifetime);
    }
    for (_, policy) in policies {
        scenario = scenario.add_endpoint(policy.clone(), receiver.clone());
    }
    scenario.run()
}

fn figures(Panel { name, report }: &Panel<'_>) -> Figures {
    let recovery = report.recovery.and_then(|it| it.first_success_after);
    Figures {
        policy: (*name).to_owned(),
        messages: report.accepted + report.shed,
        delivered: report.ended(Verdict::Delivered),
        shed: report.shed,
        pending: report.pending,
        attempts: report.attempts,
        failed_attempts: report.failed,
        duplicates: report.duplicates,
        p50_ms: report.latency.map(|it| it.p50.as_millis()),
        p99_ms: report.latency.map(|it| it.p99.as_millis()),
        max_ms: report.latency.map(|it| it.max.as_millis()),
        first_success_after_ms: recovery.map(|it| it.as_millis()),
        peak_requests: report.peak_requests,
        ended_at_ms: report.ended_at.as_millis(),
    }
}

/// The name of a row, and its value for a policy.
type Row = (&'static str, fn(&Figures) -> String);

fn table(all: &[Figures]) -> String {
    let mut table = Table::new();
    let mut head = vec![String::new()];
    head.extend(all.iter().map(|it| it.policy.clone()));
    table.load_style(UTF8_FULL_CONDENSED).set_header(head);
    let rows: [Row; 12] = [
        ("messages", |it| it.messages.to_string()),
        ("delivered", |it| it.delivered.to_string()),
        ("shed", |it| it.shed.to_string()),
        ("pending at the end", |it| it.pending.to_string()),
        ("attempts", |it| it.attempts.to_string()),
        ("failed attempts", |it| it.failed_attempts.to_string()),
        ("duplicates", |it| it.duplicates.to_string()),
        ("latency, median", |it| millis(it.p50_ms)),
        ("latency, p99", |it| millis(it.p99_ms)),
        ("latency, longest", |it| millis(it.max_ms)),
        ("first success after the outage", |it| millis(it.first_success_after_ms)),
        ("most attempts in a second", |it| it.peak_requests.to_string()),
    ];
    for (name, value) in rows {
        let mut row = vec![name.to_owned()];
        row.extend(all.iter().map(value));
        table.add_row(row);
    }
    table.to_string()
}

fn millis(millis: Option<u128>) -> String {
    let millis = millis.and_then(|it| u64::try_from(it).ok());
    millis.map_or("-".to_owned(), |it| show(Duration::from_millis(it)))
}
