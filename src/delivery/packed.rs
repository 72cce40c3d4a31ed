//! A delivery in a few bytes: [`Packed`].

use super::attempt_set::AttemptSet;
use super::{Delivery, Replayed, State, Verdict};
use crate::time::Timestamp;

/// A [`Delivery`] in parts, for a table of many: what every delivery has, and what few have.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) kind: Kind,
    /// The instant of the state: since when it is due, when it will be, when the attempt in flight
    /// started, since when it is in doubt, or when it ended.
    pub(crate) at: Timestamp,
    pub(crate) attempts: u32,
    /// The deadline of the attempt in flight.
    pub(crate) deadline: Option<Timestamp>,
    /// `None` if it is that of a new delivery of the same message.
    pub(crate) rest: Option<Rest>,
}

/// Kind of a delivery's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Due,
    Waiting,
    InFlight,
    InDoubt,
    Ended(Verdict),
}

/// What few deliveries have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    accepted_at: Timestamp,
    expires_at: Option<Timestamp>,
    unanswered: AttemptSet,
    forgotten: u32,
    replayed: Option<Replayed>,
}

impl Delivery {
    /// Takes the delivery apart. [`unpacked`](Self::unpacked) puts it together again, if `new` is
    /// the same.
    ///
    /// `new` is a delivery of the same message that was never tried.
    pub(crate) fn packed(self, new: &Self) -> Packed {
        let (kind, at, deadline) = match self.state {
            State::Due { since } => (Kind::Due, since, None),
            State::Waiting { due } => (Kind::Waiting, due, None),
            State::InFlight { at, deadline } => (Kind::InFlight, at, Some(deadline)),
            State::InDoubt { since } => (Kind::InDoubt, since, None),
            State::Ended { verdict, at } => (Kind::Ended(verdict), at, None),
        };
        let Self { accepted_at, attempts, unanswered, forgotten, expires_at, replayed, .. } = self;
        let is_new = unanswered.is_empty()
            && forgotten == 0
            && replayed.is_none()
            && (accepted_at, expires_at) == (new.accepted_at, new.expires_at);
        let rest =
            (!is_new).then_some(Rest { accepted_at, expires_at, unanswered, forgotten, replayed });
        Packed { kind, at, attempts, deadline, rest }
    }

    /// Puts a delivery together.
    pub(crate) fn unpacked(packed: Packed, new: &Self) -> Self {
        let Packed { kind, at, attempts, deadline, rest } = packed;
        let state = match kind {
            Kind::Due => State::Due { since: at },
            Kind::Waiting => State::Waiting { due: at },
            Kind::InFlight => State::InFlight { at, deadline: deadline.unwrap_or(at) },
            Kind::InDoubt => State::InDoubt { since: at },
            Kind::Ended(verdict) => State::Ended { verdict, at },
        };
        match rest {
            None => Self { attempts, state, ..new.clone() },
            Some(Rest { accepted_at, expires_at, unanswered, forgotten, replayed }) => {
                Self { accepted_at, attempts, unanswered, forgotten, expires_at, replayed, state }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacked_is_what_was_packed() {
        let at = Timestamp::from_unix_seconds;
        let new = Delivery::new(at(7)).with_expires_at(at(90));
        let states = [
            State::Due { since: at(8) },
            State::Waiting { due: at(9) },
            State::InFlight { at: at(10), deadline: at(20) },
            State::InDoubt { since: at(11) },
            State::Ended { verdict: Verdict::Gone, at: at(12) },
        ];
        let mut unanswered = AttemptSet::NONE;
        assert_eq!(unanswered.push(3), 0);
        let replayed = Some(Replayed { times: 1, after: 2, due: at(30) });
        for state in states {
            let plain = Delivery { attempts: 3, state, ..new.clone() };
            let all = [
                Delivery { unanswered: unanswered.clone(), ..plain.clone() },
                Delivery { forgotten: 1, ..plain.clone() },
                Delivery { replayed, ..plain.clone() },
                Delivery { accepted_at: at(6), ..plain.clone() },
                Delivery { expires_at: None, ..plain.clone() },
            ];
            let packed = plain.clone().packed(&new);
            assert_eq!(packed.rest, None);
            assert_eq!(Delivery::unpacked(packed, &new), plain);
            for one in all {
                let packed = one.clone().packed(&new);
                assert!(packed.rest.is_some());
                assert_eq!(Delivery::unpacked(packed, &new), one);
            }
        }
    }
}
