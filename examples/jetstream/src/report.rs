//! The report: what was accepted, the saved states and the receiver's copies.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use labhook::Verdict;

use crate::queue::Queue;
use crate::receiver::Receiver;

#[derive(Default)]
pub struct Report {
    pub workers_killed: u64,
    pub workers_frozen: u64,
    pub server_killed: bool,
    deliveries: u64,
    attempts: u64,
    unanswered: u64,
    duplicates: u64,
    /// The deliveries with more duplicates than unanswered attempts.
    needless: Vec<String>,
    not_delivered: Vec<String>,
    lost: Vec<String>,
}

impl Report {
    /// Adds the deliveries with these keys.
    pub async fn add(
        &mut self,
        keys: Vec<String>,
        queue: &Queue,
        receiver: &Receiver,
    ) -> anyhow::Result<()> {
        for key in keys {
            self.deliveries += 1;
            let copies = receiver.copies(&key);
            let duplicates = copies.saturating_sub(1);
            self.duplicates += duplicates;
            let state = queue.saved(&key).await?;
            let unanswered = state.as_ref().map_or(0, |it| u64::from(it.unanswered()));
            self.unanswered += unanswered;
            self.attempts += state.as_ref().map_or(0, |it| u64::from(it.attempts()));
            let verdict = state.and_then(|it| it.verdict());
            if verdict != Some(Verdict::Delivered) {
                self.not_delivered.push(format!("{key} {verdict:?}"));
            }
            if duplicates > unanswered {
                self.needless.push(key.clone());
            }
            if copies == 0 {
                self.lost.push(key);
            }
        }
        Ok(())
    }

    /// Prints the table. The last line is the number of lost deliveries.
    pub fn print(&self) {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        for (what, count) in [
            ("workers killed", self.workers_killed),
            ("workers frozen for a while", self.workers_frozen),
            ("server killed", self.server_killed.into()),
            ("deliveries accepted", self.deliveries),
            ("  of which not delivered", self.not_delivered.len() as u64),
            ("attempts", self.attempts),
            ("  of which unanswered", self.unanswered),
            ("duplicates", self.duplicates),
        ] {
            table.add_row([what.to_owned(), count.to_string()]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{table}");
        for (what, keys) in [
            ("more duplicates than unanswered attempts", &self.needless),
            ("not known as delivered", &self.not_delivered),
            ("lost", &self.lost),
        ] {
            for key in keys.iter().take(10) {
                println!("{what}: {key}");
            }
        }
        println!("lost {}", self.lost.len());
    }

    /// Whether everything has arrived, is known to have arrived, and no duplicate was needless.
    pub fn is_good(&self) -> bool {
        self.lost.is_empty() && self.needless.is_empty() && self.not_delivered.is_empty()
    }
}
