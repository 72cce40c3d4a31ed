//! Deliveries: a list with a filter, and one of them.

use std::cmp::Reverse;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use labhook::{EndpointId, MessageId, Verdict};
use tokio::task::JoinSet;

use super::json::{self as filters, Json};
use super::visit::{Fault, Page, Visit, render};
use crate::command::{
    Answer, Command, DeliveryDetail, DeliveryRow, DeliveryState, Filter, ask_shard,
};

/// The number of deliveries that are listed.
const SHOWN: usize = 100;

#[derive(Default)]
pub struct Listed {
    pub rows: Vec<DeliveryRow>,
    /// The shards for which no worker answers.
    pub silent: Vec<i32>,
}

/// Asks shards at the same time, but not those that nobody holds.
pub async fn ask(
    visit: &Visit,
    shards: Vec<(i32, bool)>,
    filter: Filter,
    limit: usize,
) -> anyhow::Result<Listed> {
    let (mut listed, mut asking) = (Listed::default(), JoinSet::new());
    for (shard, is_held) in shards {
        let (database, session) = (visit.database.clone(), visit.session.clone());
        let command = Command::List { filter: filter.clone(), limit };
        asking.spawn(async move {
            let ask = ask_shard(&*database, &session.operator, shard, &command);
            (shard, if is_held { ask.await } else { Ok(None) })
        });
    }
    while let Some(asked) = asking.join_next().await {
        match asked? {
            (_, Ok(Some(Answer::Deliveries { deliveries }))) => listed.rows.extend(deliveries),
            (_, Err(error)) => return Err(error),
            (shard, Ok(_)) => listed.silent.push(shard),
        }
    }
    listed.rows.sort_by_key(|it| Reverse(it.accepted_at));
    listed.rows.truncate(limit);
    listed.silent.sort_unstable();
    Ok(listed)
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct List {
    visit: Visit,
    listed: Listed,
}

pub async fn list(visit: Visit) -> Page {
    let state = match visit.fields.get("state") {
        "" => None,
        "pending" => Some(DeliveryState::Pending),
        "failed" => Some(DeliveryState::Failed),
        _ => visit.fields.read::<Verdict>("state")?.map(DeliveryState::Ended),
    };
    let endpoint: Option<EndpointId> = visit.fields.read("endpoint")?;
    let filter = Filter { endpoint, message: visit.fields.read("message")?, state };
    let select = "
        SELECT id AS shard, expires_at > clock_timestamp() AS is_held FROM shard
        WHERE id = coalesce((SELECT shard FROM endpoint WHERE id = $1), id)";
    let shards = visit.select(select, &[&filter.endpoint.as_ref().map(EndpointId::as_str)]).await?;
    let shards = shards.iter().map(|it| (it.shard(), it.has("/is_held"))).collect();
    let listed = ask(&visit, shards, filter, SHOWN).await?;
    render(&List { visit, listed })
}

#[derive(Template)]
#[template(path = "delivery.html")]
struct Show {
    visit: Visit,
    it: Json,
    message: MessageId,
    /// `None` if no worker answers, or the delivery is gone.
    detail: Option<Box<DeliveryDetail>>,
    is_answered: bool,
    attempts: Vec<Json>,
}

pub async fn show(visit: Visit, Path((endpoint, message)): Path<(String, String)>) -> Page {
    let missing = || {
        let why = "There is no such delivery: it was never made, or its retention has ended.";
        Fault::new(StatusCode::NOT_FOUND, why)
    };
    let (it, endpoint) = visit.endpoint(&endpoint).await?;
    let message = MessageId::new(filters::id(&message)).map_err(|_| missing())?;
    let select = include_str!("queries/attempts.sql");
    let attempts = visit.select(select, &[&endpoint.as_str(), &message.as_str()]).await?;
    let command = Command::Show { message: message.clone(), endpoint };
    let (detail, is_answered) = match visit.ask(&it, &command).await? {
        Some(Answer::Delivery { delivery }) => (delivery, true),
        _ => (None, false),
    };
    if detail.is_none() && is_answered && attempts.is_empty() {
        return Err(missing());
    }
    render(&Show { visit, it, message, detail, is_answered, attempts })
}
