//! Carries out what operators ask: [`answer`].

use std::collections::VecDeque;
use std::time::Duration;

use host::Handle;
use labhook::delivery::Delivery;
use labhook::health::EnabledBy;
use labhook::outbox::{ReplayFilter, ReplayPlan};
use labhook::{EndpointId, Message, Outbox, Timestamp};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::command::{Answer, Command, DeliveryDetail, DeliveryRow, DeliveryState, Filter, Replay};
use crate::database::within;
use crate::endpoints::{self, Unusable};
use crate::shard::Lease;

/// How often the table is looked at if no notification comes.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The number of messages that a plan shows.
const SHOWN: usize = 10;

/// How much of a body is shown, in bytes.
const SHOWN_BODY: usize = 16 * 1024;

/// Answers what is asked of a shard, until its driver ends.
///
/// A crash in between leaves a command to the next owner, which carries it out again: each has the
/// same effect twice as once, except the replay of a single message.
///
/// # Errors
///
/// If the driver has ended, or the connection breaks.
pub async fn answer(
    database: &Client,
    lease: Lease,
    handle: &Handle,
    unusable: &Unusable,
    wake: &Notify,
) -> anyhow::Result<()> {
    let select = "SELECT id, command FROM command WHERE shard = $1 AND answer IS NULL ORDER BY id";
    let select = database.prepare(select).await?;
    loop {
        let rows = within(database.query(&select, &[&lease.shard])).await?;
        if rows.is_empty() {
            let _ = timeout(LOOK_EVERY, wake.notified()).await;
        }
        for row in rows {
            let answer = match serde_json::from_str(row.get(1)) {
                Ok(command) => execute(command, database, handle, unusable).await?,
                Err(error) => failed(error),
            };
            let answer = serde_json::to_string(&answer)?;
            // Not of an owner that is one no more: what it has changed is not saved.
            let update = "
                UPDATE command SET answer = $2 WHERE id = $1 AND answer IS NULL
                    AND EXISTS (SELECT FROM shard WHERE id = $3 AND epoch = $4 FOR SHARE)";
            let id: i64 = row.get(0);
            let parameters: [&(dyn ToSql + Sync); 4] = [&id, &answer, &lease.shard, &lease.epoch];
            within(database.execute(update, &parameters)).await?;
        }
    }
}

async fn execute(
    command: Command,
    database: &Client,
    handle: &Handle,
    unusable: &Unusable,
) -> anyhow::Result<Answer> {
    let answer = match command {
        Command::Reload { endpoint } => reload(database, handle, unusable, endpoint).await?,
        Command::Replay { replay, expected } => send_again(handle, replay, expected).await?,
        command => handle.with(move |outbox, now| operate(outbox, command, now)).await?,
    };
    if !matches!(answer, Answer::Deliveries { .. } | Answer::Delivery { .. } | Answer::Plan { .. })
    {
        handle.flush().await?;
    }
    Ok(answer)
}

fn operate(outbox: &mut Outbox, command: Command, now: Timestamp) -> Answer {
    match command {
        Command::Pause { endpoint } => changed(outbox.pause_endpoint(&endpoint, now)),
        Command::Resume { endpoint } => changed(outbox.resume_endpoint(&endpoint, now)),
        Command::Disable { endpoint, reason } => {
            changed(outbox.disable_endpoint(&endpoint, reason, now))
        }
        Command::Enable { endpoint } => {
            changed(outbox.enable_endpoint(&endpoint, EnabledBy::Operator, now).map(|()| true))
        }
        Command::List { filter, limit } => {
            Answer::Deliveries { deliveries: list(outbox, &filter, limit, now) }
        }
        Command::Show { message, endpoint } => {
            let delivery = outbox.delivery(&message, &endpoint);
            let detail = delivery.map(|(message, it)| detail(outbox, message, &endpoint, &it, now));
            Answer::Delivery { delivery: detail.map(Box::new) }
        }
        Command::Plan { replay } => {
            let plan = plan(outbox, &replay, now);
            Answer::Plan {
                count: plan.len(),
                first: plan.iter().take(SHOWN).map(|(message, ..)| message.clone()).collect(),
                ends_at: plan.iter().map(|(.., at)| at).max(),
            }
        }
        Command::Reload { .. } | Command::Replay { .. } => failed("it needs more than the outbox"),
    }
}

fn changed<E: ToString>(result: Result<bool, E>) -> Answer {
    match result {
        Ok(true) => Answer::Done,
        Ok(false) => Answer::Unchanged,
        Err(error) => failed(error),
    }
}

fn failed(error: impl ToString) -> Answer {
    Answer::Failed { error: error.to_string() }
}

