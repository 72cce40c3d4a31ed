//! Leases, fences, the intake and commands, on a Postgres server to throw away.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use fleet::command::{Answer, Command, DeliveryState, Filter, Replay, ask_shard};
use fleet::intake::Subscribers;
use fleet::shard::Settings;
use fleet::worker::Worker;
use fleet::{database, endpoints};
use host::server::Server;
use host::{Clock as _, SystemClock};
use labhook::delivery::Schedule;
use labhook::lab::{RunState, RunStateChanged};
use labhook::{EndpointId, Event, Message, MessageId, RetryPolicy, Secret, Verdict};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

const LEASE_MS: i64 = 600;
const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver has: the number of copies of each message. It can refuse.
#[derive(Default)]
struct Receiver {
    seen: Mutex<(BTreeMap<String, u32>, bool)>,
}

impl Receiver {
    fn seen(&self) -> MutexGuard<'_, (BTreeMap<String, u32>, bool)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, refuses: bool) {
        self.seen().1 = refuses;
    }

    fn copies(&self, message: &str) -> u32 {
        self.seen().0.get(message).copied().unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.seen().0.len()
    }
}

async fn hooks(State(it): State<Arc<Receiver>>, headers: HeaderMap) -> StatusCode {
    let mut seen = it.seen();
    if seen.1 {
        return StatusCode::BAD_REQUEST;
    }
    let id = headers.get("webhook-id").and_then(|it| it.to_str().ok()).unwrap_or_default();
    *seen.0.entry(id.to_owned()).or_default() += 1;
    StatusCode::NO_CONTENT
}

/// A database, a receiver and workers of this process.
struct Fleet {
    server: Server,
    database: Client,
    receiver: Arc<Receiver>,
    url: String,
}

/// A running worker. It stops in good order when `stop` is dropped.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        Ok(timeout(PATIENCE, self.task).await.context("it does not stop")??)
    }
}

