//! The extractor: [`Verified`] is an event of which a signature says who sent it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use labhook::decode::Decode;
use labhook::{MessageId, Verifier};

use crate::now;
use crate::refusal::ReceiveError;

/// A verified and decoded event, and the id of its message. A handler that takes one cannot be
/// called for any other request.
pub struct Verified<T> {
    pub id: MessageId,
    pub event: T,
}

impl<T, S> FromRequest<S> for Verified<T>
where
    T: Decode,
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers: HeaderMap = request.headers().clone();
        // At most the router's `DefaultBodyLimit`: the MAC covers all of it.
        let body = Bytes::from_request(request, state).await.map_err(|it| it.into_response())?;
        let verifier = Arc::from_ref(state);
        verify(&verifier, &headers, &body).map_err(|error| error.reply().into())
    }
}

fn verify<T: Decode>(
    verifier: &Verifier,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Verified<T>, ReceiveError> {
    let verified = verifier.verify(headers, body, now())?;
    let event = verified.decode().map_err(ReceiveError::Malformed)?;
    let id = verified.id().expect("Standard Webhooks signs the id");
    let id = MessageId::new(id).expect("the verifier checked the id");
    Ok(Verified { id, event })
}
