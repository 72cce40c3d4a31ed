//! A stand-in for the robot server: [`StandIn`] speaks its JSON, and moves when it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use host::{Clock as _, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const VERSION: HeaderName = HeaderName::from_static("opentrons-version");
const MIN_VERSION: HeaderName = HeaderName::from_static("opentrons-min-version");

/// The server's default length of a page of commands.
const PAGE: usize = 20;

/// A robot server on loopback.
#[derive(Clone)]
pub struct StandIn {
    robot: Arc<Mutex<Robot>>,
    pub url: String,
}

struct Robot {
    runs: Vec<Value>,
    commands: BTreeMap<String, Vec<Value>>,
    door: &'static str,
    /// `None` for an OT-2.
    estop: Option<&'static str>,
}

impl Robot {
    fn run(&mut self, id: &str) -> &mut Value {
        self.runs.iter_mut().find(|run| run["id"] == id).expect("the run was created")
    }
}

impl StandIn {
    /// Starts a Flex, with the door closed and the emergency stop released.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Some("disengaged")).await
    }

    /// Starts an OT-2, which has no emergency stop.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start_ot2() -> anyhow::Result<Self> {
        Self::start_with(None).await
    }

    async fn start_with(estop: Option<&'static str>) -> anyhow::Result<Self> {
        let robot = Robot { runs: Vec::new(), commands: BTreeMap::new(), door: "closed", estop };
        let robot = Arc::new(Mutex::new(robot));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route("/health", get(health))
            .route("/runs", get(runs))
            .route("/runs/{id}", get(run))
            .route("/runs/{id}/commands", get(commands))
            .route("/robot/door/status", get(door))
            .route("/robot/control/estopStatus", get(estop_status))
            .layer(middleware::from_fn(version))
            .with_state(Arc::clone(&robot));
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self { robot, url })
    }

    /// Creates a run of a protocol, with these commands queued.
    pub fn create_run(&self, id: &str, commands: &[&str]) {
        let mut robot = self.robot();
        let created_at = now();
        robot.runs.push(json!({
            "ok": true, "id": id, "createdAt": created_at, "status": "idle", "current": true,
            "actions": [], "errors": [], "hasEverEnteredErrorRecovery": false, "pipettes": [],
            "modules": [], "labware": [], "liquids": [], "labwareOffsets": [],
            "runTimeParameters": [], "outputFileIds": [], "protocolId": "protocol-1",
        }));
        drop(robot);
        for command in commands {
            self.queue(id, command, "protocol");
        }
    }

    /// Adds a command to a run.
    pub fn queue(&self, run: &str, command_type: &str, intent: &str) {
        let mut robot = self.robot();
        let created_at = now();
        let commands = robot.commands.entry(run.to_owned()).or_default();
        let number = commands.len();
        commands.push(json!({
            "id": format!("{run}-command-{number}"), "key": format!("key-{number}"),
            "commandType": command_type, "createdAt": created_at, "status": "queued",
            "params": {}, "intent": intent,
        }));
    }

    /// Gives a run this status.
    pub fn set_status(&self, id: &str, status: &str) {
        let mut robot = self.robot();
        let at = now();
        let run = robot.run(id);
        run["status"] = status.into();
        if status == "running" && run["startedAt"].is_null() {
            run["startedAt"] = at.clone().into();
        }
        if matches!(status, "succeeded" | "stopped" | "failed") {
            run["completedAt"] = at.into();
        }
    }

    /// Gives a run a fatal error.
    pub fn fail(&self, id: &str, detail: &str) {
        let mut robot = self.robot();
        let at = now();
        robot.run(id)["errors"] = json!([{
            "id": "error-1", "createdAt": at, "isDefined": false,
            "errorType": "ProtocolEngineError", "errorCode": "4000", "detail": detail, "errorInfo": {}, "wrappedErrors": [],
        }]);
        drop(robot);
        self.set_status(id, "failed");
    }

    /// Ends the first queued command with this intent, with this status.
    pub fn end_command(&self, run: &str, intent: &str, status: &str) {
        let mut robot = self.robot();
        let (started_at, completed_at) = (now(), now());
        let commands = robot.commands.get_mut(run).into_iter().flatten();
        let mut queued = commands.filter(|it| it["status"] == "queued" && it["intent"] == intent);
        let command = queued.next().expect("a command is queued");
        command["status"] = status.into();
        command["startedAt"] = started_at.into();
        command["completedAt"] = completed_at.into();
        command["notes"] = json!([]);
    }

    /// Deletes a run.
    pub fn delete_run(&self, id: &str) {
        let mut robot = self.robot();
        robot.runs.retain(|run| run["id"] != id);
        robot.commands.remove(id);
    }

    /// Opens or closes the door.
    pub fn set_door(&self, status: &'static str) {
        self.robot().door = status;
    }

    /// Presses or releases the emergency stop.
    pub fn set_estop(&self, status: &'static str) {
        self.robot().estop = Some(status);
    }

    fn robot(&self) -> MutexGuard<'_, Robot> {
        lock(&self.robot)
    }
}

