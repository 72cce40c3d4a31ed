//! A LINQ webhook of any kind: [`Webhook`].

use serde::{Serialize, Serializer};

use super::{
    Kind, LabwareMovement, NewPlan, RunStateChange, SafetyStateChange, TaskStateChange, VENDOR,
};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::id::WorkcellId;
use crate::json::{JsonText, object};
use crate::lab::LabEvent;
use crate::provider::{DedupeKey, MapError};
use crate::time::{TimeText, Timestamp};

/// The prefix of the event types of bodies without a lab event.
const PREFIX: &str = "linq.";

macro_rules! webhook {
    ($(#[$doc:meta])* $name:ident: $($kind:ident,)+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("See [`", stringify!($kind), "`].")]
                $kind($kind),
            )+
        }

        impl $name {
            /// Decodes a body of the given kind.
            ///
            /// # Errors
            ///
            /// [`DecodeError::Body`] if the body does not have that kind's format. For the four
            /// kinds without a published format, almost any object is accepted.
            pub fn decode_as(kind: Kind, body: TrustedBody<'_>) -> Result<Self, DecodeError> {
                match kind {
                    $(Kind::$kind => $kind::decode(body).map(Self::$kind),)+
                }
            }

            /// Returns the kind.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)+
                }
            }

            /// Maps the webhook to a lab event.
            ///
            /// An unknown member of the body becomes the field of that name if the event has one,
            /// and otherwise an unknown member of the event's data.
            /// [`from_event`](Self::from_event) writes them back, the event's fields first.
            ///
            /// # Errors
            ///
            /// [`MapError`]: see the `to_event` of each kind.
            pub fn to_event(&self) -> Result<LabEvent, MapError> {
                match self {
                    $(Self::$kind(webhook) => webhook.to_event().map(LabEvent::from),)+
                }
            }
        }

        /// Writes the body, which does not contain its kind.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$kind(webhook) => webhook.serialize(serializer),)+
                }
            }
        }

        $(
            impl From<$kind> for $name {
                fn from(webhook: $kind) -> Self {
                    Self::$kind(webhook)
                }
            }
        )+
    };
}

webhook! {
    /// LINQ webhook of any of the five kinds.
    ///
    /// A body does not contain its kind, so this type does not implement [`Decode`]. The receiver
    /// names the kind, in [`decode_as`](Self::decode_as) or by the type that it decodes.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderName};
    /// use labhook::{Secret, Timestamp, Verifier};
    /// use labhook::provider::linq::{Kind, RunStateChange, Webhook};
    ///
    /// # let mut headers = HeaderMap::new();
    /// # headers.insert("x-lab-token", "correct horse".parse()?);
    /// # let body = br#"{"state":"stoped","message":"","run_id":"r1","timestamp":"2025-04-17T09:30:00.000Z"}"#;
    /// # let now = Timestamp::UNIX_EPOCH;
    /// // The token header from the hook's `parameters`.
    /// let token = HeaderName::from_static("x-lab-token");
    /// let verifier = Verifier::token(token, Secret::from_text("correct horse")?)?;
    ///
    /// let verified = verifier.verify(&headers, body, now)?;
    /// let run: RunStateChange = verified.decode()?;
    /// assert!(run.state.is_stopped());
    ///
    /// // Choose the kind by the request's path.
    /// let kind = match "/linq/runs" {
    ///     "/linq/runs" => Kind::RunStateChange,
    ///     _ => Kind::TaskStateChange,
    /// };
    /// assert_eq!(Webhook::decode_as(kind, verified.trusted_body())?, run.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Webhook:
    RunStateChange,
    TaskStateChange,
    SafetyStateChange,
    LabwareMovement,
    NewPlan,
}

