//! The operators' page: what endpoints, deliveries and workers do, and what can be done about it.
//!
//! The server renders it, and it works without script. It shows no secret but a new one, once, and no
//! URL but its origin.

mod deliveries;
mod endpoint;
mod guard;
mod json;
mod session;
mod visit;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::database;

/// The least length of a token: what 16 random bytes have in Base64.
const MIN_TOKEN: usize = 22;

/// The largest form, in bytes.
const MAX_FORM: usize = 16 * 1024;

/// How long the database may take to answer at first.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct App(Arc<Inner>);

struct Inner {
    url: String,
    token: String,
    database: Mutex<Option<Arc<Client>>>,
    sessions: session::Sessions,
}

impl App {
    /// Returns the connection, or a new one if it broke.
    async fn database(&self) -> anyhow::Result<Arc<Client>> {
        let mut database = self.0.database.lock().await;
        if database.as_ref().is_none_or(|it| it.is_closed()) {
            let connect = timeout(PATIENCE, database::connect(&self.0.url)).await;
            *database = Some(Arc::new(connect.context("the database does not answer")??));
        }
        database.clone().context("it was just made")
    }
}

/// Serves the page to operators who know the token, until the listener fails.
///
/// # Errors
///
/// If the listener is not on loopback, or the token has fewer than 22 characters.
pub async fn serve(
    listener: TcpListener,
    database_url: String,
    token: String,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    ensure!(address.ip().is_loopback(), "the page must listen on loopback, not on {address}");
    ensure!(token.len() >= MIN_TOKEN, "the token must have at least {MIN_TOKEN} characters");
    let (database, sessions) = (Mutex::default(), session::Sessions::default());
    let app = App(Arc::new(Inner { url: database_url, token, database, sessions }));
    let style = ([(CONTENT_TYPE, "text/css")], include_str!("../static/style.css"));
    let script = ([(CONTENT_TYPE, "text/javascript")], include_str!("../static/page.js"));
    let router = Router::new()
        .route("/", get(endpoint::list))
        .route("/endpoints/{endpoint}", get(endpoint::show))
        .route("/endpoints/{endpoint}/do/{action}", post(endpoint::act))
        .route("/endpoints/{endpoint}/secret/{once}", get(endpoint::secret))
        .route("/endpoints/{endpoint}/replay", get(endpoint::plan))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{endpoint}/{message}", get(deliveries::show))
        .route("/workers", get(workers::show))
        .route("/workers/unpark", post(workers::unpark))
        .route("/login", get(session::login).post(session::log_in))
        .route("/logout", post(session::log_out))
        .route("/static/style.css", get(style))
        .route("/static/page.js", get(script))
        .layer(from_fn_with_state(app.clone(), guard::guard))
        .layer(DefaultBodyLimit::max(MAX_FORM));
    Ok(axum::serve(listener, router.with_state(app)).await?)
}
