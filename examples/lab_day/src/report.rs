//! The report: accepted messages against the receivers' stores and the saved records.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use labhook::delivery::Verdict;
use labhook::outbox::{DeliveryRecord, Record};
use labhook::{EndpointId, Message, MessageId};

use crate::servers::Server;

/// Accepted messages and attempt times, recorded while the scheduler runs. The ledger is not part
/// of the scheduler, so it survives the crash.
#[derive(Default)]
pub struct Ledger {
    accepted: BTreeMap<EndpointId, BTreeMap<MessageId, Message>>,
    times: BTreeMap<EndpointId, Vec<Duration>>,
}

impl Ledger {
    /// Records a message that was accepted for these endpoints.
    pub fn accepted(&mut self, message: &Message, endpoints: &[EndpointId]) {
        for endpoint in endpoints {
            let messages = self.accepted.entry(endpoint.clone()).or_default();
            messages.insert(message.id().clone(), message.clone());
        }
    }

    /// Records how long an attempt to this endpoint took.
    pub fn attempt_ended(&mut self, endpoint: &EndpointId, time: Duration) {
        self.times.entry(endpoint.clone()).or_default().push(time);
    }

    /// Returns a percentile of the attempt times, in milliseconds.
    fn percentile(&self, endpoint: &EndpointId, percent: usize) -> String {
        let mut times = self.times.get(endpoint).cloned().unwrap_or_default();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100);
        let time = rank.checked_sub(1).and_then(|index| times.get(index));
        time.map_or("-".to_owned(), |time| format!("{:.1}", time.as_secs_f64() * 1_000.0))
    }
}

/// Results of the day.
pub struct Report {
    table: Table,
    /// The number of deliveries that were accepted.
    accepted: usize,
    /// The number of those whose message the receiver has stored.
    stored: usize,
    /// The number of those that have not ended.
    pending: usize,
    /// Deliveries whose receiver has not stored the message, although it did not reject it.
    lost: Vec<String>,
    /// Endpoints that got more duplicates than they left attempts unanswered.
    needless_duplicates: Vec<EndpointId>,
}

impl Report {
    /// Compares three independent sources: the messages that were accepted, the saved records, and
    /// the receivers' stores.
    pub fn new(
        ledger: &Ledger,
        records: &[Record],
        servers: &[Arc<Server>],
    ) -> anyhow::Result<Self> {
        let deliveries: BTreeMap<_, _> = records
            .iter()
            .filter_map(|record| match record {
                Record::Delivery(row) => Some(((row.endpoint(), row.message()), row)),
                _ => None,
            })
            .collect();
        let mut report = Self {
            table: new_table(),
            accepted: 0,
            stored: 0,
            pending: 0,
            lost: Vec::new(),
            needless_duplicates: Vec::new(),
        };
        for server in servers {
            let endpoint = EndpointId::new(server.name())?;
            let Some(accepted) = ledger.accepted.get(&endpoint) else { continue };
            let (stored, duplicates) =
                server.with_receiver(|it| (it.stored_keys(), it.duplicates()));
            let stored = stored?;
            let mut line = Line::default();
            for (id, message) in accepted {
                let row = deliveries.get(&(&endpoint, id)).copied();
                let is_stored = stored.contains(&server.with_receiver(|it| it.key(message)));
                line.add(row);
                report.stored += usize::from(is_stored);
                // A receiver that responded with success must have stored the message.
                let rejected = row.and_then(verdict).is_some_and(|it| !it.is_delivered());
                if !is_stored && !rejected {
                    report.lost.push(format!("{id} to {endpoint}"));
                }
            }
            report.accepted += accepted.len();
            report.pending += line.pending;
            report.table.add_row([
                endpoint.to_string(),
                accepted.len().to_string(),
                line.attempts.to_string(),
                line.retries.to_string(),
                line.unanswered.to_string(),
                duplicates.to_string(),
                line.verdicts(),
                ledger.percentile(&endpoint, 50),
                ledger.percentile(&endpoint, 99),
            ]);
            if duplicates > u64::from(line.unanswered) {
                report.needless_duplicates.push(endpoint);
            }
        }
        Ok(report)
    }

    /// Prints the table and the totals. The last line is the number of lost deliveries.
    pub fn print(&self) {
        let Self { table, accepted, stored, pending, lost, needless_duplicates } = self;
        println!("{table}");
        let rejected = accepted - stored - lost.len();
        println!(
            "of {accepted} accepted deliveries, {stored} are stored by their receiver, {rejected} ended \
             by it (see verdicts), {pending} pending"
        );
        for endpoint in needless_duplicates {
            println!("{endpoint} got more duplicates than it left attempts unanswered");
        }
        for delivery in lost.iter().take(10) {
            println!("lost: {delivery}");
        }
        println!("lost {}", lost.len());
    }

    /// Whether every accepted delivery has ended, none was lost and no duplicate was needless.
    pub fn is_good(&self) -> bool {
        self.lost.is_empty() && self.pending == 0 && self.needless_duplicates.is_empty()
    }
}

/// One endpoint's totals, from the saved records.
#[derive(Default)]
struct Line {
    attempts: u32,
    retries: u32,
    unanswered: u32,
    verdicts: BTreeMap<Verdict, usize>,
    pending: usize,
}

impl Line {
    /// Adds a delivery. One without a record is waiting for its first attempt.
    fn add(&mut self, row: Option<&DeliveryRecord>) {
        if let Some(delivery) = row.map(DeliveryRecord::delivery) {
            self.attempts += delivery.attempts();
            self.retries += delivery.attempts().saturating_sub(1);
            self.unanswered += delivery.unanswered();
        }
        match row.and_then(verdict) {
            Some(verdict) => *self.verdicts.entry(verdict).or_default() += 1,
            None => self.pending += 1,
        }
    }

    fn verdicts(&self) -> String {
        let mut text = String::new();
        for (verdict, count) in &self.verdicts {
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}{count} {verdict}");
        }
        text
    }
}

fn verdict(row: &DeliveryRecord) -> Option<Verdict> {
    row.delivery().verdict()
}

fn new_table() -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "endpoint",
        "events",
        "attempts",
        "retries",
        "unanswered",
        "duplicates",
        "verdicts",
        "p50 ms",
        "p99 ms",
    ]);
    for column in [1, 2, 3, 4, 5, 7, 8] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