impl Webhook {
    /// Maps a lab event to the webhook of its kind.
    ///
    /// # Errors
    ///
    /// [`MapError::NoWebhook`] if LINQ has no hook for events of this type; otherwise see the
    /// `from_event` of each kind.
    pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
        match event {
            LabEvent::RunStateChanged(event) => RunStateChange::from_event(event).map(Self::from),
            LabEvent::TaskStateChanged(event) => TaskStateChange::from_event(event).map(Self::from),
            LabEvent::SafetyStateChanged(event) => {
                SafetyStateChange::from_event(event).map(Self::from)
            }
            LabEvent::LabwareMoved(event) => LabwareMovement::from_event(event).map(Self::from),
            LabEvent::PlanCreated(event) => NewPlan::from_event(event).map(Self::from),
            other => Err(VENDOR.no_webhook(other.event_type())),
        }
    }

    /// Returns when the event happened; `None` if the body has no timestamp.
    #[must_use]
    pub const fn timestamp(&self) -> Option<&TimeText> {
        match self {
            Self::RunStateChange(webhook) => Some(&webhook.timestamp),
            Self::TaskStateChange(webhook) => webhook.timestamp.as_ref(),
            Self::SafetyStateChange(webhook) => webhook.timestamp.as_ref(),
            Self::LabwareMovement(webhook) => webhook.timestamp.as_ref(),
            Self::NewPlan(webhook) => webhook.timestamp.as_ref(),
        }
    }

    /// Sets the timestamp if the body has none, usually to the time of receipt, since
    /// [`to_event`](Self::to_event) requires one. Compute the [`dedupe_key`](Self::dedupe_key)
    /// first.
    #[must_use]
    pub fn timestamp_or(mut self, at: impl Into<TimeText>) -> Self {
        let timestamp = match &mut self {
            Self::RunStateChange(_) => return self,
            Self::TaskStateChange(webhook) => &mut webhook.timestamp,
            Self::SafetyStateChange(webhook) => &mut webhook.timestamp,
            Self::LabwareMovement(webhook) => &mut webhook.timestamp,
            Self::NewPlan(webhook) => &mut webhook.timestamp,
        };
        timestamp.get_or_insert_with(|| at.into());
        self
    }

    /// Sets the workcell of a safety webhook if the body does not name one: the workcell whose
    /// workflow has the hook. Without a workcell, [`to_event`](Self::to_event) fails.
    #[must_use]
    pub fn workcell_or(mut self, workcell: impl Into<WorkcellId>) -> Self {
        if let Self::SafetyStateChange(webhook) = &mut self {
            webhook.workcell_id.get_or_insert_with(|| workcell.into());
        }
        self
    }

    /// Returns the idempotency key; `None` if the body has no timestamp. Without one, a redelivery
    /// looks the same as a second event, and treating two events as one would lose the second.
    ///
    /// The vendor sends no event id, so the key is this crate's own. It is built from the kind, the
    /// run, the task, workcell, labware or plan, the end of the movement, the state and the
    /// timestamp, each as spelled in the body. Two events have the same key if:
    ///
    /// - they differ only in their message, or in members that this crate does not know;
    /// - they are of a kind without a published body, do not name their subject, and fall within
    ///   the resolution of the sender's clock.
    ///
    /// A redelivery has a different key if the sender changes its timestamp.
    #[must_use]
    #[doc(alias = "idempotency key")]
    pub fn dedupe_key(&self) -> Option<DedupeKey> {
        macro_rules! text {
            ($member:expr) => {
                $member.as_ref().map(|text| text.as_str())
            };
        }
        let (run, state, about) = match self {
            Self::RunStateChange(webhook) => {
                return Some(webhook.dedupe_key());
            }
            Self::TaskStateChange(webhook) => {
                (&webhook.run_id, text!(webhook.state), [("task_id", text!(webhook.task_id)), NONE])
            }
            Self::SafetyStateChange(webhook) => (
                &webhook.run_id,
                text!(webhook.state),
                [("workcell_id", text!(webhook.workcell_id)), NONE],
            ),
            Self::LabwareMovement(webhook) => (
                &webhook.run_id,
                text!(webhook.state),
                [("labware_id", text!(webhook.labware_id)), ("trigger", text!(webhook.trigger))],
            ),
            Self::NewPlan(webhook) => {
                (&webhook.run_id, text!(webhook.state), [("plan_id", text!(webhook.plan_id)), NONE])
            }
        };
        let members = [
            ("run_id", text!(run)),
            ("state", state),
            ("timestamp", Some(self.timestamp()?.as_str())),
        ];
        Some(key(self.kind(), members.into_iter().chain(about)))
    }
}

object! {
    /// The time of a body that is not understood.
    struct Outline {
        optional timestamp: TimeText,
    }
}

/// Returns an object as an unknown event of type `linq.<filter>`, although it has no lab event.
pub(crate) fn unread(
    kind: Kind,
    body: TrustedBody<'_>,
    received_at: Timestamp,
) -> Option<UnknownEvent> {
    let Outline { timestamp, .. } = body.json().ok()?;
    let at = timestamp.unwrap_or_else(|| received_at.into());
    VENDOR.unread(PREFIX, kind.filter(), at, body)
}

/// Returns whether the body has all members that the vendor publishes for its kind. It publishes
/// only those of a run's state.
pub(crate) fn is_published_body(kind: Kind, body: TrustedBody<'_>) -> bool {
    kind == Kind::RunStateChange && body.json::<Published>().is_ok()
}

object! {
    /// The four published members, whatever their values.
    struct Published {
        required state: JsonText,
        required message: JsonText,
        required run_id: JsonText,
        required timestamp: JsonText,
    }
}

impl RunStateChange {
    /// Returns the idempotency key, which equals that of [`Webhook::dedupe_key`].
    #[must_use]
    pub fn dedupe_key(&self) -> DedupeKey {
        let members = [
            ("run_id", Some(self.run_id.as_str())),
            ("state", Some(self.state.as_str())),
            ("timestamp", Some(self.timestamp.as_str())),
        ];
        key(Kind::RunStateChange, members)
    }
}

const NONE: (&str, Option<&str>) = ("", None);

/// Omits the name of an absent member too, so that absent and empty members give different keys.
fn key<'a>(
    kind: Kind,
    members: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
) -> DedupeKey {
    let members = members.into_iter().filter_map(|(name, text)| Some([name, text?])).flatten();
    DedupeKey::of_parts([kind.filter()].into_iter().chain(members))
}
