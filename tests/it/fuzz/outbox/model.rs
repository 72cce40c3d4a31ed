//! What the documentation of the outbox promises of each delivery: [`Model`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Resolution};
use labhook::outbox::{Change, Changes, Published, Record, Revision};
use labhook::{EndpointId, MessageId, Ticket, Verdict};

pub(super) type Pair = (MessageId, EndpointId);

pub(super) fn pair_of(ticket: &Ticket) -> Pair {
    (ticket.message().clone(), ticket.endpoint().clone())
}

/// Whether an attempt ended with a response that the outbox counted, or surely never arrived.
#[derive(Clone, Copy, PartialEq)]
enum Answered {
    No,
    /// It did, and a crash can undo that.
    NotSaved,
    Yes,
    /// It did, and then came a crash: the store may have it or not.
    Perhaps,
}

/// An attempt that was handed out.
struct Sent {
    /// In real time: when its timeout is over.
    until: Duration,
    answered: Answered,
    /// Whether it does not count as in flight: it is over, the clock has leapt, or its delivery has
    /// ended.
    excused: bool,
    accepted: bool,
}

/// What the host and the receivers did with a delivery.
#[derive(Default)]
struct Known {
    sent: BTreeMap<u32, Sent>,
    verdict: Option<Verdict>,
    /// The verdict when everything was last saved, unless it may have changed since.
    durable_verdict: Option<Verdict>,
    /// As the outbox last reported it.
    unanswered: u32,
    guarantee: DeliveryGuarantee,
    replays: u32,
    resends: u32,
    successes: u32,
    /// What somebody did that explains a verdict.
    withdrawn: bool,
    cancelled: bool,
    refused: BTreeSet<Verdict>,
}

/// A message that was published and not taken back.
struct Accepted {
    /// What makes it durable; `None` if it was in a store before its save was confirmed.
    revision: Option<Revision>,
    /// Whether a save that has it was confirmed.
    durable: bool,
    endpoints: Vec<EndpointId>,
}

/// The deliveries by what is known of them from outside.
#[derive(Default)]
pub(super) struct Model {
    deliveries: BTreeMap<Pair, Known>,
    messages: BTreeMap<MessageId, Accepted>,
    /// In the order in which they were accepted.
    order: Vec<MessageId>,
    /// Starts whose save is confirmed.
    confirmed_starts: BTreeSet<(Pair, u32)>,
    /// Messages that were accepted again after they had been forgotten: an earlier one of that id
    /// may be in a store, in a ticket or in a notice.
    muddled: BTreeSet<MessageId>,
    /// Messages that were lost before they were durable, of which something may be in the store.
    perhaps_stored: BTreeSet<MessageId>,
    /// Whether there was a crash, which may count attempts that were never handed out.
    has_crashed: bool,
}

impl Model {
    pub(super) fn published(&mut self, id: &MessageId, published: Published) {
        self.perhaps_stored.remove(id);
        // It may have gone to no endpoint, and have no deliveries.
        if self.messages.contains_key(id) {
            self.muddled.insert(id.clone());
            self.deliveries.retain(|(known, _), _| known != id);
        }
        let Published { endpoints, revision, .. } = published;
        for endpoint in &endpoints {
            self.deliveries.entry((id.clone(), endpoint.clone())).or_default();
        }
        self.order.retain(|known| known != id);
        self.order.push(id.clone());
        let revision = Some(revision);
        self.messages.insert(id.clone(), Accepted { revision, durable: false, endpoints });
    }

    /// Whether publishing it again must be a duplicate: one of its deliveries has not ended.
    pub(super) fn must_know(&self, id: &MessageId) -> bool {
        self.messages.get(id).is_some_and(|it| {
            it.endpoints
                .iter()
                .any(|endpoint| self.deliveries[&(id.clone(), endpoint.clone())].verdict.is_none())
        })
    }

