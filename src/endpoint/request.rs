//! Signed requests: [`Endpoint::request`].

use bytes::Bytes;
use http::{Method, Request, header};

use super::Endpoint;
use super::error::RequestError;
use crate::id::MessageId;
use crate::message::header::belongs_to_request;
use crate::message::{BodyDigest, Rendering};
use crate::signature::RequestView;
use crate::time::Timestamp;

impl Endpoint {
    /// Builds the signed request for a rendering of a message.
    ///
    /// `now` becomes the timestamp of the signature, so pass the current time of your clock when
    /// you send the request.
    ///
    /// # Secrets
    ///
    /// The URL and the static headers in the request share their memory with the endpoint, and a
    /// token is a copy of the signer's; they are wiped when the last owner is dropped. What your
    /// application or its HTTP client copies out of the request is not wiped, such as the text of
    /// `request.uri().to_string()` or a buffer that was written to a socket: it stays in freed memory
    /// until that is used again.
    ///
    /// # Errors
    ///
    /// [`RequestError::BodyKept`] if the rendering has a reference instead of its body: see
    /// [`request_with_body`](Self::request_with_body). Other variants if the message cannot be
    /// signed.
    pub fn request(
        &self,
        id: &MessageId,
        rendering: &Rendering,
        now: Timestamp,
    ) -> Result<Request<Bytes>, RequestError> {
        let body = rendering.body().ok_or(RequestError::BodyKept)?;
        self.signed(id, rendering, body.clone(), now)
    }

    /// Builds the signed request for a rendering whose body your application
    /// [keeps](crate::Message::detach_bodies), and passes in.
    ///
    /// The request is the one that [`request`](Self::request) would build if the rendering had the
    /// body.
    ///
    /// # Errors
    ///
    /// [`RequestError::OtherBody`] if these are other bytes than those that were rendered. Other
    /// variants if the message cannot be signed.
    pub fn request_with_body(
        &self,
        id: &MessageId,
        rendering: &Rendering,
        body: impl Into<Bytes>,
        now: Timestamp,
    ) -> Result<Request<Bytes>, RequestError> {
        let body = body.into();
        if !rendering.has_body(&body) {
            let (expected, found) = (rendering.body_digest(), BodyDigest::of(&body));
            return Err(RequestError::OtherBody { expected, found });
        }
        self.signed(id, rendering, body, now)
    }

    fn signed(
        &self,
        id: &MessageId,
        rendering: &Rendering,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Request<Bytes>, RequestError> {
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        let count = rendering.headers().count().saturating_add(self.headers.len());
        let count = count.saturating_add(self.signer.header_names().count()).saturating_add(1);
        // Repeated names take less room. If even that is too much, an insertion below says so.
        _ = headers.try_reserve(count);
        // Later headers override earlier ones: format, endpoint, request, signature.
        for (name, value) in rendering.headers().filter(|(name, _)| !belongs_to_request(name)) {
            headers.try_append(name, value.clone())?;
        }
        for (name, value) in &self.headers {
            headers.try_insert(name, value.clone())?;
        }
        headers.try_insert(header::CONTENT_TYPE, rendering.content_type().clone())?;
        // The signature is set at the end if it covers the headers, which it then borrows.
        let mut signature = Vec::new();
        if self.signer.signs_request() {
            let view = RequestView::new(&Method::POST, &self.uri, headers);
            self.signer.sign_with(id, now, &body, Some(view), |name, value| {
                signature.push((name.clone(), value));
                Ok::<_, RequestError>(())
            })?;
        } else {
            self.signer.sign_with(id, now, &body, None, |name, value| {
                headers.try_insert(name, value)?;
                Ok::<_, RequestError>(())
            })?;
        }
        for (name, value) in signature {
            headers.try_insert(name, value)?;
        }
        Ok(request)
    }
}
