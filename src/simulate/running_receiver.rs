//! A receiver at run time: [`RunningReceiver`].

use std::time::Duration;

use http::StatusCode;

use super::receiver::{Behaviour, InProgress, Receiver, RunningLimiter, RunningQueue, is_success};
use crate::delivery::Outcome;
use crate::mix::mix;

/// A [`Receiver`] that handles requests: to test policies that are not labhook's against it.
///
/// Messages are numbered, and a repeat of a message has the same number. Requests must be given in
/// the order of their times.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use labhook::simulate::Receiver;
///
/// let receiver = Receiver::new().with_capacity(NonZeroU32::new(1).unwrap());
/// let mut running = receiver.start(0);
/// let at = Duration::from_secs(1);
/// assert!(running.handle(1, at).accepted);
/// assert!(!running.would_accept(2, at));
/// assert!(running.handle(2, at).refused);
/// assert!(running.handle(2, at * 2).accepted);
/// ```
#[derive(Clone, Debug)]
pub struct RunningReceiver {
    receiver: Receiver,
    seed: u64,
    /// The number of requests so far.
    requests: u64,
    limiters: Vec<RunningLimiter>,
    queue: RunningQueue,
    in_progress: InProgress,
}

/// Reaction of a [`RunningReceiver`] to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reaction {
    /// Whether the receiver has accepted the message, or accepts it when it gets to it.
    pub accepted: bool,
    /// Whether the capacity, a limiter or the queue refused the request.
    pub refused: bool,
    /// The latency and outcome of the response; `None` if there is none.
    pub response: Option<(Duration, Outcome)>,
}

impl Reaction {
    fn respond(latency: Duration, outcome: Outcome) -> Self {
        Self { accepted: is_success(&outcome), refused: false, response: Some((latency, outcome)) }
    }

    fn refuse(latency: Duration, outcome: Outcome) -> Self {
        Self { refused: true, ..Self::respond(latency, outcome) }
    }

    fn behave(latency: Duration, behaviour: &Behaviour) -> Self {
        match behaviour {
            Behaviour::Responds(outcome) => Self::respond(latency, outcome.clone()),
            Behaviour::Hangs | Behaviour::AcceptsSilently => {
                Self { accepted: behaviour.accepts(), refused: false, response: None }
            }
        }
    }
}

impl Receiver {
    /// Returns this receiver at the start of a simulation. The seed decides what happens by
    /// chance.
    #[must_use]
    pub fn start(&self, seed: u64) -> RunningReceiver {
        RunningReceiver {
            receiver: self.clone(),
            seed: mix(seed),
            requests: 0,
            limiters: self.limiters(),
            queue: RunningQueue::default(),
            in_progress: InProgress::default(),
        }
    }
}

impl RunningReceiver {
    /// Handles a request with this message that arrives at this time since the start.
    pub fn handle(&mut self, message: u64, at: Duration) -> Reaction {
        let Self { receiver, seed, requests, limiters, queue, in_progress } = self;
        let request = *requests;
        *requests = request.saturating_add(1);
        let latency = receiver.latency(at);
        if let Some((behaviour, _)) = receiver.outage(at) {
            return Reaction::behave(latency, behaviour);
        }
        if !limiters.is_empty() {
            let back_at = receiver.last_back_at(at);
            let refused_by = limiters.iter().position(|it| !it.accepts(at, back_at));
            for limiter in limiters.iter_mut() {
                match refused_by {
                    None => limiter.accept(at, back_at),
                    Some(_) => limiter.refuse(at, back_at),
                }
            }
            if let Some(limiter) = refused_by.and_then(|index| limiters.get(index)) {
                return Reaction::refuse(latency, limiter.refusal(at, back_at));
            }
        }
        if let Some(behaviour) = receiver.chance_failure(*seed, message, request, at) {
            return Reaction::behave(latency, behaviour);
        }
        let queued = match &receiver.queue {
            Some(spec) if queue.is_full(spec, at) => {
                return Reaction::refuse(latency, spec.full().clone());
            }
            Some(spec) => queue.push(spec, at),
            None => Duration::ZERO,
        };
        let latency = latency.saturating_add(queued);
        if let Some(behaviour) = receiver.poisoned(*seed, message) {
            return Reaction::behave(latency, behaviour);
        }
        let time = match &receiver.processing {
            Some(processing) => {
                if let Some(behaviour) = in_progress.repeat(processing, message, at) {
                    return Reaction::behave(latency, behaviour);
                }
                in_progress.start(processing, *seed, message, at)
            }
            None => Duration::ZERO,
        };
        Reaction::respond(latency.saturating_add(time), Outcome::bare(StatusCode::OK))
    }

    /// Returns whether [`handle`](Self::handle) would accept this message at this time, chance
    /// failures aside. It changes nothing.
    #[doc(alias = "oracle")]
    #[must_use]
    pub fn would_accept(&self, message: u64, at: Duration) -> bool {
        let Self { receiver, seed, limiters, queue, in_progress, .. } = self;
        if let Some((behaviour, _)) = receiver.outage(at) {
            return behaviour.accepts();
        }
        let back_at = receiver.last_back_at(at);
        if limiters.iter().any(|limiter| !limiter.accepts(at, back_at)) {
            return false;
        }
        if receiver.queue.as_ref().is_some_and(|spec| queue.is_full(spec, at)) {
            return false;
        }
        let processing = receiver.processing.as_ref();
        let behaviour = receiver
            .poisoned(*seed, message)
            .or_else(|| in_progress.repeat(processing?, message, at));
        behaviour.is_none_or(Behaviour::accepts)
    }

    /// Returns whether a message is [poisoned](super::Poison), so that no retry helps it.
    #[must_use]
    pub fn is_poisoned(&self, message: u64) -> bool {
        self.receiver.poisoned(self.seed, message).is_some()
    }

    /// Returns when the outage ends that is on at this time; `None` if there is none.
    #[must_use]
    pub fn down_until(&self, at: Duration) -> Option<Duration> {
        self.receiver.outage(at).map(|(_, until)| until)
    }

    /// Whether `would_accept` depends on the message.
    pub(super) const fn tells_messages_apart(&self) -> bool {
        self.receiver.tells_messages_apart()
    }
}
