//! The report: the scheduler's rows, the receiver's set and the outbox's records.

use std::collections::BTreeSet;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use labhook::Verdict;
use labhook::outbox::{DeliveryRecord, Record};
use tokio_postgres::Client;

use crate::receiver::Receiver;

pub struct Report {
    rows: usize,
    /// Messages that wait to be taken, or that were refused.
    intents: i64,
    messages: usize,
    delivered: usize,
    attempts: u32,
    unanswered: u32,
    received: usize,
    copies: u64,
    /// How often the receiver has handled an event.
    handled: i64,
    /// Rows without a message at the receiver.
    lost: Vec<String>,
    /// Messages at the receiver without a row.
    phantoms: Vec<String>,
}

impl Report {
    pub async fn new(database: &Client, receiver: &Receiver) -> anyhow::Result<Self> {
        let rows = database.query("SELECT id FROM run", &[]).await?;
        let rows: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let intents = database.query_one("SELECT count(*) FROM outbox_intent", &[]).await?.get(0);
        let handled = database.query_one("SELECT count(*) FROM archived", &[]).await?.get(0);
        let records = host::postgres::records(database).await?;
        let runs = receiver.runs();

        let deliveries = records.iter().filter_map(|record| match record {
            Record::Delivery(row) => Some(DeliveryRecord::delivery(row)),
            _ => None,
        });
        let (mut delivered, mut attempts, mut unanswered) = (0, 0, 0);
        for delivery in deliveries {
            delivered += usize::from(delivery.verdict() == Some(Verdict::Delivered));
            attempts += delivery.attempts();
            unanswered += delivery.unanswered();
        }
        Ok(Self {
            rows: rows.len(),
            intents,
            messages: records.iter().filter(|it| matches!(it, Record::Message(_))).count(),
            delivered,
            attempts,
            unanswered,
            received: runs.len(),
            copies: runs.values().sum(),
            handled,
            lost: rows.iter().filter(|id| !runs.contains_key(*id)).cloned().collect(),
            phantoms: runs.keys().filter(|id| !rows.contains(*id)).cloned().collect(),
        })
    }

    /// Whether a message has not been delivered.
    pub const fn is_pending(&self) -> bool {
        self.intents > 0 || self.delivered < self.messages
    }

    fn duplicates(&self) -> u64 {
        self.copies.saturating_sub(self.received as u64)
    }

    /// Prints the table. The last line is the number of lost messages.
    pub fn print(&self, kills: u32, deposed: usize, rolled_back: u64) {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        for (what, count) in [
            ("rows committed", self.rows as u64),
            ("rolled back, with their message", rolled_back),
            ("drivers stopped", kills.into()),
            ("  of which lost their lock", deposed as u64),
            ("messages recorded", self.messages as u64),
            ("attempts", self.attempts.into()),
            ("  of which unanswered", self.unanswered.into()),
            ("received", self.received as u64),
            ("  and duplicates of them", self.duplicates()),
            ("handled", self.handled.unsigned_abs()),
            ("received without a row", self.phantoms.len() as u64),
            ("messages not taken", self.intents.unsigned_abs()),
        ] {
            table.add_row([what.to_owned(), count.to_string()]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{table}");
        if self.duplicates() > self.unanswered.into() {
            println!("there are more duplicates than unanswered attempts");
        }
        for run in self.lost.iter().chain(&self.phantoms).take(10) {
            println!("wrong: {run}");
        }
        println!("lost {}", self.lost.len());
    }

    /// Whether exactly what was committed has arrived and was handled once, and no duplicate was
    /// needless.
    pub fn is_good(&self) -> bool {
        let exact = self.lost.is_empty() && self.phantoms.is_empty() && !self.is_pending();
        let once = self.handled.unsigned_abs() == self.received as u64;
        exact && once && self.messages == self.rows && self.duplicates() <= self.unanswered.into()
    }
}
