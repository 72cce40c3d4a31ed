//! A fleet that is killed, frozen and cut off while messages go out, and what it can do.

mod figures;
mod plain;
mod publisher;
mod receivers;
mod report;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use fleet::{database, endpoints, page};
use host::server::Server;
use labhook::delivery::{Jitter, Schedule};
use labhook::{EndpointId, HealthPolicy, RetryPolicy};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

pub use figures::figures;
use publisher::Publisher;
use receivers::{Receivers, Temper};
use report::Report;
use workers::Workers;

pub const SHARDS: i32 = 8;
pub const ENDPOINTS: usize = 64;

/// How long the rest may take at the end.
const PATIENCE: Duration = Duration::from_secs(120);

struct Options {
    messages: usize,
    workers: usize,
    kills: usize,
    outage: u64,
    page: bool,
}

impl Options {
    fn parse(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut it = Self { messages: 20_000, workers: 3, kills: 12, outage: 0, page: false };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Ok(it),
                ["--page", rest @ ..] => {
                    it.page = true;
                    rest
                }
                [option, number, rest @ ..] => {
                    let number = number.parse().with_context(|| format!("{option} {number}"))?;
                    match *option {
                        "--messages" => it.messages = number,
                        "--workers" => it.workers = number.max(1),
                        "--kills" => it.kills = number,
                        "--outage" => it.outage = number as u64,
                        _ => bail!("unknown option {option}"),
                    }
                    rest
                }
                [other] => bail!("unknown option {other}, or it lacks its number"),
            };
        }
    }
}

/// Kills and freezes workers while messages go out. At the end, what was committed is compared with
/// what the receivers have.
pub async fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let options = Options::parse(arguments)?;
    let Some(mut server) = Server::start().await? else {
        println!("skipped: no Postgres server on this machine, and no DATABASE_URL");
        return Ok(ExitCode::SUCCESS);
    };
    let stage = Stage::set(&server, Temper::of).await?;
    if options.page {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let token = endpoints::new_secret()?.expose_whsec().to_string();
        println!("the page: http://{}/ with the token {token}", listener.local_addr()?);
        tokio::spawn(page::serve(listener, stage.url.clone(), token));
    }

    let mut workers = Workers::start(&stage.url, options.workers)?;
    let publisher = Publisher::start(&stage.url, options.messages);
    let (began, mut killed) = (Instant::now(), Vec::new());
    for number in 0..options.kills {
        sleep(Duration::from_millis(250 + number as u64 * 137 % 500)).await;
        let victim = number % options.workers;
        let shards = stage.held_by(&workers.name(victim)).await.unwrap_or_default();
        killed.push((Instant::now(), shards));
        if number % 3 == 2 {
            workers.freeze(victim)?;
        } else {
            workers.kill(victim).await?;
        }
        if number == options.kills / 2 && options.outage > 0 {
            println!("the database is away for {} s", options.outage);
            server.crash(Duration::from_secs(options.outage)).await?;
        }
    }
    let published = publisher.finish().await?;
    let report = timeout(PATIENCE, async {
        loop {
            let report = Report::new(&stage, &published).await?;
            if !report.is_pending() {
                return anyhow::Ok(report);
            }
            sleep(Duration::from_millis(200)).await;
        }
    });
    let report = report.await.context("something does not end")??;
    report.print(&options, &killed, began.elapsed());
    if options.page {
        println!("the page stays until you press Enter");
        BufReader::new(tokio::io::stdin()).read_line(&mut String::new()).await?;
    }
    workers.stop().await?;
    stage.clear().await?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A database with tables and endpoints, and the receivers of those.
pub struct Stage {
    /// Leads to the schema of this stage.
    pub url: String,
    pub database: Client,
    pub receivers: Receivers,
    schema: String,
    server: String,
}

impl Stage {
    /// Sets up a schema of its own, the receivers, and an endpoint for each.
    pub async fn set(server: &Server, temper: fn(usize) -> Temper) -> anyhow::Result<Self> {
        let schema = format!("fleet_demo_{}", std::process::id());
        let client = database::connect(&server.url).await?;
        let create = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        client.batch_execute(&create).await?;
        // Functions are counted where this is allowed, which the figures need.
        let mut option = format!("-csearch_path={schema}");
        if client.execute("SET track_functions = 'pl'", &[]).await.is_ok() {
            option += " -ctrack_functions=pl";
        }
        let url = with_option(&server.url, &option);
        let database = database::connect(&url).await?;
        database::create(&database, SHARDS).await?;
        let secret = endpoints::new_secret()?;
        let receivers = Receivers::start(&secret, temper).await?;
        for number in 0..ENDPOINTS {
            let config = config(&receivers.url(number), number)?;
            endpoints::insert(&database, &endpoint_id(number)?, &config, &secret).await?;
        }
        Ok(Self { url, database, receivers, schema, server: server.url.clone() })
    }

    /// Returns the shards that a worker holds.
    async fn held_by(&self, worker: &str) -> anyhow::Result<Vec<i32>> {
        let database = database::connect(&self.url).await?;
        let select = "SELECT id FROM shard WHERE owner = $1 AND expires_at > clock_timestamp()";
        let rows = database.query(select, &[&worker]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Drops the schema.
    pub async fn clear(&self) -> anyhow::Result<()> {
        let client = database::connect(&self.server).await?;
        client.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.schema)).await?;
        Ok(())
    }
}

/// Returns an URL with more settings of the session, as `-cname=value`.
fn with_option(url: &str, option: &str) -> String {
    if url.starts_with("postgres") {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}options={}", option.replace('=', "%3D").replace(' ', "%20"))
    } else {
        format!("{url} options='{option}'")
    }
}

pub fn endpoint_id(number: usize) -> anyhow::Result<EndpointId> {
    Ok(EndpointId::new(format!("eln-{number}"))?)
}

/// Returns the run whose messages an endpoint receives. Some have two receivers.
pub fn run_of(number: usize) -> String {
    format!("run-{}", number % (ENDPOINTS * 3 / 4))
}

/// Returns an endpoint's configuration: in a hurry, because the program is to end.
fn config(url: &str, number: usize) -> anyhow::Result<String> {
    let retry = RetryPolicy::new(Schedule::list([Duration::from_millis(300)]).forever())
        .with_jitter(Jitter::plus_minus(20))
        .with_attempt_timeout(Duration::from_secs(1));
    let health = HealthPolicy::new()
        .with_probes(Duration::from_millis(500), Duration::from_secs(2))
        .with_disable_after(None);
    let config = serde_json::json!({
        "url": url,
        "plain_http": true,
        "secret": {"encoding": "whsec", "env": "secret"},
        "subscription": {"runs": [run_of(number)]},
        "retry": retry,
        "health": health,
    });
    Ok(config.to_string())
}
