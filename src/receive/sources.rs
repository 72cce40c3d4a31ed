//! Receiving from several senders: [`Sources`].

use http::HeaderMap;

use super::error::ReceiveError;
use crate::danger::{self, Unsigned};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::WorkcellId;
use crate::lab::LabEvent;
use crate::message::format::{CloudEvent, CloudEventHeaderError};
use crate::provider::{DedupeKey, MapError, linq, segments, strateos, strike};
use crate::signature::{Verified, Verifier};
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
/// let received = sources.receive(&headers, body.as_bytes(), now)?;
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
            if known.iter().any(|other| other.name == source.name) {
                return Err(DuplicateSourceError { name: source.name });
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
    /// The cost is at most one verification per source, each of which is bounded.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]. If no unsigned source can decode the request, the error of the last one.
    pub fn receive<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError> {
        let mut tried = Vec::new();
        for source in &self.0 {
            let Some(verifier) = &source.verifier else { continue };
            if !verifier.has_signature_header(headers) {
                continue;
            }
            match verifier.verify(headers, body, now) {
                Ok(verified) => return source.read(Proof::Verified(verified), headers, now),
                Err(error) => tried.push((source.name.clone(), error)),
            }
        }
        if !tried.is_empty() {
            return Err(ReceiveError::NotGenuine { tried });
        }
        let mut last_error = ReceiveError::NoSource;
        for source in self.0.iter().filter(|source| source.verifier.is_none()) {
            match source.read(Proof::Unsigned(danger::unsigned(body)), headers, now) {
                Err(error) => last_error = error,
                received => return received,
            }
        }
        Err(last_error)
    }

    /// Verifies and decodes a request from the source with this name, and from no other.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    pub fn receive_from<'a>(
        &self,
        name: &str,
        headers: &HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError> {
        let source = self.0.iter().find(|source| &*source.name == name);
        let source = source.ok_or(ReceiveError::NoSource)?;
        let proof = match &source.verifier {
            Some(verifier) => match verifier.verify(headers, body, now) {
                Ok(verified) => Proof::Verified(verified),
                Err(error) => {
                    return Err(ReceiveError::NotGenuine {
                        tried: vec![(source.name.clone(), error)],
                    });
                }
            },
            None => Proof::Unsigned(danger::unsigned(body)),
        };
        source.read(proof, headers, now)
    }
}

/// One sender: its name, the format of its bodies, and the verifier for its requests.
///
/// ```
/// use labhook::{Secret, Verifier};
/// use labhook::receive::{Source, Sources};
///
/// let verifier = Verifier::strike(Secret::from_text("testtesttest")?);
/// let source = Source::strike("payments", verifier);
/// assert_eq!(source.name(), "payments");
/// let sources = Sources::new([source])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Source {
    name: Box<str>,
    format: BodyFormat,
    verifier: Option<Verifier>,
    workcell: Option<WorkcellId>,
}

#[derive(Clone, Copy, Debug)]
enum BodyFormat {
    Envelope,
    Strateos,
    Linq(linq::Kind),
    Strike,
    Segments,
    CloudEvents,
    CloudEventsBinary,
}

