//! Starts a sender, kills it, and starts the next one: [`Storm`].

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep, timeout};

use crate::receivers::Receivers;

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a sender lives at most, besides the time that it takes to be ready.
const LIFE: Duration = Duration::from_millis(500);

/// How often messages are published.
const EVERY: Duration = Duration::from_millis(60);

/// The number of messages without a confirmation from which no more are published.
const UNCONFIRMED: usize = 12;

/// The number of messages that the ordered endpoint lacks, from which no more are published.
const BEHIND: usize = 100;

/// The pause after a sender that ended by itself.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Kill senders.
    Kill,
    /// Let them live.
    Spare,
    /// Kill the sender and start none.
    Halt,
    /// Publish nothing new, and let the sender end when nothing is pending.
    End,
    /// Kill the sender, and end.
    Abort,
}

impl Mode {
    const fn stops(self) -> bool {
        matches!(self, Self::Halt | Self::Abort)
    }
}

#[derive(Clone)]
struct Orders {
    mode: Mode,
    store: &'static str,
    place: String,
}

/// What happened so far.
#[derive(Clone, Default)]
struct Progress {
    /// The number of the latest sender that was ready.
    life: u32,
    /// The kills of a sender that was ready.
    kills: u32,
    confirmed: usize,
    failed_saves: u32,
    ended_by_themselves: u32,
    halted: bool,
}

/// What the senders have reported.
#[derive(Default)]
pub struct Book {
    /// The messages that a sender has confirmed as durable.
    pub confirmed: BTreeSet<u64>,
    /// The messages without a confirmation. The next sender gets them again.
    unconfirmed: BTreeSet<u64>,
    /// The number of attempts without a response, by endpoint and message.
    pub unanswered: BTreeMap<(String, u64), u32>,
    /// How often each message in doubt was resent.
    pub resent: BTreeMap<u64, u32>,
    /// The reasons of senders that ended by themselves, with their number.
    pub ends: BTreeMap<String, u32>,
    pub kills: u32,
    /// The kills of a sender that was not ready yet.
    pub early_kills: u32,
    pub failed_saves: u32,
}

/// Senders that die, one after the other, and their receivers.
pub struct Storm {
    receivers: Receivers,
    orders: watch::Sender<Orders>,
    progress: watch::Receiver<Progress>,
    supervisor: JoinHandle<anyhow::Result<Book>>,
}

impl Storm {
    pub async fn start(store: &'static str, place: &str, seed: u64) -> anyhow::Result<Self> {
        let receivers = Receivers::start(seed).await?;
        let orders = Orders { mode: Mode::Kill, store, place: place.to_owned() };
        let (orders, ordered) = watch::channel(orders);
        let (reported, progress) = watch::channel(Progress::default());
        let supervisor = Supervisor {
            receivers: receivers.clone(),
            orders: ordered,
            progress: reported,
            rng: fastrand::Rng::with_seed(seed),
            book: Book::default(),
            life: 0,
            next: 1,
            start: Duration::ZERO,
        };
        Ok(Self { receivers, orders, progress, supervisor: tokio::spawn(supervisor.run()) })
    }

    pub fn order(&self, mode: Mode) {
        self.orders.send_modify(|it| it.mode = mode);
    }

    /// Kills senders, until this many that were ready have been killed.
    pub async fn kills(&mut self, count: u32) -> anyhow::Result<()> {
        self.order(Mode::Kill);
        for kills in 1..=count {
            self.wait("a kill", |it| it.kills >= kills).await?;
        }
        Ok(())
    }

    /// Kills the sender, and starts none until [`resume`](Self::resume).
    pub async fn halt(&mut self) -> anyhow::Result<()> {
        self.order(Mode::Halt);
        self.wait("the end of a sender", |it| it.halted).await
    }

    /// Goes on with the store at this place, without kills.
    pub fn resume(&self, store: &'static str, place: &str) {
        self.orders.send_replace(Orders { mode: Mode::Spare, store, place: place.to_owned() });
    }

    /// Waits until something that is published from now on is durable. Returns the number of the
    /// sender.
    pub async fn goes_on(&mut self) -> anyhow::Result<u32> {
        // Those without a confirmation may be durable already.
        let before = self.progress.borrow().confirmed + UNCONFIRMED;
        self.wait("a message to be durable", |it| it.confirmed > before).await?;
        Ok(self.progress.borrow().life)
    }

    pub async fn fails_to_save(&mut self) -> anyhow::Result<()> {
        let before = self.progress.borrow().failed_saves;
        self.wait("a save that fails", |it| it.failed_saves > before).await
    }

    pub async fn ends_by_itself(&mut self) -> anyhow::Result<()> {
        let before = self.progress.borrow().ended_by_themselves;
        self.wait("a sender to give up", |it| it.ended_by_themselves > before).await
    }

    /// Waits until nothing is pending. Returns what was reported, and the receivers. If something
    /// stays pending, the report shows it as lost.
    pub async fn end(mut self) -> anyhow::Result<(Book, Receivers)> {
        self.receivers.calm_down();
        self.order(Mode::End);
        let book = match timeout(PATIENCE, &mut self.supervisor).await {
            Ok(book) => book,
            Err(_) => {
                self.order(Mode::Abort);
                self.supervisor.await
            }
        };
        Ok((book??, self.receivers))
    }

    async fn wait(
        &mut self,
        what: &str,
        done: impl FnMut(&Progress) -> bool,
    ) -> anyhow::Result<()> {
        let waited = timeout(PATIENCE, self.progress.wait_for(done)).await.map(|it| it.is_ok());
        if waited.with_context(|| format!("waited in vain for {what}"))? {
            return Ok(());
        }
        (&mut self.supervisor).await??;
        bail!("the storm is over")
    }
}

