//! Names that other systems gave: opaque, cheap to clone, one type for each kind of thing.
//!
//! An id is never parsed, only compared. The ids of messages and endpoints travel in headers and
//! in saved state, so they are checked; the ids of the laboratory's things are whatever text the
//! laboratory's systems use.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest [`MessageId`] or [`EndpointId`], in bytes.
const MAX_LEN: usize = 256;

/// The text is not usable as an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty.
    #[error("an id cannot be empty")]
    Empty,
    /// The text is longer than 256 bytes.
    #[error("an id cannot be longer than 256 bytes")]
    TooLong,
    /// The text holds a space, a control character or a character outside ASCII.
    #[error("an id is made of visible ASCII characters only")]
    NotVisibleAscii,
    /// A message id holds a full stop, which would move the boundary between the id and the
    /// timestamp in the signed bytes.
    #[error("a message id cannot hold a full stop")]
    FullStop,
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        Err(IdError::Empty)
    } else if text.len() > MAX_LEN {
        Err(IdError::TooLong)
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err(IdError::NotVisibleAscii)
    } else {
        Ok(())
    }
}

fn check_message(text: &str) -> Result<(), IdError> {
    check(text)?;
    if text.contains('.') { Err(IdError::FullStop) } else { Ok(()) }
}

macro_rules! common {
    ($name:ident) => {
        impl $name {
            /// The id as text.
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
            /// Takes the text as an id.
            ///
            /// # Errors
            ///
            /// [`IdError`] where the text is not usable as an id.
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

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
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

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

checked_id! {
    /// Names a message: the same over all its endpoints and attempts, and what a receiver
    /// deduplicates by.
    ///
    /// 1 to 256 visible ASCII characters without a full stop. The Standard Webhooks signature
    /// covers `{id}.{timestamp}.{body}`: a full stop in the id would let one signature stand for
    /// two different messages.
    ///
    /// ```
    /// use labhook::MessageId;
    /// use labhook::id::IdError;
    ///
    /// assert_eq!(MessageId::new("msg_run17_started")?.as_str(), "msg_run17_started");
    /// assert_eq!(MessageId::new("run17.started"), Err(IdError::FullStop));
    /// # Ok::<(), IdError>(())
    /// ```
    MessageId, check_message
}

checked_id! {
    /// Names an endpoint in saved state and in notices: 1 to 256 visible ASCII characters.
    ///
    /// The id outlives the endpoint's URL and secret, which never enter saved state.
    EndpointId, check
}

opaque_id! {
    /// Names a run: one execution of a workflow or protocol.
    RunId
}
opaque_id! {
    /// Names a project: the owner of runs.
    ProjectId
}
opaque_id! {
    /// Names an instruction: one step of a protocol as it was submitted.
    InstructionId
}
opaque_id! {
    /// Names a task: one unit of scheduled work in a run.
    TaskId
}
opaque_id! {
    /// Names a piece of labware: a plate, a tube rack, a lid.
    LabwareId
}
opaque_id! {
    /// Names a plan: one solution that a scheduler found for a workflow.
    PlanId
}
opaque_id! {
    /// Names a workcell: the robots, devices and transport that one scheduler drives.
    WorkcellId
}
opaque_id! {
    /// Names a workflow: the definition that runs execute.
    WorkflowId
}
opaque_id! {
    /// Names a dataset, as its owner and name or as an identifier.
    DatasetId
}
opaque_id! {
    /// Names a sample: one item of a dataset, or one specimen.
    SampleId
}

opaque_id! {
    /// Names an issue: a remark that somebody has to see to.
    IssueId
}
opaque_id! {
    /// Names a release: a frozen copy of a dataset.
    ReleaseId
}
opaque_id! {
    /// Names a resource of another system.
    ResourceId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_text() {
        let text = |id: &str| MessageId::new(id).unwrap_err().to_string();
        assert_eq!(text(""), "an id cannot be empty");
        assert_eq!(text(&"x".repeat(257)), "an id cannot be longer than 256 bytes");
        assert_eq!(text("a b"), "an id is made of visible ASCII characters only");
        assert_eq!(text("a\nb"), "an id is made of visible ASCII characters only");
        assert_eq!(text("é"), "an id is made of visible ASCII characters only");
        assert_eq!(text("m.1"), "a message id cannot hold a full stop");
        assert!(MessageId::new("x".repeat(256)).is_ok());
        assert!(EndpointId::new("eln.lab").is_ok());
    }

    #[test]
    fn a_checked_id_is_checked_when_read() {
        let error = serde_json::from_str::<MessageId>(r#""m.1""#).unwrap_err();
        assert_eq!(error.to_string(), "a message id cannot hold a full stop");
    }

    #[test]
    fn an_opaque_id_is_any_text() {
        for text in ["", "00000000-0000-0000-000000000000", "plate 4.B/é"] {
            assert_eq!(RunId::from(text).as_str(), text);
        }
    }
}
