//! The laboratory's part: rows and messages in transactions, of which some are rolled back.

use std::time::Duration;

use anyhow::Context as _;
use fleet::database;
use fleet::intake::Subscribers;
use host::{Clock as _, SystemClock};
use labhook::lab::{RunState, RunStateChanged};
use labhook::{Event, Message, MessageId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::{ENDPOINTS, run_of};

/// The number of messages in a transaction.
const BATCH: usize = 20;

/// Every how many transactions one is rolled back.
const ROLLED_BACK: usize = 10;

/// What was published: the ids of messages that were committed, and the number of those that were
/// not.
#[derive(Default)]
pub struct Published {
    pub committed: Vec<String>,
    pub rolled_back: usize,
}

/// Publishes at an even rate, and the rest at once when it is asked to finish.
pub struct Publisher {
    task: JoinHandle<anyhow::Result<Published>>,
    hurry: watch::Sender<bool>,
}

impl Publisher {
    pub fn start(url: &str, messages: usize) -> Self {
        let (hurry, hurries) = watch::channel(false);
        let task = tokio::spawn(publish(url.to_owned(), messages, hurries));
        Self { task, hurry }
    }

    pub async fn finish(self) -> anyhow::Result<Published> {
        self.hurry.send_replace(true);
        self.task.await?
    }
}

async fn publish(
    url: String,
    messages: usize,
    mut hurries: watch::Receiver<bool>,
) -> anyhow::Result<Published> {
    let mut published = Published::default();
    let mut connection = None;
    for batch in 0..messages.div_ceil(BATCH) {
        let numbers = batch * BATCH..messages.min((batch + 1) * BATCH);
        let messages = numbers.map(message).collect::<anyhow::Result<Vec<_>>>()?;
        let commits = batch % ROLLED_BACK != ROLLED_BACK - 1;
        while let Err(error) = insert(&url, &mut connection, &messages, commits).await {
            // The database is away: then the laboratory's own rows wait as well. If only the answer
            // to a commit was lost, the same ids have no further effect.
            tracing::warn!("cannot publish: {error:#}");
            connection = None;
            sleep(Duration::from_millis(100)).await;
        }
        if commits {
            published.committed.extend(messages.iter().map(|it| it.id().to_string()));
        } else {
            published.rolled_back += messages.len();
        }
        if !*hurries.borrow() {
            let pause = Duration::from_millis(8);
            let _ = timeout(pause, hurries.wait_for(|it| *it)).await;
        }
    }
    Ok(published)
}

async fn insert(
    url: &str,
    connection: &mut Option<Client>,
    messages: &[Message],
    commits: bool,
) -> anyhow::Result<()> {
    if connection.is_none() {
        *connection = Some(database::connect(url).await?);
    }
    let database = connection.as_mut().context("it was just made")?;
    let transaction = database.transaction().await?;
    let subscribers = Subscribers::load(&transaction).await?;
    // Here are the rows that the messages are about.
    subscribers.insert(&transaction, messages).await?;
    if commits {
        transaction.commit().await?
    } else {
        transaction.rollback().await?
    }
    Ok(())
}

/// Returns a message about one of the runs. Its id says which.
pub fn message(number: usize) -> anyhow::Result<Message> {
    let run = run_of(number % ENDPOINTS);
    let event = Event::new(RunStateChanged::new(&*run, RunState::Completed), SystemClock.now());
    Ok(event.into_message(MessageId::new(format!("{run}/{number}"))?)?)
}