struct Supervisor {
    receivers: Receivers,
    orders: watch::Receiver<Orders>,
    progress: watch::Sender<Progress>,
    rng: fastrand::Rng,
    book: Book,
    life: u32,
    /// The number of the next message.
    next: u64,
    /// How long the last sender took to be ready.
    start: Duration,
}

impl Supervisor {
    async fn run(mut self) -> anyhow::Result<Book> {
        while !self.live().await? {
            // Some are forgotten: they may have been published or not.
            self.book.unconfirmed.retain(|_| self.rng.u8(..8) > 0);
            let mode = self.orders.borrow().mode;
            if mode == Mode::Halt {
                self.progress.send_modify(|it| it.halted = true);
                self.orders.wait_for(|it| it.mode != Mode::Halt).await?;
                self.progress.send_modify(|it| it.halted = false);
            } else if mode == Mode::Abort {
                break;
            }
        }
        let Progress { kills, failed_saves, .. } = self.progress.borrow().clone();
        Ok(Book { kills, failed_saves, ..self.book })
    }

    /// Starts a sender and waits for its end. Returns whether it ended because nothing is pending.
    async fn live(&mut self) -> anyhow::Result<bool> {
        self.life += 1;
        let Orders { store, place, .. } = self.orders.borrow_and_update().clone();
        let began = Instant::now();
        let mut sender = Command::new(env::current_exe()?)
            .args(["sender", store, &place, &format!("{}/{}", self.receivers.origin, self.life)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut input = sender.stdin.take().context("it has a pipe")?;
        let output = sender.stdout.take().context("it has a pipe")?;
        let mut lines = BufReader::new(output).lines();
        let mut kill = pin!(sleep(self.life_time()));
        let mut publish = interval(EVERY);
        let (mut ready, mut killed, mut asked_to_end) = (false, false, false);
        loop {
            let mode = self.orders.borrow().mode;
            tokio::select! {
                line = lines.next_line() => match line?.as_deref() {
                    Some("ready") => {
                        ready = true;
                        self.start = began.elapsed();
                        self.progress.send_modify(|it| it.life = self.life);
                        give(&mut input, &self.book.unconfirmed).await;
                    }
                    Some(line) => self.note(line)?,
                    None => break,
                },
                () = &mut kill, if mode == Mode::Kill && !killed => {
                    sender.start_kill()?; // SIGKILL
                    killed = true;
                }
                ordered = self.orders.changed() => {
                    ordered?;
                    kill.as_mut().reset(Instant::now() + self.life_time());
                    if self.orders.borrow().mode.stops() {
                        sender.start_kill()?;
                    }
                }
                _ = publish.tick(), if ready && !killed => match mode {
                    Mode::Kill | Mode::Spare => give(&mut input, &self.new_messages()).await,
                    Mode::End if self.book.unconfirmed.is_empty() && !asked_to_end => {
                        let _ = input.write_all(b"end\n").await;
                        asked_to_end = true;
                    }
                    Mode::End | Mode::Halt | Mode::Abort => {}
                },
            }
        }
        let status = sender.wait().await?;
        if status.signal().is_some() {
            let stopped = self.orders.borrow().mode.stops();
            ensure!(killed || stopped, "a sender died: {status}");
            self.progress.send_modify(|it| it.kills += u32::from(killed && ready));
            self.book.early_kills += u32::from(killed && !ready);
        } else if !status.success() {
            self.progress.send_modify(|it| it.ended_by_themselves += 1);
            sleep(PAUSE).await;
        } else {
            ensure!(asked_to_end, "a sender ended without a reason");
        }
        Ok(status.success())
    }

    fn life_time(&mut self) -> Duration {
        let longest = (self.start + LIFE).as_millis();
        Duration::from_millis(self.rng.u64(..=u64::try_from(longest).unwrap_or(u64::MAX)))
    }

    fn new_messages(&mut self) -> BTreeSet<u64> {
        let latest = self.receivers.seen().latest;
        let behind = self.book.confirmed.range(latest + 1..).count();
        if behind >= BEHIND || self.book.unconfirmed.len() >= UNCONFIRMED {
            return BTreeSet::new();
        }
        let messages = self.next..self.next + self.rng.u64(1..=4);
        self.next = messages.end;
        self.book.unconfirmed.extend(messages.clone());
        messages.collect()
    }

    /// Notes a line of a sender.
    fn note(&mut self, line: &str) -> anyhow::Result<()> {
        let number = |id: &str| id.trim_start_matches('m').parse::<u64>();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("published", id) => {
                self.book.unconfirmed.remove(&number(id)?);
                self.book.confirmed.insert(number(id)?);
                self.progress.send_modify(|it| it.confirmed += 1);
            }
            ("unanswered", delivery) => {
                let (endpoint, message) = delivery.split_once(' ').context("two words")?;
                let delivery = (endpoint.to_owned(), number(message)?);
                *self.book.unanswered.entry(delivery).or_default() += 1;
            }
            ("resent", id) => *self.book.resent.entry(number(id)?).or_default() += 1,
            ("unsaved", _) => self.progress.send_modify(|it| it.failed_saves += 1),
            ("ends", why) => *self.book.ends.entry(why.to_owned()).or_default() += 1,
            _ => bail!("a sender says: {line}"),
        }
        Ok(())
    }
}

/// Gives messages to a sender, which may be dead, in the order of their numbers.
async fn give(input: &mut ChildStdin, messages: &BTreeSet<u64>) {
    let numbers: Vec<String> = messages.iter().map(ToString::to_string).collect();
    if !numbers.is_empty() {
        let _ = input.write_all(format!("{}\n", numbers.join(" ")).as_bytes()).await;
    }
}