/// Takes over the endpoint's row as it is now: new, changed, or gone.
async fn reload(
    database: &Client,
    handle: &Handle,
    unusable: &Unusable,
    id: EndpointId,
) -> anyhow::Result<Answer> {
    let loaded = endpoints::load_one(database, &id).await?;
    unusable.note(&id, loaded.as_ref());
    let endpoint = match loaded.map(|it| it.endpoint).transpose() {
        Ok(endpoint) => endpoint,
        Err(error) => return Ok(failed(format!("{error:#}"))),
    };
    let reloaded = handle.with(move |outbox, now| match endpoint {
        Some(it) if outbox.registry().get(&id).is_some() => {
            outbox.replace_endpoint(it, now).map_err(|error| error.to_string())
        }
        Some(it) => outbox.insert_endpoint(it, now).map_err(|error| error.to_string()),
        None => outbox.remove_endpoint(&id, now).map_err(|error| error.to_string()),
    });
    Ok(changed(reloaded.await?.map(|()| true)))
}

fn plan(outbox: &Outbox, replay: &Replay, now: Timestamp) -> ReplayPlan {
    let filter = ReplayFilter::all()
        .with_endpoint(replay.endpoint.clone())
        .with_accepted_before(replay.before);
    let filter = match &replay.message {
        Some(message) => filter.with_message(message.clone()),
        None => filter.only_failed(),
    };
    outbox.plan_replay(&filter, Duration::from_millis(replay.pace_ms), now)
}

async fn send_again(handle: &Handle, replay: Replay, expected: usize) -> anyhow::Result<Answer> {
    let mut plan = handle.with(move |outbox, now| plan(outbox, &replay, now)).await?;
    if plan.len() != expected {
        let error = format!("the plan had {expected} deliveries, and now has {}", plan.len());
        return Ok(failed(error));
    }
    let mut count = 0;
    while !plan.is_empty() {
        let part = handle.with(move |outbox, now| (outbox.replay(&mut plan, now), plan)).await?;
        count += part.0;
        plan = part.1;
        // A large replay is saved as it goes.
        handle.flush().await?;
    }
    Ok(Answer::Replayed { count })
}

/// Lists the latest deliveries that the filter lets through. It looks at all of the shard.
fn list(outbox: &Outbox, filter: &Filter, limit: usize, now: Timestamp) -> Vec<DeliveryRow> {
    let mut latest = VecDeque::new();
    for (message, endpoint, delivery) in outbox.deliveries() {
        let verdict = delivery.verdict();
        let passes = filter.endpoint.as_ref().is_none_or(|it| it == endpoint)
            && filter.message.as_ref().is_none_or(|it| it == message.id())
            && match filter.state {
                None => true,
                Some(DeliveryState::Pending) => verdict.is_none(),
                Some(DeliveryState::Failed) => verdict.is_some_and(|it| !it.is_delivered()),
                Some(DeliveryState::Ended(it)) => verdict == Some(it),
            };
        if passes {
            if latest.len() == limit {
                latest.pop_front();
            }
            latest.push_back((message, endpoint, delivery));
        }
    }
    let latest = latest.iter().rev().take(limit);
    latest.map(|(message, endpoint, it)| row(outbox, message, endpoint, it, now)).collect()
}

fn row(
    outbox: &Outbox,
    message: &Message,
    endpoint: &EndpointId,
    delivery: &Delivery,
    now: Timestamp,
) -> DeliveryRow {
    let why = outbox.explain(message.id(), endpoint, now);
    DeliveryRow {
        message: message.id().clone(),
        endpoint: endpoint.clone(),
        event_type: message.event_type().to_string(),
        accepted_at: delivery.accepted_at(),
        attempts: delivery.attempts(),
        verdict: delivery.verdict(),
        why: why.map(|it| it.to_string()).unwrap_or_default(),
    }
}

fn detail(
    outbox: &Outbox,
    message: &Message,
    endpoint: &EndpointId,
    delivery: &Delivery,
    now: Timestamp,
) -> DeliveryDetail {
    let registered = outbox.registry().get(endpoint);
    let rendering = registered.and_then(|it| message.rendering(it.format().name()));
    let body = rendering.and_then(|it| it.body()).cloned().unwrap_or_default();
    let shown = body.get(..SHOWN_BODY).unwrap_or(&body);
    let content_type = rendering.map(|it| String::from_utf8_lossy(it.content_type().as_bytes()));
    let headers = registered.into_iter().flat_map(|it| it.expose_headers());
    DeliveryDetail {
        row: row(outbox, message, endpoint, delivery, now),
        unanswered: delivery.unanswered(),
        replays: delivery.replays(),
        next_at: delivery.next_at(),
        ended_at: delivery.ended_at(),
        content_type: content_type.unwrap_or_default().into_owned(),
        header_names: headers.map(|(name, _)| name.to_string()).collect(),
        body: String::from_utf8_lossy(shown).into_owned(),
        body_len: body.len().try_into().unwrap_or(u64::MAX),
    }
}
