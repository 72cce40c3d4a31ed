//! A stand-in for Slack: an incoming webhook that is down at first, and reports what it receives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const PATH: &str = "/services/T000/B000/not-a-real-one";

struct Slack {
    channel: UnboundedSender<String>,
    is_up: AtomicBool,
}

/// Starts the server. Returns its URL and the received messages.
pub async fn start() -> anyhow::Result<(String, UnboundedReceiver<String>)> {
    let (sender, channel) = unbounded_channel();
    let slack = Arc::new(Slack { channel: sender, is_up: AtomicBool::new(false) });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}{PATH}", listener.local_addr()?);
    let router = Router::new().route(PATH, post(incoming)).with_state(slack);
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok((url, channel))
}

async fn incoming(State(it): State<Arc<Slack>>, body: Bytes) -> StatusCode {
    if !it.is_up.swap(true, Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match it.channel.send(String::from_utf8_lossy(&body).into_owned()) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::GONE,
    }
}
