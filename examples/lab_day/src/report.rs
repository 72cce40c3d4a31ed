//! The end of the day: what was accepted, against what the receivers hold and the records say.

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

/// What the scheduler was told while it was publishing and sending. It is the day's witness and no
/// part of the scheduler, so it outlives the crash.
#[derive(Default)]
pub struct Ledger {
    accepted: BTreeMap<EndpointId, BTreeMap<MessageId, Message>>,
    took: BTreeMap<EndpointId, Vec<Duration>>,
}

impl Ledger {
    /// `publish` has accepted a message for these endpoints.
    pub fn accepted(&mut self, message: &Message, endpoints: &[EndpointId]) {
        for endpoint in endpoints {
            let messages = self.accepted.entry(endpoint.clone()).or_default();
            messages.insert(message.id().clone(), message.clone());
        }
    }

    /// An attempt to this endpoint has ended, whichever way, after this time.
    pub fn took(&mut self, endpoint: &EndpointId, time: Duration) {
        self.took.entry(endpoint.clone()).or_default().push(time);
    }

    /// The time within which so many percent of the attempts had ended.
    fn percentile(&self, endpoint: &EndpointId, percent: usize) -> String {
        let mut times = self.took.get(endpoint).cloned().unwrap_or_default();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100);
        let time = rank.checked_sub(1).and_then(|index| times.get(index));
        time.map_or("-".to_owned(), |time| format!("{:.1}", time.as_secs_f64() * 1_000.0))
    }
}

/// The verdict on the day.
pub struct Report {
    table: Table,
    /// How many deliveries `publish` has accepted, and of how many the receiver has the message.
    accepted: usize,
    held: usize,
    /// How many have not ended.
    pending: usize,
    /// Those whose receiver does not have the message, although nothing in the table says why.
    lost: Vec<String>,
    /// The endpoints that got more copies than attempts went unanswered: a repetition without
    /// need.
    importuned: Vec<EndpointId>,
}

impl Report {
    /// Compares three books that know nothing of each other: what `publish` accepted, what the
    /// saved records say, and what the receivers hold.
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
            held: 0,
            pending: 0,
            lost: Vec::new(),
            importuned: Vec::new(),
        };
        for server in servers {
            let endpoint = EndpointId::new(server.name())?;
            let Some(accepted) = ledger.accepted.get(&endpoint) else { continue };
            let (held, duplicates) = server.with_receiver(|it| (it.held(), it.duplicates()));
            let held = held?;
            let mut line = Line::default();
            for (id, message) in accepted {
                let row = deliveries.get(&(&endpoint, id)).copied();
                let holds = held.contains(&server.with_receiver(|it| it.key(message)));
                line.add(row);
                report.held += usize::from(holds);
                // A success is no excuse: who answers so must hold the message.
                let excused = row.and_then(verdict).is_some_and(|it| !it.is_delivered());
                if !holds && !excused {
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
                report.importuned.push(endpoint);
            }
        }
        Ok(report)
    }

    /// Prints the table and the sums, of which the last is how many deliveries were lost.
    pub fn print(&self) {
        let Self { table, accepted, held, pending, lost, importuned } = self;
        println!("{table}");
        let otherwise = accepted - held - lost.len();
        println!(
            "of {accepted} accepted deliveries {held} are held by their receivers, {otherwise} ended \
             by the receiver's own word (see verdicts) and {pending} are pending"
        );
        for endpoint in importuned {
            println!("{endpoint} got more copies than attempts went unanswered");
        }
        for delivery in lost.iter().take(10) {
            println!("lost: {delivery}");
        }
        println!("lost {}", lost.len());
    }

    /// Whether everything that was accepted has come to an end, nothing was lost and nothing was
    /// repeated without need.
    pub fn is_good(&self) -> bool {
        self.lost.is_empty() && self.pending == 0 && self.importuned.is_empty()
    }
}

/// What the records say of one endpoint.
#[derive(Default)]
struct Line {
    attempts: u32,
    retries: u32,
    unanswered: u32,
    verdicts: BTreeMap<Verdict, usize>,
    pending: usize,
}

impl Line {
    /// Adds a delivery. One that has no row yet is waiting for its first attempt.
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
