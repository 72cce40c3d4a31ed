//! The format of a source's bodies: [`BodyFormat`].

use super::body_error::BodyError;
use super::decoder::{CustomDecoder, Decoded, Incoming};
use crate::decode::{Decode, TrustedBody};
use crate::event::UnknownEvent;
use crate::id::WorkcellId;
use crate::lab::LabEvent;
use crate::message::format::CloudEvent;
use crate::provider::{
    DedupeKey, argilla, benchling, cvat, label_studio, linq, segments, strateos, strike, tiled,
};
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub(super) enum BodyFormat {
    Envelope,
    StandardWebhooks,
    Strateos,
    Linq(linq::Kind),
    Strike,
    Segments,
    Benchling,
    Tiled,
    Argilla,
    Cvat,
    LabelStudio,
    CloudEvents,
    CloudEventsBinary,
    Custom(CustomDecoder),
}

/// The event, or why there is none, and the idempotency key in either case.
pub(super) type ReadBody = (Result<LabEvent, BodyError>, Option<DedupeKey>);

impl BodyFormat {
    /// Reads the event of a genuine request.
    pub(super) fn read(&self, it: &Incoming<'_>, workcell: Option<&WorkcellId>) -> ReadBody {
        let (body, now) = (it.proof.trusted_body(), it.received_at);
        let signed_key = || it.proof.signed_key();
        match self {
            Self::Envelope => (it.decode().map_err(BodyError::from), Some(it.proof.dedupe_key())),
            Self::StandardWebhooks => {
                let event = it.decode().map(UnknownEvent::into).map_err(BodyError::from);
                (event, Some(it.proof.dedupe_key()))
            }
            Self::Strateos => match strateos::Webhook::decode(body) {
                Ok(webhook) => {
                    let event = webhook.to_event(now).map_err(BodyError::from);
                    (or_unread(event, || strateos::unread(body, now)), Some(webhook.dedupe_key()))
                }
                Err(error) => {
                    (or_unread(Err(error.into()), || strateos::unread(body, now)), signed_key())
                }
            },
            Self::Linq(kind) => {
                let unread = || linq::unread(*kind, body, now);
                match linq::Webhook::decode_as(*kind, body) {
                    Ok(mut webhook) => {
                        let key = webhook.dedupe_key();
                        if let Some(workcell) = workcell {
                            webhook = webhook.workcell_or(workcell.clone());
                        }
                        let event = webhook.timestamp_or(now).to_event();
                        (or_unread(event.map_err(BodyError::from), unread), key)
                    }
                    Err(error) => (or_unread(Err(error.into()), unread), signed_key()),
                }
            }
            Self::Strike => read_strike(it),
            Self::Segments => {
                let event = it.decode().map_err(BodyError::from);
                let event = event.and_then(|it: segments::Webhook| Ok(it.to_event()?));
                let event = or_unread(event, || segments::unread(body, now));
                (event, Some(it.proof.dedupe_key()))
            }
            Self::Benchling => match benchling::Webhook::decode(body) {
                Ok(webhook) => {
                    let event = webhook.to_event(now).map_err(BodyError::from);
                    let event = or_unread(event, || benchling::unread(body, now));
                    // App signals have no id, and may have equal bodies.
                    (event, webhook.dedupe_key().or_else(signed_key))
                }
                Err(error) => {
                    (or_unread(Err(error.into()), || benchling::unread(body, now)), signed_key())
                }
            },
            Self::Tiled => {
                let event = it.decode().map_err(BodyError::from);
                let event = event.and_then(|it: tiled::Webhook| Ok(it.to_event()?));
                (or_unread(event, || tiled::unread(body, now)), Some(it.proof.dedupe_key()))
            }
            Self::Argilla => match argilla::Webhook::decode(body) {
                Ok(webhook) => {
                    let event = webhook.to_event().map_err(BodyError::from);
                    (or_unread(event, || argilla::unread(body, now)), Some(webhook.dedupe_key()))
                }
                // Each attempt has a signed id of its own, and the same body.
                Err(error) => {
                    let event = or_unread(Err(error.into()), || argilla::unread(body, now));
                    (event, Some(DedupeKey::of_body(body.bytes())))
                }
            },
            Self::Cvat => match cvat::Webhook::decode(body) {
                Ok(webhook) => {
                    let event = webhook.to_event(now).map_err(BodyError::from);
                    (or_unread(event, || cvat::unread(body, now)), webhook.dedupe_key())
                }
                Err(error) => {
                    (or_unread(Err(error.into()), || cvat::unread(body, now)), signed_key())
                }
            },
            Self::LabelStudio => match label_studio::Webhook::decode(body) {
                Ok(webhook) => {
                    let event = webhook.to_event(now).map_err(BodyError::from);
                    (or_unread(event, || label_studio::unread(body, now)), webhook.dedupe_key())
                }
                Err(error) => {
                    let event = or_unread(Err(error.into()), || label_studio::unread(body, now));
                    (event, signed_key())
                }
            },
            Self::CloudEvents => match CloudEvent::decode(body) {
                Ok(event) => (event.to_event(now).map_err(BodyError::from), key_of(&event)),
                Err(error) => (Err(error.into()), Some(it.proof.dedupe_key())),
            },
            Self::CloudEventsBinary => match CloudEvent::from_binary(it.headers, body) {
                // The `ce-*` headers are not signed, so a signed id takes precedence.
                Ok(event) => {
                    let key = signed_key().or_else(|| key_of(&event));
                    (event.to_event(now).map_err(BodyError::from), key)
                }
                // Without the headers, events with the same body look the same.
                Err(error) => (Err(error.into()), signed_key()),
            },
            Self::Custom(decoder) => match decoder.decode(it) {
                Ok(Decoded { event, dedupe_key }) => (Ok(event), dedupe_key.or_else(signed_key)),
                Err(error) => (Err(error), signed_key()),
            },
        }
    }

