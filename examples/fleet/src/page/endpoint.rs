//! Endpoints: a list, one of them, and what can be done about it.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use labhook::{EndpointId, Timestamp};

use super::deliveries::{self, Listed};
use super::json::{self as filters, Json};
use super::visit::{ENDPOINTS, Fault, Page, Visit, outcome, render};
use crate::command::{Answer, Command, Filter, Replay};
use crate::endpoints::{retire_old, rotate};

/// The number of endpoints that are listed.
const SHOWN: usize = 500;

/// The greatest time between two deliveries of a replay, in milliseconds: an hour.
const MAX_PACE_MS: u64 = 3_600_000;

#[derive(Template)]
#[template(path = "endpoints.html")]
struct List {
    visit: Visit,
    rows: Vec<Json>,
    /// The number of endpoints that are not shown.
    more: usize,
    by_health: BTreeMap<(u64, String), usize>,
    pending: u64,
    delivered: u64,
    /// The shards that suspect their own network.
    suspicious: BTreeSet<i32>,
    shards: Json,
}

pub async fn list(visit: Visit) -> Page {
    let mut rows = visit.select(ENDPOINTS, &[&None::<&str>]).await?;
    let mut by_health = BTreeMap::new();
    for row in &rows {
        *by_health.entry((row.number("/rank"), row.text("/health"))).or_default() += 1;
    }
    let pending = rows.iter().map(|it| it.number("/status/pending")).sum();
    let fresh = || rows.iter().filter(|it| it.has("/owner") && !it.has("/is_stale"));
    let delivered = fresh().map(|it| it.number("/status/delivered_per_second")).sum();
    let suspicious = fresh().filter(|it| it.has("/status/sender_outage"));
    let suspicious = suspicious.map(Json::shard).collect();
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let select = "
        SELECT count(*) AS all, count(parked) AS parked,
            count(*) FILTER (WHERE expires_at > clock_timestamp()) AS held,
            (SELECT count(*) FROM worker WHERE expires_at > clock_timestamp()) AS workers
        FROM shard";
    let shards = visit.select(select, &[]).await?.pop().unwrap_or_default();
    render(&List { visit, rows, more, by_health, pending, delivered, suspicious, shards })
}

#[derive(Template)]
#[template(path = "endpoint.html")]
struct Show {
    visit: Visit,
    it: Json,
    history: Json,
    asked: Vec<Json>,
    secrets: i64,
    listed: Listed,
}

pub async fn show(visit: Visit, Path(id): Path<String>) -> Page {
    let (it, id) = visit.endpoint(&id).await?;
    let history = include_str!("queries/history.sql");
    let history = visit.select(history, &[&id.as_str()]).await?.pop().unwrap_or_default();
    let asked = include_str!("queries/asked.sql");
    let asked = visit.select(asked, &[&id.as_str(), &it.shard()]).await?;
    let count = "SELECT count(*) FROM secret WHERE endpoint = $1";
    let secrets = visit.database.query_one(count, &[&id.as_str()]).await?.get(0);
    let filter = Filter { endpoint: Some(id), ..Filter::default() };
    let listed = deliveries::ask(&visit, vec![(it.shard(), it.has("/owner"))], filter, 20).await?;
    render(&Show { visit, it, history, asked, secrets, listed })
}

pub async fn act(visit: Visit, Path((id, action)): Path<(String, String)>) -> Page {
    let (it, endpoint) = visit.endpoint(&id).await?;
    let mut to = format!("/endpoints/{}", filters::seg(&endpoint, askama::NO_VALUES)?);
    let (command, done) = match action.as_str() {
        "pause" => (Command::Pause { endpoint }, "Paused: nothing is sent until you resume."),
        "resume" => (Command::Resume { endpoint }, "Resumed."),
        "disable" => {
            let reason = Some(visit.fields.get("reason").to_owned()).filter(|it| !it.is_empty());
            (Command::Disable { endpoint, reason }, "Disabled.")
        }
        "enable" => (Command::Enable { endpoint }, "Enabled."),
        "rotate" => {
            let secret = rotate(&visit.database, &endpoint).await?;
            to = format!("{to}/secret/{}", visit.session.put_secret(secret)?);
            let done = "Requests are signed with the new secret and the old ones.";
            (Command::Reload { endpoint }, done)
        }
        "retire" => {
            retire_old(&*visit.database, &endpoint).await?;
            (Command::Reload { endpoint }, "Requests are signed with the newest secret only.")
        }
        "replay" => {
            let missing = || Fault::new(StatusCode::BAD_REQUEST, "The form lacks the plan.");
            let expected = visit.fields.read("expected")?.ok_or_else(missing)?;
            visit.fields.read::<i64>("before")?.ok_or_else(missing)?;
            (Command::Replay { replay: replay(&visit, endpoint)?, expected }, "Replayed.")
        }
        _ => return Err(Fault::new(StatusCode::NOT_FOUND, "There is no such action.")),
    };
    let answer = visit.ask(&it, &command).await?;
    visit.go(&to, outcome(answer, done, &it))
}

#[derive(Template)]
#[template(path = "secret.html")]
struct SecretPage {
    visit: Visit,
    it: Json,
    /// `None` if it was shown.
    secret: Option<String>,
}

/// Shows a new secret, once.
pub async fn secret(visit: Visit, Path((id, once)): Path<(String, String)>) -> Page {
    let (it, _) = visit.endpoint(&id).await?;
    let secret = visit.session.take_secret(&once);
    render(&SecretPage { visit, it, secret })
}

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayPage {
    visit: Visit,
    it: Json,
    replay: Replay,
    /// Whether the form is filled in.
    is_asked: bool,
    /// `None` if no worker answers.
    answer: Option<Answer>,
}

/// Shows the form of a replay, and what it would send if the form is filled in.
pub async fn plan(visit: Visit, Path(id): Path<String>) -> Page {
    let (it, id) = visit.endpoint(&id).await?;
    let replay = replay(&visit, id)?;
    let is_asked = !visit.fields.get("pace").is_empty();
    let command = Command::Plan { replay: replay.clone() };
    let answer = if is_asked { visit.ask(&it, &command).await? } else { None };
    render(&ReplayPage { visit, it, replay, is_asked, answer })
}

fn replay(visit: &Visit, endpoint: EndpointId) -> Result<Replay, Fault> {
    let message = visit.fields.read("message")?;
    let before = visit.fields.read("before")?.map_or(visit.now, Timestamp::from_unix_micros);
    let pace_ms = visit.fields.read("pace")?.unwrap_or(100).min(MAX_PACE_MS);
    Ok(Replay { endpoint, message, before, pace_ms })
}
