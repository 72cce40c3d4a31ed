//! A webhook of any kind: [`Webhook`].

use serde::{Serialize, Serializer};

use super::{
    Kind, LabwareMovement, NewPlan, RunStateChange, SafetyStateChange, TaskStateChange, VENDOR,
};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::WorkcellId;
use crate::lab::LabEvent;
use crate::provider::{DedupeKey, MapError};
use crate::time::TimeText;

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
            /// Reads the body as one of the kind that the receiver knows it to be of.
            ///
            /// # Errors
            ///
            /// [`DecodeError::Body`] where the body is not of that kind's form. Of the four
            /// kinds without a published form nearly any object is.
            pub fn decode_as(kind: Kind, body: TrustedBody<'_>) -> Result<Self, DecodeError> {
                match kind {
                    $(Kind::$kind => $kind::decode(body).map(Self::$kind),)+
                }
            }

            /// The kind.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)+
                }
            }

            /// The event that the webhook tells of.
            ///
            /// A member that the body's type does not know, and the event's does, becomes that
            /// field of the event; the others are kept among the unknown members of its data.
            /// [`from_event`](Self::from_event) puts each back, the event's fields first.
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

        /// Writes the body, which does not say its kind.
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
    /// A webhook of any of the five kinds.
    ///
    /// A body does not say which kind it is of, so this is no [`Decode`]: the receiver names the
    /// kind, to [`decode_as`](Self::decode_as) or by the type that it decodes.
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
    /// // The header that the hook's `parameters` set.
    /// let token = HeaderName::from_static("x-lab-token");
    /// let verifier = Verifier::token(token, Secret::from_text("correct horse")?)?;
    ///
    /// let verified = verifier.verify(&headers, body, now)?;
    /// let run: RunStateChange = verified.decode()?;
    /// assert!(run.state.is_stopped());
    ///
    /// // The kind by the path of the request.
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
    /// The webhook that tells of the event.
    ///
    /// # Errors
    ///
    /// [`MapError::NoWebhook`] where no hook is for events of this type; otherwise see the
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

    /// When it happened, where the body says so.
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

    /// Sets when it happened, where the body does not say: the time of receipt, which
    /// [`to_event`](Self::to_event) then has to do with. Make the
    /// [`dedupe_key`](Self::dedupe_key) first.
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

    /// Sets the workcell of a safety webhook whose body does not name it: the one whose workflow
    /// has the hook. Without any, [`to_event`](Self::to_event) makes no event of it.
    #[must_use]
    pub fn workcell_or(mut self, workcell: impl Into<WorkcellId>) -> Self {
        if let Self::SafetyStateChange(webhook) = &mut self {
            webhook.workcell_id.get_or_insert_with(|| workcell.into());
        }
        self
    }

    /// What a repetition is known by; `None` where the body has no time, for then nothing tells a
    /// repetition from a second event, and to take two events for one loses the second.
    ///
    /// The vendor sends no id of the event. The key is built by this crate: of the kind and of
    /// the run, the task, workcell, labware or plan, the end of the movement, the state and the
    /// time, each as it was spelled. So it takes for one event:
    ///
    /// - two that differ in their message only, or in members that this crate does not know;
    /// - of the kinds without a published body, two within the resolution of the sender's clock,
    ///   where the body does not say what they are about.
    ///
    /// And it takes for two events a repetition that the sender gives another time.
    #[must_use]
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

impl RunStateChange {
    /// What a repetition is known by: see [`Webhook::dedupe_key`], which gives the same.
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

/// A member that is absent leaves out its name too, so that absent and empty are two things.
fn key<'a>(
    kind: Kind,
    members: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
) -> DedupeKey {
    let members = members.into_iter().filter_map(|(name, text)| Some([name, text?])).flatten();
    DedupeKey::of_parts([kind.filter()].into_iter().chain(members))
}
