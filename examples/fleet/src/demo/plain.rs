//! For comparison: a plain queue in a table, with `SKIP LOCKED`, a lease and a fixed retry.

use std::time::Duration;

use labhook::{EndpointId, Message, Registry};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::Client;

pub const SCHEMA: &str = "
    CREATE TABLE job (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        endpoint text NOT NULL,
        message text NOT NULL,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ON job (due_at)";

const TAKE: &str = "
    UPDATE job SET due_at = clock_timestamp() + interval '30 s' WHERE id IN (
        SELECT id FROM job WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 100
        FOR UPDATE SKIP LOCKED
    ) RETURNING id, endpoint, message";

/// Sends what is due, until no job is left.
pub async fn send(database: &Client, registry: &Registry) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    let take = database.prepare(TAKE).await?;
    loop {
        let mut sending = JoinSet::new();
        for row in database.query(&take, &[]).await? {
            let id: i64 = row.get(0);
            let message: Message = serde_json::from_str(row.get(2))?;
            let Some(endpoint) = registry.get(&EndpointId::new(row.get::<_, &str>(1))?) else {
                continue;
            };
            let Some(rendering) = message.rendering(endpoint.format().name()) else { continue };
            let now = host::Clock::now(&host::SystemClock);
            let request = endpoint.request(message.id(), rendering, now)?.try_into()?;
            let http = http.clone();
            sending.spawn(async move { (id, http.execute(request).await) });
        }
        let sent = sending.join_all().await;
        let sent = sent.iter().filter(|it| it.1.as_ref().is_ok_and(|it| it.status().is_success()));
        let done: Vec<i64> = sent.map(|it| it.0).collect();
        database.execute("DELETE FROM job WHERE id = ANY ($1)", &[&done]).await?;
        if done.is_empty() {
            let left = database.query_one("SELECT count(*) FROM job", &[]).await?;
            if left.get::<_, i64>(0) == 0 {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
