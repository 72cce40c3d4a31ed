//! What a fleet can do: durable deliveries per second, beside the limit of the database.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use fleet::intake::Subscribers;
use fleet::{database, endpoints};
use host::server::Server;
use labhook::Registry;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use super::receivers::Temper;
use super::{ENDPOINTS, SHARDS, Stage, endpoint_id, plain, publisher, run_of, workers};

/// How long the database alone is measured.
const ALONE: Duration = Duration::from_secs(5);

/// Measures one configuration after the other, each with tables of its own.
pub async fn figures(messages: usize, holds: bool) -> anyhow::Result<ExitCode> {
    let Some(server) = Server::start().await? else {
        println!("skipped: no Postgres server on this machine, and no DATABASE_URL");
        return Ok(ExitCode::SUCCESS);
    };
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["durable deliveries per second", "all", "first quarter", "last quarter"]);
    let mut add = |name: &str, rates: &[u64]| {
        table.add_row([name.to_owned()].into_iter().chain(rates.iter().map(u64::to_string)));
    };
    for workers in [1, 2, 4] {
        let measured = fleet(&server, messages, workers, holds).await?;
        add(&format!("a fleet with {workers} workers"), &measured.rates);
        let name = format!("  the database alone, {:.0} records a save", measured.batch);
        add(&name, &[measured.limit]);
    }
    add("a plain sender with SKIP LOCKED", &skip_locked(&server, messages, holds).await?);
    for column in 1..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    if holds {
        println!("while another session held a snapshot from before the first message");
    }
    Ok(ExitCode::SUCCESS)
}

struct Measured {
    rates: [u64; 3],
    /// The number of records in a save.
    batch: f64,
    /// The deliveries per second for which the database could save the records, if it did nothing
    /// else: statements of this size, one after the other, on a connection for each shard.
    limit: u64,
}

async fn fleet(
    server: &Server,
    messages: usize,
    workers: usize,
    holds: bool,
) -> anyhow::Result<Measured> {
    let stage = Stage::set(server, Temper::fast).await?;
    let database = &stage.database;
    let held = if holds { Some(hold(&stage.url).await?) } else { None };
    let subscribers = Subscribers::load(database).await?;
    let mut expected = 0;
    for first in (0..messages).step_by(500) {
        let numbers = first..messages.min(first + 500);
        let messages = numbers.map(publisher::message).collect::<anyhow::Result<Vec<_>>>()?;
        expected += messages.iter().map(subscribers_of).sum::<usize>();
        subscribers.insert(database, &messages).await?;
    }
    let spawn =
        |it| workers::spawn(&stage.url, &format!("worker-{it}"), &[("FLEET_NO_HISTORY", "1")]);
    let running = (0..workers).map(spawn).collect::<anyhow::Result<Vec<_>>>()?;
    arrive(&stage, expected).await;
    // The last outcomes are saved, too.
    sleep(Duration::from_secs(1)).await;
    drop(running);
    let rates = rates(&stage);

    let select = "
        SELECT (SELECT avg(length(record)) FROM record)::float8,
            (SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables
                WHERE schemaname = current_schema() AND relname = 'record'),
            (SELECT calls FROM pg_stat_user_functions
                WHERE schemaname = current_schema() AND funcname = 'save')";
    let row = database.query_one(select, &[]).await?;
    let (length, written, saves): (f64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let batch = written as f64 / saves.max(1) as f64;
    let records = alone(&stage.url, batch.ceil() as usize, length as usize).await?;
    let for_each = written as f64 / expected as f64;
    drop(held);
    stage.clear().await?;
    Ok(Measured { rates, batch, limit: (records / for_each) as u64 })
}

/// Saves records of this size as fast as the database can. Returns how many in a second.
async fn alone(url: &str, batch: usize, length: usize) -> anyhow::Result<f64> {
    let mut saving = JoinSet::new();
    for shard in 0..SHARDS {
        let client = database::connect(url).await?;
        let take = "UPDATE shard SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
        let epoch: i64 = client.query_one(take, &[&shard]).await?.get(0);
        saving.spawn(async move {
            let save = "SELECT save($1, $2, '1 min', $3, $4, '{}', '{}')";
            let save = client.prepare(save).await?;
            let records = vec!["x".repeat(length); batch];
            let (began, mut count) = (Instant::now(), 0_usize);
            while began.elapsed() < ALONE {
                let keys: Vec<_> = (count..count + batch).map(|it| format!("alone/{it}")).collect();
                client.execute(&save, &[&shard, &epoch, &keys, &records]).await?;
                count += batch;
            }
            anyhow::Ok(count as f64 / began.elapsed().as_secs_f64())
        });
    }
    saving.join_all().await.into_iter().sum()
}

async fn skip_locked(server: &Server, messages: usize, holds: bool) -> anyhow::Result<[u64; 3]> {
    let stage = Stage::set(server, Temper::fast).await?;
    let database = &stage.database;
    database.batch_execute(plain::SCHEMA).await?;
    let held = if holds { Some(hold(&stage.url).await?) } else { None };
    let mut registry = Registry::new();
    for number in 0..ENDPOINTS {
        let endpoint = endpoints::load_one(database, &endpoint_id(number)?).await?;
        registry.insert(endpoint.context("it was inserted")?.endpoint?)?;
    }
    let insert = "
        INSERT INTO job (endpoint, message) SELECT * FROM unnest($1::text[], $2::text[])";
    for first in (0..messages).step_by(500) {
        let (mut ids, mut jobs) = (Vec::new(), Vec::new());
        for number in first..messages.min(first + 500) {
            let message = publisher::message(number)?;
            let json = serde_json::to_string(&message)?;
            for endpoint in registry.iter().filter(|it| it.subscription.matches(&message)) {
                ids.push(endpoint.id().as_str());
                jobs.push(json.clone());
            }
        }
        database.execute(insert, &[&ids, &jobs]).await?;
    }
    plain::send(database, &registry).await?;
    drop(held);
    stage.clear().await?;
    Ok(rates(&stage))
}

/// Holds a snapshot: no row that dies from now on can be removed.
async fn hold(url: &str) -> anyhow::Result<Client> {
    let client = database::connect(url).await?;
    client.batch_execute("SET idle_in_transaction_session_timeout = 0").await?;
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM shard").await?;
    Ok(client)
}

fn subscribers_of(message: &labhook::Message) -> usize {
    let run = message.id().as_str().split('/').next().unwrap_or_default();
    (0..ENDPOINTS).filter(|it| run_of(*it) == run).count()
}

async fn arrive(stage: &Stage, expected: usize) {
    while stage.receivers.seen().copies.len() < expected {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the requests per second over the whole time, in its first quarter and in its last.
fn rates(stage: &Stage) -> [u64; 3] {
    let seen = stage.receivers.seen();
    let instants: Vec<Instant> = seen.arrivals.iter().map(|it| it.0).collect();
    let quarter = instants.len() / 4;
    let rate = |instants: &[Instant]| match instants {
        [first, .., last] => {
            (instants.len() as f64 / last.duration_since(*first).as_secs_f64()) as u64
        }
        _ => 0,
    };
    let (first, rest) = instants.split_at(quarter);
    let last = rest.split_at(rest.len().saturating_sub(quarter)).1;
    [rate(&instants), rate(first), rate(last)]
}
