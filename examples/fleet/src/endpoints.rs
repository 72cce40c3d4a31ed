//! Rows of endpoints and secrets, and the shard of each endpoint.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use labhook::endpoint::EndpointConfig;
use labhook::{Endpoint, EndpointId, Message, Secret, Subscription};
use tokio_postgres::{Client, GenericClient, Row};

const SELECT: &str = "
    SELECT id, config, (
        SELECT array_agg(secret ORDER BY seq DESC) FROM secret WHERE endpoint = endpoint.id
    ) FROM endpoint";

/// Returns the shard of a new endpoint: FNV-1a with 64 bits. It stays the endpoint's shard if others
/// are added.
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
/// The shard's owner is told by a trigger, as of any change of the row, and publishes no message that
/// was handed over later before it knows the endpoint.
///
/// # Errors
///
/// If the configuration is not valid, the id is taken, or the connection breaks.
pub async fn insert(
    database: &impl GenericClient,
    id: &EndpointId,
    config: &str,
    secret: &Secret,
) -> anyhow::Result<()> {
    let secret = secret.expose_whsec();
    endpoint(id.clone(), &serde_json::from_str(config)?, &[&secret])?;
    let shards: i64 = database.query_one("SELECT count(*) FROM shard", &[]).await?.get(0);
    let shard = shard_of(id, shards.try_into()?);
    let insert = "
        WITH it AS (INSERT INTO endpoint VALUES ($1, $2, $3) RETURNING id)
        INSERT INTO secret (endpoint, secret) SELECT id, $4 FROM it";
    database.execute(insert, &[&id.as_str(), &shard, &config, &secret.as_str()]).await?;
    Ok(())
}

/// Endpoints of a shard whose rows cannot be used.
///
/// Messages that they may subscribe to stay in the intake until their rows are fixed.
#[derive(Debug, Default)]
pub struct Unusable(Mutex<BTreeMap<EndpointId, (Option<Subscription>, String)>>);

impl Unusable {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<EndpointId, (Option<Subscription>, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether an endpoint can be used. `None` if it was deleted.
    pub fn note(&self, id: &EndpointId, it: Option<&Loaded>) {
        match it {
            Some(Loaded { endpoint: Err(error), subscription }) => {
                tracing::error!("the endpoint {id} cannot be used: {error:#}");
                self.lock().insert(id.clone(), (subscription.clone(), format!("{error:#}")));
            }
            _ => _ = self.lock().remove(id),
        }
    }

    /// Returns the endpoints, each with the reason.
    pub fn reasons(&self) -> Vec<(EndpointId, String)> {
        self.lock().iter().map(|(id, it)| (id.clone(), it.1.clone())).collect()
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Returns whether one of them may subscribe to the message.
    pub fn may_match(&self, message: &Message) -> bool {
        self.lock().values().any(|it| it.0.as_ref().is_none_or(|it| it.matches(message)))
    }
}

/// A row of an endpoint.
#[derive(Debug)]
pub struct Loaded {
    /// The endpoint, or why it cannot be used.
    pub endpoint: anyhow::Result<Endpoint>,
    /// `None` if the configuration cannot be read.
    pub subscription: Option<Subscription>,
}

/// Loads the endpoints of a shard.
///
/// # Errors
///
/// If the connection breaks.
pub async fn load(database: &Client, shard: i32) -> anyhow::Result<Vec<(EndpointId, Loaded)>> {
    let rows = database.query(&format!("{SELECT} WHERE shard = $1"), &[&shard]).await?;
    Ok(rows.iter().filter_map(read).collect())
}

/// Loads one endpoint. `None` if it was deleted.
///
/// # Errors
///
/// If the connection breaks.
pub async fn load_one(database: &Client, id: &EndpointId) -> anyhow::Result<Option<Loaded>> {
    let row = database.query_opt(&format!("{SELECT} WHERE id = $1"), &[&id.as_str()]).await?;
    Ok(row.as_ref().and_then(read).map(|it| it.1))
}

fn read(row: &Row) -> Option<(EndpointId, Loaded)> {
    let id: &str = row.get(0);
    // What has no id that can be one has no messages either.
    let id = EndpointId::new(id).inspect_err(|error| tracing::error!("endpoint {id:?}: {error}"));
    let id = id.ok()?;
    let secrets: Option<Vec<&str>> = row.get(2);
    let config = serde_json::from_str::<EndpointConfig>(row.get(1));
    let subscription = config.as_ref().ok().map(|it| it.subscription.clone());
    let config = config.map_err(anyhow::Error::from);
    let endpoint = config.and_then(|it| endpoint(id.clone(), &it, &secrets.unwrap_or_default()));
    Some((id, Loaded { endpoint, subscription }))
}

/// Creates an endpoint that signs with all of the secrets, the newest first.
fn endpoint(id: EndpointId, config: &EndpointConfig, secrets: &[&str]) -> anyhow::Result<Endpoint> {
    let lookup = |name: &str| match name {
        "secret" => secrets.first().map(|it| (*it).to_owned()),
        other => std::env::var(other).ok(),
    };
    let mut endpoint = config.endpoint(id, lookup)?;
    host::http::check_readable(endpoint.expose_url())?;
    for old in secrets.iter().skip(1) {
        endpoint = endpoint.add_secret(Secret::from_whsec(old)?);
    }
    Ok(endpoint)
}

/// Makes a secret of 32 random bytes.
///
/// # Errors
///
/// If the system gives no random numbers.
pub fn new_secret() -> anyhow::Result<Secret> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).ok().context("the system gives no random numbers")?;
    Ok(Secret::from_bytes(&key)?)
}

/// Makes a new secret, and returns it: requests are signed with it and with the old ones, as soon as
/// the shard's owner has reloaded the endpoint.
///
/// # Errors
///
/// If there is no such endpoint, or the connection breaks.
pub async fn rotate(database: &Client, endpoint: &EndpointId) -> anyhow::Result<String> {
    let secret = new_secret()?.expose_whsec();
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
