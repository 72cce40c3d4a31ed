//! Plays the vendors: sends each case as documented, and with faults.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver as Log};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::Bytes;
use axum::http::{HeaderValue, Request};
use labhook::message::Rendering;
use labhook::{Endpoint, EndpointId, MessageId, Signer};
use tokio::net::TcpListener;

use crate::cases::{Case, Proof};
use crate::keys;
use crate::receiver::{Receiver, now};

pub struct Replay {
    client: reqwest::Client,
    origin: String,
    receiver: Arc<Receiver>,
    log: Log<String>,
}

impl Replay {
    /// Starts the receiver on loopback.
    pub async fn start() -> anyhow::Result<Self> {
        let (sender, log) = mpsc::channel();
        let receiver = Arc::new(Receiver::new(sender)?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let router = Arc::clone(&receiver).router();
        tokio::spawn(axum::serve(listener, router).into_future());
        // A sender must not follow redirects or retry on its own; loopback needs no proxy.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(Duration::from_secs(5))
            .no_proxy()
            .build()?;
        Ok(Self { client, origin, receiver, log })
    }

    /// Returns the outcome of each variant of the case, from the receiver's log.
    pub async fn all(&self, case: &Case) -> anyhow::Result<[(&'static str, String); 6]> {
        let genuine = self.request(case.path, case.signer()?, &case.rendering)?;
        let stranger = match case.proof {
            // Only the URL can be wrong.
            Proof::Nothing => self.request(keys::SIGNED_PATH, case.signer()?, &case.rendering)?,
            _ => self.request(case.path, case.strangers_signer()?, &case.rendering)?,
        };
        let mut changed = genuine.clone();
        *changed.body_mut() = with_another_digit(genuine.body());
        let mut twice = genuine.clone();
        if let Some(name) = case.signer()?.header_names().next() {
            twice.headers_mut().append(name, HeaderValue::from_static("another"));
        }
        let bare = self.request(keys::SIGNED_PATH, Signer::unsigned(), &case.rendering)?;

        self.receiver.forget();
        let sent = self.send(genuine.clone()).await?;
        let again = self.send(genuine).await?;
        self.receiver.forget();
        let stranger = self.send(stranger).await?;
        let changed = self.send(changed).await?;
        self.receiver.forget();
        Ok([
            ("as sent", sent),
            ("sent again", again),
            ("with another key", stranger),
            ("with a byte changed", changed),
            ("with a header twice", self.send(twice).await?),
            ("without headers", self.send(bare).await?),
        ])
    }

    fn request(
        &self,
        path: &str,
        signer: Signer,
        rendering: &Rendering,
    ) -> anyhow::Result<Request<Bytes>> {
        let url = format!("{}{path}", self.origin);
        let endpoint = Endpoint::plain_http(EndpointId::new("receiver")?, &url, signer)?;
        Ok(endpoint.request(&MessageId::new("msg_1")?, rendering, now())?)
    }

    /// Returns the outcome, which the response status must match.
    async fn send(&self, request: Request<Bytes>) -> anyhow::Result<String> {
        let status = self.client.execute(request.try_into()?).await?.status().as_u16();
        let outcome = self.log.try_recv().context("the receiver logged nothing")?;
        let expected = match outcome.as_str() {
            "unmapped" | "malformed" | "malformed-headers" => 500,
            "no-source" | "not-genuine" | "no-match" | "conflicting-header" => 403,
            _ => 204,
        };
        ensure!(status == expected, "{outcome}: {status}");
        Ok(outcome)
    }
}

/// The body with its last digit changed: still JSON of the same form.
fn with_another_digit(body: &Bytes) -> Bytes {
    let mut body = body.to_vec();
    if let Some(digit) = body.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *digit ^= 1;
    }
    body.into()
}
