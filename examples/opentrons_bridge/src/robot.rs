//! Client of the robot server's HTTP API: [`Robot`].

use std::time::Duration;

use anyhow::Context as _;
use labhook::Timestamp;
use labhook::endpoint::AddressPolicy;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The version of the HTTP API that the models here are of. A server that has an older one answers
/// with its own.
const API_VERSION: &str = "4";

/// The commands of one page.
const PAGE: u64 = 100;

/// A robot server.
#[derive(Clone)]
pub struct Robot {
    client: reqwest::Client,
    url: String,
}

/// A body with `data`. Other members are not needed.
#[derive(Deserialize)]
struct Body<T> {
    data: T,
}

/// A page of a collection.
#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    meta: Meta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    cursor: u64,
    total_length: u64,
}

/// `GET /health`, as far as it is needed.
#[derive(Debug, Deserialize)]
pub struct Health {
    pub name: String,
    /// Absent on robots without one.
    pub robot_serial: Option<String>,
}

/// A run. One that the server cannot load has no times and no errors.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub id: String,
    pub status: String,
    pub protocol_id: Option<String>,
    pub started_at: Option<String>,
    pub completed_at: Option<String>,
    #[serde(default)]
    pub errors: Vec<ErrorOccurrence>,
}

/// The fatal error of a run.
#[derive(Clone, Debug, Deserialize)]
pub struct ErrorOccurrence {
    #[serde(default)]
    pub detail: String,
}

/// A command of a run.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    pub id: String,
    pub command_type: String,
    pub status: String,
    pub completed_at: Option<String>,
}

/// `GET /robot/door/status`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Door {
    pub status: String,
    pub door_required_closed_for_protocol: bool,
}

/// `GET /robot/control/estopStatus`.
#[derive(Clone, Debug, Deserialize)]
pub struct Estop {
    pub status: String,
}

impl Robot {
    /// Creates a client for the server at this URL, such as `http://ROBOT:31950`.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be created.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        // With the feature `tls`, this chooses the provider that every client needs.
        let _ = host::http::Http::new(AddressPolicy::public());
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
        Ok(Self { client: client.build()?, url: url.trim_end_matches('/').to_owned() })
    }

    /// Returns the robot's name and serial number.
    ///
    /// # Errors
    ///
    /// If the server does not answer as documented; so for each of these.
    pub async fn health(&self) -> anyhow::Result<Health> {
        self.get("/health").await?.context("the server has no /health")
    }

    /// Returns all runs, the oldest first.
    pub async fn runs(&self) -> anyhow::Result<Vec<Run>> {
        let body: Option<Body<_>> = self.get("/runs").await?;
        Ok(body.context("the server has no /runs")?.data)
    }

    /// Returns the run's commands from this position on, each with its position.
    pub async fn commands(&self, run: &str, from: u64) -> anyhow::Result<Vec<(u64, Command)>> {
        let (mut all, mut next) = (Vec::new(), from);
        loop {
            let path = format!("/runs/{run}/commands?cursor={next}&pageLength={PAGE}");
            // The run may have been deleted since.
            let Some(page) = self.get::<Page<Command>>(&path).await? else { return Ok(all) };
            let start = page.meta.cursor;
            let before = next;
            for (position, command) in (start..).zip(page.data) {
                // The server may begin earlier than it was asked to.
                if position >= next {
                    all.push((position, command));
                    next = position + 1;
                }
            }
            if next >= page.meta.total_length || next == before {
                return Ok(all);
            }
        }
    }

    /// Returns the door's status.
    pub async fn door(&self) -> anyhow::Result<Door> {
        let body: Option<Body<_>> = self.get("/robot/door/status").await?;
        Ok(body.context("the server has no /robot/door/status")?.data)
    }

    /// Returns the status of the emergency stop; `None` if the robot has none.
    pub async fn estop(&self) -> anyhow::Result<Option<Estop>> {
        let body: Option<Body<_>> = self.get("/robot/control/estopStatus").await?;
        Ok(body.map(|body| body.data))
    }

    /// Returns the body; `None` if the server has no such resource, or does not support it.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Option<T>> {
        let request = self.client.get(format!("{}{path}", self.url));
        let response = request.header("Opentrons-Version", API_VERSION).send().await?;
        if matches!(response.status().as_u16(), 403 | 404) {
            return Ok(None);
        }
        let body = response.error_for_status()?.bytes().await?;
        let value = serde_json::from_slice(&body);
        Ok(Some(value.with_context(|| format!("cannot read the answer to {path}"))?))
    }
}

/// Reads a time of the server's.
pub fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}
