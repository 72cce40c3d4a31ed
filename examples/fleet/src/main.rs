//! A fleet on Postgres: `cargo run -p fleet -- demo`.

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod demo;

use std::env;
use std::process::ExitCode;

use anyhow::Context as _;
use fleet::shard::Settings;
use fleet::worker::Worker;
use fleet::{database, endpoints, page};
use labhook::EndpointId;
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
usage: fleet demo [--messages N] [--workers N] [--kills N] [--outage SECONDS] [--page]
                             kills and freezes workers while messages go out
       fleet figures [MESSAGES] [--hold]
                             throughput of 1, 2 and 4 workers; or while a snapshot is held
       fleet create SHARDS   creates the tables
       fleet add ID FILE     adds an endpoint, and prints its new secret
       fleet worker ID       works until SIGTERM or Ctrl-C; each worker needs an ID of its own
       fleet page ADDRESS    serves the page, such as on 127.0.0.1:8099

DATABASE_URL      the database, such as postgres://lab@db/lab; `demo` and `figures` start a temporary
                  server if it is unset
FLEET_TOKEN       what operators log in with, at least 22 characters
FLEET_LEASE_MS    how long a lease lasts without being renewed: 3000 if it is unset
FLEET_NO_HISTORY  if it is set, attempts are not recorded for the page";

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        // The server that was started is stopped with it.
        ["demo", ref options @ ..] => tokio::select! {
            done = demo::run(options) => return done,
            stopped = asked_to_stop() => return stopped.map(|()| ExitCode::FAILURE),
        },
        ["figures", ref rest @ ..] => {
            let holds = rest.contains(&"--hold");
            let messages = rest.iter().find(|it| **it != "--hold");
            let messages = messages.map_or(Ok(20_000), |it| number("MESSAGES", it))?;
            tokio::select! {
                done = demo::figures(messages, holds) => return done,
                stopped = asked_to_stop() => return stopped.map(|()| ExitCode::FAILURE),
            }
        }
        ["create", shards] => create(number("SHARDS", shards)?).await,
        ["add", id, file] => add(id, file).await,
        ["worker", id] => work(id).await,
        ["page", address] => {
            log();
            let token = env::var("FLEET_TOKEN").ok().context("FLEET_TOKEN is not set")?;
            let listener = TcpListener::bind(address).await;
            let listener = listener.with_context(|| format!("cannot listen on `{address}`"))?;
            page::serve(listener, url()?, token).await
        }
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn number<T: TryFrom<u32>>(name: &str, text: &str) -> anyhow::Result<T> {
    let number = text.parse().ok().filter(|it| *it > 0).and_then(|it| T::try_from(it).ok());
    number.with_context(|| format!("{name} must be a number of at least 1, got `{text}`"))
}

async fn create(shards: i32) -> anyhow::Result<()> {
    database::create(&database::connect(&url()?).await?, shards).await?;
    println!("created the tables, with {shards} shards");
    Ok(())
}

async fn add(id: &str, file: &str) -> anyhow::Result<()> {
    let config = std::fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    let secret = endpoints::new_secret()?;
    let database = database::connect(&url()?).await?;
    endpoints::insert(&database, &EndpointId::new(id)?, &config, &secret).await?;
    println!("{}", secret.expose_whsec().as_str());
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C.
async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        stopped = ctrl_c() => Ok(stopped?),
    }
}

/// Logs what somebody should look at.
fn log() {
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN);
    log.with_writer(std::io::stderr).init();
}

fn url() -> anyhow::Result<String> {
    env::var("DATABASE_URL").ok().context("DATABASE_URL is not set")
}

async fn work(id: &str) -> anyhow::Result<()> {
    log();
    let lease_ms = env::var("FLEET_LEASE_MS").ok();
    let lease_ms = lease_ms.map_or(Ok(3_000), |it| number("FLEET_LEASE_MS", &it))?;
    let mut settings = Settings::new(url()?, lease_ms);
    settings.history = env::var_os("FLEET_NO_HISTORY").is_none();
    let client = database::connect(&settings.url).await?;
    let shards = client.query_one("SELECT count(*) FROM shard", &[]).await;
    shards.context("the database has no fleet: run `fleet create SHARDS`")?;
    drop(client);
    // For a demo that is killed.
    let ends_with_stdin = env::var_os("FLEET_ENDS_WITH_STDIN").is_some();
    let stop = async {
        tokio::select! {
            _ = asked_to_stop() => {}
            () = host::stdin_ends(), if ends_with_stdin => {}
        }
    };
    Worker::new(id.to_owned(), settings).run(stop).await;
    Ok(())
}
