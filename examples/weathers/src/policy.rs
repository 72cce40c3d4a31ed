//! What decides when a peer sends: the trait [`Policy`], and the list of all policies.

use crate::engine::{Micros, World};
use crate::policies::{aimd, breaker, gradient, oracle, schedule, sre};

/// The concurrency of every peer that does not limit it by itself.
pub const IN_FLIGHT: usize = 256;

/// A sender's decision about one due message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Send it now.
    Send,
    /// Put this one off, and go on with the next.
    Later(Micros),
    /// Send nothing before this time.
    Until(Micros),
    /// Send nothing before an attempt ends.
    Busy,
}

/// A due message, and what a policy may know about the rest.
pub struct Due<'a> {
    pub message: u64,
    /// How often this message was put off since its last attempt.
    pub put_off: u8,
    pub in_flight: usize,
    /// The receiver, for the oracle. Peers must not look.
    pub world: &'a dyn World,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// 2xx.
    Taken,
    /// 429 or 503.
    Refused,
    /// Anything else, or nothing within the timeout.
    Failed,
}

/// A sender's policy for one receiver, beside the retry schedule.
pub trait Policy {
    /// Decides about the oldest due message.
    fn may_send(&mut self, now: Micros, due: &Due<'_>) -> Gate;
    /// An attempt was started.
    fn started(&mut self, now: Micros);
    /// An attempt ended, after this latency.
    fn ended(&mut self, now: Micros, latency: Micros, in_flight: usize, end: End);
}

/// The policies, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    Labhook,
    Schedule,
    Breaker,
    Sre,
    Aimd,
    Gradient,
    Oracle,
}

impl Name {
    pub const ALL: [Self; 7] = [
        Self::Labhook,
        Self::Schedule,
        Self::Breaker,
        Self::Sre,
        Self::Aimd,
        Self::Gradient,
        Self::Oracle,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Labhook => "labhook",
            Self::Schedule => "schedule",
            Self::Breaker => "breaker",
            Self::Sre => "sre",
            Self::Aimd => "aimd",
            Self::Gradient => "gradient",
            Self::Oracle => "oracle",
        }
    }

    /// Creates the policy; `None` for labhook, which runs in its own simulator.
    pub fn policy(self, seed: u64, oracle_in_flight: usize) -> Option<Box<dyn Policy>> {
        Some(match self {
            Self::Labhook => return None,
            Self::Schedule => Box::new(schedule::Schedule),
            Self::Breaker => Box::new(breaker::Breaker::new()),
            Self::Sre => Box::new(sre::Sre::new(seed)),
            Self::Aimd => Box::new(aimd::Aimd::new()),
            Self::Gradient => Box::new(gradient::Gradient::new()),
            Self::Oracle => Box::new(oracle::Oracle::new(oracle_in_flight)),
        })
    }
}

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|it| it.as_str() == name);
        known.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}
