//! Why a request is not taken: [`ReceiveError`].

use crate::decode::DecodeError;
use crate::message::format::CloudEventHeaderError;
use crate::provider::MapError;
use crate::receive::Reply;
use crate::signature::VerifyError;

/// A request is not taken.
///
/// No variant's own text holds any part of the body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// There is no source of the name, or none that the request has a signature or token for.
    #[error("the request is of no known source")]
    NoSource,
    /// The sources that the request has a signature or token for do not vouch for it.
    #[error("the request has a signature or token that no source vouches for")]
    NotGenuine {
        /// The sources' names, and why not.
        tried: Vec<(Box<str>, VerifyError)>,
    },
    /// The body is not of the source's form.
    #[error("the request of {name} is malformed")]
    Malformed {
        /// The receiver's name for the sender.
        name: Box<str>,
        /// Where and why.
        source: DecodeError,
    },
    /// The `ce-*` headers are not those of a CloudEvent.
    #[error("the request of {name} has malformed headers")]
    CloudEventHeaders {
        /// The receiver's name for the sender.
        name: Box<str>,
        /// Which and why.
        source: CloudEventHeaderError,
    },
    /// The body is well-formed and no lab event.
    #[error("the request of {name} is no lab event")]
    MapError {
        /// The receiver's name for the sender.
        name: Box<str>,
        /// Why not.
        source: MapError,
    },
}

/// For the `?` of a function that returns what to answer: [`ReceiveError::reply`]. Log the refusal
/// first, it says why.
impl From<ReceiveError> for Reply {
    fn from(refusal: ReceiveError) -> Self {
        refusal.reply()
    }
}

impl ReceiveError {
    /// A short name for logs and metrics, that will not change: that of the [`VerifyError`] where
    /// the sources that were tried give one reason.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoSource => "no-source",
            Self::NotGenuine { tried } => {
                let mut names = tried.iter().map(|(_, error)| error.name());
                let first = names.next();
                first.filter(|first| names.all(|name| name == *first)).unwrap_or("not-genuine")
            }
            Self::Malformed { .. } => "malformed",
            Self::CloudEventHeaders { .. } => "malformed-headers",
            Self::MapError { .. } => "unmapped",
        }
    }

    /// What to answer: that the request is refused where nobody vouches for it, and that it is not
    /// to come again where it is somebody's and cannot be read. Senders that do not know that
    /// answer's header repeat it all the same: Strike stops at 410 and 501 only.
    #[must_use]
    pub const fn reply(&self) -> Reply {
        match self {
            Self::NoSource | Self::NotGenuine { .. } => Reply::Refused,
            Self::Malformed { .. } | Self::CloudEventHeaders { .. } | Self::MapError { .. } => {
                Reply::AbortMessage
            }
        }
    }
}
