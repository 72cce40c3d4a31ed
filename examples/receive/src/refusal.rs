//! Why an event is not handled now, and what the sender is told: [`ReceiveError`].

use std::io;
use std::time::Duration;

use labhook::decode::DecodeError;
use labhook::{Reply, VerifyError};

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// A stranger can provoke it; it costs no more than one MAC, and nothing was decoded.
    #[error(transparent)]
    NotGenuine(#[from] VerifyError),
    #[error("it was handled before")]
    Seen,
    #[error("somebody is at it, or there is no room for it")]
    Busy { wait: Duration },
    #[error(transparent)]
    Malformed(DecodeError),
    #[error("it could not be handled: {0}")]
    Failed(#[from] io::Error),
}

impl ReceiveError {
    /// Logs the reason, which is nobody else's business, and chooses the answer.
    pub fn reply(self) -> Reply {
        eprintln!("  {}: {self}", self.name());
        match self {
            Self::NotGenuine(_) => Reply::Refused,
            // The first answer was lost on its way, or the sender could not wait for it.
            Self::Seen => Reply::Accepted,
            Self::Busy { wait } => Reply::RetryAfter(wait),
            Self::Malformed(_) => Reply::AbortMessage,
            Self::Failed(_) => Reply::RetryAfter(Duration::from_secs(30)),
        }
    }

    /// The label for a log or a metric.
    fn name(&self) -> &'static str {
        match self {
            Self::NotGenuine(error) => error.name(),
            Self::Seen => "seen",
            Self::Busy { .. } => "busy",
            Self::Malformed(_) => "malformed",
            Self::Failed(_) => "failed",
        }
    }
}
