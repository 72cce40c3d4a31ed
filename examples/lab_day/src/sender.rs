//! The sending side: the loop around an [`Outbox`] that a scheduler runs.
//!
//! The outbox lives in one task and does nothing by itself. [`Sender::run`] polls it for the next
//! step, executes the step, and reports the result:
//!
//! ```text
//!            publish                poll                       resolve
//!  the day ----------> Outbox -----------------> Save: SQLite    ^
//!                             \----------------> Send: a task ---/
//!                              \---------------> Wait: sleep, or move the clock
//! ```
//!
//! [`client`] and [`exchange`] fulfil the host's other duties: the client follows no redirects and
//! makes no retries of its own, and the attempt's deadline is its timeout.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
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

/// The seed of all jitter. A scheduler draws it once and keeps it in its configuration.
const SEED: u64 = 20_260_302;

/// How long the records of ended deliveries are retained: the report reads them, and they make the
/// events duplicates that are published again after the crash.
const RETAIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The number of saves that may fail in a row.
const MAX_FAILED_SAVES: u32 = 10;

/// All of the sender's memory. Dropping it simulates a crash: requests in flight are aborted, and
/// only the file is left.
pub struct Sender<'a> {
    outbox: Outbox,
    store: Store,
    /// The log of the outbox's inputs: a line of JSON for each.
    log: BufWriter<File>,
    client: reqwest::Client,
    clock: Clock,
    screen: Screen,
    urls: &'a [String],
    day: &'a [Message],
    /// The number of the day's messages that were published since the start.
    published: usize,
    /// The number of those that were duplicates.
    known: usize,
    in_flight: JoinSet<Response>,
    rotation_stage: usize,
    failed_saves: u32,
}

/// The result of an attempt.
struct Response {
    ticket: Ticket,
    outcome: Outcome,
    took: Duration,
}

/// Why a sender stopped.
pub enum Stopped {
    /// The day is over, and every delivery has ended.
    Done,
    /// It is to crash here: half of the day is published, changes are unsaved and requests are in
    /// flight.
    Crashed,
    /// Ctrl-C was pressed. Everything is saved, and `pending` deliveries have not ended.
    Interrupted { pending: usize },
}

