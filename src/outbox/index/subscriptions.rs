//! Finds the endpoints that may want a message: [`SubscriptionIndex`].

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::endpoint::{Subscription, Term};
use crate::message::Message;
use crate::outbox::slab::{EndpointNo, Number};

/// The endpoints by what they subscribe to, so that a message is compared with the subscriptions
/// that ask for something it has, and not with all.
///
/// It has hashes of the terms, keyed with the outbox's seed: two that are equal by chance make one
/// comparison more.
#[derive(Clone, Debug)]
pub(in crate::outbox) struct SubscriptionIndex {
    seed: u64,
    by_term: BTreeSet<(u64, EndpointNo)>,
    /// Those whose subscription has no terms.
    broad: BTreeSet<EndpointNo>,
}

impl SubscriptionIndex {
    pub(in crate::outbox) const fn new(seed: u64) -> Self {
        Self { seed, by_term: BTreeSet::new(), broad: BTreeSet::new() }
    }

    fn hash(&self, term: Term<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        term.hash(&mut hasher);
        hasher.finish()
    }

    pub(in crate::outbox) fn insert(&mut self, endpoint: EndpointNo, subscription: &Subscription) {
        match subscription.terms() {
            Some(terms) => {
                for term in terms {
                    self.by_term.insert((self.hash(term), endpoint));
                }
            }
            None => _ = self.broad.insert(endpoint),
        }
    }

    pub(in crate::outbox) fn remove(&mut self, endpoint: EndpointNo, subscription: &Subscription) {
        match subscription.terms() {
            Some(terms) => {
                for term in terms {
                    self.by_term.remove(&(self.hash(term), endpoint));
                }
            }
            None => _ = self.broad.remove(&endpoint),
        }
    }

    /// Returns every endpoint whose subscription selects the message, and some whose does not.
    pub(in crate::outbox) fn candidates(&self, message: &Message) -> BTreeSet<EndpointNo> {
        let mut candidates = self.broad.clone();
        for term in Term::of(message) {
            let hash = self.hash(term);
            let first = (hash, EndpointNo::from_index(0));
            let found = self.by_term.range(first..).take_while(|(it, _)| *it == hash);
            candidates.extend(found.map(|(_, endpoint)| *endpoint));
        }
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::id::{MessageId, RunId};
    use crate::lab::{RunState, RunStateChanged};
    use crate::time::Timestamp;

    #[test]
    fn message_is_compared_with_what_asks_for_it() {
        let mut index = SubscriptionIndex::new(7);
        let [all, one, two] = [1, 2, 3].map(EndpointNo::from_index);
        let of_run = |id| Subscription::all().runs([RunId::from(id)]);
        index.insert(all, &Subscription::all());
        index.insert(one, &of_run("r1"));
        index.insert(two, &of_run("r2"));
        let event = RunStateChanged::new("r1", RunState::Started);
        let event = Event::new(event, Timestamp::from_unix_seconds(0));
        let message = event.into_message(MessageId::new("m1").unwrap()).unwrap();
        assert_eq!(index.candidates(&message), BTreeSet::from([all, one]));
        index.remove(one, &of_run("r1"));
        assert_eq!(index.candidates(&message), BTreeSet::from([all]));
        index.remove(all, &Subscription::all());
        assert_eq!(index.candidates(&message), BTreeSet::new());
    }
}
