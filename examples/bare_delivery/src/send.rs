//! The HTTP client. It follows no redirects, never retries on its own, and uses the attempt's
//! deadline as its timeout.

use std::time::Duration;

use anyhow::Context as _;
use labhook::delivery::Failure;
use labhook::{Endpoint, Message, Outcome};

use crate::now;

pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // The receivers are on loopback.
        .no_proxy()
        .build()
}

/// Sends the message once, and returns the outcome.
pub async fn send(
    client: &reqwest::Client,
    endpoint: &Endpoint,
    message: &Message,
    timeout: Duration,
) -> Outcome {
    let mut request = match request(endpoint, message) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("{endpoint:?}: {error:#}");
            return Outcome::failed(Failure::Sender);
        }
    };
    *request.timeout_mut() = Some(timeout);
    match client.execute(request).await {
        Ok(response) => Outcome::response(response.status(), response.headers(), now()),
        Err(error) if error.is_connect() => Outcome::failed(Failure::Connect),
        Err(error) if error.is_timeout() => Outcome::failed(Failure::Timeout),
        Err(_) => Outcome::failed(Failure::Broken),
    }
}

/// Every attempt has its own signature and the same bytes: those saved with the message.
fn request(endpoint: &Endpoint, message: &Message) -> anyhow::Result<reqwest::Request> {
    let format = endpoint.format().name();
    let rendering =
        message.rendering(format).context("the message has no rendering in this format")?;
    Ok(endpoint.request(message.id(), rendering, now())?.try_into()?)
}
