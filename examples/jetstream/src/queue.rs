//! The application's own queue: a JetStream work queue with one job per delivery, and a key-value
//! bucket with the state of each.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow};
use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self, AckKind};
use futures_util::StreamExt as _;
use labhook::delivery::Delivery;
use labhook::{EndpointId, Message, Timestamp};

/// When JetStream hands out a job again that nobody has acknowledged. Longer than an attempt and
/// its two saves take: a job that comes earlier finds the attempt in flight, and is handed back.
pub const ACK_WAIT: Duration = Duration::from_millis(1_500);

/// How long a read or save may take.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How long a pull request waits at the server.
const PULL: Duration = Duration::from_secs(1);

pub struct Queue {
    context: jetstream::Context,
    consumer: PullConsumer,
    states: Store,
    name: String,
}

/// One delivery: a message to one endpoint.
pub struct Job {
    pub endpoint: EndpointId,
    pub message: Message,
    accepted_at: Timestamp,
    acker: jetstream::message::Acker,
}

impl Queue {
    /// Opens the queue of this name, or creates it.
    pub async fn open(url: &str, name: &str) -> anyhow::Result<Self> {
        let client = ConnectOptions::new().retry_on_initial_connect().connect(url).await?;
        let mut context = jetstream::new(client);
        context.set_timeout(TIMEOUT);
        // A key-value bucket is a stream. Created as one, because this client's `create_key_value`
        // fails on servers before 2.10, such as Debian's.
        let states = stream::Config {
            name: format!("KV_{name}"),
            subjects: vec![format!("$KV.{name}.>")],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            ..stream::Config::default()
        };
        context.get_or_create_stream(states).await?;
        let states = context.get_key_value(name).await?;
        let jobs = stream::Config {
            name: name.to_owned(),
            subjects: vec![format!("{name}.>")],
            retention: RetentionPolicy::WorkQueue,
            ..stream::Config::default()
        };
        let workers = pull::Config {
            durable_name: Some("workers".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            // The machine counts the attempts. At a limit here, JetStream would forget deliveries.
            max_deliver: -1,
            // A job that waits for its retry is not acknowledged, and counts here.
            max_ack_pending: -1,
            ..pull::Config::default()
        };
        let jobs = context.get_or_create_stream(jobs).await?;
        let consumer = jobs.get_or_create_consumer("workers", workers).await?;
        Ok(Self { context, consumer, states, name: name.to_owned() })
    }

    /// Accepts a delivery. If this fails, repeat it: the same delivery has the same key, so that a
    /// second job finds the state of the first.
    pub async fn publish(&self, endpoint: &EndpointId, message: &Message) -> anyhow::Result<()> {
        let key = key(endpoint.as_str(), message.id().as_str());
        let job = serde_json::to_vec(&(endpoint, message))?;
        let publish = PublishMessage::build().message_id(&key).payload(job.into());
        self.context.send_publish(format!("{}.{key}", self.name), publish).await?.await?;
        Ok(())
    }

    /// Takes one job, and no second one to wait for its turn while its `ACK_WAIT` runs out.
    pub async fn next(&self) -> anyhow::Result<Option<Job>> {
        let mut pulled = self.consumer.batch().max_messages(1).expires(PULL).messages().await?;
        let Some(job) = pulled.next().await.transpose().map_err(|error| anyhow!(error))? else {
            return Ok(None);
        };
        let published = job.info().map_err(|error| anyhow!(error))?.published;
        let (job, acker) = job.split();
        let (endpoint, message) = serde_json::from_slice(&job.payload)?;
        Ok(Some(Job { endpoint, message, accepted_at: SystemTime::from(published).into(), acker }))
    }

    /// Returns the state of a delivery and its revision, which is 0 before the first save.
    pub async fn state(&self, job: &Job) -> anyhow::Result<(Delivery, u64)> {
        match self.states.entry(job.key()).await? {
            Some(entry) => Ok((serde_json::from_slice(&entry.value)?, entry.revision)),
            None => Ok((Delivery::new(job.accepted_at), 0)),
        }
    }

    /// Saves the state if it still has this revision, and returns the new one. `None` means that
    /// another worker has saved since: the state here is outdated.
    pub async fn save(
        &self,
        job: &Job,
        it: &Delivery,
        revision: u64,
    ) -> anyhow::Result<Option<u64>> {
        match self.states.update(job.key(), serde_json::to_vec(it)?.into(), revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(error) => Err(error).context("cannot save"),
        }
    }

    /// Returns the saved state, if there is one.
    pub async fn saved(&self, key: &str) -> anyhow::Result<Option<Delivery>> {
        let state = self.states.get(key).await?;
        Ok(state.map(|state| serde_json::from_slice(&state)).transpose()?)
    }

    pub async fn delete(&self) -> anyhow::Result<()> {
        self.context.delete_stream(&self.name).await?;
        self.context.delete_key_value(&self.name).await?;
        Ok(())
    }
}

impl Job {
    fn key(&self) -> String {
        key(self.endpoint.as_str(), self.message.id().as_str())
    }

    /// Hands the job back until `claim_at`, or ends it if there is no such time.
    pub async fn settle(&self, claim_at: Option<Timestamp>, now: Timestamp) -> anyhow::Result<()> {
        let kind = match claim_at {
            Some(at) => AckKind::Nak(Some(at.saturating_since(now))),
            None => AckKind::Ack,
        };
        self.acker.ack_with(kind).await.map_err(|error| anyhow!(error))
    }
}

/// Returns a delivery's key in the bucket. The ids may contain characters that a key may not.
pub fn key(endpoint: &str, message: &str) -> String {
    let escape = |id: &str| -> String {
        let escaped = id.bytes().map(|byte| match byte {
            b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("={byte:02X}"),
        });
        escaped.collect()
    };
    format!("{}.{}", escape(endpoint), escape(message))
}
