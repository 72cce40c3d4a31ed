//! Ids of messages, endpoints and lab objects: opaque text, cheap to clone, one type per kind.
//!
//! Ids are compared, never parsed. [`MessageId`] and [`EndpointId`] appear in headers and in saved
//! state, so their text is checked. The ids of lab objects accept any text.

mod message_id;

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The maximum length of an [`EndpointId`], in bytes.
const MAX_ENDPOINT_LEN: usize = 256;

/// A text that is not a valid [`MessageId`] or [`EndpointId`].
///
/// Positions are offsets in bytes, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty.
    #[error("`id` must not be empty")]
    Empty,
    /// The text is longer than an id may be.
    #[error("`id` must be at most {max} bytes, got {len}")]
    TooLong {
        /// The length of the text, in bytes.
        len: usize,
        /// The maximum: 1,024 for a message id, and 256 for an endpoint id.
        max: usize,
    },
    /// An endpoint id contains a space, a control character or a character outside of ASCII.
    #[error("`id` must contain only visible ASCII characters, got another at byte {at}")]
    NotVisibleAscii {
        /// The position of the first one.
        at: usize,
    },
    /// A message id contains a control character or a character outside of ASCII.
    #[error("`id` must contain only printable ASCII characters, got another at byte {at}")]
    NotPrintableAscii {
        /// The position of the first one.
        at: usize,
    },
    /// A message id starts or ends with a space, which HTTP would remove from a header.
    #[error("`id` must not start or end with a space, got one at byte {at}")]
    OuterSpace {
        /// The position of the space.
        at: usize,
    },
    /// A message id has an integer between two full stops, or after the last one. In the signed
    /// bytes it could be taken for the timestamp.
    #[error(
        "`id` must not have an integer between full stops, or after the last one, \
         got one at byte {at}"
    )]
    IntegerSegment {
        /// The position of the integer.
        at: usize,
    },
}

fn check_endpoint(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        Err(IdError::Empty)
    } else if text.len() > MAX_ENDPOINT_LEN {
        Err(IdError::TooLong { len: text.len(), max: MAX_ENDPOINT_LEN })
    } else if let Some(at) = text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        Err(IdError::NotVisibleAscii { at })
    } else {
        Ok(())
    }
}

macro_rules! common {
    ($name:ident) => {
        impl $name {
            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                (*id.0).to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

macro_rules! checked_id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Creates an id.
            ///
            /// # Errors
            ///
            /// Returns [`IdError`] if the text is not a valid id.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                $check(text)?;
                Ok(Self(text.into()))
            }
        }

        common!($name);

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::deserialize(deserializer, Self::from_str)
            }
        }
    };
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        common!($name);

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(text: &str) -> Result<Self, Infallible> {
                Ok(Self::from(text))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::deserialize(deserializer, Self::from_str)
            }
        }
    };
}

checked_id! {
    /// The id of a message: the same for all endpoints and attempts. Receivers use it as the
    /// idempotency key.
    ///
    /// 1 to 1,024 printable ASCII characters, without a space at either end, and without an integer
    /// between two full stops or after the last one. The Standard Webhooks signature covers
    /// `{id}.{timestamp}.{body}`: with the id `m.17.x`, the same bytes would also be those of the
    /// id `m` at the time 17. Other ids with a full stop are unambiguous. The specification advises
    /// against them, and libraries accept them.
    ///
    /// Keep the ids that you choose within 256 visible characters. [`derive`](Self::derive) does,
    /// from any text.
    ///
    /// ```
    /// use labhook::MessageId;
    /// use labhook::id::IdError;
    ///
    /// assert_eq!(MessageId::new("msg_run17.started")?.as_str(), "msg_run17.started");
    /// assert_eq!(MessageId::new("run17.3"), Err(IdError::IntegerSegment { at: 6 }));
    /// assert_eq!(MessageId::derive(["run17.3", "started"]).as_str(), "run17~2E3/started");
    /// # Ok::<(), IdError>(())
    /// ```
    #[doc(alias = "idempotency key")]
    MessageId, message_id::check
}