impl Fleet {
    /// `None` if there is no Postgres on this machine.
    async fn new(shards: i32) -> anyhow::Result<Option<Self>> {
        let Some(server) = Server::start().await? else {
            println!("skipped: no Postgres server on this machine");
            return Ok(None);
        };
        let database = database::connect(&server.url).await?;
        database::create(&database, shards).await?;
        let receiver = Arc::new(Receiver::default());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let router = Router::new().fallback(hooks).with_state(Arc::clone(&receiver));
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Some(Self { server, database, receiver, url }))
    }

    /// Adds an endpoint. It gives up after a second attempt.
    async fn endpoint(&self, id: &str) -> anyhow::Result<EndpointId> {
        let id = EndpointId::new(id)?;
        let retry = RetryPolicy::new(Schedule::list([Duration::from_millis(100)]));
        let config = serde_json::json!({
            "url": self.url,
            "plain_http": true,
            "secret": {"encoding": "whsec", "env": "secret"},
            "retry": retry.with_attempt_timeout(Duration::from_secs(1)),
        });
        let secret = Secret::from_bytes(&[7; 32])?;
        endpoints::insert(&self.database, &id, &config.to_string(), &secret).await?;
        Ok(id)
    }

    fn worker(&self, id: &str) -> Running {
        let (stop, stopped) = oneshot::channel::<()>();
        let settings = Settings::new(self.server.url.clone(), LEASE_MS);
        let task = tokio::spawn(Worker::new(id.to_owned(), settings).run(stopped));
        Running { stop, task }
    }

    async fn publish(&self, ids: &[&str]) -> anyhow::Result<()> {
        let messages = ids.iter().map(|id| message(id)).collect::<anyhow::Result<Vec<_>>>()?;
        Subscribers::load(&self.database).await?.insert(&self.database, &messages).await
    }

    /// Waits until a query returns a row.
    async fn until(&self, query: &str) -> anyhow::Result<()> {
        let asked = Instant::now();
        while self.database.query(query, &[]).await?.is_empty() {
            anyhow::ensure!(asked.elapsed() < PATIENCE, "in vain: {query}");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn received(&self, count: usize) -> anyhow::Result<()> {
        let asked = Instant::now();
        while self.receiver.count() < count {
            anyhow::ensure!(asked.elapsed() < PATIENCE, "{} received", self.receiver.count());
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    async fn ask(&self, command: Command) -> anyhow::Result<Answer> {
        ask_shard(&self.database, "ada", 0, &command).await?.context("nobody answers")
    }

    /// Waits until a delivery is in a state.
    async fn in_state(&self, state: DeliveryState) -> anyhow::Result<()> {
        let asked = Instant::now();
        loop {
            let filter = Filter { state: Some(state), ..Filter::default() };
            let list = Command::List { filter, limit: 10 };
            match self.ask(list).await? {
                Answer::Deliveries { deliveries } if !deliveries.is_empty() => return Ok(()),
                other => anyhow::ensure!(asked.elapsed() < PATIENCE, "{other:?}"),
            }
        }
    }
}

fn message(id: &str) -> anyhow::Result<Message> {
    let event = Event::new(RunStateChanged::new("run-17", RunState::Started), SystemClock.now());
    Ok(event.into_message(MessageId::new(id)?)?)
}

const TAKE: &str = "UPDATE shard SET owner = $2, epoch = epoch + 1,
    expires_at = clock_timestamp() + interval '1 min' WHERE id = $1 RETURNING epoch";
const SAVE: &str = "SELECT save($1, $2, '1 min', '{endpoint/a}', '{it}', '{}', '{}')";

#[tokio::test]
async fn save_of_an_earlier_owner_writes_nothing() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    let old: i64 = fleet.database.query_one(TAKE, &[&0, &"old"]).await?.get(0);
    let saved: bool = fleet.database.query_one(SAVE, &[&0, &old]).await?.get(0);
    assert!(saved);

    // The next owner is just taking the shard when the save comes: it waits, and is refused.
    let mut other = database::connect(&fleet.server.url).await?;
    let taking = other.transaction().await?;
    taking.execute(TAKE, &[&0, &"new"]).await?;
    let late = database::connect(&fleet.server.url).await?;
    let late = tokio::spawn(async move {
        let change = SAVE.replace("{it}", "{late}");
        let saved: bool = late.query_one(&change, &[&0, &old]).await?.get(0);
        anyhow::Ok(saved)
    });
    fleet.until("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'").await?;
    taking.commit().await?;
    assert!(!late.await??);
    let record: String = fleet.database.query_one("SELECT record FROM record", &[]).await?.get(0);
    assert_eq!(record, "it");
    Ok(())
}

#[tokio::test]
async fn late_joiner_gets_its_share_and_gives_it_back() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(4).await? else { return Ok(()) };
    let held = |worker: &str, count: i32| {
        let select = "SELECT owner FROM shard WHERE owner = ";
        format!("{select}'{worker}' GROUP BY owner HAVING count(*) = {count}")
    };
    let first = fleet.worker("first");
    fleet.until(&held("first", 4)).await?;
    let second = fleet.worker("second");
    fleet.until(&held("second", 2)).await?;
    fleet.until(&held("first", 2)).await?;
    second.stop().await?;
    fleet.until(&held("first", 4)).await?;
    first.stop().await?;
    fleet.until("SELECT 1 FROM shard HAVING count(owner) = 0").await
}

#[tokio::test]
async fn message_that_commits_late_is_delivered() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    fleet.endpoint("a").await?;
    let worker = fleet.worker("it");
    let subscribers = Subscribers::load(&fleet.database).await?;
    let mut other = database::connect(&fleet.server.url).await?;
    let late = other.transaction().await?;
    subscribers.insert(&late, &[message("late")?]).await?;
    fleet.publish(&["early"]).await?;
    fleet.received(1).await?;
    assert_eq!(fleet.receiver.copies("late"), 0);
    late.commit().await?;
    fleet.received(2).await?;
    // Handed over once more, it is known: nothing is sent again.
    fleet.publish(&["late"]).await?;
    fleet.until("SELECT 1 FROM intake HAVING count(*) = 0").await?;
    worker.stop().await?;
    assert_eq!(fleet.receiver.copies("late"), 1);
    Ok(())
}

#[tokio::test]
async fn large_transaction_that_commits_late_is_taken_whole() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    fleet.endpoint("a").await?;
    let worker = fleet.worker("it");
    let subscribers = Subscribers::load(&fleet.database).await?;
    let mut other = database::connect(&fleet.server.url).await?;
    let late = other.transaction().await?;
    // More than the sweeps of 20 s would take if each took one batch.
    let messages = (0..22_000).map(|it| message(&format!("late-{it}")));
    subscribers.insert(&late, &messages.collect::<anyhow::Result<Vec<_>>>()?).await?;
    fleet.publish(&["early"]).await?;
    fleet.received(1).await?;
    late.commit().await?;
    fleet.until("SELECT FROM intake HAVING count(*) = 0").await?;
    worker.stop().await
}

