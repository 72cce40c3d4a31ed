//! Any lab event: [`LabEvent`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dataset::{DatasetCreated, DatasetDeleted, DatasetUpdated};
use super::instruction::InstructionCompleted;
use super::issue::{IssueCreated, IssueUpdated};
use super::label::{LabelDeleted, LabelUpdated};
use super::labware::LabwareMoved;
use super::plan::PlanCreated;
use super::release::ReleaseCreated;
use super::resource::ResourceChanged;
use super::run::RunStateChanged;
use super::safety::SafetyStateChanged;
use super::sample::{SampleCreated, SampleDeleted, SampleUpdated};
use super::task::TaskStateChanged;
use crate::decode::{Decode, DecodeError, Mismatch, TrustedBody};
use crate::event::{
    EncodeError, Event, Keys, Model, Payload, UnknownEvent, Whole, read_in_one_pass,
};
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
                #[doc = concat!("See [`", stringify!($payload), "`](crate::lab::", stringify!($payload), ").")]
                $payload(Event<$payload>),
            )+
            /// An event whose type is not in the catalogue, with its data as JSON text.
            ///
            /// Decoding returns this variant only for types outside of
            /// [`CATALOGUE`](Self::CATALOGUE).
            Unknown(UnknownEvent),
            /// An event of a known type that does not match the model of that type.
            ///
            /// Its data is complete, as JSON text. Store it for later rather than drop it: this
            /// version, or your configuration, is behind its sender, or the sender made a mistake.
            #[non_exhaustive]
            Unreadable {
                /// The event, as an unknown one.
                event: UnknownEvent,
                /// Which field does not match, and why.
                reason: Mismatch,
            },
        }

        impl $name {
            /// The event types that have a variant of their own.
            pub const CATALOGUE: &'static [EventType] = &[$($payload::EVENT_TYPE),+];

            /// Describes the events of the catalogue.
            #[cfg(feature = "schema")]
            #[must_use]
            pub fn shapes() -> Vec<crate::schema::EventShape> {
                vec![$(crate::schema::EventShape::of::<$payload>()),+]
            }

            /// Returns the type of the event.
            #[must_use]
            pub fn event_type(&self) -> &EventType {
                match self {
                    $(Self::$payload(event) => event.event_type(),)+
                    Self::Unknown(event) | Self::Unreadable { event, .. } => &event.event_type,
                }
            }

            /// Returns the time at which the event happened.
            #[must_use]
            pub fn timestamp(&self) -> &TimeText {
                match self {
                    $(Self::$payload(event) => &event.timestamp,)+
                    Self::Unknown(event) | Self::Unreadable { event, .. } => &event.timestamp,
                }
            }

            /// Returns the keys that subscriptions filter by and ordering follows; none for an
            /// unknown or unreadable event.
            #[must_use]
            pub fn keys(&self) -> Keys {
                match self {
                    $(Self::$payload(event) => event.keys(),)+
                    Self::Unknown(_) | Self::Unreadable { .. } => Keys::new(),
                }
            }

            /// Encodes the envelope as compact JSON.
            pub(crate) fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
                match self {
                    $(Self::$payload(event) => event.to_json(),)+
                    Self::Unknown(event) | Self::Unreadable { event, .. } => event.to_json(),
                }
            }

            /// Decodes the data if the type is in the catalogue, and keeps it as text otherwise.
            /// Data that does not match its type is kept as text too.
            pub(crate) fn from_parts(
                event_type: EventType,
                timestamp: TimeText,
                data: JsonText,
                unknown: UnknownMembers,
            ) -> Self {
                $(
                    if event_type == $payload::EVENT_TYPE {
                        return match Event::<$payload>::read_data(&data) {
                            Ok(data) => Self::$payload(Event { timestamp, data, unknown }),
                            Err(error) => Self::Unreadable {
                                event: UnknownEvent { event_type, timestamp, data, unknown },
                                reason: Mismatch::from(&error),
                            },
                        };
                    }
                )+
                Self::Unknown(UnknownEvent { event_type, timestamp, data, unknown })
            }
        }

        /// A type of the catalogue.
        pub(super) enum KnownType {
            $($payload,)+
        }

        pub(super) enum KnownData {
            $($payload($payload),)+
        }

        impl Model for KnownType {
            type Data = KnownData;

            fn of(event_type: &str) -> Option<Self> {
                $(
                    if event_type == const { &$payload::EVENT_TYPE }.as_str() {
                        return Some(Self::$payload);
                    }
                )+
                None
            }

            fn read<'de, D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<KnownData, D::Error> {
                match self {
                    $(
                        Self::$payload => {
                            $payload::deserialize(deserializer).map(KnownData::$payload)
                        }
                    )+
                }
            }
        }

        impl From<Whole<KnownData>> for $name {
            fn from(Whole { timestamp, data, unknown }: Whole<KnownData>) -> Self {
                match data {
                    $(
                        KnownData::$payload(data) => {
                            Self::$payload(Event { timestamp, data, unknown })
                        }
                    )+
                }
            }
        }

        /// Writes the envelope `{"type", "timestamp", "data"}`.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$payload(event) => event.serialize(serializer),)+
                    Self::Unknown(event) | Self::Unreadable { event, .. } => {
                        event.serialize(serializer)
                    }
                }
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
    /// Any lab event: one variant per event type of the [catalogue](crate::lab), and
    /// [`Unknown`](Self::Unknown) for all other types.
    ///
    /// Neither an event type outside of the catalogue nor data that does not match its type is an
    /// error: a genuine event always has a variant.
    ///
    /// ```
    /// use labhook::{Event, LabEvent, Timestamp};
    /// use labhook::lab::{RunState, RunStateChanged};
    ///
    /// let paused = RunStateChanged::new("r19a428rm8tbp", RunState::Paused);
    /// let event = LabEvent::from(Event::new(paused, Timestamp::from_unix_seconds(1_744_882_200)));
    /// match &event {
    ///     LabEvent::RunStateChanged(run) => assert_eq!(run.data.state, RunState::Paused),
    ///     LabEvent::Unknown(other) => println!("forwarding {}", other.event_type),
    ///     LabEvent::Unreadable { event, reason, .. } => {
    ///         println!("storing {} for later: {reason}", event.event_type);
    ///     }
    ///     _ => {}
    /// }
    /// assert_eq!(event.event_type().as_str(), "run.state_changed");
    /// assert_eq!(event.keys().run.unwrap().as_str(), "r19a428rm8tbp");
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

impl LabEvent {
    /// Returns the event with its data as JSON text, if it is unknown or unreadable.
    #[must_use]
    pub const fn as_text(&self) -> Option<&UnknownEvent> {
        match self {
            Self::Unknown(event) | Self::Unreadable { event, .. } => Some(event),
            _ => None,
        }
    }
}

impl From<UnknownEvent> for LabEvent {
    fn from(event: UnknownEvent) -> Self {
        Self::Unknown(event)
    }
}

/// Fails with [`DecodeError::Body`] if the envelope is malformed. Data that does not match its type
/// gives [`LabEvent::Unreadable`].
impl Decode for LabEvent {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        if let Some(whole) = read_in_one_pass::<KnownType>(body.bytes()) {
            return Ok(whole.into());
        }
        let UnknownEvent { event_type, timestamp, data, unknown } = UnknownEvent::decode(body)?;
        Ok(Self::from_parts(event_type, timestamp, data, unknown))
    }
}
