//! A fleet for tests: a database, one worker, receivers and the page.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use fleet::intake::Subscribers;
use fleet::shard::Settings;
use fleet::worker::Worker;
use fleet::{database, endpoints, page};
use host::server::Server;
use host::{Clock as _, SystemClock};
use labhook::delivery::{Jitter, Schedule};
use labhook::lab::{RunState, RunStateChanged};
use labhook::{EndpointId, Event, HealthPolicy, MessageId, RetryPolicy, Secret};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub const TOKEN: &str = "the-token-of-the-operators";

/// The number of shards.
pub const SHARDS: i32 = 2;

pub struct Site {
    /// Leads to the database.
    pub url: String,
    /// The origin of the page.
    pub page: String,
    _server: Server,
}

impl Site {
    /// Sets up tables and the page. `None`, with a line that says so, if there is no Postgres.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        let Some(server) = Server::start().await? else {
            println!("skipped: no Postgres server on this machine, and no DATABASE_URL");
            return Ok(None);
        };
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let schema = format!("fleet_page_{port}");
        let create = format!("CREATE SCHEMA {schema}");
        database::connect(&server.url).await?.batch_execute(&create).await?;
        let url = if server.url.starts_with("postgres") {
            format!("{}?options=-csearch_path%3D{schema}", server.url)
        } else {
            format!("{} options='-csearch_path={schema}'", server.url)
        };
        database::create(&database::connect(&url).await?, SHARDS).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let page = format!("http://{}", listener.local_addr()?);
        tokio::spawn(page::serve(listener, url.clone(), TOKEN.to_owned()));
        Ok(Some(Self { url, page, _server: server }))
    }

    /// Adds an endpoint. It is in a hurry, so that a test is not long.
    pub async fn add_endpoint(&self, id: &str, receiver: SocketAddr) -> anyhow::Result<()> {
        let retry = RetryPolicy::new(Schedule::list([Duration::from_millis(200)]))
            .with_jitter(Jitter::plus_minus(20))
            .with_attempt_timeout(Duration::from_secs(1));
        let health = HealthPolicy::new()
            .with_failures(NonZeroU32::new(6))
            .with_probes(Duration::from_millis(300), Duration::from_millis(600))
            .with_disable_after(None);
        let config = serde_json::json!({
            "url": format!("http://{receiver}/hook-with-a-key"),
            "plain_http": true,
            "secret": {"encoding": "whsec", "env": "secret"},
            "subscription": {"runs": [id]},
            "retry": retry,
            "health": health,
        });
        let database = database::connect(&self.url).await?;
        let secret = Secret::from_bytes(&[7; 32])?;
        endpoints::insert(&database, &EndpointId::new(id)?, &config.to_string(), &secret).await
    }

    /// Starts a worker, which ends with the test.
    pub fn start_worker(&self) {
        let worker = Worker::new("worker-1".to_owned(), Settings::new(self.url.clone(), 3_000));
        tokio::spawn(worker.run(std::future::pending::<()>()));
    }

    /// Publishes messages for an endpoint.
    pub async fn publish(&self, endpoint: &str, messages: &[&str]) -> anyhow::Result<()> {
        let message = |id: &&str| {
            let event = RunStateChanged::new(endpoint, RunState::Completed);
            let event = Event::new(event, SystemClock.now());
            Ok(event.into_message(MessageId::new(id)?)?)
        };
        let messages: Vec<_> = messages.iter().map(message).collect::<anyhow::Result<_>>()?;
        let mut database = database::connect(&self.url).await?;
        let subscribers = Subscribers::load(&database).await?;
        let transaction = database.transaction().await?;
        subscribers.insert(&transaction, &messages).await?;
        Ok(transaction.commit().await?)
    }

    /// Waits until a query returns true.
    pub async fn wait_for(&self, query: &str) -> anyhow::Result<()> {
        let database = database::connect(&self.url).await?;
        for _ in 0..400 {
            let row = database.query_opt(query, &[]).await?;
            if row.is_some_and(|it| it.get(0)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("this does not become true: {query}")
    }
}

/// A receiver that accepts everything until it is killed.
pub struct Receiver {
    pub address: SocketAddr,
    /// Of its own, so that its connections break when it is killed.
    runtime: Option<Runtime>,
}

impl Receiver {
    pub fn start(address: SocketAddr, delay: Duration) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build()?;
        let router = Router::new().route(
            "/hook-with-a-key",
            post(move || async move {
                tokio::time::sleep(delay).await;
                StatusCode::NO_CONTENT
            }),
        );
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).context("it is a socket")?;
            anyhow::Ok(axum::serve(listener, router).await?)
        });
        Ok(Self { address, runtime: Some(runtime) })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