#[tokio::test]
async fn shard_is_taken_while_a_foreign_key_names_it() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    let mut other = database::connect(&fleet.server.url).await?;
    let asking = other.transaction().await?;
    let insert = "INSERT INTO command (shard, operator, command) VALUES (0, 'ada', '{}')";
    asking.execute(insert, &[]).await?;
    let taken = fleet.database.query("SELECT FROM take_shard('a', '1 min')", &[]).await?;
    assert_eq!(taken.len(), 1);
    Ok(())
}

#[tokio::test]
async fn save_without_an_answer_ends_the_epoch() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    fleet.endpoint("a").await?;
    let worker = fleet.worker("it");
    fleet.publish(&["m"]).await?;
    fleet.received(1).await?;
    let cut = "
        SELECT pg_terminate_backend(pid), epoch FROM pg_stat_activity, shard
        WHERE query LIKE 'SELECT save(%'";
    let epoch: i64 = fleet.database.query_one(cut, &[]).await?.get(1);
    fleet.publish(&["n"]).await?;
    fleet.received(2).await?;
    fleet.until(&format!("SELECT FROM shard WHERE epoch > {epoch}")).await?;
    worker.stop().await
}

#[tokio::test]
async fn intake_that_is_no_message_holds_nothing_up() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    fleet.endpoint("a").await?;
    let insert = "INSERT INTO intake (key, shard, message) VALUES ('0/bad', 0, '{}')";
    fleet.database.execute(insert, &[]).await?;
    fleet.publish(&["good"]).await?;
    let worker = fleet.worker("it");
    fleet.received(1).await?;
    fleet
        .until("SELECT FROM intake WHERE key = '0/bad' AND refused LIKE '%missing field%'")
        .await?;
    worker.stop().await
}

#[tokio::test]
async fn shard_with_a_poisoned_record_is_parked() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(2).await? else { return Ok(()) };
    let ids = (0..9).map(|it| format!("endpoint-{it}")).collect::<Vec<_>>();
    let on = |shard| {
        let of = |it: &&String| EndpointId::new(it.as_str()).map(|it| endpoints::shard_of(&it, 2));
        ids.iter().find(|it| of(it).is_ok_and(|it| it == shard)).context("one of each")
    };
    fleet.endpoint(on(0)?).await?;
    fleet.endpoint(on(1)?).await?;
    let insert = "INSERT INTO record VALUES ('0/message/m', '{\"record\": \"message\"}')";
    fleet.database.execute(insert, &[]).await?;
    let worker = fleet.worker("it");
    fleet.until("SELECT FROM shard WHERE parked LIKE '%message/m%' AND owner IS NULL").await?;
    // The other one works, and the parked one keeps what is handed over.
    fleet.publish(&["m-1"]).await?;
    fleet.received(1).await?;
    fleet.database.execute("DELETE FROM record WHERE key = '0/message/m'", &[]).await?;
    fleet.database.execute("UPDATE shard SET parked = NULL", &[]).await?;
    fleet.until("SELECT FROM shard WHERE id = 0 AND owner IS NOT NULL").await?;
    fleet.until("SELECT 1 FROM intake HAVING count(*) = 0").await?;
    worker.stop().await?;
    assert_eq!(fleet.receiver.copies("m-1"), 2, "one for each endpoint");
    Ok(())
}

#[tokio::test]
async fn endpoint_that_cannot_be_used_gets_its_messages_later() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    let broken = fleet.endpoint("a").await?;
    fleet.database.execute("DELETE FROM secret", &[]).await?;
    let worker = fleet.worker("it");
    fleet.until("SELECT FROM status WHERE status::json ->> 'unusable' LIKE '%`secret`%'").await?;
    fleet.publish(&["m"]).await?;
    fleet.until("SELECT FROM command HAVING count(*) = count(answer)").await?;
    sleep(Duration::from_millis(500)).await;
    fleet.until("SELECT FROM intake WHERE key = '0/m' AND refused IS NULL").await?;
    endpoints::rotate(&fleet.database, &broken).await?;
    fleet.received(1).await?;
    fleet.until("SELECT FROM status WHERE status::json ->> 'unusable' IS NULL").await?;
    fleet.database.execute("DELETE FROM endpoint", &[]).await?;
    fleet.until("SELECT FROM command HAVING count(*) = count(answer)").await?;
    fleet.publish(&["n"]).await?;
    worker.stop().await?;
    assert_eq!(fleet.receiver.copies("n"), 0);
    Ok(())
}

