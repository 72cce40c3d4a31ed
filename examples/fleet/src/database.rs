//! Connections, the schema, and notifications.

use std::future::poll_fn;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

const SCHEMA: &str = include_str!("../schema.sql");

// A client that hangs, or whose machine is gone, must not keep locked rows.
const SETTINGS: &str = "
    SET idle_in_transaction_session_timeout = '5s';
    SET statement_timeout = '10s';
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SET synchronous_commit = on;
";

/// How long an answer may take. Longer than the statement timeout, which the server sees to: then the
/// network is at fault.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits for an answer of the database, but not for ever.
///
/// # Errors
///
/// If it fails, or takes too long. Whether the database has done it is not known then.
pub async fn within<T, E: Into<anyhow::Error>>(
    answer: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T> {
    timeout(PATIENCE, answer).await.context("the database does not answer")?.map_err(Into::into)
}

/// Opens a connection.
///
/// # Errors
///
/// If there is no server at this URL.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    Ok(listen(url, false).await?.0)
}

/// Opens a connection that also receives notifications: for each, the shard that has something new.
///
/// # Errors
///
/// If there is no server at this URL.
pub async fn connect_and_listen(url: &str) -> anyhow::Result<(Client, UnboundedReceiver<i32>)> {
    listen(url, true).await
}

async fn listen(url: &str, listens: bool) -> anyhow::Result<(Client, UnboundedReceiver<i32>)> {
    let mut config: Config = url.parse().context("this is no URL of a database")?;
    config.connect_timeout(Duration::from_secs(5)).keepalives_idle(Duration::from_secs(5));
    // What was sent and is not acknowledged: the machine at the other end is gone.
    config.tcp_user_timeout(Duration::from_secs(15));
    let (client, mut connection) =
        config.connect(NoTls).await.context("cannot connect to the database")?;
    let (sender, notified) = unbounded_channel();
    // It ends with the client.
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(it) = message {
                for shard in it.payload().split(',').filter_map(|it| it.parse().ok()) {
                    let _ = sender.send(shard);
                }
            }
        }
    });
    client.batch_execute(SETTINGS).await?;
    if listens {
        client.batch_execute("LISTEN fleet").await?;
    }
    Ok((client, notified))
}

/// Creates the tables and this number of shards, in the first schema of the search path.
///
/// Shards can be added later, for new endpoints: those that are there stay where they are.
///
/// # Errors
///
/// If the tables exist, or the database refuses.
pub async fn create(client: &Client, shards: i32) -> anyhow::Result<()> {
    client.batch_execute(SCHEMA).await.context("cannot create the tables")?;
    let insert = "INSERT INTO shard (id) SELECT generate_series(0, $1::int - 1)";
    client.execute(insert, &[&shards]).await?;
    Ok(())
}
