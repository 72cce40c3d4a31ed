//! One request of an operator: [`Visit`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use host::Clock as _;
use labhook::{EndpointId, Timestamp};
use serde::Deserialize;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::App;
use super::json::{self, Json};
use super::session::Session;
use crate::clock::DatabaseClock;
use crate::command::{Answer, Command, ask_shard};

pub const ENDPOINTS: &str = include_str!("queries/endpoints.sql");

pub type Page = Result<Response, Fault>;

/// The fields of a form, or of the query.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Fields(HashMap<String, String>);

impl Fields {
    /// Returns a field without outer spaces: empty if it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |it| it.trim())
    }

    /// Reads a field. `None` if it is missing or empty.
    pub fn read<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Fault> {
        let text = self.get(name);
        let bad = |_| Fault::new(StatusCode::BAD_REQUEST, &format!("The {name} cannot be read."));
        (!text.is_empty()).then(|| text.parse()).transpose().map_err(bad)
    }
}

/// Why there is no page.
pub struct Fault(StatusCode, String);

impl Fault {
    pub fn new(status: StatusCode, why: &str) -> Self {
        Self(status, why.to_owned())
    }
}

impl<E: Into<anyhow::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        tracing::error!("the page: {:#}", error.into());
        let why = "The database does not answer as it should. The log says more.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    why: String,
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        let title = status.canonical_reason().unwrap_or("Error");
        let page = ErrorPage { title, why }.render().unwrap_or_default();
        (status, Html(page)).into_response()
    }
}

/// A request of an operator who is logged in.
pub struct Visit {
    pub session: Arc<Session>,
    pub database: Arc<Client>,
    pub fields: Fields,
    /// The time of the database.
    pub now: Timestamp,
    pub flash: Option<String>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let session: &Arc<Session> = parts.extensions.get().context("there is a session")?;
        let database = app.database().await?;
        let now = DatabaseClock::read(&database).await?.now();
        // The script that updates a page must not take what the next page is to show.
        let is_page = parts.method == Method::GET && !parts.headers.contains_key("x-live");
        let flash = if is_page { session.take_flash() } else { None };
        let fields = parts.extensions.get().cloned().unwrap_or_default();
        Ok(Self { session: session.clone(), database, fields, now, flash })
    }
}

impl Visit {
    /// Selects rows as JSON.
    pub async fn select(
        &self,
        query: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> anyhow::Result<Vec<Json>> {
        let query = format!("SELECT row_to_json(r)::text FROM ({query}) AS r");
        let rows = self.database.query(&query, parameters).await?;
        rows.iter().map(|row| Ok(Json(serde_json::from_str(row.get(0))?))).collect()
    }

    /// Selects the endpoint that a path names.
    pub async fn endpoint(&self, segment: &str) -> Result<(Json, EndpointId), Fault> {
        let missing = || Fault::new(StatusCode::NOT_FOUND, "There is no such endpoint.");
        let id = EndpointId::new(json::id(segment)).map_err(|_| missing())?;
        let found = self.select(ENDPOINTS, &[&Some(id.as_str())]).await?.pop();
        Ok((found.ok_or_else(missing)?, id))
    }

    /// Asks the owner of an endpoint's shard. A question is not asked if there is none.
    pub async fn ask(&self, endpoint: &Json, command: &Command) -> anyhow::Result<Option<Answer>> {
        if command.is_question() && !endpoint.has("/owner") {
            return Ok(None);
        }
        ask_shard(&*self.database, &self.session.operator, endpoint.shard(), command).await
    }

    /// Goes to another page, which says what came of a command.
    pub fn go(&self, to: &str, sentence: String) -> Page {
        self.session.put_flash(sentence);
        Ok(Redirect::to(to).into_response())
    }

    /// Returns how long ago it was, or how long it will be, such as `3 s ago`.
    pub fn ago(&self, at: &Timestamp) -> String {
        match at.saturating_since(self.now) {
            Duration::ZERO => format!("{} ago", self.since(at)),
            future => format!("in {}", json::span(future)),
        }
    }

    pub fn since(&self, at: &Timestamp) -> String {
        json::span(self.now.saturating_since(*at))
    }
}

pub fn render(page: &impl Template) -> Page {
    Ok(Html(page.render()?).into_response())
}

/// Says what came of a command.
pub fn outcome(answer: Option<Answer>, done: &str, endpoint: &Json) -> String {
    match answer {
        None => format!(
            "No worker answered within 5 s: the command waits for the next owner of shard {}.",
            endpoint.shard()
        ),
        Some(Answer::Done) => done.to_owned(),
        Some(Answer::Unchanged) => "Nothing to do: it was so already.".to_owned(),
        Some(Answer::Replayed { count: 1 }) => "1 delivery is replayed.".to_owned(),
        Some(Answer::Replayed { count }) => format!("{count} deliveries are replayed."),
        Some(Answer::Failed { error }) => format!("Not done: {error}."),
        Some(_) => "The worker gave an answer that does not fit.".to_owned(),
    }
}
