//! The sending side: the loop around an [`Outbox`] that a scheduler runs.
//!
//! The outbox lives in one task and does nothing by itself. [`Sender::run`] asks it what to do,
//! does it, and tells it what came of it:
//!
//! ```text
//!            publish                poll                       resolve
//!  the day ----------> Outbox -----------------> Save: SQLite    ^
//!                             \----------------> Send: a task ---/
//!                              \---------------> Wait: sleep, or move the clock
//! ```
//!
//! What the outbox asks of its host besides is in [`client`] and [`exchange`]: the client follows
//! no redirects and makes no retries of its own, and gives up at the attempt's deadline.

use std::time::Duration;

use anyhow::Context as _;
use labhook::delivery::{Failure, Outcome};
use labhook::outbox::Changes;
use labhook::{Attempt, Endpoint, Message, Notice, Outbox, Step, Ticket, Timestamp};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::partners::{self, WAREHOUSE};
use crate::report::Ledger;
use crate::screen::Screen;
use crate::store::Store;

/// What all jitter comes from. A scheduler rolls it once and keeps it with its configuration.
const SEED: u64 = 20_260_302;

/// For how long an ended delivery stays in the records: the report reads them, and publishing the
/// day again must find them.
const RETAIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How many saves may fail in a row.
const SAVES: u32 = 10;

/// Everything of the sender that is in memory. Dropping it is a crash: what is in flight is broken
/// off, and nothing is left but the file.
pub struct Sender<'a> {
    outbox: Outbox,
    store: Store,
    client: reqwest::Client,
    clock: Clock,
    screen: Screen,
    urls: &'a [String],
    day: &'a [Message],
    /// How many of the day's messages were published since the start.
    published: usize,
    /// How many of these the outbox knew already.
    known: usize,
    in_flight: JoinSet<Answer>,
    rotation_stage: usize,
    failed_saves: u32,
}

/// What came of an attempt.
struct Answer {
    ticket: Ticket,
    outcome: Outcome,
    took: Duration,
}

/// Why a sender has stopped.
pub enum Stopped {
    /// The day is over, and every delivery has ended.
    Done,
    /// Half of the day is published, something waits to be saved and requests are in flight: this
    /// is where it is to crash.
    HalfWay,
    /// Somebody pressed Ctrl-C. Everything is saved; so many deliveries are pending.
    Interrupted { pending: usize },
}

impl<'a> Sender<'a> {
    /// Takes up what is in the store, which is nothing at first.
    pub fn restore(
        store: Store,
        clock: &Clock,
        screen: &Screen,
        urls: &'a [String],
        day: &'a [Message],
    ) -> anyhow::Result<Self> {
        let now = clock.now();
        let registry = partners::registry(urls, now)?;
        let outbox =
            Outbox::new(registry, SEED).with_retention(RETAIN).restore(store.load()?, now)?;
        Ok(Self {
            outbox,
            store,
            client: client()?,
            clock: clock.clone(),
            screen: screen.clone(),
            urls,
            day,
            published: 0,
            known: 0,
            in_flight: JoinSet::new(),
            rotation_stage: partners::rotation_stage(now),
            failed_saves: 0,
        })
    }

    /// Sends until the day is done.
    pub async fn run(
        &mut self,
        ledger: &mut Ledger,
        ctrl_c: &mut JoinHandle<()>,
        crash_half_way: bool,
    ) -> anyhow::Result<Stopped> {
        let mut stopping = false;
        loop {
            let now = self.clock.now();
            self.screen.progress(now, self.published, self.outbox.pending());
            if !stopping && ctrl_c.is_finished() {
                self.hold(now)?;
                stopping = true;
            }
            if !stopping {
                self.rotate(now)?;
                self.publish_next(ledger, now)?;
            }

            let until = match self.outbox.poll(now) {
                // These changes are gone, and so is the answer to every request in flight.
                Step::Save(_) if crash_half_way && self.is_bad_moment() => {
                    return Ok(Stopped::HalfWay);
                }
                Step::Save(changes) => {
                    self.save(&changes).await?;
                    continue;
                }
                Step::Send(attempt) => {
                    self.in_flight.spawn(send(self.client.clone(), self.clock.clone(), attempt));
                    continue;
                }
                Step::Notify(notice) => {
                    self.tell(&notice, now);
                    continue;
                }
                Step::Wait(until) => Some(until),
                Step::Idle => None,
            };

            // All is saved and sent. What comes next is an answer, a delivery that falls due, or
            // an event of the day.
            let upcoming = self.day.get(self.published).filter(|_| !stopping);
            let next = until.into_iter().chain(upcoming.map(Message::timestamp)).min();
            if !self.in_flight.is_empty() {
                let real = next.map_or(Duration::MAX, |next| next.saturating_since(now));
                tokio::select! {
                    Some(answer) = self.in_flight.join_next() => self.resolve(answer?, ledger),
                    () = sleep(real) => {}
                    _ = &mut *ctrl_c, if !stopping => {}
                }
            } else if stopping {
                return Ok(Stopped::Interrupted { pending: self.outbox.pending() });
            } else if upcoming.is_none() && self.outbox.pending() == 0 {
                return Ok(Stopped::Done);
            } else {
                // Nothing is going on, so nobody notices.
                self.clock.jump_to(next.context("deliveries are pending, and none falls due")?);
            }
        }
    }