impl<'a> Sender<'a> {
    /// Restores the outbox from the store, which is empty at first, and starts a new log of its
    /// inputs.
    pub fn restore(
        store: Store,
        log: &Path,
        clock: &Clock,
        screen: &Screen,
        urls: &'a [String],
        day: &'a [Message],
    ) -> anyhow::Result<Self> {
        let now = clock.now();
        let outbox = new_outbox(urls, now)?.with_input_log().restore(store.load()?, now)?;
        Ok(Self {
            outbox,
            store,
            log: BufWriter::new(File::create(log)?),
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

    /// Publishes and sends until the day is done.
    pub async fn run(
        &mut self,
        ledger: &mut Ledger,
        ctrl_c: &mut JoinHandle<()>,
        crash_halfway: bool,
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

            let step = self.outbox.poll(now);
            self.write_log()?;
            let until = match step {
                // These changes are lost, and so are the responses to all requests in flight.
                Step::Save(_) if crash_halfway && self.is_bad_moment() => {
                    return Ok(Stopped::Crashed);
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
                    self.show(&notice, now);
                    continue;
                }
                Step::Wait(until) => Some(until),
                Step::Idle => None,
            };

            // Everything is saved and sent. Next comes a response, a delivery that is due, or an
            // event of the day.
            let upcoming = self.day.get(self.published).filter(|_| !stopping);
            let next = until.into_iter().chain(upcoming.map(Message::timestamp)).min();
            if !self.in_flight.is_empty() {
                let real = next.map_or(Duration::MAX, |next| next.saturating_since(now));
                tokio::select! {
                    Some(response) = self.in_flight.join_next() => self.resolve(response?, ledger),
                    () = sleep(real) => {}
                    _ = &mut *ctrl_c, if !stopping => {}
                }
            } else if stopping {
                return Ok(Stopped::Interrupted { pending: self.outbox.pending() });
            } else if upcoming.is_none() && self.outbox.pending() == 0 {
                return Ok(Stopped::Done);
            } else {
                // Nothing is in flight, so the clock can jump.
                self.clock.jump_to(next.context("deliveries are pending, but none is due")?);
            }
        }
    }

    /// Publishes the next event of the day, if it has happened.
    ///
    /// After a crash this starts again from the first event. Those that were saved are reported as
    /// duplicates and are not sent twice.
    fn publish_next(&mut self, ledger: &mut Ledger, now: Timestamp) -> anyhow::Result<()> {
        let next = self.day.get(self.published);
        let Some(message) = next.filter(|message| message.timestamp() <= now) else {
            return Ok(());
        };
        let published = self.outbox.publish(message.clone(), now)?;
        ledger.accepted(message, &published.endpoints);
        if !published.duplicate && self.known > 0 && self.known == self.published {
            let text = "events again, all known to its restored outbox";
            self.screen.note(now, format_args!("scheduler: published {} {text}", self.known));
        }
        self.published += 1;
        self.known += usize::from(published.duplicate);
        Ok(())
    }

    /// Writes the inputs since the last call, before the step is carried out that they led to. So
    /// the log of a crash is complete.
    fn write_log(&mut self) -> anyhow::Result<()> {
        for entry in self.outbox.take_input_log() {
            serde_json::to_writer(&mut self.log, &entry)?;
            self.log.write_all(b"\n")?;
        }
        Ok(self.log.flush()?)
    }

    /// Whether a crash would lose changes and responses.
    fn is_bad_moment(&self) -> bool {
        self.published >= self.day.len() / 2 && self.in_flight.len() >= 3
    }

    /// Writes the changes and confirms them, which releases what they guard.
    async fn save(&mut self, changes: &Changes) -> anyhow::Result<()> {
        match self.store.save(changes, self.clock.now()) {
            Ok(()) => {
                self.outbox.saved(changes.revision());
                self.failed_saves = 0;
                Ok(())
            }
            Err(error) => {
                // The next save contains them again, so that a full disk loses nothing.
                self.outbox.unsaved(changes.revision());
                self.failed_saves += 1;
                anyhow::ensure!(self.failed_saves < MAX_FAILED_SAVES, error.context("cannot save"));
                sleep(Duration::from_millis(100)).await;
                Ok(())
            }
        }
    }

    /// Reports the result of an attempt to the outbox.
    fn resolve(&mut self, response: Response, ledger: &mut Ledger) {
        ledger.attempt_ended(response.ticket.endpoint(), response.took);
        self.outbox.resolve(&response.ticket, &response.outcome, self.clock.now());
    }

    fn show(&self, notice: &Notice, now: Timestamp) {
        let text = match notice {
            Notice::EndpointDown { endpoint, .. } => {
                format!("{endpoint} is down: its deliveries wait, and one probe goes at a time")
            }
            Notice::EndpointRecovered { endpoint, .. } => format!("{endpoint} has recovered"),
            Notice::EndpointDisabled { endpoint, .. } => {
                format!("{endpoint} is gone, and disabled")
            }
            _ => return,
        };
        self.screen.note(now, format!("scheduler: {text}"));
    }

    /// Moves the warehouse's secret rotation to its next stage when it is due. Each attempt is
    /// signed when it is sent, so pending deliveries use the new secret too.
    fn rotate(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let stage = partners::rotation_stage(now);
        if stage != self.rotation_stage {
            self.rotation_stage = stage;
            for (partner, url) in partners::ALL.into_iter().zip(self.urls) {
                if partner == WAREHOUSE {
                    self.outbox.replace_endpoint(partners::endpoint(partner, url, now)?, now)?;
                }
            }
            let with = if stage == 1 { "both secrets" } else { "the new secret only" };
            let text = format!("scheduler: signs for {WAREHOUSE} with {with}");
            self.screen.note(now, text);
        }
        Ok(())
    }

    /// Starts no more attempts: a disabled endpoint holds its pending deliveries.
    fn hold(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let endpoints = self.outbox.registry().iter();
        let held: Vec<_> = endpoints.map(|it| Endpoint::clone(it).with_enabled(false)).collect();
        for endpoint in held {
            self.outbox.replace_endpoint(endpoint, now)?;
        }
        Ok(())
    }

    /// Returns the number of the day's messages that were published since the start.
    pub const fn published(&self) -> usize {
        self.published
    }

    /// Returns the number of attempts in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }
}

/// Creates the outbox of a process that starts at this time.
pub fn new_outbox(urls: &[String], now: Timestamp) -> anyhow::Result<Outbox> {
    Ok(Outbox::new(partners::registry(urls, now)?, SEED).with_retention(RETAIN))
}

/// An HTTP client without redirects and retries.
fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()?)
}

/// Makes one attempt, outside the outbox's task.
async fn send(client: reqwest::Client, clock: Clock, attempt: Attempt) -> Response {
    let start = clock.now();
    let outcome = match exchange(&client, &clock, &attempt).await {
        Ok(outcome) => outcome,
        Err(failure) => Outcome::failed(failure),
    };
    let took = clock.now().saturating_since(start);
    Response { ticket: attempt.ticket().clone(), outcome, took }
}

/// Sends the request and reads the response. A failure says whether the receiver may have the
/// message.
async fn exchange(
    client: &reqwest::Client,
    clock: &Clock,
    attempt: &Attempt,
) -> Result<Outcome, Failure> {
    let now = clock.now();
    let request = attempt.request(now).map_err(|_| Failure::Sender)?;
    let mut request = reqwest::Request::try_from(request).map_err(|_| Failure::Sender)?;
    *request.timeout_mut() = Some(attempt.timeout(now));
    let response = client.execute(request).await.map_err(|error| match error {
        error if error.is_connect() => Failure::Connect,
        error if error.is_timeout() => Failure::Timeout,
        _ => Failure::Broken,
    })?;
    Ok(Outcome::response(response.status(), response.headers(), clock.now()))
}
