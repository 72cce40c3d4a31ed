//! A fleet on Postgres: `cargo run -p fleet -- demo`.

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod demo;

use std::env;
use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use fleet::shard::Settings;
use fleet::worker::Worker;
use fleet::{database, page};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const USAGE: &str = "\
usage: fleet demo [--messages N] [--workers N] [--kills N] [--outage SECONDS] [--page]
                                    kills and freezes workers while messages go out
       fleet figures [MESSAGES] [--hold]
                                    throughput of 1, 2 and 4 workers; or while a snapshot is held
       fleet create SHARDS          creates the tables
       fleet worker ID              works until its standard input ends
       fleet page ADDRESS           serves the page, for those who know FLEET_TOKEN

The database is the one of DATABASE_URL; for the first two, a throw-away server without it.";

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["demo", ref options @ ..] => return demo::run(options).await,
        ["figures", ref rest @ ..] => {
            let holds = rest.contains(&"--hold");
            let messages =
                rest.iter().find(|it| **it != "--hold").map_or(Ok(20_000), |it| it.parse());
            return demo::figures(messages?, holds).await;
        }
        ["create", shards] => {
            database::create(&database::connect(&url()?).await?, shards.parse()?).await?;
        }
        ["worker", id] => work(id, url()?).await,
        ["page", address] => {
            let token = env::var("FLEET_TOKEN").context("FLEET_TOKEN is not set")?;
            page::serve(TcpListener::bind(address).await?, url()?, token).await?;
        }
        _ => bail!("{USAGE}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn url() -> anyhow::Result<String> {
    env::var("DATABASE_URL").context("DATABASE_URL is not set")
}

/// Works until the parent closes the pipe, or is gone.
async fn work(id: &str, url: String) {
    let (closed, stop) = oneshot::channel();
    // A thread, because the runtime would wait for a read of its own.
    std::thread::spawn(move || _ = closed.send(std::io::stdin().read(&mut [0])));
    let lease_ms = env::var("FLEET_LEASE_MS").ok().and_then(|it| it.parse().ok());
    let lease_ms = lease_ms.unwrap_or(3_000);
    let mut settings = Settings::new(url, lease_ms);
    settings.history = env::var_os("FLEET_NO_HISTORY").is_none();
    Worker::new(id.to_owned(), settings).run(stop).await;
}
