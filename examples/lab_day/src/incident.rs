//! The crash, run again from the log of the outbox's inputs.
//!
//! The store tells what was saved. The log tells what the scheduler knew besides: which requests
//! were in flight, what was about to be saved, and why each message had not been delivered.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;
use labhook::Timestamp;
use labhook::outbox::LogEntry;

use crate::{partners, sender};

/// The number of deliveries to explain.
const EXPLAINED: usize = 3;

/// Runs a log again, to its end. Returns what there was at the crash, a line for each fact.
pub fn run_again(log: &Path, urls: &[String]) -> anyhow::Result<Vec<String>> {
    let lines = BufReader::new(File::open(log)?).lines();
    let entries = lines
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<anyhow::Result<Vec<LogEntry>>>()?;
    let first = entries.first().context("the log is empty")?;
    let last = entries.last().context("the log is empty")?;

    let mut outbox = sender::new_outbox(urls, first.at())?;
    for entry in &entries {
        // Stops at the first answer that differs.
        outbox.rerun(entry, |id, at| endpoint(id.as_str(), urls, at))?;
    }

    let count = entries.len();
    let mut facts = vec![format!("{count} inputs run again, each with the same answer")];
    facts.push(format!("the last input was {last}"));
    let deliveries = outbox.deliveries().filter(|(.., it)| it.in_flight().is_some());
    for (message, endpoint, _) in deliveries.take(EXPLAINED) {
        let why = outbox.explain(message.id(), endpoint, last.at()).context("it is pending")?;
        facts.push(format!("{} to {endpoint}: {why}", message.id()));
    }
    Ok(facts)
}

/// Returns a partner's endpoint as it was at this time.
fn endpoint(name: &str, urls: &[String], at: Timestamp) -> Option<labhook::Endpoint> {
    let (partner, url) = partners::ALL.iter().zip(urls).find(|(partner, _)| **partner == name)?;
    partners::endpoint(partner, url, at).ok()
}