    /// Publishes the next event of the day, if it has happened.
    ///
    /// A sender that was restored begins with the first one again: it cannot know which of them
    /// the file has, and need not, for the outbox knows.
    fn publish_next(&mut self, ledger: &mut Ledger, now: Timestamp) -> anyhow::Result<()> {
        let next = self.day.get(self.published);
        let Some(message) = next.filter(|message| message.timestamp() <= now) else {
            return Ok(());
        };
        let published = self.outbox.publish(message.clone(), now)?;
        ledger.accepted(message, &published.endpoints);
        if !published.duplicate && self.known > 0 && self.known == self.published {
            let text = "events once more, which its restored outbox knew";
            self.screen.note(now, format_args!("scheduler: has published {} {text}", self.known));
        }
        self.published += 1;
        self.known += usize::from(published.duplicate);
        Ok(())
    }

    /// Whether a crash would hurt.
    fn is_bad_moment(&self) -> bool {
        self.published >= self.day.len() / 2 && self.in_flight.len() >= 3
    }

    /// Writes the changes and says so to the outbox, which sends what they guard only then.
    async fn save(&mut self, changes: &Changes) -> anyhow::Result<()> {
        match self.store.save(changes, self.clock.now()) {
            Ok(()) => {
                self.outbox.saved(changes.revision());
                self.failed_saves = 0;
                Ok(())
            }
            Err(error) => {
                // They come again with the next save, so a full disk loses nothing either.
                self.outbox.unsaved(changes.revision());
                self.failed_saves += 1;
                anyhow::ensure!(self.failed_saves < SAVES, error.context("cannot save"));
                sleep(Duration::from_millis(100)).await;
                Ok(())
            }
        }
    }

    /// Hands in what came of an attempt.
    fn resolve(&mut self, answer: Answer, ledger: &mut Ledger) {
        ledger.took(answer.ticket.endpoint(), answer.took);
        self.outbox.resolve(&answer.ticket, &answer.outcome, self.clock.now());
    }

    fn tell(&self, notice: &Notice, now: Timestamp) {
        let text = match notice {
            Notice::EndpointDegraded { endpoint, .. } => {
                format!(
                    "{endpoint} fails too often: what is for it waits, and a probe goes at a time"
                )
            }
            Notice::EndpointSuspended { endpoint, .. } => {
                format!("{endpoint} is still not back, and suspended")
            }
            Notice::EndpointRecovered { endpoint, .. } => format!("{endpoint} is back"),
            Notice::EndpointDisabled { endpoint, .. } => {
                format!("{endpoint} wants no more and is disabled")
            }
            _ => return,
        };
        self.screen.note(now, format!("scheduler: {text}"));
    }

    /// Goes on to the next stage of the warehouse's rotation when its time has come. Deliveries
    /// that are pending are signed anew with each attempt, so they follow.
    fn rotate(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let stage = partners::rotation_stage(now);
        if stage != self.rotation_stage {
            self.rotation_stage = stage;
            for (partner, url) in partners::ALL.into_iter().zip(self.urls) {
                if partner == WAREHOUSE {
                    self.outbox.replace_endpoint(partners::endpoint(partner, url, now)?, now)?;
                }
            }
            let with = if stage == 1 { "both secrets" } else { "its new secret alone" };
            let text = format!("scheduler: signs for {WAREHOUSE} with {with}");
            self.screen.note(now, text);
        }
        Ok(())
    }

    /// Starts no more attempts: an endpoint that is not in use holds what it has pending.
    fn hold(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let endpoints = self.outbox.registry().iter();
        let held: Vec<_> = endpoints.map(|it| Endpoint::clone(it).with_enabled(false)).collect();
        for endpoint in held {
            self.outbox.replace_endpoint(endpoint, now)?;
        }
        Ok(())
    }

    /// How many of the day's messages were published since the start.
    pub const fn published(&self) -> usize {
        self.published
    }

    /// How many attempts are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }
}

/// The HTTP client as an outbox wants it.
fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()?)
}

/// Makes one attempt, outside the outbox's task.
async fn send(client: reqwest::Client, clock: Clock, attempt: Attempt) -> Answer {
    let start = clock.now();
    let outcome = match exchange(&client, &clock, &attempt).await {
        Ok(outcome) => outcome,
        Err(failure) => Outcome::failed(failure),
    };
    let took = clock.now().saturating_since(start);
    Answer { ticket: attempt.ticket().clone(), outcome, took }
}

/// One request and its answer. A failure says whether the receiver may have the message.
async fn exchange(
    client: &reqwest::Client,
    clock: &Clock,
    attempt: &Attempt,
) -> Result<Outcome, Failure> {
    let now = clock.now();
    let request = attempt.request(now).map_err(|_| Failure::Sender)?;
    let mut request = reqwest::Request::try_from(request).map_err(|_| Failure::Sender)?;
    *request.timeout_mut() = Some(attempt.timeout(now));
    let answer = client.execute(request).await.map_err(|error| match error {
        error if error.is_connect() => Failure::Connect,
        error if error.is_timeout() => Failure::Timeout,
        _ => Failure::Broken,
    })?;
    Ok(Outcome::response(answer.status(), answer.headers(), clock.now()))
}
