//! The client's failures, each caused by a real socket.

#![cfg(feature = "tls")]
#![allow(clippy::disallowed_methods)]

mod support;

use std::time::Duration;

use host::http::Http;
use host::{Client as _, SystemClock};
use labhook::endpoint::AddressPolicy;
use labhook::{Failure, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::attempt;

async fn outcome(url: &str) -> anyhow::Result<Outcome> {
    let http = Http::new(AddressPolicy::public().allow_loopback());
    Ok(http.send(&attempt(url)?, &SystemClock).await)
}

/// Starts a server that reads a little, writes this and then hangs up, or waits.
async fn server(response: &'static [u8], hang_up: bool) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(response).await;
                if !hang_up {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            });
        }
    });
    Ok(port)
}

#[tokio::test]
async fn unknown_name_is_a_dns_failure() -> anyhow::Result<()> {
    let outcome = outcome("http://no-such-host.invalid/hooks").await?;
    assert_eq!(outcome, Outcome::failed(Failure::Dns));
    Ok(())
}

#[tokio::test]
async fn closed_port_is_a_connect_failure() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    drop(listener);
    let outcome = outcome(&format!("http://127.0.0.1:{port}/hooks")).await?;
    assert_eq!(outcome, Outcome::failed(Failure::Connect));
    Ok(())
}

#[tokio::test]
async fn silent_tls_handshake_is_a_connect_failure() -> anyhow::Result<()> {
    // Connecting ends before the attempt does, so that nothing is in doubt.
    let port = server(b"", false).await?;
    let outcome = outcome(&format!("https://127.0.0.1:{port}/hooks")).await?;
    assert_eq!(outcome, Outcome::failed(Failure::Connect));
    Ok(())
}

#[tokio::test]
async fn plain_text_to_https_is_a_tls_failure() -> anyhow::Result<()> {
    let port = server(b"HTTP/1.1 400 Bad Request\r\n\r\n", false).await?;
    let outcome = outcome(&format!("https://127.0.0.1:{port}/hooks")).await?;
    assert_eq!(outcome, Outcome::failed(Failure::Tls));
    Ok(())
}

#[tokio::test]
async fn hang_up_in_the_handshake_is_a_tls_failure() -> anyhow::Result<()> {
    let port = server(b"", true).await?;
    let outcome = outcome(&format!("https://127.0.0.1:{port}/hooks")).await?;
    assert_eq!(outcome, Outcome::failed(Failure::Tls));
    Ok(())
}

#[tokio::test]
async fn no_response_is_a_timeout() -> anyhow::Result<()> {
    let port = server(b"", false).await?;
    let outcome = outcome(&format!("http://127.0.0.1:{port}/hooks")).await?;
    assert_eq!(outcome, Outcome::failed(Failure::Timeout));
    Ok(())
}

#[tokio::test]
async fn hang_up_before_the_response_is_broken() -> anyhow::Result<()> {
    for response in [&b""[..], b"HTTP/1.1 2", b"SSH-2.0-OpenSSH_9.2\r\n"] {
        let port = server(response, true).await?;
        let outcome = outcome(&format!("http://127.0.0.1:{port}/hooks")).await?;
        assert_eq!(outcome, Outcome::failed(Failure::Broken), "{response:?}");
    }
    Ok(())
}

#[tokio::test]
async fn redirect_is_the_outcome() -> anyhow::Result<()> {
    let response = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    let port = server(response, false).await?;
    let outcome = outcome(&format!("http://127.0.0.1:{port}/hooks")).await?;
    assert_eq!(outcome.status().map(|it| it.as_u16()), Some(302));
    Ok(())
}
