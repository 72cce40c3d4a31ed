//! Receiving from several senders: [`Sources`].

use http::{HeaderMap, request};

use super::decoder::Incoming;
use super::error::{ReceiveError, Refusal};
use super::proof::Proof;
use super::source::Source;
use crate::danger;
use crate::decode::Mismatch;
use crate::lab::LabEvent;
use crate::provider::DedupeKey;
use crate::signature::RequestView;
use crate::time::Timestamp;

/// The set of senders that a receiver accepts, each under a name of your choice.
///
/// [`receive`](Self::receive) identifies the sender by which verifier accepts the request, and
/// decodes the body to a [`LabEvent`]. If each sender has its own URL, use
/// [`receive_from`](Self::receive_from) with the source's name.
///
/// ```
/// use labhook::{Secret, Timestamp, Verifier};
/// use labhook::receive::{Source, Sources};
///
/// let strike = Verifier::strike(Secret::from_text("testtesttest")?);
/// let segments = Verifier::svix(Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?);
/// let sources = Sources::new([
///     Source::strike("payments", strike),
///     Source::segments("labelling", segments),
/// ])?;
///
/// let body = concat!(
///     r#"{"id":"245e40d8-f197-411c-8f20-a326d08da402","eventType":"invoice.updated","#,
///     r#""webhookVersion":"v1","data":{"entityId":"602cc206-6b4a-42dd-bc89-9a534bb04034","#,
///     r#""changes":["state"]},"created":"2009-01-03T18:15:00+01:00","deliverySuccess":true}"#,
/// );
/// let mut headers = http::HeaderMap::new();
/// let signature = "c50b864fdcd9bf0e0cc254bd65ad09d17305856ad9e0793ed3b502633794a983";
/// headers.insert("x-webhook-signature", signature.parse()?);
///
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
/// let received = sources.receive(&headers, body.as_bytes(), now);
/// let received = received.map_err(|error| error.to_string())?; // the error borrows the request
/// assert_eq!(received.source, "payments");
/// assert_eq!(received.event.event_type().as_str(), "resource.changed");
/// let key = received.dedupe_key.as_ref().map(|key| key.as_str());
/// assert_eq!(key, Some("245e40d8-f197-411c-8f20-a326d08da402"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Creates the set.
    ///
    /// # Errors
    ///
    /// [`DuplicateSourceError`] if two sources have the same name.
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Result<Self, DuplicateSourceError> {
        let mut known: Vec<Source> = Vec::new();
        for source in sources {
            if known.iter().any(|other| other.name() == source.name()) {
                return Err(DuplicateSourceError { name: source.name().into() });
            }
            known.push(source);
        }
        Ok(Self(known))
    }

    /// Verifies a request, decodes its event, and returns it with its source.
    ///
    /// The sources whose signature or token header is in the request are tried in the order given.
    /// If the request has such a header for none of them, the unsigned sources are tried (see
    /// [`danger`](super::danger)), and the first that can decode the request is its source. A
    /// request with a signature or token is never accepted as unsigned.
    ///
    /// A genuine event always has a variant of [`LabEvent`]: one that does not match its type is
    /// [`LabEvent::Unreadable`].
    ///
    /// The cost is at most one verification per source, each of which is bounded.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]. An unsigned request that no unsigned source can decode is
    /// [`NotRecognized`](ReceiveError::NotRecognized), unless its body is plainly that of one of
    /// them: a Strateos body with a run, a project and an operation, a LINQ body with the four
    /// published members, a CVAT body with a known event and a sender, or a Label Studio body with
    /// a known action.
    pub fn receive<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError<'a>> {
        self.receive_view(RequestView::headers(headers), body, now)
    }

    /// The same as [`receive`](Self::receive), also for sources whose scheme signs the method or the
    /// URL: see [`Verifier::verify_request`](crate::Verifier::verify_request).
    ///
    /// # Errors
    ///
    /// [`ReceiveError`], as [`receive`](Self::receive).
    pub fn receive_request<'a>(
        &self,
        request: &'a request::Parts,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError<'a>> {
        self.receive_view(RequestView::request(request), body, now)
    }

    fn receive_view<'a>(
        &self,
        request: RequestView<'a>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError<'a>> {
        let headers = request.headers;
        let mut tried = Vec::new();
        for source in &self.0 {
            let Some(verifier) = source.verifier() else { continue };
            if !verifier.has_signature_header(headers) {
                continue;
            }
            match verifier.verify_view(request, body, now) {
                Ok(verified) => return read(source, Proof::Verified(verified), headers, now),
                Err(error) => tried.push((source.name().into(), error)),
            }
        }
        if tried.is_empty() {
            self.receive_unsigned(headers, body, now)
        } else {
            Err(ReceiveError::NotGenuine { tried })
        }
    }

    fn receive_unsigned<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError<'a>> {
        let unsigned = danger::unsigned(body);
        let mut plain = None;
        let mut tried = Vec::new();
        for source in self.0.iter().filter(|source| source.verifier().is_none()) {
            match read(source, Proof::Unsigned(unsigned), headers, now) {
                // Any object is an unreadable event of some LINQ hook.
                Ok(Received { event: LabEvent::Unreadable { reason, .. }, .. })
                    if !source.format().is_plainly(unsigned.trusted_body()) =>
                {
                    tried.push((source.name().into(), reason));
                }
                // Any object with a text `event` is an unknown event of CVAT.
                Ok(Received { event: LabEvent::Unknown(_), .. })
                    if !source.format().is_plainly(unsigned.trusted_body()) =>
                {
                    let reason = Mismatch::new(".", "the event type is not known");
                    tried.push((source.name().into(), reason));
                }
                Ok(received) if matches!(received.event, LabEvent::Unreadable { .. }) => {
                    plain.get_or_insert(received);
                }
                Err(ReceiveError::Unreadable(refusal)) => {
                    tried.push((source.name().into(), refusal.reason.mismatch()));
                }
                received => return received,
            }
        }
        match plain {
            Some(received) => Ok(received),
            None if self.0.iter().all(|source| source.verifier().is_some()) => {
                Err(ReceiveError::NoSource)
            }
            None => Err(ReceiveError::NotRecognized { tried }),
        }
    }

    /// Verifies and decodes a request from the source with this name, and from no other.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    pub fn receive_from<'a>(
        &self,
        name: &str,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError<'a>> {
        self.receive_view_from(name, RequestView::headers(headers), body, now)
    }

    /// The same as [`receive_from`](Self::receive_from), also for a source whose scheme signs the
    /// method or the URL: see [`Verifier::verify_request`](crate::Verifier::verify_request).
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    pub fn receive_request_from<'a>(
        &self,
        name: &str,
        request: &'a request::Parts,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError<'a>> {
        self.receive_view_from(name, RequestView::request(request), body, now)
    }

    fn receive_view_from<'a>(
        &self,
        name: &str,
        request: RequestView<'a>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError<'a>> {
        let source = self.0.iter().find(|source| source.name() == name);
        let source = source.ok_or(ReceiveError::NoSource)?;
        let proof = match source.verifier() {
            Some(verifier) => match verifier.verify_view(request, body, now) {
                Ok(verified) => Proof::Verified(verified),
                Err(error) => {
                    return Err(ReceiveError::NotGenuine {
                        tried: vec![(source.name().into(), error)],
                    });
                }
            },
            None => Proof::Unsigned(danger::unsigned(body)),
        };
        read(source, proof, request.headers, now)
    }
}

/// Reads a request that is this source's.
fn read<'a>(
    source: &Source,
    proof: Proof<'a>,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Received<'a>, ReceiveError<'a>> {
    let incoming = Incoming { proof: &proof, headers, received_at: now };
    let (event, dedupe_key) = source.format().read(&incoming, source.workcell());
    let source = source.name().to_owned();
    match event {
        Ok(event) => Ok(Received { source, proof, dedupe_key, event }),
        Err(reason) => {
            let refusal = Refusal { source, proof, dedupe_key, reason };
            Err(ReceiveError::Unreadable(Box::new(refusal)))
        }
    }
}

/// An accepted request: its source, proof of origin, dedupe key and event.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received<'a> {
    /// The source's name.
    pub source: String,
    /// The proof of origin.
    pub proof: Proof<'a>,
    /// The event's idempotency key within its source. `None` if nothing in the request
    /// distinguishes a redelivery from a new event: treat it as new.
    pub dedupe_key: Option<DedupeKey>,
    /// The decoded event. If it is [`LabEvent::Unreadable`], the proof has the whole body.
    pub event: LabEvent,
}

/// Two sources have the same name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("duplicate source name `{name}`")]
pub struct DuplicateSourceError {
    name: Box<str>,
}
