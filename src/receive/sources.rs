//! One door for a receiver of several systems: [`Sources`].

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

/// The senders that a receiver knows, each under the receiver's own name for it.
///
/// [`receive`](Self::receive) takes a request of any of them, finds out whose it is by whose keys
/// fit, and gives what it tells as a [`LabEvent`]. A receiver that has a URL of its own for each
/// sender asks for it by name, with [`receive_from`](Self::receive_from).
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
    /// These sources.
    ///
    /// # Errors
    ///
    /// [`DuplicateSourceError`] where two have one name.
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

    /// Takes a request of whichever source vouches for it.
    ///
    /// The sources for which the request has a signature or token, in whose header they look for
    /// it, are tried in the order in which they were given. Only a request that has one for none
    /// of them can be of an unsigned source (see [`danger`](super::danger)), and is of the first of
    /// these that can read it.
    ///
    /// It costs at most what all those sources' verifiers cost, each of which is bounded.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]; where no unsigned source can read the request, that of the last of them.
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
        let mut refusal = ReceiveError::NoSource;
        for source in self.0.iter().filter(|source| source.verifier.is_none()) {
            match source.read(Proof::Unsigned(danger::unsigned(body)), headers, now) {
                Err(error) => refusal = error,
                received => return received,
            }
        }
        Err(refusal)
    }

    /// Takes a request of the source of this name, and of no other.
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

/// One sender: the receiver's name for it, the form of its bodies, and what proves that they are
/// its.
#[derive(Clone, Debug)]
pub struct Source {
    name: Box<str>,
    form: Form,
    verifier: Option<Verifier>,
    workcell: Option<WorkcellId>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Envelope,
    Strateos,
    Linq(linq::Kind),
    Strike,
    Segments,
    CloudEvents,
    CloudEventsBinary,
}

