//! Rows of endpoints and secrets, and the shard of each endpoint.

use anyhow::Context as _;
use labhook::endpoint::EndpointConfig;
use labhook::{Endpoint, EndpointId, Secret};
use tokio_postgres::{Client, GenericClient, Row};

const SELECT: &str = "
    SELECT id, config, (
        SELECT array_agg(secret ORDER BY seq DESC) FROM secret WHERE endpoint = endpoint.id
    ) FROM endpoint";

/// Returns the shard of an endpoint. It never changes, so it must not depend on the version of a
/// library: this is FNV-1a with 64 bits.
#[must_use]
pub fn shard_of(endpoint: &EndpointId, shards: i32) -> i32 {
    let hash = endpoint.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let shards = u64::try_from(shards).unwrap_or_default().max(1);
    i32::try_from(hash % shards).unwrap_or_default()
}

/// Adds an endpoint, with its first secret. Where it names a secret, the configuration calls it
/// `secret`: `{"encoding": "whsec", "env": "secret"}`.
///
/// The shard's owner learns of it from [`Command::Reload`](crate::command::Command::Reload), or when
/// it takes the shard.
///
/// # Errors
///
/// If the configuration is not valid, the id is taken, or the connection breaks.
pub async fn insert(
    database: &Client,
    id: &EndpointId,
    config: &str,
    secret: &Secret,
) -> anyhow::Result<()> {
    let secret = secret.expose_whsec();
    endpoint(id.clone(), config, &[&secret])?;
    let shards: i64 = database.query_one("SELECT count(*) FROM shard", &[]).await?.get(0);
    let shard = shard_of(id, shards.try_into()?);
    let insert = "
        WITH it AS (INSERT INTO endpoint VALUES ($1, $2, $3) RETURNING id)
        INSERT INTO secret (endpoint, secret) SELECT id, $4 FROM it";
    database.execute(insert, &[&id.as_str(), &shard, &config, &secret.as_str()]).await?;
    Ok(())
}

/// Loads the endpoints of a shard, and those that cannot be used, each with the reason.
///
/// # Errors
///
/// If the connection breaks.
pub async fn load(
    database: &Client,
    shard: i32,
) -> anyhow::Result<Vec<(EndpointId, anyhow::Result<Endpoint>)>> {
    let rows = database.query(&format!("{SELECT} WHERE shard = $1"), &[&shard]).await?;
    rows.iter().map(read).collect()
}

/// Loads one endpoint. `None` if it was deleted.
///
/// # Errors
///
/// If the connection breaks, or the endpoint cannot be used.
pub async fn load_one(database: &Client, id: &EndpointId) -> anyhow::Result<Option<Endpoint>> {
    let row = database.query_opt(&format!("{SELECT} WHERE id = $1"), &[&id.as_str()]).await?;
    row.map(|row| read(&row)?.1).transpose()
}

fn read(row: &Row) -> anyhow::Result<(EndpointId, anyhow::Result<Endpoint>)> {
    let id = EndpointId::new(row.get::<_, &str>(0))?;
    let secrets: Option<Vec<&str>> = row.get(2);
    let endpoint = endpoint(id.clone(), row.get(1), &secrets.unwrap_or_default());
    Ok((id, endpoint))
}

/// Creates an endpoint that signs with all of the secrets, the newest first.
fn endpoint(id: EndpointId, config: &str, secrets: &[&str]) -> anyhow::Result<Endpoint> {
    let config: EndpointConfig = serde_json::from_str(config)?;
    let lookup = |name: &str| match name {
        "secret" => secrets.first().map(|it| (*it).to_owned()),
        other => std::env::var(other).ok(),
    };
    let mut endpoint = config.endpoint(id, lookup)?;
    for old in secrets.iter().skip(1) {
        endpoint = endpoint.add_secret(Secret::from_whsec(old)?);
    }
    Ok(endpoint)
}

/// Makes a new secret, and returns it: requests are signed with it and with the old ones, once the
/// shard's owner has reloaded the endpoint.
///
/// # Errors
///
/// If there is no such endpoint, or the connection breaks.
pub async fn rotate(database: &Client, endpoint: &EndpointId) -> anyhow::Result<String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).ok().context("the system gives no random numbers")?;
    let secret = Secret::from_bytes(&key)?.expose_whsec();
    let insert = "INSERT INTO secret (endpoint, secret) VALUES ($1, $2)";
    database.execute(insert, &[&endpoint.as_str(), &secret.as_str()]).await?;
    Ok(secret.to_string())
}

/// Deletes all secrets of an endpoint but the newest. Returns how many those were.
///
/// # Errors
///
/// If the connection breaks.
pub async fn retire_old(
    database: &impl GenericClient,
    endpoint: &EndpointId,
) -> anyhow::Result<u64> {
    let delete = "
        DELETE FROM secret WHERE endpoint = $1
            AND seq < (SELECT max(seq) FROM secret WHERE endpoint = $1)";
    Ok(database.execute(delete, &[&endpoint.as_str()]).await?)
}