#[tokio::test]
async fn new_endpoint_gets_what_is_published_after_it() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    let worker = fleet.worker("it");
    fleet.until("SELECT FROM shard WHERE owner IS NOT NULL").await?;
    for number in 0..10 {
        fleet.endpoint(&format!("endpoint-{number}")).await?;
        fleet.publish(&[&format!("m-{number}")]).await?;
    }
    fleet.received(10).await?;
    // Of each message at least the endpoints that were there before it.
    for (message, endpoint) in (0..10).flat_map(|it| (0..=it).map(move |to| (it, to))) {
        let key = format!("0/delivery/m-{message}/endpoint-{endpoint}");
        fleet.until(&format!("SELECT FROM record WHERE key = '{key}'")).await?;
    }
    worker.stop().await
}

#[tokio::test]
async fn commands_are_carried_out_by_the_owner() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    let id = fleet.endpoint("a").await?;
    let endpoint = || id.clone();
    let worker = fleet.worker("it");
    let answer = fleet.ask(Command::Pause { endpoint: endpoint() }).await?;
    assert!(matches!(answer, Answer::Done), "{answer:?}");
    let answer = fleet.ask(Command::Pause { endpoint: endpoint() }).await?;
    assert!(matches!(answer, Answer::Unchanged), "{answer:?}");
    fleet.publish(&["m"]).await?;
    fleet.in_state(DeliveryState::Pending).await?;
    let show = Command::Show { message: MessageId::new("m")?, endpoint: endpoint() };
    let Answer::Delivery { delivery: Some(shown) } = fleet.ask(show).await? else {
        anyhow::bail!("it is there");
    };
    assert!(shown.row.why.starts_with("the endpoint has been paused"), "{}", shown.row.why);
    assert!(shown.body.contains("run-17"), "{}", shown.body);

    fleet.receiver.refuse(true);
    fleet.ask(Command::Resume { endpoint: endpoint() }).await?;
    fleet.in_state(DeliveryState::Failed).await?;
    fleet.receiver.refuse(false);
    let replay = || Replay {
        endpoint: endpoint(),
        message: None,
        before: SystemClock.now() + Duration::from_secs(60),
        pace_ms: 0,
    };
    let plan = fleet.ask(Command::Plan { replay: replay() }).await?;
    let Answer::Plan { count: 1, first, .. } = &plan else { anyhow::bail!("{plan:?}") };
    assert_eq!(first.len(), 1);
    let answer = fleet.ask(Command::Replay { replay: replay(), expected: 2 }).await?;
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
    let answer = fleet.ask(Command::Replay { replay: replay(), expected: 1 }).await?;
    assert!(matches!(answer, Answer::Replayed { count: 1 }), "{answer:?}");
    fleet.in_state(DeliveryState::Ended(Verdict::Delivered)).await?;

    let reason = Some("moves to another building".to_owned());
    fleet.ask(Command::Disable { endpoint: endpoint(), reason }).await?;
    fleet.until("SELECT FROM status WHERE status LIKE '%another building%'").await?;
    fleet.until("SELECT FROM notice WHERE notice LIKE '%\"verdict\":\"delivered\"%'").await?;
    let asked = "SELECT FROM command WHERE operator = 'ada' AND command LIKE '%\"disable\"%'";
    fleet.until(asked).await?;
    fleet.ask(Command::Enable { endpoint: endpoint() }).await?;
    worker.stop().await
}

#[tokio::test]
async fn command_without_an_owner_waits_for_one() -> anyhow::Result<()> {
    let Some(fleet) = Fleet::new(1).await? else { return Ok(()) };
    let id = fleet.endpoint("a").await?;
    let pause = Command::Pause { endpoint: id.clone() };
    assert!(ask_shard(&fleet.database, "ada", 0, &pause).await?.is_none());
    let worker = fleet.worker("it");
    fleet.until("SELECT FROM command WHERE answer LIKE '%done%'").await?;
    worker.stop().await
}
