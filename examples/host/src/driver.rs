//! The loop around an outbox: [`Driver`], and the [`Handle`] by which other tasks use it.

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use labhook::outbox::{Changes, PublishError, Published, Revision};
use labhook::{Attempt, Message, Notice, Outbox, Outcome, Step, Ticket, Timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument as _;

use crate::meter::Meter;
use crate::{Client, Clock, Deposed, Store};

/// The number of saves that may fail in a row before the driver gives up.
const MAX_FAILED_SAVES: u32 = 10;

/// The pause after a save that failed.
const SAVE_AGAIN: Duration = Duration::from_millis(100);

type Results = Vec<Result<Published, PublishError>>;

/// What another task does with the outbox.
type Action = Box<dyn FnOnce(&mut Outbox, Timestamp) + Send>;

/// What is called for each notice.
type Notify = Box<dyn FnMut(&Notice, Timestamp) + Send>;

/// An input from another task.
enum Command {
    Publish(Vec<Message>, oneshot::Sender<Results>),
    With(Action),
    Flush(oneshot::Sender<()>),
}

/// The loop around an outbox. It owns the outbox; other tasks use a [`Handle`].
pub struct Driver<S, C, K> {
    outbox: Outbox,
    store: S,
    client: C,
    clock: K,
    commands: UnboundedReceiver<Command>,
    has_handles: bool,
    in_flight: JoinSet<(Ticket, Outcome)>,
    /// The latest revision that is saved.
    saved: Revision,
    failed_saves: u32,
    /// What was published and is not saved, with the revision that will make it durable.
    unsaved: Vec<(Revision, Results, oneshot::Sender<Results>)>,
    /// Who waits until all changes are saved.
    flushes: Vec<oneshot::Sender<()>>,
    pending: watch::Sender<usize>,
    meter: Meter,
    notify: Notify,
    log: Option<Box<dyn Write + Send>>,
}

impl<S: Store, C: Client, K: Clock> Driver<S, C, K> {
    /// Restores the outbox from the store's records.
    ///
    /// The driver ends when the handle asks for it, or when all clones of the handle are dropped.
    pub async fn restore(
        outbox: Outbox,
        mut store: S,
        client: C,
        clock: K,
    ) -> anyhow::Result<(Self, Handle)> {
        let records = store.load().await.context("cannot load the records")?;
        let outbox = outbox.restore(records, clock.now())?;
        let (sender, commands) = unbounded_channel();
        let (pending, watch) = watch::channel(outbox.pending());
        let driver = Self {
            outbox,
            store,
            client,
            clock,
            commands,
            has_handles: true,
            in_flight: JoinSet::new(),
            saved: Revision::default(),
            failed_saves: 0,
            unsaved: Vec::new(),
            flushes: Vec::new(),
            pending,
            meter: Meter::default(),
            notify: Box::new(|notice, _| tracing::info!("{notice}")),
            log: None,
        };
        Ok((driver, Handle { commands: sender, pending: watch }))
    }

    /// Calls this for each notice, instead of logging it.
    #[must_use]
    pub fn with_notices(mut self, notify: impl FnMut(&Notice, Timestamp) + Send + 'static) -> Self {
        self.notify = Box::new(notify);
        self
    }

    /// Writes the outbox's [input log](Outbox::with_input_log), a line of JSON for each input.
    #[must_use]
    pub fn with_log(mut self, log: impl Write + Send + 'static) -> Self {
        self.log = Some(Box::new(log));
        self
    }

    /// Runs the loop until the outbox is drained.
    ///
    /// # Errors
    ///
    /// If several saves in a row fail, or one because another process has taken over, or if the log
    /// cannot be written.
    pub async fn run(mut self) -> anyhow::Result<()> {
        loop {
            // All inputs that are there already share the next save.
            while let Some(sent) = self.in_flight.try_join_next() {
                self.resolve(sent);
            }
            while let Ok(command) = self.commands.try_recv() {
                self.execute(command);
            }
            let now = self.clock.now();
            let step = self.outbox.poll(now);
            // Before the step is carried out, so that the log of a crash is complete.
            self.write_log()?;
            self.pending.send_replace(self.outbox.pending());
            let until = match step {
                Step::Save(changes) => {
                    self.save(&changes).await?;
                    continue;
                }
                Step::Send(attempt) => {
                    self.send(attempt);
                    continue;
                }
                Step::Notify(notice) => {
                    (self.notify)(&notice, now);
                    continue;
                }
                Step::Wait(until) => Some(until),
                Step::Idle => None,
            };
            // Every change is saved now: `poll` would have answered `Save`.
            self.flushes.drain(..).for_each(|it| _ = it.send(()));
            self.meter.export(&self.outbox, now);
            if self.outbox.is_drained() {
                return Ok(());
            }
            let idle = self.in_flight.is_empty();
            tokio::select! {
                Some(sent) = self.in_flight.join_next() => self.resolve(sent),
                command = self.commands.recv(), if self.has_handles => match command {
                    Some(command) => self.execute(command),
                    None => {
                        self.has_handles = false;
                        self.outbox.drain();
                    }
                },
                () = self.clock.wait(until, idle) => {}
            }
        }
    }

    fn execute(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::With(action) => action(&mut self.outbox, now),
            Command::Flush(reply) => self.flushes.push(reply),
            Command::Publish(messages, reply) => {
                let publish = |message| self.outbox.publish(message, now);
                let results: Results = messages.into_iter().map(publish).collect();
                let revisions = results.iter().flatten().map(|published| published.revision);
                let revision = revisions.max().unwrap_or_default();
                if revision > self.saved {
                    self.unsaved.push((revision, results, reply));
                } else {
                    let _ = reply.send(results);
                }
            }
        }
    }

    /// Replies to those whose messages are durable. A caller that is gone needs no reply.
    fn reply(&mut self) {
        let saved = self.saved;
        for (_, results, reply) in self.unsaved.extract_if(.., |it| it.0 <= saved) {
            let _ = reply.send(results);
        }
    }

    async fn save(&mut self, changes: &Changes) -> anyhow::Result<()> {
        match self.store.save(changes, self.clock.now()).await {
            Ok(()) => {
                self.outbox.saved(changes.revision());
                self.saved = changes.revision();
                self.failed_saves = 0;
                self.reply();
            }
            Err(error) => {
                if error.is::<Deposed>() {
                    return Err(error);
                }
                // The next save contains them again, so that a full disk loses nothing.
                self.outbox.unsaved(changes.revision());
                self.failed_saves += 1;
                tracing::error!("cannot save: {error:#}");
                anyhow::ensure!(self.failed_saves < MAX_FAILED_SAVES, error.context("cannot save"));
                tokio::time::sleep(SAVE_AGAIN).await;
            }
        }
        Ok(())
    }

    /// Makes the attempt in a task of its own. The span has no URL, no secret and no body.
    fn send(&mut self, attempt: Attempt) {
        let (client, clock) = (self.client.clone(), self.clock.clone());
        let ticket = attempt.ticket().clone();
        let span = tracing::info_span!(
            "attempt",
            endpoint = ticket.endpoint().as_str(),
            message = ticket.message().as_str(),
            number = ticket.attempt(),
            outcome = tracing::field::Empty,
        );
        let attempted = async move {
            let outcome = client.send(&attempt, &clock).await;
            tracing::Span::current().record("outcome", tracing::field::display(&outcome));
            (ticket, outcome)
        };
        self.in_flight.spawn(attempted.instrument(span));
    }

    fn resolve(&mut self, sent: Result<(Ticket, Outcome), JoinError>) {
        match sent {
            Ok((ticket, outcome)) => {
                self.outbox.resolve(&ticket, &outcome, self.clock.now());
            }
            // The outbox counts the attempt as timed out at its deadline.
            Err(error) => tracing::error!("an attempt's task failed: {error}"),
        }
    }

    fn write_log(&mut self) -> anyhow::Result<()> {
        let entries = self.outbox.take_input_log();
        let Some(log) = &mut self.log else { return Ok(()) };
        for entry in entries {
            serde_json::to_writer(&mut *log, &entry)?;
            log.write_all(b"\n")?;
        }
        Ok(log.flush()?)
    }
}

