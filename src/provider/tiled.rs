//! Tiled, the data server of the Bluesky project: webhooks about the entries of a catalog, signed
//! without a timestamp.
//!
//! # What is published
//!
//! Tiled is open source. Its user guide ("Webhooks", marked as experimental) has the signature, the
//! three event types and one example; the models and what is sent are in `tiled/server/schemas.py`,
//! `tiled/server/webhooks.py` and `tiled/catalog/adapter.py` of bluesky/tiled, version 0.2.16. They
//! differ on one point: in the guide's example, `path` is that of the container; the software sends
//! the path of the entry, which ends with `key`. [`Webhook::dataset_id`] is the same for both.
//!
//! # Receiving
//!
//! `X-Tiled-Signature: sha256=<hex>` is an HMAC-SHA256 of the body,
//! [`CustomScheme::TILED`](crate::signature::CustomScheme::TILED). A registration without a secret
//! sends no signature: always set one.
//!
//! ```
//! use labhook::provider::{DedupeKey, tiled};
//! use labhook::signature::CustomScheme;
//! use labhook::{LabEvent, Secret, Timestamp, Verifier};
//!
//! # let now = Timestamp::from_unix_seconds(1_787_317_501);
//! # let body = br#"{"type": "stream-closed", "timestamp": "2026-08-21T13:05:01.500000Z", "key": "primary", "path": ["my", "container", "scan_001", "primary"]}"#;
//! # let mut headers = http::HeaderMap::new();
//! # let tag = "sha256=ec4303a0a40c259f4667b0d09a29ee75850f90b89e8f820baef30b62d1e3df3f";
//! # headers.insert("x-tiled-signature", tag.parse()?);
//! let verifier = Verifier::custom(CustomScheme::TILED, Secret::from_text("my-hmac-secret")?)?;
//!
//! let verified = verifier.verify(&headers, body, now)?;
//! let key = DedupeKey::of(&verified);
//! let webhook: tiled::Webhook = verified.decode()?;
//! assert_eq!(webhook.kind, tiled::EventKind::StreamClosed);
//!
//! let LabEvent::DatasetUpdated(event) = webhook.to_event()? else { panic!() };
//! assert_eq!(event.data.dataset.id, "my/container/scan_001/primary".into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The body contains no event id. `X-Tiled-Event-ID`, which the guide suggests for duplicates, is
//! not signed, so anybody who has seen a webhook can send it again with another id. The key is the
//! digest of the body instead, [`DedupeKey::of`](crate::provider::DedupeKey::of): all attempts send
//! the same bytes, and the signed `timestamp` in them, in microseconds, distinguishes events. Two
//! registrations that match one event send the same body, and count as one.
//!
//! The signature covers no time of sending either. A delivery ends about 40 s after its first
//! attempt ([`policy`]), so an application can reject a webhook whose `timestamp` is much older;
//! remember keys for at least as long as it accepts.
//!
//! # Events
//!
//! | Tiled event | [`LabEvent`](crate::LabEvent) |
//! |---|---|
//! | `container-child-created` | `dataset.created` |
//! | `container-child-metadata-updated` | `dataset.updated` |
//! | `stream-closed` | `dataset.updated` |
//! | any other | `Unknown`, of type `tiled.<type>` |
//!
//! A closed stream means that no more data is appended to the entry. It does not mean that a run
//! succeeded: the webhook does not say how a run ended, or that one did. For a run of Bluesky, that
//! is the `exit_status` of its stop document; where it is stored depends on the application that
//! writes the catalog. No webhook becomes a run event.
//!
//! # Sending
//!
//! [`Format`] writes the events that came from Tiled, for example to pass them on, and dataset
//! events that contain the members which the lab's model does not have: see
//! [`Webhook::from_event`].

mod event;
mod format;
mod webhook;

use std::time::Duration;

pub use format::Format;
pub(crate) use webhook::unread;
pub use webhook::{EventKind, Spec, StructureFamily, Webhook};

use super::vendor::Vendor;
use crate::delivery::{Jitter, ResponseRules, RetryPolicy, Schedule};

const VENDOR: Vendor = Vendor("Tiled");

/// The prefix of the event types that have no lab event, and of unknown members whose names collide
/// with fields of the lab event.
const PREFIX: &str = "tiled.";

/// Returns the retry policy of Tiled's software: 3 attempts with a response timeout of 10 s, after
/// 1 s and 5 s plus up to 1 s of jitter. Only 2xx delivers, and
/// `Retry-After` is ignored.
///
/// The user guide speaks of up to 3 retries; the software makes 3 attempts in total.
#[must_use]
pub fn policy() -> RetryPolicy {
    let second = Duration::from_secs(1);
    RetryPolicy::new(Schedule::list([second, Duration::from_secs(5)]))
        .with_jitter(Jitter::added(100, second, second))
        .with_attempt_timeout(Duration::from_secs(10))
        .with_retry_after_cap(Duration::ZERO)
        .with_responses(ResponseRules::new())
}