    /// Returns whether an unsigned body that is no typed event is plainly of this format.
    pub(super) fn is_plainly(&self, body: TrustedBody<'_>) -> bool {
        match self {
            Self::Strateos => strateos::unread(body, Timestamp::UNIX_EPOCH).is_some(),
            Self::Linq(kind) => linq::is_published_body(*kind, body),
            Self::Cvat => cvat::is_published_body(body),
            Self::LabelStudio => label_studio::is_published_body(body),
            // The decoder has recognized it.
            Self::Custom(_) => true,
            _ => false,
        }
    }
}

fn read_strike(it: &Incoming<'_>) -> ReadBody {
    let unread = || strike::unread(it.proof.trusted_body(), it.received_at);
    match it.decode::<strike::Webhook>() {
        Ok(webhook) => {
            let event = webhook.to_event().map_err(BodyError::from);
            (or_unread(event, || unread().map(|(event, _)| event)), Some(webhook.dedupe_key()))
        }
        Err(error) => {
            let (event, key) = unread().unzip();
            let key = key.flatten().unwrap_or_else(|| it.proof.dedupe_key());
            (or_unread(Err(error.into()), || event), Some(key))
        }
    }
}

/// Keeps a genuine body that names its type but does not match it as an unreadable event.
fn or_unread(
    event: Result<LabEvent, BodyError>,
    unread: impl FnOnce() -> Option<UnknownEvent>,
) -> Result<LabEvent, BodyError> {
    event.or_else(|error| match unread() {
        Some(event) => Ok(LabEvent::Unreadable { event, reason: error.mismatch() }),
        None => Err(error),
    })
}

/// Source and id together identify a CloudEvent (specification 1.0.2, "id").
fn key_of(event: &CloudEvent) -> Option<DedupeKey> {
    Some(DedupeKey::of_parts([event.source.as_str(), event.id.as_str()]))
}
