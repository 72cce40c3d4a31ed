//! Errors of receiving a request: [`ReceiveError`] and [`Refusal`].

use std::error::Error;
use std::fmt;

use super::body_error::BodyError;
use super::proof::Proof;
use crate::decode::Mismatch;
use crate::provider::DedupeKey;
use crate::receive::Reply;
use crate::signature::VerifyError;

/// An error in receiving a request: unknown sender, failed verification, or a genuine body that
/// could not be read.
///
/// No variant's text contains any part of the body.
///
/// ```
/// use labhook::Reply;
/// use labhook::receive::ReceiveError;
///
/// fn respond(error: ReceiveError<'_>) -> Reply {
///     eprintln!("rejected a webhook ({}): {error}", error.name());
///     if let ReceiveError::Unreadable(refusal) = &error {
///         // Genuine. Store it for later and accept it, or let the sender try again.
///         println!("{} bytes from {}", refusal.proof.body().len(), refusal.source);
///     }
///     error.reply()
/// }
/// assert_eq!(respond(ReceiveError::NoSource), Reply::Refused);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ReceiveError<'a> {
    /// No source has the given name, or the request has no signature or token for any source.
    NoSource,
    /// The request has a signature or token, and no source could verify it.
    NotGenuine {
        /// The names of the sources that were tried, each with its error.
        tried: Vec<(Box<str>, VerifyError)>,
    },
    /// The request has no signature or token, and no unsigned source recognizes its body.
    NotRecognized {
        /// The names of the unsigned sources that were tried, each with what does not match.
        tried: Vec<(Box<str>, Mismatch)>,
    },
    /// The request comes from the source, and its body could not be read.
    Unreadable(Box<Refusal<'a>>),
}

/// A genuine request whose body could not be read, with all that is needed to store it for later.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// The source's name.
    pub source: String,
    /// The proof of origin, with the body.
    pub proof: Proof<'a>,
    /// The idempotency key, as far as the request has one; often the digest of the body. `None`:
    /// see [`Received::dedupe_key`](super::Received::dedupe_key).
    pub dedupe_key: Option<DedupeKey>,
    /// Why the body could not be read.
    pub reason: BodyError,
}

impl fmt::Display for ReceiveError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSource => f.write_str("request matches no configured source"),
            Self::NotGenuine { .. } => {
                f.write_str("no source could verify the request's signature or token")
            }
            Self::NotRecognized { .. } => {
                f.write_str("request is unsigned, and no unsigned source recognizes its body")
            }
            Self::Unreadable(refusal) => {
                write!(f, "request from `{}` cannot be read", refusal.source)
            }
        }
    }
}

impl Error for ReceiveError<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable(refusal) => Some(&refusal.reason),
            Self::NoSource | Self::NotGenuine { .. } | Self::NotRecognized { .. } => None,
        }
    }
}

/// Lets `?` turn the error into its [`reply`](ReceiveError::reply). Log the error first: the
/// response does not contain the reason.
impl From<ReceiveError<'_>> for Reply {
    fn from(error: ReceiveError<'_>) -> Self {
        error.reply()
    }
}

impl ReceiveError<'_> {
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
            Self::NotRecognized { .. } => "not-recognized",
            Self::Unreadable(refusal) => refusal.reason.name(),
        }
    }

    /// Returns the response: [`Reply::Refused`] if the request is not genuine, and
    /// [`Reply::Retry`] if it is but cannot be read, so that a later version of the receiver gets
    /// it. Use [`Reply::AbortMessage`] if you have decided that it never will.
    #[must_use]
    pub const fn reply(&self) -> Reply {
        match self {
            Self::NoSource | Self::NotGenuine { .. } | Self::NotRecognized { .. } => Reply::Refused,
            Self::Unreadable(_) => Reply::Retry,
        }
    }
}