    /// Whether it was never published, or taken back.
    pub(super) fn is_new(&self, id: &MessageId) -> bool {
        let is_known = self.messages.contains_key(id) || self.perhaps_stored.contains(id);
        !is_known && !self.muddled.contains(id)
    }

    pub(super) fn is_durable(&self, id: &MessageId) -> bool {
        self.messages.get(id).is_some_and(|it| it.durable)
    }

    pub(super) fn unpublished(&mut self, id: &MessageId) {
        for ((message, endpoint), known) in &self.deliveries {
            assert!(message != id || known.sent.is_empty(), "{id}>{endpoint} was sent");
        }
        self.forget(id);
    }

    fn forget(&mut self, id: &MessageId) {
        self.messages.remove(id);
        self.order.retain(|known| known != id);
        self.deliveries.retain(|(known, _), _| known != id);
    }

    pub(super) fn confirmed(&mut self, changes: &Changes) {
        for it in self.messages.values_mut() {
            it.durable |= it.revision.is_some_and(|revision| revision <= changes.revision());
        }
        for change in changes.iter() {
            if let Change::Put(Record::Delivery(record)) = change
                && let Some(started) = record.delivery().in_flight()
            {
                let pair = (record.message().clone(), record.endpoint().clone());
                self.confirmed_starts.insert((pair, started.number));
            }
        }
    }

    /// Everything is saved.
    pub(super) fn all_saved(&mut self) {
        self.messages.values_mut().for_each(|it| it.durable = true);
        for known in self.deliveries.values_mut() {
            known.durable_verdict = known.verdict;
            for sent in known.sent.values_mut() {
                if sent.answered == Answered::NotSaved {
                    sent.answered = Answered::Yes;
                }
            }
        }
    }

    /// An attempt is handed out.
    pub(super) fn sent(
        &mut self,
        ticket: &Ticket,
        now: Duration,
        timeout: Duration,
        guarantee: DeliveryGuarantee,
    ) {
        let (pair, number) = (pair_of(ticket), ticket.attempt());
        assert!(
            self.confirmed_starts.contains(&(pair.clone(), number)),
            "{pair:?} was sent before its save was confirmed"
        );
        let is_muddled = self.muddled.contains(&pair.0);
        let known = self.deliveries.get_mut(&pair).expect("only what was published is sent");
        assert!(is_muddled || known.verdict.is_none(), "{pair:?} was {:?}", known.verdict);
        if let Some((last, _)) = known.sent.last_key_value() {
            assert!(is_muddled || number > *last, "the numbers of {pair:?} rise");
        }
        for (earlier, sent) in &known.sent {
            let is_open = sent.answered == Answered::No;
            let is_live = is_open && !sent.excused && sent.until > now;
            assert!(is_muddled || !is_live, "{pair:?}: attempt {earlier} is live at {number}");
            let unanswered = is_open && known.replays + known.resends == 0;
            assert!(
                is_muddled || guarantee == DeliveryGuarantee::AtLeastOnce || !unanswered,
                "{pair:?} is in doubt after attempt {earlier}"
            );
        }
        let (until, answered) = (now + timeout, Answered::No);
        known.sent.insert(number, Sent { until, answered, excused: false, accepted: false });
    }

