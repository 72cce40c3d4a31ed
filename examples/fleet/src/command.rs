//! What operators ask of the worker that holds a shard: [`Command`], answered with an [`Answer`].
//!
//! Commands go through a table, so that each outbox has one writer: the worker that holds its shard.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use labhook::health::Disabled;
use labhook::{EndpointId, MessageId, Timestamp, Verdict};
use serde::{Deserialize, Serialize};
use tokio_postgres::GenericClient;

/// How long an operator waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an operator asks of a shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    Pause {
        endpoint: EndpointId,
    },
    Resume {
        endpoint: EndpointId,
    },
    Disable {
        endpoint: EndpointId,
        reason: Option<String>,
    },
    Enable {
        endpoint: EndpointId,
    },
    /// Reads the endpoint's configuration and secrets again.
    Reload {
        endpoint: EndpointId,
    },
    /// Lists up to `limit` deliveries, the latest first.
    List {
        filter: Filter,
        limit: usize,
    },
    /// Shows one delivery.
    Show {
        message: MessageId,
        endpoint: EndpointId,
    },
    /// Counts what a replay would send.
    Plan {
        replay: Replay,
    },
    /// Replays. `expected` is the number that the plan had.
    Replay {
        replay: Replay,
        expected: usize,
    },
}

impl Command {
    /// Returns whether it changes nothing.
    pub const fn is_question(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Show { .. } | Self::Plan { .. })
    }
}

/// Which deliveries are listed. They meet all conditions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Filter {
    pub endpoint: Option<EndpointId>,
    pub message: Option<MessageId>,
    /// `None` for any state.
    pub state: Option<DeliveryState>,
}

/// Whether a delivery is pending, or how it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Pending,
    /// Ended with any verdict but `delivered`.
    Failed,
    Ended(Verdict),
}

/// Which deliveries to an endpoint are replayed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replay {
    pub endpoint: EndpointId,
    /// Only this message, whether or not it was delivered; otherwise all that have failed.
    pub message: Option<MessageId>,
    /// Only messages accepted before: when the plan was asked for.
    pub before: Timestamp,
    /// The time between two of them, in milliseconds.
    pub pace_ms: u64,
}

/// The owner's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done, and durable.
    Done,
    /// It was so already.
    Unchanged,
    Deliveries {
        deliveries: Vec<DeliveryRow>,
    },
    Delivery {
        delivery: Option<Box<DeliveryDetail>>,
    },
    /// What a replay would send: the number, and the first of them.
    Plan {
        count: usize,
        first: Vec<MessageId>,
        ends_at: Option<Timestamp>,
    },
    Replayed {
        count: usize,
    },
    Failed {
        error: String,
    },
}

/// A delivery in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryRow {
    pub message: MessageId,
    pub endpoint: EndpointId,
    pub event_type: String,
    pub accepted_at: Timestamp,
    pub attempts: u32,
    /// `None` if it is pending.
    pub verdict: Option<Verdict>,
    /// Why it has not been sent yet, or how it ended, in a sentence.
    pub why: String,
}

/// One delivery. It contains no secret, no signature and no URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryDetail {
    pub row: DeliveryRow,
    /// The attempts that ended without a response.
    pub unanswered: u32,
    pub replays: u32,
    pub next_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub content_type: String,
    /// The names of the headers that the request has, without values.
    pub header_names: Vec<String>,
    /// The first 16 KiB of the body, as text.
    pub body: String,
    pub body_len: u64,
}

/// An endpoint as its owner saw it a moment ago.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EndpointStatus {
    /// Why its row cannot be used. Messages that it may subscribe to wait until it is fixed.
    pub unusable: Option<String>,
    /// `healthy`, `down` or `disabled`.
    pub state: String,
    /// Since when it is not healthy.
    pub since: Option<Timestamp>,
    pub paused_since: Option<Timestamp>,
    pub disabled: Option<Disabled>,
    pub pending: usize,
    pub due: usize,
    pub in_flight: u32,
    pub oldest_pending: Option<Timestamp>,
    pub concurrency_limit: Option<u32>,
    /// The time between two attempts, in microseconds, if the rate is limited.
    pub spacing_us: Option<u64>,
    /// Deliveries in the last second.
    pub delivered_per_second: u64,
    /// Counters since the shard was taken, by name.
    pub counters: BTreeMap<String, u64>,
    /// Whether the shard suspects that the network of its own worker is at fault. It counts only
    /// what this shard sees.
    pub sender_outage: bool,
}

/// Asks the owner of a shard. `None` if no worker has answered in time: then a question is withdrawn,
/// and a command waits for the next owner.
///
/// # Errors
///
/// If there is no such shard, or the connection breaks.
pub async fn ask_shard(
    database: &impl GenericClient,
    operator: &str,
    shard: i32,
    command: &Command,
) -> anyhow::Result<Option<Answer>> {
    let json = serde_json::to_string(command)?;
    let insert = "
        WITH told AS (SELECT pg_notify('fleet', $1::int::text))
        INSERT INTO command (shard, operator, command) SELECT $1, $2, $3 FROM told RETURNING id";
    let id: i64 = database.query_one(insert, &[&shard, &operator, &json]).await?.get(0);
    let asked = tokio::time::Instant::now();
    let answer = loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let select = "SELECT answer FROM command WHERE id = $1";
        let answer: Option<String> = database.query_one(select, &[&id]).await?.get(0);
        if answer.is_some() || asked.elapsed() > PATIENCE {
            break answer;
        }
    };
    if command.is_question() {
        database.execute("DELETE FROM command WHERE id = $1", &[&id]).await?;
    }
    answer.map(|it| serde_json::from_str(&it).context("cannot read an answer")).transpose()
}
