//! Two receivers on loopback: `eln` is healthy, `lims` is down at first.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use labhook::{Endpoint, EndpointId, Registry, Reply, RetryPolicy, Secret, Signer, Verifier};
use tokio::net::{TcpListener, TcpSocket};

use crate::now;

struct Receiver {
    verifier: Verifier,
    busy: AtomicBool,
}

/// Starts the receivers and returns their endpoints. A real receiver also deduplicates and
/// decodes: see the example `receive`.
pub fn start(policy: &RetryPolicy) -> anyhow::Result<Registry> {
    let mut registry = Registry::new();
    for (id, is_well) in [("eln", true), ("lims", false)] {
        let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let url = format!("http://{}/hooks", socket.local_addr()?);

        let signer = Signer::standard_webhooks(secret.clone());
        let endpoint = Endpoint::plain_http(EndpointId::new(id)?, &url, signer)?;
        registry.insert(endpoint.with_retry(policy.clone()))?;

        let verifier = Verifier::standard_webhooks(secret);
        let receiver = Receiver { verifier, busy: AtomicBool::new(!is_well) };
        if is_well {
            tokio::spawn(serve(socket.listen(64)?, receiver));
        } else {
            tokio::spawn(async move {
                // Connections are refused while nothing listens on the port.
                tokio::time::sleep(Duration::from_millis(300)).await;
                serve(socket.listen(64)?, receiver).await
            });
        }
    }
    Ok(registry)
}

async fn serve(listener: TcpListener, receiver: Receiver) -> std::io::Result<()> {
    let router = Router::new().route("/hooks", post(hooks)).with_state(Arc::new(receiver));
    axum::serve(listener, router).await
}

async fn hooks(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    let reply = if it.verifier.verify(&headers, &body, now()).is_err() {
        Reply::Refused
    } else if it.busy.swap(false, Ordering::Relaxed) {
        Reply::RetryAfter(Duration::from_secs(1))
    } else {
        Reply::Accepted
    };
    reply.into()
}
