//! What the host decides about a delivery: to end it, to send it again, to replay it.

use super::{Delivery, Replayed, State, Verdict};
use crate::time::Timestamp;

impl Delivery {
    /// Ends the delivery on the host's decision: its endpoint was removed
    /// ([`Verdict::Cancelled`]), say, or what was in doubt is given up
    /// ([`Verdict::Unconfirmed`]). An attempt in flight is abandoned, and counts as unanswered.
    ///
    /// `false`, and nothing is changed, where it has ended already.
    pub fn end(&mut self, verdict: Verdict, now: Timestamp) -> bool {
        if self.verdict().is_some() {
            return false;
        }
        self.abandon();
        self.state = State::Ended { verdict, at: now };
        true
    }

    /// Decides that what stands [in doubt](Self::in_doubt) is sent again, although the receiver
    /// may have it: the next attempt is due at once.
    ///
    /// It is a retry like any other. Where the policy permits no more attempts, the next
    /// [`poll`](Self::poll) ends the delivery as [`Verdict::Exhausted`], and where the window or
    /// the message's lifetime is over, as [`Verdict::Expired`]; a [replay](Self::replay) starts
    /// the schedule and the window anew.
    ///
    /// `false`, and nothing is changed, where the delivery is not in doubt.
    pub fn resend(&mut self, now: Timestamp) -> bool {
        if self.in_doubt().is_none() {
            return false;
        }
        self.state = State::Waiting { due: now };
        true
    }

    /// Opens a delivery that has ended again, or supersedes what a pending one waits for: its next
    /// attempt is due at `due`, and nothing else is.
    ///
    /// Attempt numbers go on rising, so that no two attempts are ever confused. The policy's
    /// schedule, attempt limit and window start anew, the window at `due`; the message's lifetime
    /// stays. What ended without an answer still counts in [`unanswered`](Self::unanswered), and
    /// its late success still ends the delivery. A replay is the host's decision, so that one of a
    /// delivery in doubt is allowed, and no `Retry-After` from before it is heeded.
    ///
    /// [`attempts`](Self::attempts) and [`replays`](Self::replays) together say whether anything
    /// was replayed or tried since they were looked at: a host that plans many replays keeps both
    /// with each, and leaves out what has moved on.
    ///
    /// `false`, and nothing is changed, where an attempt is in flight, or where the message's
    /// lifetime will be over by `due`.
    ///
    /// ```
    /// use labhook::{EndpointId, MessageId, RetryPolicy, Timestamp, Verdict};
    /// use labhook::delivery::{Delivery, JitterSeed, Progress};
    ///
    /// let (message, endpoint) = (MessageId::new("msg_1")?, EndpointId::new("eln")?);
    /// let (policy, dice) = (RetryPolicy::none(), JitterSeed::new(7, &message, &endpoint));
    /// let (noon, later) = (Timestamp::from_unix_seconds(0), Timestamp::from_unix_seconds(60));
    ///
    /// let mut delivery = Delivery::new(noon);
    /// delivery.end(Verdict::Cancelled, noon);
    /// assert!(delivery.replay(later));
    /// assert_eq!(delivery.poll(&policy, dice, noon), Progress::Wait { until: later });
    /// assert_eq!(delivery.poll(&policy, dice, later), Progress::Due);
    /// # Ok::<(), labhook::id::IdError>(())
    /// ```
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

    /// An attempt in flight is awaited no more. The receiver may have got the message in it, and
    /// after a replay its answer can still come.
    pub(super) fn abandon(&mut self) {
        if self.in_flight().is_some() {
            self.count_unanswered();
        }
    }
}
