//! What operators see: notices, and the status of endpoints.
//!
//! Both are for people. A crash loses the last moment of them, and nothing of the deliveries.

use std::collections::BTreeMap;
use std::time::Duration;

use host::Handle;
use labhook::outbox::RenderFailure;
use labhook::{EndpointId, MessageId, Notice, Outbox, Timestamp};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;
use tokio_postgres::Client;

use crate::command::EndpointStatus;
use crate::endpoints::Unusable;
use crate::shard::Lease;

/// How often notices are written.
const NOTICES_EVERY: Duration = Duration::from_millis(200);

/// How often the status of endpoints is written.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// The number of notices that are written at once.
const BATCH: usize = 1_000;

/// How often old history is deleted.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// Deletes what is only history, and old. A part of it at a time: it is in the way of the rest.
const TIDY: &str = "
    DELETE FROM notice WHERE seq IN (
        SELECT seq FROM notice WHERE at < now() - interval '1 day' ORDER BY at LIMIT 20000
    );
    DELETE FROM command WHERE id IN (
        SELECT id FROM command WHERE answer IS NOT NULL AND asked_at < now() - interval '30 days'
        LIMIT 1000
    );
    DELETE FROM worker WHERE expires_at < now() - interval '1 hour'";

/// A notice and when it came.
pub type Noticed = (Notice, Timestamp);

/// Writes notices, until the sender is gone and the last one is written. What cannot be written is
/// left out.
pub async fn write(database: &Client, notices: &mut UnboundedReceiver<Noticed>) {
    let mut batch = Vec::new();
    while notices.recv_many(&mut batch, BATCH).await > 0 {
        if let Err(error) = write_batch(database, &mut batch).await {
            tracing::warn!("history: {error:#}");
        }
        sleep(NOTICES_EVERY).await;
    }
}

async fn write_batch(database: &Client, batch: &mut Vec<Noticed>) -> anyhow::Result<()> {
    let insert = "
        INSERT INTO notice (endpoint, message, at, notice)
        SELECT e, m, to_timestamp(at / 1e6), n
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS it (e, m, at, n)";
    let (mut endpoints, mut messages) = (Vec::new(), Vec::new());
    let (mut instants, mut bodies) = (Vec::new(), Vec::new());
    for (notice, at) in batch.drain(..) {
        let at = match &notice {
            // The report of the last attempt says it too.
            Notice::Settled { attempts: 1.., .. } => continue,
            Notice::AttemptEnded(report) => report.ended_at,
            _ => at,
        };
        endpoints.push(notice.endpoint().map(ToString::to_string));
        messages.push(notice.message().map(ToString::to_string));
        instants.push(at.unix_micros());
        bodies.push(serde_json::to_string(&notice)?);
    }
    database.execute(insert, &[&endpoints, &messages, &instants, &bodies]).await?;
    Ok(())
}

/// Writes the status of each endpoint of a shard every second, until the driver ends or the lease is
/// another's.
///
/// # Errors
///
/// If the driver has ended, or the connection breaks.
pub async fn report(
    database: &Client,
    lease: Lease,
    handle: &Handle,
    unusable: &Unusable,
) -> anyhow::Result<()> {
    let upsert = "
        INSERT INTO status (endpoint, at, status)
        SELECT e, clock_timestamp(), s FROM unnest($3::text[], $4::text[]) AS it (e, s)
        WHERE EXISTS (SELECT FROM shard WHERE id = $1 AND epoch = $2)
        ON CONFLICT (endpoint) DO UPDATE SET at = excluded.at, status = excluded.status";
    let upsert = database.prepare(upsert).await?;
    let mut delivered = BTreeMap::new();
    loop {
        let mut all = handle.with(|outbox, _| statuses(outbox)).await?;
        for (id, reason) in unusable.reasons() {
            all.entry(id).or_default().unusable = Some(reason);
        }
        let (mut endpoints, mut bodies) = (Vec::new(), Vec::new());
        for (id, mut status) in all {
            let count = status.counters.get("delivered").copied().unwrap_or_default();
            let before = delivered.insert(id.clone(), count).unwrap_or(count);
            status.delivered_per_second = count.saturating_sub(before);
            endpoints.push(id.to_string());
            bodies.push(serde_json::to_string(&status)?);
        }
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&lease.shard, &lease.epoch, &endpoints, &bodies];
        database.execute(&upsert, &parameters).await?;
        sleep(STATUS_EVERY).await;
    }
}

/// Deletes old history now and then.
///
/// # Errors
///
/// If the database refuses.
pub async fn tidy(database: &Client) -> anyhow::Result<()> {
    loop {
        sleep(TIDY_EVERY).await;
        database.batch_execute(TIDY).await?;
    }
}

/// Does something again whenever it fails: history is no reason to stop delivering. If the connection
/// has broken, the rest finds out.
pub async fn persist<F: Future<Output = anyhow::Result<()>>>(mut work: impl FnMut() -> F) {
    while let Err(error) = work().await {
        tracing::warn!("history: {error:#}");
        sleep(STATUS_EVERY).await;
    }
}

/// Notes that an endpoint does not receive a message, because it cannot be written in its format.
///
/// # Errors
///
/// If the connection breaks.
pub async fn unrendered(
    database: &Client,
    message: &MessageId,
    failure: &RenderFailure,
) -> anyhow::Result<()> {
    let (endpoint, error) = (failure.endpoint.as_str(), failure.error.to_string());
    tracing::error!("message {message}, endpoint {endpoint}: {error}");
    let notice = serde_json::json!({"notice": "unrendered", "error": error}).to_string();
    let insert = "
        INSERT INTO notice (endpoint, message, at, notice) VALUES ($1, $2, clock_timestamp(), $3)";
    database.execute(insert, &[&endpoint, &message.as_str(), &notice]).await?;
    Ok(())
}

fn statuses(outbox: &Outbox) -> BTreeMap<EndpointId, EndpointStatus> {
    let endpoints = outbox.registry().iter();
    endpoints.filter_map(|it| Some((it.id().clone(), status(outbox, it.id())?))).collect()
}

fn status(outbox: &Outbox, id: &EndpointId) -> Option<EndpointStatus> {
    let it = outbox.status(id).ok()?;
    Some(EndpointStatus {
        unusable: None,
        state: it.health.state().to_string(),
        since: it.health.since(),
        paused_since: it.health.paused_since(),
        disabled: it.health.disabled().cloned(),
        pending: it.pending,
        due: it.due,
        in_flight: it.flow.in_flight(),
        oldest_pending: it.oldest_pending,
        concurrency_limit: it.concurrency_limit.map(Into::into),
        spacing_us: it.spacing.map(|it| it.as_micros().try_into().unwrap_or(u64::MAX)),
        delivered_per_second: 0,
        counters: it.counters.iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        sender_outage: outbox.sender_outage().is_suspected(),
    })
}