checked_id! {
    /// The id of an endpoint: 1 to 256 visible ASCII characters.
    ///
    /// Saved state and notices refer to an endpoint by its id only; its URL and secret never enter
    /// saved state and may change.
    ///
    /// ```
    /// use labhook::EndpointId;
    ///
    /// let lims: EndpointId = "lims/plate-reader-2".parse()?;
    /// assert_eq!(lims.as_str(), "lims/plate-reader-2");
    /// assert!(EndpointId::new("two words").is_err());
    /// # Ok::<(), labhook::id::IdError>(())
    /// ```
    EndpointId, check_endpoint
}

opaque_id! {
    /// The id of a run: one execution of a workflow or protocol.
    RunId
}
opaque_id! {
    /// The id of a project, which owns runs.
    ProjectId
}
opaque_id! {
    /// The id of an instruction: one step of a protocol, as submitted.
    InstructionId
}
opaque_id! {
    /// The id of a task: one unit of scheduled work in a run.
    TaskId
}
opaque_id! {
    /// The id of a piece of labware, such as a plate, a tube rack or a lid.
    LabwareId
}
opaque_id! {
    /// The id of a plan: one solution that a scheduler found for a workflow.
    PlanId
}
opaque_id! {
    /// The id of a workcell: the robots, devices and transport that one scheduler controls.
    WorkcellId
}
opaque_id! {
    /// The id of a workflow: the definition that runs execute.
    WorkflowId
}
opaque_id! {
    /// The id of a dataset: its `owner/name`, or an opaque identifier.
    DatasetId
}
opaque_id! {
    /// The id of a sample: one item of a dataset, or one specimen.
    SampleId
}
opaque_id! {
    /// The id of an issue raised about a sample.
    IssueId
}
opaque_id! {
    /// The id of a release: a frozen copy of a dataset.
    ReleaseId
}
opaque_id! {
    /// The id of a resource of another system.
    ResourceId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_id_error_names_rule_and_place() {
        let text = |id: &str| EndpointId::new(id).unwrap_err().to_string();
        assert_eq!(text(""), "`id` must not be empty");
        assert_eq!(text(&"x".repeat(257)), "`id` must be at most 256 bytes, got 257");
        let visible = "`id` must contain only visible ASCII characters, got another at byte ";
        assert_eq!(text("a b"), format!("{visible}1"));
        assert_eq!(text("ab\n"), format!("{visible}2"));
        assert_eq!(text("é"), format!("{visible}0"));
        assert!(EndpointId::new("x".repeat(256)).is_ok());
        assert!(EndpointId::new("eln.lab.1").is_ok());
    }

    #[test]
    fn message_id_is_checked_on_deserialization() {
        let error = serde_json::from_str::<MessageId>(r#""m.1""#).unwrap_err();
        assert!(error.to_string().ends_with("got one at byte 2"), "{error}");
    }

    #[test]
    fn run_id_accepts_any_text() {
        for text in ["", "00000000-0000-0000-000000000000", "plate 4.B/é"] {
            assert_eq!(RunId::from(text).as_str(), text);
            assert_eq!(text.parse::<RunId>().unwrap(), RunId::from(text.to_owned()));
            assert_eq!(String::from(RunId::from(text)), text);
        }
    }

    #[test]
    fn message_id_converts_from_all_kinds_of_text() {
        let id = MessageId::new("m1").unwrap();
        assert_eq!("m1".parse(), Ok(id.clone()));
        assert_eq!(MessageId::try_from("m1"), Ok(id.clone()));
        assert_eq!(MessageId::try_from("m1".to_owned()), Ok(id.clone()));
        assert_eq!(MessageId::try_from(String::new()), Err(IdError::Empty));
        let seen = std::collections::BTreeSet::from([id]);
        assert!(seen.contains("m1"), "borrows as text");
    }
}
