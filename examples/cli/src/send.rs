//! `labhook send`: a sample of each lab event to a receiver.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use humantime::parse_duration;
use labhook::{Endpoint, EndpointId, LabEvent, Message, MessageId, Timestamp, danger};
use serde::Serialize;

use crate::keys::Keys;
use crate::{Answer, clock, output, web};

macro_rules! samples {
    ($($name:literal)+) => {
        /// The crate's own test data: one event of each type, and one of a type of its own.
        const SAMPLES: &[&str] =
            &[$(include_str!(concat!("../../../tests/data/lab/", $name, ".json"))),+];
    };
}

samples! {
    "run.state_changed" "instruction.completed" "task.state_changed" "labware.moved"
    "safety.state_changed" "plan.created" "dataset.created" "dataset.updated" "dataset.deleted"
    "sample.created" "sample.updated" "sample.deleted" "label.updated" "label.deleted"
    "issue.created" "issue.updated" "release.created" "resource.changed" "batch.labelled"
}

#[derive(Args)]
pub struct Options {
    /// URL of the receiver. HTTPS needs this program's feature `tls`.
    url: String,
    #[command(flatten)]
    keys: Keys,
    /// Sends only events of this type; may be repeated.
    #[arg(long = "type", value_name = "EVENT_TYPE")]
    types: Vec<String>,
    /// Sends each request again, as a sender does that got no response.
    #[arg(long)]
    twice: bool,
    /// Time of signing, and part of the ids; the default is the clock's. The same time gives the
    /// same ids.
    #[arg(long, value_name = "TIME", value_parser = clock::parse)]
    now: Option<Timestamp>,
    /// How long to wait for a response.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10s")]
    timeout: Duration,
    /// Prints one JSON object per request.
    #[arg(long)]
    json: bool,
}

/// The answer to one request; what `--json` prints.
#[derive(Serialize)]
struct Sent {
    event_type: String,
    id: String,
    status: Option<u16>,
    failure: Option<&'static str>,
    millis: u128,
}

impl Sent {
    fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

pub async fn run(options: &Options) -> anyhow::Result<Answer> {
    let now = options.now.unwrap_or_else(clock::now);
    let messages = messages(&options.types, now)?;
    let endpoint =
        Endpoint::plain_http(EndpointId::new("receiver")?, &options.url, options.keys.signer()?)?;
    let client = web::client(&options.url, options.timeout)?;
    let mut all = Vec::new();
    for message in &messages {
        for _ in 0..if options.twice { 2 } else { 1 } {
            let sent = send(&client, &endpoint, message, now).await?;
            if options.json {
                output::json(&sent)?;
            }
            all.push(sent);
        }
    }
    let accepted = all.iter().filter(|sent| sent.is_accepted()).count();
    if !options.json {
        output::line(table(&all))?;
        output::line(format!("sent {}, accepted {accepted}", all.len()))?;
    }
    Ok(Answer::of(accepted == all.len()))
}

fn messages(types: &[String], now: Timestamp) -> anyhow::Result<Vec<Message>> {
    let mut messages = Vec::new();
    for sample in SAMPLES {
        // Our own test data, which nobody signed.
        let event: LabEvent = danger::unsigned(sample.trim_end().as_bytes()).decode()?;
        let event_type = event.event_type().to_string();
        if types.is_empty() || types.contains(&event_type) {
            let id = MessageId::new(format!("{event_type}-{}", now.unix_millis()))?;
            messages.push(event.into_message(id)?);
        }
    }
    let is_known = |name: &&String| messages.iter().any(|it| it.event_type().as_str() == **name);
    let unknown = types.iter().find(|name| !is_known(name));
    ensure!(unknown.is_none(), "there is no sample of type `{}`", unknown.map_or("", |it| it));
    Ok(messages)
}

async fn send(
    client: &reqwest::Client,
    endpoint: &Endpoint,
    message: &Message,
    now: Timestamp,
) -> anyhow::Result<Sent> {
    let rendering = endpoint.format().render(message)?;
    let request = endpoint.request(message.id(), &rendering, now)?;
    let request = reqwest::Request::try_from(request).context("the URL cannot be used")?;
    let start = Instant::now();
    let answer = client.execute(request).await;
    Ok(Sent {
        event_type: message.event_type().to_string(),
        id: message.id().to_string(),
        status: answer.as_ref().ok().map(|it| it.status().as_u16()),
        failure: answer.as_ref().err().map(web::failure),
        millis: start.elapsed().as_millis(),
    })
}

fn table(all: &[Sent]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["event type", "id", "answer", "ms"]);
    for sent in all {
        let status = sent.status.map(|status| status.to_string());
        let answer = status.unwrap_or_else(|| sent.failure.unwrap_or_default().to_owned());
        table.add_row([&sent.event_type, &sent.id, &answer, &sent.millis.to_string()]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_the_catalogue_has_a_sample() {
        let messages = messages(&[], Timestamp::UNIX_EPOCH).unwrap();
        for event_type in LabEvent::CATALOGUE {
            assert!(messages.iter().any(|it| it.event_type() == event_type), "{event_type}");
        }
    }
}
