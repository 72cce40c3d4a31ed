//! Workers and shards.

use askama::Template;
use axum::http::StatusCode;

use super::json::{self as filters, Json};
use super::visit::{Fault, Page, Visit, render};

#[derive(Template)]
#[template(path = "workers.html")]
struct Show {
    visit: Visit,
    workers: Vec<Json>,
    shards: Vec<Json>,
    /// Messages that the outbox does not accept.
    refused: Vec<Json>,
}

pub async fn show(visit: Visit) -> Page {
    let workers = visit.select(include_str!("queries/workers.sql"), &[]).await?;
    let shards = visit.select(include_str!("queries/shards.sql"), &[]).await?;
    let select = "
        SELECT shard, substring(key FROM position('/' IN key) + 1) AS id, refused
        FROM intake WHERE refused IS NOT NULL
        ORDER BY seq DESC LIMIT 20";
    let refused = visit.select(select, &[]).await?;
    render(&Show { visit, workers, shards, refused })
}

/// Lets workers take a shard again whose records could not be restored.
pub async fn unpark(visit: Visit) -> Page {
    let missing = || Fault::new(StatusCode::BAD_REQUEST, "The form lacks the shard.");
    let shard: i32 = visit.fields.read("shard")?.ok_or_else(missing)?;
    let update = "UPDATE shard SET parked = NULL WHERE id = $1 AND parked IS NOT NULL";
    let sentence = match visit.database.execute(update, &[&shard]).await? {
        0 => format!("Shard {shard} is not parked."),
        _ => format!("Shard {shard} can be taken again."),
    };
    tracing::info!("{} unparks shard {shard}", visit.session.operator);
    visit.go("/workers", sentence)
}