impl Source {
    /// A sender of this crate's own envelope.
    #[must_use]
    pub fn envelope(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, Form::Envelope, Some(verifier))
    }

    /// Strateos, behind something that adds a signature: by itself it has none, see
    /// [`danger::strateos`](super::danger::strateos).
    #[must_use]
    pub fn strateos(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, Form::Strateos, Some(verifier))
    }

    /// Automata LINQ's hooks of one kind, with a token among the hook's headers. A body does not
    /// say of which kind it is, so each kind has a source, and a token, of its own.
    #[must_use]
    pub fn linq(name: impl Into<Box<str>>, kind: linq::Kind, verifier: Verifier) -> Self {
        Self::new(name, Form::Linq(kind), Some(verifier))
    }

    /// Strike.
    #[must_use]
    pub fn strike(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, Form::Strike, Some(verifier))
    }

    /// Segments.ai.
    #[must_use]
    pub fn segments(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, Form::Segments, Some(verifier))
    }

    /// A sender of CloudEvents in the structured mode of HTTP.
    #[must_use]
    pub fn cloud_events(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, Form::CloudEvents, Some(verifier))
    }

    /// A sender of CloudEvents in the binary mode of HTTP, whose `ce-*` headers hardly any
    /// signature covers: see [`CloudEvent::from_binary`].
    ///
    /// A repetition is known by the id that the scheme signs. With a scheme that signs none it is
    /// known by the headers' source and id, and then whoever has seen one request can send it
    /// again under another id, of another type and at another time. Prefer the structured mode.
    #[must_use]
    pub fn cloud_events_binary(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, Form::CloudEventsBinary, Some(verifier))
    }

    /// Sets the workcell that the source's safety events are about where their bodies do not say:
    /// see [`linq::Webhook::workcell_or`]. Other events pay it no heed.
    #[must_use]
    pub fn with_workcell(mut self, workcell: impl Into<WorkcellId>) -> Self {
        self.workcell = Some(workcell.into());
        self
    }

    /// The receiver's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn unsigned_strateos(name: impl Into<Box<str>>) -> Self {
        Self::new(name, Form::Strateos, None)
    }

    pub(super) fn unsigned_linq(name: impl Into<Box<str>>, kind: linq::Kind) -> Self {
        Self::new(name, Form::Linq(kind), None)
    }

    fn new(name: impl Into<Box<str>>, form: Form, verifier: Option<Verifier>) -> Self {
        Self { name: name.into(), form, verifier, workcell: None }
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
                Unread::Malformed(source) => ReceiveError::Malformed { name, source },
                Unread::MapError(source) => ReceiveError::MapError { name, source },
                Unread::Headers(source) => ReceiveError::CloudEventHeaders { name, source },
            }
        })?;
        Ok(Received { source: self.name.clone().into(), proof, dedupe_key, event })
    }

    fn event(
        &self,
        proof: &Proof<'_>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<(LabEvent, Option<DedupeKey>), Unread> {
        let body = proof.admitted();
        Ok(match self.form {
            Form::Envelope => (LabEvent::decode(body)?, Some(proof.dedupe_key())),
            Form::Strateos => {
                let webhook = strateos::Webhook::decode(body)?;
                (webhook.to_event(now)?, Some(webhook.dedupe_key()))
            }
            Form::Linq(kind) => {
                let mut webhook = linq::Webhook::decode_as(kind, body)?;
                let key = webhook.dedupe_key();
                if let Some(workcell) = &self.workcell {
                    webhook = webhook.workcell_or(workcell.clone());
                }
                (webhook.timestamp_or(now).to_event()?, key)
            }
            Form::Strike => {
                let webhook = strike::Webhook::decode(body)?;
                (webhook.to_event()?, Some(webhook.dedupe_key()))
            }
            Form::Segments => {
                let webhook = segments::Webhook::decode(body)?;
                (webhook.to_event()?, Some(proof.dedupe_key()))
            }
            Form::CloudEvents => cloud_event(&CloudEvent::decode(body)?, now)?,
            Form::CloudEventsBinary => {
                let (event, key) = cloud_event(&CloudEvent::from_binary(headers, body)?, now)?;
                // The `ce-*` headers are not signed: a signed id counts before theirs.
                let id = match proof {
                    Proof::Verified(verified) => verified.id(),
                    Proof::Unsigned(_) => None,
                };
                (event, id.map(|id| DedupeKey::of_id(id.as_str())).or(key))
            }
        })
    }
}

/// Source and id together name a CloudEvent (specification 1.0.2, "id").
fn cloud_event(
    event: &CloudEvent,
    now: Timestamp,
) -> Result<(LabEvent, Option<DedupeKey>), Unread> {
    let key = DedupeKey::of_parts([event.source.as_str(), event.id.as_str()]);
    Ok((event.to_event(now)?, Some(key)))
}

#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    #[error(transparent)]
    MapError(#[from] MapError),
    #[error(transparent)]
    Headers(#[from] CloudEventHeaderError),
}

/// A request that was taken: from whom, on what proof, and what it tells.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received<'a> {
    /// The receiver's name for the sender.
    pub source: String,
    /// What proves that it is the sender's.
    pub proof: Proof<'a>,
    /// What a repetition of it is known by, within its source. `None` where nothing in it tells a
    /// repetition from a new event: take it as new.
    pub dedupe_key: Option<DedupeKey>,
    /// What it tells.
    pub event: LabEvent,
}

/// What proves that a request is its source's.
///
/// Exhaustive: a receiver that cares must meet both.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is a proof, or there is none")]
pub enum Proof<'a> {
    /// It was verified.
    Verified(Verified<'a>),
    /// Nothing does: anybody who knows the URL can have sent it.
    Unsigned(Unsigned<'a>),
}

impl<'a> Proof<'a> {
    /// The body, byte for byte as it was received.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        match self {
            Self::Verified(verified) => verified.body(),
            Self::Unsigned(unsigned) => unsigned.body(),
        }
    }

    fn admitted(&self) -> TrustedBody<'a> {
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

/// Two sources have one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two sources of the name {name}")]
pub struct DuplicateSourceError {
    name: Box<str>,
}
