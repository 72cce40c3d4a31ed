//! The report: what was committed, what the receivers have, and the records.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use fleet::database;
use fleet::endpoints::shard_of;
use labhook::Verdict;
use labhook::delivery::Delivery;
use labhook::outbox::{DeliveryRecord, Record};
use tokio::time::Instant;

use super::publisher::Published;
use super::{ENDPOINTS, Options, SHARDS, Stage, endpoint_id, run_of};

pub struct Report {
    messages: u64,
    rolled_back: u64,
    /// What the receivers should have: endpoint and message.
    expected: u64,
    waiting: i64,
    delivered: u64,
    attempts: u64,
    unanswered: u64,
    copies: u64,
    duplicates: u64,
    /// Deliveries with more copies than one and the unanswered attempts.
    over_bound: u64,
    lost: u64,
    phantoms: u64,
    forged: u64,
    overlaps: u64,
    /// How often a shard changed hands.
    taken: i64,
    arrivals: Vec<(Instant, i32)>,
}

impl Report {
    pub async fn new(stage: &Stage, published: &Published) -> anyhow::Result<Self> {
        let database = database::connect(&stage.url).await?;
        let waiting = database.query_one("SELECT count(*) FROM intake", &[]).await?.get(0);
        let taken = "SELECT sum(epoch)::bigint FROM shard";
        let taken = database.query_one(taken, &[]).await?.get(0);
        let rows = database
            .query("SELECT record FROM record WHERE key ~ '^[0-9]+/delivery/'", &[])
            .await?;
        let mut deliveries = BTreeMap::new();
        for row in rows {
            if let Record::Delivery(it) = serde_json::from_str(row.get(0))? {
                deliveries.insert((it.endpoint().to_string(), it.message().to_string()), it);
            }
        }
        let states = || deliveries.values().map(DeliveryRecord::delivery);
        let is_delivered = |it: &&Delivery| it.verdict() == Some(Verdict::Delivered);

        let ids: Vec<String> = (0..ENDPOINTS)
            .map(|it| Ok(endpoint_id(it)?.to_string()))
            .collect::<anyhow::Result<_>>()?;
        let seen = stage.receivers.seen();
        let mut expected = 0;
        let mut lost = 0;
        for message in &published.committed {
            let run = message.split('/').next().unwrap_or_default();
            for endpoint in (0..ENDPOINTS).filter(|it| run_of(*it) == run) {
                expected += 1;
                lost += u64::from(!seen.copies.contains_key(&(endpoint, message.clone())));
            }
        }
        let unanswered = |(endpoint, message): &(usize, String)| {
            let id = ids.get(*endpoint).cloned().unwrap_or_default();
            let delivery = deliveries.get(&(id, message.clone()));
            delivery.map_or(0, |it| u64::from(it.delivery().unanswered()))
        };
        let over_bound = seen.copies.iter().filter(|(key, count)| **count > 1 + unanswered(key));
        let received = seen.copies.len() as u64;
        let copies: u64 = seen.copies.values().sum();
        let shard = |it: usize| Ok(shard_of(&endpoint_id(it)?, SHARDS));
        let shards = (0..ENDPOINTS).map(shard).collect::<anyhow::Result<Vec<_>>>()?;
        let over_bound = over_bound.count() as u64;
        let arrivals = seen.arrivals.iter().filter_map(|it| Some((it.0, *shards.get(it.1)?)));
        let arrivals = arrivals.collect();
        Ok(Self {
            messages: published.committed.len() as u64,
            rolled_back: published.rolled_back as u64,
            expected,
            waiting,
            delivered: states().filter(is_delivered).count() as u64,
            attempts: states().map(|it| u64::from(it.attempts())).sum(),
            unanswered: states().map(|it| u64::from(it.unanswered())).sum(),
            copies,
            duplicates: copies - received,
            over_bound,
            lost,
            phantoms: (received + lost).saturating_sub(expected),
            forged: seen.forged,
            overlaps: seen.overlaps,
            taken,
            arrivals,
        })
    }

    /// Whether something has not been delivered yet.
    pub const fn is_pending(&self) -> bool {
        self.waiting > 0 || self.delivered < self.expected
    }

    pub const fn is_good(&self) -> bool {
        self.lost == 0 && self.over_bound == 0 && self.phantoms == 0 && self.forged == 0
    }

    /// Prints the table. The last line is the number of lost deliveries.
    pub fn print(&self, options: &Options, killed: &[(Instant, Vec<i32>)], took: Duration) {
        let mut silences: Vec<Duration> = killed.iter().flat_map(|it| self.silences(it)).collect();
        silences.sort_unstable();
        let milliseconds = |it: Option<&Duration>| it.map_or(0, |it| it.as_millis() as u64);
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        for (what, count) in [
            ("messages committed", self.messages),
            ("messages rolled back", self.rolled_back),
            ("workers at a time", options.workers as u64),
            ("workers killed", (options.kills - options.kills / 3) as u64),
            ("workers frozen", (options.kills / 3) as u64),
            ("shards taken", self.taken.unsigned_abs()),
            ("failover, in ms: median", milliseconds(silences.get(silences.len() / 2))),
            ("  longest", milliseconds(silences.last())),
            ("deliveries", self.expected),
            ("attempts", self.attempts),
            ("  of which unanswered", self.unanswered),
            ("copies accepted", self.copies),
            ("  of which duplicates", self.duplicates),
            ("  more than the bound allows", self.over_bound),
            ("requests while the same message was answered", self.overlaps),
            ("received and not committed", self.phantoms),
            ("refused signatures", self.forged),
            ("seconds", took.as_secs()),
        ] {
            table.add_row([what.to_owned(), count.to_string()]);
        }
        if let Some(counts) = table.column_mut(1) {
            counts.set_cell_alignment(CellAlignment::Right);
        }
        println!("{table}\nlost {}", self.lost);
    }

    /// Returns how long each shard of a worker that was stopped had no request.
    fn silences<'a>(
        &'a self,
        (at, shards): &'a (Instant, Vec<i32>),
    ) -> impl Iterator<Item = Duration> + 'a {
        shards.iter().filter_map(|shard| {
            let mut later = self.arrivals.iter().filter(|it| it.1 == *shard && it.0 > *at);
            Some(later.next()?.0.duration_since(*at))
        })
    }
}