    /// The messages that were accepted for the endpoint before this one.
    pub(super) fn before<'a>(
        &'a self,
        (message, endpoint): &'a Pair,
    ) -> impl Iterator<Item = &'a MessageId> {
        let before = self.order.iter().take_while(move |id| *id != message);
        before.filter(move |id| self.messages[*id].endpoints.contains(endpoint))
    }

    pub(super) fn is_muddled(&self, id: &MessageId) -> bool {
        self.muddled.contains(id)
    }

    /// The receiver took the request of an attempt.
    pub(super) fn accepted_by_receiver(&mut self, ticket: &Ticket) {
        if let Some(sent) = self.attempt_mut(ticket) {
            sent.accepted = true;
        }
    }

    fn attempt_mut(&mut self, ticket: &Ticket) -> Option<&mut Sent> {
        self.deliveries.get_mut(&pair_of(ticket))?.sent.get_mut(&ticket.attempt())
    }

    /// An outcome was reported. `is_certain` means that it says whether the receiver has it, and
    /// `explains` is the verdict that it can give.
    pub(super) fn resolved(
        &mut self,
        ticket: &Ticket,
        is_certain: bool,
        explains: Option<Verdict>,
        resolution: Resolution,
    ) {
        let pair = pair_of(ticket);
        let is_muddled = self.muddled.contains(&pair.0);
        let Some(known) = self.deliveries.get_mut(&pair) else { return };
        match explains {
            Some(Verdict::Delivered) => known.successes += 1,
            Some(verdict) => _ = known.refused.insert(verdict),
            None => {}
        }
        let is_ignored = matches!(resolution, Resolution::Ignored(_));
        let is_success = explains == Some(Verdict::Delivered);
        assert!(is_success || resolution != Resolution::LateSuccess);
        assert!(is_success || resolution != Resolution::Ended(Verdict::Delivered));
        let Some(sent) = known.sent.get_mut(&ticket.attempt()) else { return };
        assert!(
            is_muddled || is_ignored || matches!(sent.answered, Answered::No | Answered::Perhaps),
            "{pair:?}: attempt {} was answered twice",
            ticket.attempt()
        );
        // It is over, whether or not the receiver has it.
        sent.excused |= !is_ignored;
        if is_certain && !is_ignored {
            sent.answered = Answered::NotSaved;
        }
    }

    pub(super) fn withdrawn(&mut self, pair: &Pair) {
        if let Some(known) = self.deliveries.get_mut(pair)
            && known.verdict.is_none()
        {
            known.withdrawn = true;
        }
    }

    /// Its pending deliveries may be cancelled.
    pub(super) fn endpoint_ended(&mut self, endpoint: &EndpointId) {
        for ((_, to), known) in &mut self.deliveries {
            known.cancelled |= to == endpoint;
        }
    }

    pub(super) fn replayed(&mut self, pair: &Pair) {
        if let Some(known) = self.deliveries.get_mut(pair) {
            assert_ne!(known.verdict, Some(Verdict::Withdrawn), "{pair:?}");
            known.replays += 1;
            known.verdict = None;
            known.durable_verdict = None;
        }
    }

    pub(super) fn resent(&mut self, pair: &Pair) {
        if let Some(known) = self.deliveries.get_mut(pair) {
            known.resends += 1;
        }
    }

    pub(super) fn given_up(&mut self, pair: &Pair) {
        if let Some(known) = self.deliveries.get_mut(pair) {
            known.refused.insert(Verdict::Unconfirmed);
        }
    }

    /// The clock went ahead of real time.
    pub(super) fn clock_leapt(&mut self) {
        for known in self.deliveries.values_mut() {
            known.sent.values_mut().for_each(|sent| sent.excused = true);
        }
    }

    /// Compares with what the outbox has.
    pub(super) fn observe(
        &mut self,
        pair: &Pair,
        verdict: Option<Verdict>,
        unanswered: u32,
        guarantee: DeliveryGuarantee,
        expires: bool,
    ) {
        let is_muddled = self.muddled.contains(&pair.0);
        let known = self.deliveries.get_mut(pair).expect("only what was published is known");
        (known.unanswered, known.guarantee) = (unanswered, guarantee);
        let was_tried = self.has_crashed || !known.sent.is_empty();
        if let (Some(before), false) = (known.verdict, is_muddled) {
            let is_late_success = verdict == Some(Verdict::Delivered) && known.successes > 0;
            assert!(
                verdict == Some(before) || is_late_success,
                "{pair:?} was {before} and is {verdict:?}"
            );
        }
        known.verdict = verdict;
        let Some(verdict) = verdict else { return };
        known.sent.values_mut().for_each(|sent| sent.excused = true);
        let is_explained = match verdict {
            Verdict::Delivered => known.successes > 0,
            Verdict::Withdrawn => known.withdrawn,
            Verdict::Cancelled => known.cancelled,
            Verdict::Unconfirmed => {
                known.refused.contains(&verdict) || guarantee != DeliveryGuarantee::AtLeastOnce
            }
            Verdict::Rejected | Verdict::Gone | Verdict::Stopped => {
                known.refused.contains(&verdict)
            }
            Verdict::Exhausted => was_tried,
            Verdict::Expired => expires || was_tried,
            other => panic!("{other} is no verdict of today"),
        };
        assert!(is_muddled || is_explained, "{pair:?} is {verdict}");
    }

    /// What must be known to the outbox: what was accepted and has not ended.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Pair> {
        self.deliveries.iter().filter(|(_, known)| known.verdict.is_none()).map(|(pair, _)| pair)
    }

    /// Everything in memory is lost, and this was restored. A message whose save was confirmed is
    /// there, with its verdict if that was saved, or has been forgotten since it ended. Returns the
    /// messages that were lost before they were durable.
    pub(super) fn crashed(&mut self, found: &BTreeMap<Pair, Option<Verdict>>) -> Vec<MessageId> {
        self.has_crashed = true;
        self.messages.values_mut().for_each(|it| it.revision = None);
        let mut gone = BTreeSet::new();
        for (pair, known) in &mut self.deliveries {
            for sent in known.sent.values_mut() {
                if sent.answered == Answered::NotSaved {
                    sent.answered = Answered::Perhaps;
                }
            }
            let is_muddled = self.muddled.contains(&pair.0);
            let Some(verdict) = found.get(pair) else {
                let is_durable = self.messages.get(&pair.0).is_some_and(|it| it.durable);
                assert!(is_muddled || !is_durable || known.verdict.is_some(), "{pair:?} is lost");
                gone.insert((pair.0.clone(), is_durable));
                continue;
            };
            if let (Some(durable), false) = (known.durable_verdict, is_muddled) {
                let is_late = *verdict == Some(Verdict::Delivered) && known.successes > 0;
                assert!(*verdict == Some(durable) || is_late, "{pair:?} was {durable}");
            }
            // What was not saved is undone.
            known.withdrawn &= *verdict == Some(Verdict::Withdrawn);
            known.verdict = *verdict;
        }
        for (id, _) in &gone {
            self.forget(id);
            self.perhaps_stored.insert(id.clone());
        }
        // What an earlier or abandoned save has left.
        for (pair, verdict) in found {
            if !self.deliveries.contains_key(pair) {
                self.muddled.insert(pair.0.clone());
                let known = self.deliveries.entry(pair.clone()).or_default();
                known.verdict = *verdict;
                let accepted = self.messages.entry(pair.0.clone());
                let new = Accepted { revision: None, durable: false, endpoints: Vec::new() };
                let accepted = accepted.or_insert(new);
                accepted.endpoints.push(pair.1.clone());
            }
        }
        let lost = gone.into_iter().filter(|(_, is_durable)| !is_durable);
        lost.map(|(id, _)| id).collect()
    }

    /// At the end: everything has ended, and copies are bounded by the attempts without an answer.
    pub(super) fn finished(&self) {
        for (pair, known) in &self.deliveries {
            assert!(known.verdict.is_some(), "{pair:?} has not ended");
            if self.muddled.contains(&pair.0) {
                continue;
            }
            let count = |it: fn(&Sent) -> bool| known.sent.values().filter(|sent| it(sent)).count();
            let copies = count(|it| it.accepted).saturating_sub(1);
            let open = count(|it| matches!(it.answered, Answered::No | Answered::Perhaps));
            let replays = known.replays as usize;
            assert!(copies <= open + replays, "{pair:?}: {copies} copies, {open} unanswered");
            assert!(copies <= known.unanswered as usize + replays, "{pair:?}: {copies} copies");
            if known.guarantee != DeliveryGuarantee::AtLeastOnce {
                assert!(copies <= replays + known.resends as usize, "{pair:?}: {copies} copies");
            }
        }
    }
}
