//! What operators see: notices, and the status of endpoints.
//!
//! Both are for people. A crash loses the last moment of them, and nothing of the deliveries.

use std::collections::BTreeMap;
use std::time::Duration;

use host::Handle;
use labhook::{EndpointId, Notice, Outbox, Timestamp};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;
use tokio_postgres::Client;

use crate::command::EndpointStatus;
use crate::shard::Lease;

/// How often notices are written.
const NOTICES_EVERY: Duration = Duration::from_millis(200);

/// How often the status of endpoints is written.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// The number of notices that are written at once.
const BATCH: usize = 1_000;

/// What is only history, and old. Every shard's owner tidies up, every minute.
const TIDY: &str = "
    DELETE FROM notice WHERE at < clock_timestamp() - interval '1 day';
    DELETE FROM command WHERE answer IS NOT NULL
        AND asked_at < clock_timestamp() - interval '30 days';
    DELETE FROM worker WHERE expires_at < clock_timestamp() - interval '1 hour'";

/// A notice and when it came.
pub type Noticed = (Notice, Timestamp);

/// Writes notices, until the sender is gone and the last one is written.
///
/// # Errors
///
/// If the connection breaks.
pub async fn write(
    database: &Client,
    notices: &mut UnboundedReceiver<Noticed>,
) -> anyhow::Result<()> {
    let insert = "
        INSERT INTO notice (endpoint, message, at, notice)
        SELECT e, m, to_timestamp(at / 1e6), n
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS it (e, m, at, n)";
    let insert = database.prepare(insert).await?;
    let mut batch = Vec::new();
    while notices.recv_many(&mut batch, BATCH).await > 0 {
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
        database.execute(&insert, &[&endpoints, &messages, &instants, &bodies]).await?;
        sleep(NOTICES_EVERY).await;
    }
    Ok(())
}

/// Writes the status of each endpoint of a shard every second, until the driver ends or the lease is
/// another's.
///
/// # Errors
///
/// If the driver has ended, or the connection breaks.
pub async fn report(database: &Client, lease: Lease, handle: &Handle) -> anyhow::Result<()> {
    let upsert = "
        INSERT INTO status (endpoint, at, status)
        SELECT e, clock_timestamp(), s FROM unnest($3::text[], $4::text[]) AS it (e, s)
        WHERE EXISTS (SELECT FROM shard WHERE id = $1 AND epoch = $2)
        ON CONFLICT (endpoint) DO UPDATE SET at = excluded.at, status = excluded.status";
    let upsert = database.prepare(upsert).await?;
    let mut delivered = BTreeMap::new();
    for round in 1_u64.. {
        if round.is_multiple_of(60) {
            database.batch_execute(TIDY).await?;
        }
        let all = handle.with(|outbox, _| statuses(outbox)).await?;
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
    Ok(())
}

fn statuses(outbox: &Outbox) -> Vec<(EndpointId, EndpointStatus)> {
    let endpoints = outbox.registry().iter();
    endpoints.filter_map(|it| Some((it.id().clone(), status(outbox, it.id())?))).collect()
}

fn status(outbox: &Outbox, id: &EndpointId) -> Option<EndpointStatus> {
    let it = outbox.status(id).ok()?;
    Some(EndpointStatus {
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
