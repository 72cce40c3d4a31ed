//! The HTTP client of `send` and `listen`, and what may not be forwarded.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use http::header::{self, HeaderMap, HeaderName};

/// Creates a client that sends each request to this URL once: no redirects, no retries, no proxy.
pub fn client(url: &str, timeout: Duration) -> anyhow::Result<reqwest::Client> {
    let needs_tls = url.starts_with("https:");
    ensure!(cfg!(feature = "tls") || !needs_tls, "HTTPS needs this program's feature `tls`");
    // An error means that the process has chosen a provider already.
    #[cfg(feature = "tls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .timeout(timeout)
        .user_agent("labhook-cli");
    client.build().context("cannot create an HTTP client")
}

/// Why there was no response, without the URL, which may be a secret.
pub fn failure(error: &reqwest::Error) -> &'static str {
    if error.is_builder() {
        "the request cannot be sent"
    } else if error.is_connect() {
        "cannot connect"
    } else if error.is_timeout() {
        "timed out"
    } else {
        "no response"
    }
}

/// Removes the headers that belong to the connection on which a request came.
pub fn forwarded(headers: &HeaderMap) -> HeaderMap {
    const OF_THE_CONNECTION: [HeaderName; 8] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::EXPECT,
    ];
    let mut headers = headers.clone();
    OF_THE_CONNECTION.iter().for_each(|name| _ = headers.remove(name));
    headers
}