/// Reaches a running [`Driver`] from other tasks.
#[derive(Clone)]
pub struct Handle {
    commands: UnboundedSender<Command>,
    pending: watch::Receiver<usize>,
}

impl Handle {
    /// Publishes a message. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// If the outbox refuses the message, or the driver has ended: then publish it again to the
    /// next one.
    pub async fn publish(&self, message: Message) -> anyhow::Result<Published> {
        let results = self.publish_all(vec![message]).await?;
        Ok(results.into_iter().next().context("one message has one result")??)
    }

    /// Publishes messages in this order, in one save if possible. Those that the outbox accepted are
    /// durable when this returns.
    ///
    /// # Errors
    ///
    /// If the driver has ended: then publish them again to the next one.
    pub async fn publish_all(
        &self,
        messages: Vec<Message>,
    ) -> anyhow::Result<Vec<Result<Published, PublishError>>> {
        let (reply, results) = oneshot::channel();
        let _ = self.commands.send(Command::Publish(messages, reply));
        results.await.context("the driver has ended")
    }

    /// Calls this with the outbox, and returns its result: for changes of endpoints, redelivery and
    /// questions. What it changes is saved afterwards.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn with<T: Send + 'static>(
        &self,
        action: impl FnOnce(&mut Outbox, Timestamp) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (reply, result) = oneshot::channel();
        let action = Box::new(|outbox: &mut Outbox, now| _ = reply.send(action(outbox, now)));
        let _ = self.commands.send(Command::With(action));
        result.await.context("the driver has ended")
    }

    /// Waits until everything that was done before is durable.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn flush(&self) -> anyhow::Result<()> {
        let (reply, flushed) = oneshot::channel();
        let _ = self.commands.send(Command::Flush(reply));
        flushed.await.context("the driver has ended")
    }

    /// Returns the number of deliveries that have not ended.
    #[must_use]
    pub fn pending(&self) -> usize {
        *self.pending.borrow()
    }

    /// Waits until no delivery is pending, or the driver has ended.
    pub async fn settled(&self) {
        let _ = self.pending.clone().wait_for(|count| *count == 0).await;
    }

    /// Ends the driver: no attempt starts, those in flight end, and the rest is for the next one.
    pub fn drain(&self) {
        let _ = self.commands.send(Command::With(Box::new(|outbox, _| _ = outbox.drain())));
    }
}
