//! A host for tests: [`TestHost`].

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::Request;

use crate::delivery::{Failure, Outcome};
use crate::outbox::{Change, Notice, Outbox, Record, RestoreError, Step, Ticket};
use crate::time::Timestamp;

/// A host for your tests: storage in memory, a clock that jumps, and a receiver that is a closure.
///
/// ```
/// use http::StatusCode;
/// use labhook::simulate::TestHost;
/// # use labhook::lab::{RunState, RunStateChanged};
/// # use labhook::{Endpoint, EndpointId, Event, MessageId, Outbox, Registry, Signer};
/// use labhook::{Outcome, Timestamp, Verdict};
///
/// # fn outbox() -> Outbox {
/// #     let id = EndpointId::new("eln").unwrap();
/// #     let eln = Endpoint::new(id, "https://eln.example/in", Signer::unsigned()).unwrap();
/// #     let mut registry = Registry::new();
/// #     registry.insert(eln).unwrap();
/// #     Outbox::new(registry, 7)
/// # }
/// # let start = Timestamp::from_unix_seconds(1_744_882_200);
/// # let event = Event::new(RunStateChanged::new("run-17", RunState::Started), start);
/// # let message = event.into_message(MessageId::new("run-17-started")?)?;
/// let mut host = TestHost::new(outbox(), start);
/// host.outbox.publish(message, host.now)?;
/// let mut statuses = [StatusCode::BAD_GATEWAY, StatusCode::NO_CONTENT].into_iter();
/// let a_day_later = Timestamp::from_unix_seconds(start.unix_seconds() + 86_400);
/// let pending = host.run(a_day_later, |request, _now| {
///     assert_eq!(request.uri(), "https://eln.example/in");
///     Outcome::bare(statuses.next().expect("two attempts"))
/// });
/// assert_eq!(pending, 0);
/// assert_eq!(host.sent.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct TestHost {
    /// The outbox under test. Publish to it, and operate its endpoints.
    pub outbox: Outbox,
    /// The time of the clock. Set it as you like.
    pub now: Timestamp,
    /// What was saved, by key.
    pub records: BTreeMap<String, Record>,
    /// The attempts that were sent, with the time of each.
    pub sent: Vec<(Timestamp, Ticket)>,
    /// The notices so far.
    pub notices: Vec<Notice>,
    /// Timeouts that are to be reported, by deadline.
    hanging: VecDeque<(Timestamp, Ticket)>,
}

impl TestHost {
    /// Creates a host with empty storage, whose clock shows `now`.
    #[must_use]
    pub const fn new(outbox: Outbox, now: Timestamp) -> Self {
        Self {
            outbox,
            now,
            records: BTreeMap::new(),
            sent: Vec::new(),
            notices: Vec::new(),
            hanging: VecDeque::new(),
        }
    }

    /// Saves, sends and waits until no delivery is pending, or nothing more happens by itself, or
    /// the clock would pass `until`. Returns the number of deliveries that are pending then. The
    /// clock stops at the last thing that happened.
    ///
    /// `receiver` gets each request and the time, and answers at once, and a
    /// [timeout](Failure::Timeout) at the attempt's deadline. A request that cannot
    /// be built is reported as [`Failure::Sender`].
    pub fn run(
        &mut self,
        until: Timestamp,
        mut receiver: impl FnMut(&Request<Bytes>, Timestamp) -> Outcome,
    ) -> usize {
        loop {
            let wait = match self.outbox.poll(self.now) {
                Step::Save(changes) => {
                    let revision = changes.revision();
                    for change in changes {
                        match change {
                            Change::Put(record) => {
                                _ = self.records.insert(record.key().to_string(), record);
                            }
                            Change::Delete(key) => _ = self.records.remove(&key.to_string()),
                        }
                    }
                    self.outbox.saved(revision);
                    continue;
                }
                Step::Send(attempt) => {
                    self.sent.push((self.now, attempt.ticket().clone()));
                    let outcome = match attempt.request(self.now) {
                        Ok(request) => receiver(&request, self.now),
                        Err(_) => Outcome::failed(Failure::Sender),
                    };
                    if outcome == Outcome::failed(Failure::Timeout) {
                        self.hanging.push_back((attempt.deadline(), attempt.ticket().clone()));
                    } else {
                        self.outbox.resolve(attempt.ticket(), &outcome, self.now);
                    }
                    continue;
                }
                Step::Notify(notice) => {
                    self.notices.push(notice);
                    continue;
                }
                Step::Wait(at) => Some(at),
                Step::Idle => None,
            };
            let timeout = self.hanging.iter().map(|(deadline, _)| *deadline).min();
            let next = wait.into_iter().chain(timeout).min();
            let is_over = self.outbox.pending() == 0 && self.hanging.is_empty();
            match next {
                Some(next) if next <= until && !is_over => self.now = self.now.max(next),
                _ => return self.outbox.pending(),
            }
            self.report_timeouts();
        }
    }

    /// Crashes: all that was not saved is lost, and `fresh` goes on with the records. Create it as
    /// your application does at its start.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] if `fresh` is not new.
    pub fn restart(&mut self, fresh: Outbox) -> Result<(), RestoreError> {
        self.hanging.clear();
        self.outbox = fresh.restore(self.records.values().cloned(), self.now)?;
        Ok(())
    }

    fn report_timeouts(&mut self) {
        for (deadline, ticket) in std::mem::take(&mut self.hanging) {
            if deadline <= self.now {
                self.outbox.resolve(&ticket, &Outcome::failed(Failure::Timeout), self.now);
            } else {
                self.hanging.push_back((deadline, ticket));
            }
        }
    }
}
