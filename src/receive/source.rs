//! One sender that a receiver accepts: [`Source`].

use super::body_format::BodyFormat;
use super::decoder::{BoxError, CustomDecoder, Decoded, Incoming};
use crate::id::WorkcellId;
use crate::provider::linq;
use crate::signature::Verifier;

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

impl Source {
    /// A sender that uses this crate's own envelope.
    #[must_use]
    pub fn envelope(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Envelope, Some(verifier))
    }

    /// A sender of Standard Webhooks with event types of its own: the members `type`, `timestamp`
    /// and `data` of the specification's payload, and any others.
    ///
    /// Its events are [`LabEvent::Unknown`](crate::LabEvent::Unknown), even if a type has the name
    /// of one of this crate's: what `dataset.created` means is up to its sender.
    #[must_use]
    pub fn standard_webhooks(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::StandardWebhooks, Some(verifier))
    }

    /// Any other sender, with a decoder of your own.
    ///
    /// The decoder gets requests that the verifier has accepted. If it fails, the request is a
    /// [`Refusal`](super::Refusal) with that error. For a sender that does not sign, see
    /// [`danger::custom`](super::danger::custom).
    ///
    /// ```
    /// use labhook::decode::{Decode, DecodeError, TrustedBody};
    /// use labhook::lab::{RunState, RunStateChanged};
    /// use labhook::receive::{Decoded, Source, Sources};
    /// use labhook::signature::{CustomScheme, SchemeSpec};
    /// use labhook::{Event, LabEvent, Secret, Timestamp, Verifier};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Notification { delivery: String, run: String, phase: String }
    ///
    /// impl Decode for Notification {
    ///     fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
    ///         body.json()
    ///     }
    /// }
    ///
    /// let scheme = CustomScheme::new(SchemeSpec::new("x-arm-signature", "{body}"))?;
    /// let secret = Secret::from_text("correct horse battery")?;
    /// let verifier = Verifier::custom(scheme.clone(), secret.clone())?;
    /// let arm = Source::custom("arm", verifier, |request| {
    ///     let it: Notification = request.decode()?;
    ///     let state = RunState::from(it.phase);
    ///     let event = Event::new(RunStateChanged::new(it.run, state), request.received_at);
    ///     Ok(Decoded::new(event).with_dedupe_key(&it.delivery))
    /// });
    /// let sources = Sources::new([arm])?;
    /// # let body = br#"{"delivery":"d-1","run":"r-1","phase":"paused"}"#;
    /// # let now = Timestamp::from_unix_seconds(1_744_882_200);
    /// # let id = labhook::MessageId::new("m")?;
    /// # let headers = labhook::Signer::custom(scheme, secret)?.sign(&id, now, body)?;
    ///
    /// let received = sources.receive(&headers, body, now).map_err(|error| error.to_string())?;
    /// let LabEvent::RunStateChanged(run) = received.event else { panic!() };
    /// assert_eq!(run.data.state, RunState::Paused);
    /// # assert_eq!(received.dedupe_key.unwrap().as_str(), "d-1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn custom(
        name: impl Into<Box<str>>,
        verifier: Verifier,
        decoder: impl Fn(&Incoming<'_>) -> Result<Decoded, BoxError> + Send + Sync + 'static,
    ) -> Self {
        let format = BodyFormat::Custom(CustomDecoder::new(decoder));
        Self::new(name, format, Some(verifier))
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

    /// Benchling, verified with the keys of the app: see [`provider::benchling`].
    ///
    /// The dedupe key is [`Webhook::dedupe_key`](crate::provider::benchling::Webhook::dedupe_key), or the signed
    /// message id if the message has no id.
    ///
    /// [`provider::benchling`]: crate::provider::benchling
    #[must_use]
    pub fn benchling(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Benchling, Some(verifier))
    }

    /// Tiled, verified with
    /// [`CustomScheme::TILED`](crate::signature::CustomScheme::TILED). The dedupe key is the digest
    /// of the body: see [`provider::tiled`](crate::provider::tiled).
    #[must_use]
    pub fn tiled(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Tiled, Some(verifier))
    }

    /// Argilla, which signs as Standard Webhooks.
    #[must_use]
    pub fn argilla(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Argilla, Some(verifier))
    }

    /// CVAT, verified with its HMAC signature:
    /// [`CustomScheme::CVAT`](crate::signature::CustomScheme::CVAT).
    #[must_use]
    pub fn cvat(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::Cvat, Some(verifier))
    }

    /// Label Studio, with a token in the headers of its webhook.
    #[must_use]
    pub fn label_studio(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::LabelStudio, Some(verifier))
    }

    /// A sender of CloudEvents in the structured content mode of HTTP.
    #[must_use]
    pub fn cloud_events(name: impl Into<Box<str>>, verifier: Verifier) -> Self {
        Self::new(name, BodyFormat::CloudEvents, Some(verifier))
    }

    /// A sender of CloudEvents in the binary content mode of HTTP. Few signature schemes cover the
    /// `ce-*` headers: see
    /// [`CloudEvent::from_binary`](crate::message::format::CloudEvent::from_binary).
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

    pub(super) fn unsigned_cvat(name: impl Into<Box<str>>) -> Self {
        Self::new(name, BodyFormat::Cvat, None)
    }

    pub(super) fn unsigned_label_studio(name: impl Into<Box<str>>) -> Self {
        Self::new(name, BodyFormat::LabelStudio, None)
    }

    pub(super) fn unsigned_custom(
        name: impl Into<Box<str>>,
        decoder: impl Fn(&Incoming<'_>) -> Result<Decoded, BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, BodyFormat::Custom(CustomDecoder::new(decoder)), None)
    }

    fn new(name: impl Into<Box<str>>, format: BodyFormat, verifier: Option<Verifier>) -> Self {
        Self { name: name.into(), format, verifier, workcell: None }
    }

    pub(super) const fn verifier(&self) -> Option<&Verifier> {
        self.verifier.as_ref()
    }

    pub(super) const fn format(&self) -> &BodyFormat {
        &self.format
    }

    pub(super) const fn workcell(&self) -> Option<&WorkcellId> {
        self.workcell.as_ref()
    }
}
