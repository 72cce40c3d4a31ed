//! Errors of the receiver, and their responses.

use std::io;

use labhook::decode::DecodeError;
use labhook::{Reply, VerifyError};

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Anybody can cause this. It costs at most one MAC, and nothing was decoded.
    #[error(transparent)]
    NotGenuine(#[from] VerifyError),
    #[error("it was handled before")]
    Seen,
    #[error("{0:?}: the event is being handled already, or the inbox is full")]
    Busy(Reply),
    #[error(transparent)]
    Malformed(DecodeError),
    #[error("the event could not be handled: {0}")]
    Failed(#[from] io::Error),
}

impl ReceiveError {
    /// Logs the reason, which the sender must not learn, and chooses the response.
    pub fn reply(self) -> Reply {
        eprintln!("  {}: {self}", self.name());
        match self {
            Self::NotGenuine(_) => Reply::Refused,
            // The first response was lost, or the sender did not wait for it.
            Self::Seen => Reply::Accepted,
            Self::Busy(reply) => reply,
            // It is genuine: a later version of this receiver may be able to read it.
            Self::Malformed(_) | Self::Failed(_) => Reply::Retry,
        }
    }

    /// Returns the label for logs and metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::NotGenuine(error) => error.name(),
            Self::Seen => "seen",
            Self::Busy(_) => "busy",
            Self::Malformed(_) => "malformed",
            Self::Failed(_) => "failed",
        }
    }
}