fn now() -> String {
    SystemClock.now().to_string()
}

type Shared = State<Arc<Mutex<Robot>>>;

fn lock(robot: &Mutex<Robot>) -> MutexGuard<'_, Robot> {
    robot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requires the version header, and answers with it.
async fn version(request: Request, next: Next) -> Response {
    let asked = request.headers().get(VERSION).and_then(|value| value.to_str().ok());
    let is_valid = asked.is_some_and(|it| it == "*" || it.parse().is_ok_and(|it: u32| it >= 2));
    // `/health` needs no version.
    let mut response = if is_valid || request.uri().path() == "/health" {
        next.run(request).await
    } else {
        error(StatusCode::UNPROCESSABLE_ENTITY, "InvalidRequest", "field required")
    };
    response.headers_mut().insert(VERSION, HeaderValue::from_static("4"));
    response.headers_mut().insert(MIN_VERSION, HeaderValue::from_static("2"));
    response
}

fn error(status: StatusCode, id: &str, detail: &str) -> Response {
    let body = json!({"errors": [{"id": id, "title": id, "detail": detail, "errorCode": "4000"}]});
    (status, Json(body)).into_response()
}

async fn health(State(robot): Shared) -> Json<Value> {
    let is_flex = lock(&robot).estop.is_some();
    Json(json!({
        "name": "Otie", "robot_model": if is_flex { "OT-3 Standard" } else { "OT-2 Standard" },
        "api_version": "8.1.0", "fw_version": "55", "board_revision": "C2", "logs": [],
        "system_version": "v1.19.4", "maximum_protocol_api_version": [2, 21],
        "minimum_protocol_api_version": [2, 0], "robot_serial": "FLXA1020231007001",
        "links": {
            "apiLog": "/logs/api.log", "serialLog": "/logs/serial.log",
            "serverLog": "/logs/server.log", "apiSpec": "/openapi.json",
            "systemTime": "/system/time",
        },
    }))
}

async fn runs(State(robot): Shared) -> Json<Value> {
    let runs = lock(&robot).runs.clone();
    let meta = json!({"cursor": 0, "totalLength": runs.len()});
    Json(json!({"data": runs, "links": {}, "meta": meta}))
}

async fn run(State(robot): Shared, Path(id): Path<String>) -> Response {
    match lock(&robot).runs.iter().find(|run| run["id"] == *id) {
        Some(run) => Json(json!({"data": run})).into_response(),
        None => error(StatusCode::NOT_FOUND, "RunNotFound", "no such run"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageQuery {
    cursor: Option<usize>,
    page_length: Option<usize>,
}

async fn commands(
    State(robot): Shared,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Response {
    let robot = lock(&robot);
    if !robot.runs.iter().any(|run| run["id"] == *id) {
        return error(StatusCode::NOT_FOUND, "RunNotFound", "no such run");
    }
    let all = robot.commands.get(&id).map(Vec::as_slice).unwrap_or_default();
    let cursor = page.cursor.unwrap_or(0).min(all.len());
    let data: Vec<_> = all[cursor..].iter().take(page.page_length.unwrap_or(PAGE)).collect();
    let meta = json!({"cursor": cursor, "totalLength": all.len()});
    Json(json!({"data": data, "links": {}, "meta": meta})).into_response()
}

async fn door(State(robot): Shared) -> Json<Value> {
    let door = lock(&robot).door;
    Json(json!({"data": {"status": door, "doorRequiredClosedForProtocol": true}}))
}

async fn estop_status(State(robot): Shared) -> Response {
    let Some(status) = lock(&robot).estop else {
        return error(StatusCode::FORBIDDEN, "NotSupportedOnOT2", "not supported on OT-2");
    };
    let physical = if status == "physicallyEngaged" { "engaged" } else { "disengaged" };
    let data = json!({
        "status": status, "leftEstopPhysicalStatus": physical,
        "rightEstopPhysicalStatus": "notPresent",
    });
    Json(json!({"data": data})).into_response()
}