impl Source {
    /// A sender that uses this crate's own envelope.
    #[must_use]
    pub fn envelope(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Envelope, Some(verifier))
    }

    /// Strateos behind a gateway that adds a signature. Strateos itself does not sign: see
    /// [`danger::strateos`](super::danger::strateos).
    #[must_use]
    pub fn strateos(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Strateos, Some(verifier))
    }

    /// Automata LINQ hooks of one kind, with a token in the hook's headers. A body does not contain
    /// its kind, so each kind needs its own source and its own token.
    #[must_use]
    pub fn linq(name: impl Into<Box<str>>, kind: linq::Kind, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Linq(kind), Some(verifier))
    }

    /// Strike, verified with its HMAC signature.
    #[must_use]
    pub fn strike(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Strike, Some(verifier))
    }

    /// Segments.ai, which signs through Svix.
    #[must_use]
    pub fn segments(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Segments, Some(verifier))
    }

    /// A sender of CloudEvents in the structured content mode of HTTP.
    #[must_use]
    pub fn cloud_events(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::CloudEvents, Some(verifier))
    }

    /// A sender of CloudEvents in the binary content mode of HTTP. Few signature schemes cover the
    /// `ce-*` headers: see [`CloudEvent::from_binary`].
    ///
    /// The dedupe key is the signed message id. If the scheme signs no id, it is the source and id
    /// in the headers; anyone who has seen one request can then replay it with another id, type and
    /// time. Prefer the structured mode.
    #[must_use]
    pub fn cloud_events_binary(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::CloudEventsBinary, Some(verifier))
    }

    /// Sets the workcell of the source's safety events for bodies that do not name one: see
    /// [`linq::Webhook::workcell_or`]. Other events ignore it.
    #[must_use]
    pub fn with_workcell(mut self, workcell: impl Into<WorkcellId>) -> Self {
        self.workcell = Some(workcell.into());
        self
    }

    /// Returns the source's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn unsigned_strateos(name: impl Into<Box<str>>) -> Self {
        Self::new(name, BodyFormat::Strateos, None)
    }

    pub(super) fn unsigned_linq(name: impl Into<Box<str>>, kind: linq::Kind) -> Self {
        Self::new(name, BodyFormat::Linq(kind), None)
    }

    fn new(name: impl Into<Box<str>>, format: BodyFormat, verifier: Option<Verifier>) -> Self {
        Self { name: name.into(), format, verifier, workcell: None }
    }

    fn read<'a>(
        &self,
        proof: Proof<'a>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Received<'a>, ReceiveError> {
        let (event, dedupe_key) = self.event(&proof, headers, now).map_err(|error| {
            let name = self.name.clone();
            match error {
                ReadError::Malformed(source) => ReceiveError::Malformed { name, source },
                ReadError::MapError(source) => ReceiveError::MapError { name, source },
                ReadError::Headers(source) => ReceiveError::CloudEventHeaders { name, source },
            }
        })?;
        Ok(Received { source: self.name.clone().into(), proof, dedupe_key, event })
    }

    fn event(
        &self,
        proof: &Proof<'_>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<(LabEvent, Option<DedupeKey>), ReadError> {
        let body = proof.trusted_body();
        Ok(match self.format {
            BodyFormat::Envelope => (LabEvent::decode(body)?, Some(proof.dedupe_key())),
            BodyFormat::Strateos => {
                let webhook = strateos::Webhook::decode(body)?;
                (webhook.to_event(now)?, Some(webhook.dedupe_key()))
            }
            BodyFormat::Linq(kind) => {
                let mut webhook = linq::Webhook::decode_as(kind, body)?;
                let key = webhook.dedupe_key();
                if let Some(workcell) = &self.workcell {
                    webhook = webhook.workcell_or(workcell.clone());
                }
                (webhook.timestamp_or(now).to_event()?, key)
            }
            BodyFormat::Strike => {
                let webhook = strike::Webhook::decode(body)?;
                (webhook.to_event()?, Some(webhook.dedupe_key()))
            }
            BodyFormat::Segments => {
                let webhook = segments::Webhook::decode(body)?;
                (webhook.to_event()?, Some(proof.dedupe_key()))
            }
            BodyFormat::CloudEvents => cloud_event(&CloudEvent::decode(body)?, now)?,
            BodyFormat::CloudEventsBinary => {
                let (event, key) = cloud_event(&CloudEvent::from_binary(headers, body)?, now)?;
                // The `ce-*` headers are not signed, so a signed id takes precedence.
                let id = match proof {
                    Proof::Verified(verified) => verified.id(),
                    Proof::Unsigned(_) => None,
                };
                (event, id.map(|id| DedupeKey::of_id(id.as_str())).or(key))
            }
        })
    }
}

/// Source and id together identify a CloudEvent (specification 1.0.2, "id").
fn cloud_event(
    event: &CloudEvent,
    now: Timestamp,
) -> Result<(LabEvent, Option<DedupeKey>), ReadError> {
    let key = DedupeKey::of_parts([event.source.as_str(), event.id.as_str()]);
    Ok((event.to_event(now)?, Some(key)))
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    #[error(transparent)]
    MapError(#[from] MapError),
    #[error(transparent)]
    Headers(#[from] CloudEventHeaderError),
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
    /// The decoded event.
    pub event: LabEvent,
}

/// Proof of a request's origin.
///
/// Exhaustive: a receiver that distinguishes them must handle both cases.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a request is either verified or unsigned")]
pub enum Proof<'a> {
    /// The signature or token was verified.
    Verified(Verified<'a>),
    /// No proof: anyone who knows the URL can have sent it.
    Unsigned(Unsigned<'a>),
}

impl<'a> Proof<'a> {
    /// Returns the body, byte for byte as received.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        match self {
            Self::Verified(verified) => verified.body(),
            Self::Unsigned(unsigned) => unsigned.body(),
        }
    }

    fn trusted_body(&self) -> TrustedBody<'a> {
        match self {
            Self::Verified(verified) => verified.trusted_body(),
            Self::Unsigned(unsigned) => unsigned.trusted_body(),
        }
    }

    fn dedupe_key(&self) -> DedupeKey {
        match self {
            Self::Verified(verified) => DedupeKey::of(verified),
            Self::Unsigned(unsigned) => DedupeKey::of_body(unsigned.body()),
        }
    }
}

/// Two sources have the same name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("duplicate source name `{name}`")]
pub struct DuplicateSourceError {
    name: Box<str>,
}
