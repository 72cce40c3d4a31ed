//! Any event of the catalogue: [`LabEvent`].

use super::{
    DatasetCreated, DatasetDeleted, DatasetUpdated, InstructionCompleted, IssueCreated,
    IssueUpdated, LabelDeleted, LabelUpdated, LabwareMoved, PlanCreated, ReleaseCreated,
    ResourceChanged, RunStateChanged, SafetyStateChanged, SampleCreated, SampleDeleted,
    SampleUpdated, TaskStateChanged,
};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::{EncodeError, Event, Keys, Payload, UnknownEvent};
use crate::event_type::EventType;
use crate::json::{JsonText, UnknownMembers};
use crate::time::TimeText;

macro_rules! catalogue {
    ($(#[$doc:meta])* $name:ident: $($payload:ident,)+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("See [`", stringify!($payload), "`].")]
                $payload(Event<$payload>),
            )+
            /// An event of a type that is not in the catalogue, with its data as text.
            ///
            /// Decoding makes it of such types only; one that a host makes is taken as it is.
            Unknown(UnknownEvent),
        }

        impl $name {
            /// The types of event that have an arm of their own.
            pub const CATALOGUE: &'static [EventType] = &[$($payload::EVENT_TYPE),+];

            /// The event's type.
            #[must_use]
            pub fn event_type(&self) -> &EventType {
                match self {
                    $(Self::$payload(event) => event.event_type(),)+
                    Self::Unknown(event) => &event.event_type,
                }
            }

            /// When it happened.
            #[must_use]
            pub fn timestamp(&self) -> &TimeText {
                match self {
                    $(Self::$payload(event) => &event.timestamp,)+
                    Self::Unknown(event) => &event.timestamp,
                }
            }

            /// What subscriptions and ordering may look at; nothing for an unknown event.
            #[must_use]
            pub fn keys(&self) -> Keys {
                match self {
                    $(Self::$payload(event) => event.keys(),)+
                    Self::Unknown(_) => Keys::new(),
                }
            }

            /// Writes the envelope as compact JSON.
            pub(crate) fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
                match self {
                    $(Self::$payload(event) => event.to_json(),)+
                    Self::Unknown(event) => event.to_json(),
                }
            }

            /// Reads the data where the type is in the catalogue, and keeps it where it is not.
            pub(crate) fn from_parts(
                event_type: EventType,
                timestamp: TimeText,
                data: JsonText,
                unknown: UnknownMembers,
            ) -> Result<Self, DecodeError> {
                $(
                    if event_type == $payload::EVENT_TYPE {
                        return Event::from_parts(timestamp, &data, unknown).map(Self::$payload);
                    }
                )+
                Ok(Self::Unknown(UnknownEvent { event_type, timestamp, data, unknown }))
            }
        }

        $(
            impl From<Event<$payload>> for $name {
                fn from(event: Event<$payload>) -> Self {
                    Self::$payload(event)
                }
            }
        )+
    };
}

catalogue! {
    /// Any event of the catalogue, and any that is not in it.
    ///
    /// A type that the catalogue does not hold is a value, [`Unknown`](Self::Unknown); a type that
    /// it does hold with data of another form is an error that says where.
    ///
    /// ```
    /// use labhook::{Event, LabEvent, Timestamp};
    /// use labhook::lab::{RunState, RunStateChanged};
    ///
    /// let paused = RunStateChanged::new("r19a428rm8tbp", RunState::Paused);
    /// let event = LabEvent::from(Event::new(paused, Timestamp::from_unix_seconds(1_744_882_200)));
    /// match &event {
    ///     LabEvent::RunStateChanged(run) => assert_eq!(run.data.state, RunState::Paused),
    ///     LabEvent::Unknown(other) => println!("passing on {}", other.event_type),
    ///     _ => {}
    /// }
    /// assert_eq!(event.event_type().as_str(), "run.state_changed");
    /// ```
    LabEvent:
    RunStateChanged,
    InstructionCompleted,
    TaskStateChanged,
    LabwareMoved,
    SafetyStateChanged,
    PlanCreated,
    DatasetCreated,
    DatasetUpdated,
    DatasetDeleted,
    SampleCreated,
    SampleUpdated,
    SampleDeleted,
    LabelUpdated,
    LabelDeleted,
    IssueCreated,
    IssueUpdated,
    ReleaseCreated,
    ResourceChanged,
}

impl From<UnknownEvent> for LabEvent {
    fn from(event: UnknownEvent) -> Self {
        Self::Unknown(event)
    }
}

/// [`DecodeError::Body`] where the envelope is malformed and [`DecodeError::Data`] where the data
/// of a known type is.
impl Decode for LabEvent {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        let UnknownEvent { event_type, timestamp, data, unknown } = UnknownEvent::decode(body)?;
        Self::from_parts(event_type, timestamp, data, unknown)
    }
}
