//! Errors of receiving a request: [`ReceiveError`].

use crate::decode::DecodeError;
use crate::message::format::CloudEventHeaderError;
use crate::provider::MapError;
use crate::receive::Reply;
use crate::signature::VerifyError;

/// An error in receiving a request: unknown sender, failed verification, or an unusable body.
///
/// No variant's text contains any part of the body.
///
/// ```
/// use labhook::Reply;
/// use labhook::receive::ReceiveError;
///
/// fn respond(error: ReceiveError) -> Reply {
///     eprintln!("rejected a webhook ({}): {error}", error.name());
///     error.reply()
/// }
/// assert_eq!(respond(ReceiveError::NoSource), Reply::Refused);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// No source has the given name, or the request has no signature or token for any source.
    #[error("request matches no configured source")]
    NoSource,
    /// The request has a signature or token, and no source could verify it.
    #[error("no source could verify the request's signature or token")]
    NotGenuine {
        /// The names of the sources that were tried, each with its error.
        tried: Vec<(Box<str>, VerifyError)>,
    },
    /// The body does not have the source's format.
    #[error("request from `{name}` has a malformed body")]
    Malformed {
        /// The source's name.
        name: Box<str>,
        /// The position and cause.
        source: DecodeError,
    },
    /// The `ce-*` headers are not those of a CloudEvent.
    #[error("request from `{name}` has malformed CloudEvents headers")]
    CloudEventHeaders {
        /// The source's name.
        name: Box<str>,
        /// The header and cause.
        source: CloudEventHeaderError,
    },
    /// The body is well-formed but has no equivalent lab event.
    #[error("request from `{name}` cannot be mapped to a lab event")]
    MapError {
        /// The source's name.
        name: Box<str>,
        /// The cause.
        source: MapError,
    },
}

/// Lets `?` turn the error into its [`reply`](ReceiveError::reply). Log the error first: the
/// response does not contain the reason.
impl From<ReceiveError> for Reply {
    fn from(error: ReceiveError) -> Self {
        error.reply()
    }
}

impl ReceiveError {
    /// Returns a short, stable name for logs and metrics. If every source that was tried failed
    /// for the same reason, this is the name of that [`VerifyError`].
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

    /// Returns the response: [`Reply::Refused`] if no source verified the request, and
    /// [`Reply::AbortMessage`] if it was verified but cannot be read. Senders that do not know the
    /// header of the latter retry anyway: Strike stops only on 410 and 501.
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
