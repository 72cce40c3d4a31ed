//! Decisions of your application about a delivery: end, resend, replay.

use super::{Delivery, Replayed, State, Verdict};
use crate::time::Timestamp;

impl Delivery {
    /// Ends the delivery with this verdict, for example [`Verdict::Cancelled`] because its endpoint
    /// was removed, or [`Verdict::Unconfirmed`] to give up an attempt in doubt. An attempt in
    /// flight is abandoned and counts as unanswered.
    ///
    /// Returns `false`, and changes nothing, if the delivery has ended already.
    #[doc(alias("cancel", "abort", "give up"))]
    pub fn end(&mut self, verdict: Verdict, now: Timestamp) -> bool {
        if self.verdict().is_some() {
            return false;
        }
        self.abandon();
        self.state = State::Ended { verdict, at: now };
        true
    }

    /// Resends a message that is [in doubt](Self::in_doubt), although the receiver may have it: the
    /// next attempt is due at once.
    ///
    /// It is a retry like any other. If the policy permits no more attempts, the next
    /// [`poll`](Self::poll) ends the delivery as [`Verdict::Exhausted`]; if the retry window or the
    /// message's lifetime is over, as [`Verdict::Expired`]. To restart the schedule and the window,
    /// [replay](Self::replay) it instead.
    ///
    /// Returns `false`, and changes nothing, if the delivery is not in doubt.
    pub fn resend(&mut self, now: Timestamp) -> bool {
        if self.in_doubt().is_none() {
            return false;
        }
        self.state = State::Waiting { due: now };
        true
    }

    /// Redelivers: reopens a delivery that has ended, such as a dead letter, or replaces the retry
    /// that a pending one waits for. The next attempt is due at `due`.
    ///
    /// Attempt numbers keep rising, so no two attempts share one. The policy's schedule, attempt
    /// limit and window restart, the window at `due`; the message's lifetime does not. Attempts
    /// that ended without a response still count in [`unanswered`](Self::unanswered), and a late
    /// success of one still ends the delivery. A delivery in doubt can be replayed, since a replay
    /// is your application's decision. An earlier `Retry-After` no longer applies.
    ///
    /// [`attempts`](Self::attempts) and [`replays`](Self::replays) together change whenever the
    /// delivery is tried or replayed. If you plan many replays, keep both with each, and skip the
    /// deliveries that have changed since.
    ///
    /// Returns `false`, and changes nothing, if an attempt is in flight, or if the message's
    /// lifetime ends at or before `due`.
    ///
    /// ```
    /// use labhook::{EndpointId, MessageId, RetryPolicy, Timestamp, Verdict};
    /// use labhook::delivery::{Delivery, JitterSeed, Progress};
    ///
    /// let (message, endpoint) = (MessageId::new("msg_1")?, EndpointId::new("eln")?);
    /// let (policy, seed) = (RetryPolicy::none(), JitterSeed::new(7, &message, &endpoint));
    /// let (noon, later) = (Timestamp::from_unix_seconds(0), Timestamp::from_unix_seconds(60));
    ///
    /// let mut delivery = Delivery::new(noon);
    /// delivery.end(Verdict::Cancelled, noon);
    /// assert!(delivery.replay(later));
    /// assert_eq!(delivery.poll(&policy, seed, noon), Progress::Wait { until: later });
    /// assert_eq!(delivery.poll(&policy, seed, later), Progress::Due);
    /// # Ok::<(), labhook::id::IdError>(())
    /// ```
    #[doc(alias("redeliver", "redelivery", "dead letter", "DLQ"))]
    pub fn replay(&mut self, due: Timestamp) -> bool {
        let too_late = self.expires_at.is_some_and(|expires_at| due >= expires_at);
        if too_late || self.in_flight().is_some() {
            return false;
        }
        let times = self.replays().saturating_add(1);
        self.replayed = Some(Replayed { times, after: self.attempts, due });
        self.state = State::Waiting { due };
        true
    }

    /// Stops awaiting the attempt in flight. It counts as unanswered: the receiver may have the
    /// message, and after a replay its response can still arrive.
    pub(super) fn abandon(&mut self) {
        if self.in_flight().is_some() {
            self.count_unanswered();
        }
    }
}
