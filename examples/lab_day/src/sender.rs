//! The sending side: the scheduler that publishes its day, on the shared host.
//!
//! The loop around the [`Outbox`], the HTTP client and the SQLite store are those of
//! `examples/host`. This adds what is peculiar to the day:
//!
//! ```text
//!            publish             Driver
//!  the day ----------> Handle ----------> Save: Store, which may crash
//!                                \------> Send: Measured, which times the attempts
//!                                 \-----> Wait: Clock, which jumps
//! ```

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use host::http::Http;
use host::{Client, Driver, Handle};
use labhook::endpoint::AddressPolicy;
use labhook::{Attempt, Message, Notice, Outbox, Outcome, Timestamp};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::partners::{self, WAREHOUSE};
use crate::report::Ledger;
use crate::screen::Screen;
use crate::store::{Crash, Store};

/// The seed of all jitter. A scheduler draws it once and keeps it in its configuration.
const SEED: u64 = 20_260_302;

/// How long the records of ended deliveries are retained: the report reads them, and they make the
/// events duplicates that are published again after the crash.
const RETAIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a scheduler's process starts with.
pub struct Scheduler<'a> {
    /// The file for the log of the outbox's inputs.
    pub log: &'a Path,
    pub clock: &'a Clock,
    pub screen: &'a Screen,
    pub urls: &'a [String],
    pub day: &'a [Message],
    /// Not part of the scheduler, so it survives the crash.
    pub ledger: &'a Arc<Mutex<Ledger>>,
}

/// Why a scheduler stopped.
pub enum Stopped {
    /// The day is over, and every delivery has ended.
    Done,
    /// It crashed in the middle of a save.
    Crashed { published: usize, in_flight: usize },
    /// Ctrl-C was pressed. Everything is saved, and `pending` deliveries have not ended.
    Interrupted { pending: usize },
}

impl Scheduler<'_> {
    /// Restores the outbox from the store, which is empty at first, and publishes and sends until
    /// the day is done.
    pub async fn run(
        &self,
        store: Store,
        ctrl_c: &mut JoinHandle<()>,
        crash_halfway: bool,
    ) -> anyhow::Result<Stopped> {
        let outbox = new_outbox(self.urls, self.clock.now())?.with_input_log();
        let crash = store.crash();
        let client = Measured {
            // The partners of this example are on loopback.
            http: Http::new(AddressPolicy::public().allow_loopback()),
            crash: Arc::clone(&crash),
            ledger: Arc::clone(self.ledger),
        };
        let (driver, handle) = Driver::restore(outbox, store, client, self.clock.clone()).await?;
        let screen = self.screen.clone();
        let driver = driver
            .with_notices(move |notice, now| show(&screen, notice, now))
            .with_log(BufWriter::new(File::create(self.log)?));
        let mut driver = tokio::spawn(driver.run());

        let published = AtomicUsize::new(0);
        let day = async {
            let crash = crash_halfway.then_some(&*crash);
            self.publish(&handle, &published, crash).await?;
            handle.settled().await;
            anyhow::Ok(())
        };
        tokio::select! {
            () = crash.came.notified() => {
                // Requests in flight are aborted, and only the file is left.
                driver.abort();
                let _ = driver.await;
                return Ok(Stopped::Crashed {
                    published: published.load(Ordering::SeqCst),
                    in_flight: crash.interrupted.load(Ordering::SeqCst),
                });
            }
            // The driver's own error says more than that it has ended.
            ended = &mut driver => ended??,
            done = day => {
                done?;
                handle.drain();
                driver.await??;
                return Ok(Stopped::Done);
            }
            _ = ctrl_c => {
                self.clock.expect(None);
                handle.drain();
                driver.await??;
            }
        }
        Ok(Stopped::Interrupted { pending: handle.pending() })
    }

    /// Publishes the events of the day, each when it happens.
    ///
    /// After a crash this starts again from the first event. Those that were saved are reported as
    /// duplicates and are not sent twice.
    async fn publish(
        &self,
        handle: &Handle,
        published: &AtomicUsize,
        crash: Option<&Crash>,
    ) -> anyhow::Result<()> {
        let mut known = 0;
        let mut rotation_stage = partners::rotation_stage(self.clock.now());
        for (number, message) in self.day.iter().enumerate() {
            self.clock.expect(Some(message.timestamp()));
            self.clock.reach(message.timestamp()).await;
            let now = self.clock.now();
            if partners::rotation_stage(now) != rotation_stage {
                rotation_stage = partners::rotation_stage(now);
                self.rotate(handle, rotation_stage, now).await?;
            }
            let result = handle.publish(message.clone()).await?;
            self.ledger().accepted(message, &result.endpoints);
            if !result.duplicate && known > 0 && known == number {
                let text = "events again, all known to its restored outbox";
                self.screen.note(now, format_args!("scheduler: published {known} {text}"));
            }
            known += usize::from(result.duplicate);
            published.store(number + 1, Ordering::SeqCst);
            if let Some(crash) = crash.filter(|_| number >= self.day.len() / 2) {
                crash.armed.store(true, Ordering::SeqCst);
            }
            self.screen.progress(now, number + 1, handle.pending());
        }
        self.clock.expect(None);
        Ok(())
    }

    /// Moves the warehouse's secret rotation to this stage. Each attempt is signed when it is sent,
    /// so pending deliveries use the new secret too.
    async fn rotate(&self, handle: &Handle, stage: usize, now: Timestamp) -> anyhow::Result<()> {
        for (partner, url) in partners::ALL.into_iter().zip(self.urls) {
            if partner == WAREHOUSE {
                let endpoint = partners::endpoint(partner, url, now)?;
                handle.with(|outbox, now| outbox.replace_endpoint(endpoint, now)).await??;
            }
        }
        let with = if stage == 1 { "both secrets" } else { "the new secret only" };
        self.screen.note(now, format_args!("scheduler: signs for {WAREHOUSE} with {with}"));
        Ok(())
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn show(screen: &Screen, notice: &Notice, now: Timestamp) {
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
    screen.note(now, format_args!("scheduler: {text}"));
}

/// Creates the outbox of a process that starts at this time.
pub fn new_outbox(urls: &[String], now: Timestamp) -> anyhow::Result<Outbox> {
    Ok(Outbox::new(partners::registry(urls, now)?, SEED).with_retention(RETAIN))
}

/// The host's HTTP client, which counts the requests in flight and times them.
#[derive(Clone)]
struct Measured {
    http: Http,
    crash: Arc<Crash>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Client for Measured {
    async fn send<C: host::Clock>(&self, attempt: &Attempt, clock: &C) -> Outcome {
        let start = clock.now();
        self.crash.in_flight.fetch_add(1, Ordering::SeqCst);
        let outcome = self.http.send(attempt, clock).await;
        self.crash.in_flight.fetch_sub(1, Ordering::SeqCst);
        let took = clock.now().saturating_since(start);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.attempt_ended(attempt.ticket().endpoint(), took);
        outcome
    }
}
