//! Errors of the receiver, and their responses.

use labhook::decode::DecodeError;
use labhook::{Reply, VerifyError};

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Anybody can cause this. It costs at most one MAC, and nothing was decoded.
    #[error(transparent)]
    NotGenuine(#[from] VerifyError),
    #[error("it was handled before")]
    Seen,
    #[error(transparent)]
    Malformed(DecodeError),
    #[error("the event could not be stored: {0}")]
    Failed(#[from] rusqlite::Error),
}

impl ReceiveError {
    /// Logs the reason, which the sender must not learn, and chooses the response.
    pub fn reply(self) -> Reply {
        eprintln!("  {}: {self}", self.name());
        match self {
            Self::NotGenuine(_) => Reply::Refused,
            // The first response was lost, or the sender did not wait for it.
            Self::Seen => Reply::Accepted,
            // It is genuine: a later version of this receiver may be able to read it.
            Self::Malformed(_) | Self::Failed(_) => Reply::Retry,
        }
    }

    /// Returns the label for logs and metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::NotGenuine(error) => error.name(),
            Self::Seen => "seen",
            Self::Malformed(_) => "malformed",
            Self::Failed(_) => "failed",
        }
    }
}
