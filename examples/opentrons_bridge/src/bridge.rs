//! The bridge: [`Bridge`] reads, compares and publishes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use host::http::Http;
use host::{Clock as _, Driver, Handle, SystemClock};
use labhook::endpoint::{AddressPolicy, NetworkError};
use labhook::event::EncodeError;
use labhook::lab::RunState;
use labhook::outbox::PublishError;
use labhook::{Endpoint, Event, Message, MessageId, Order, Outbox, Payload, Registry, Timestamp};
use tokio::task::JoinHandle;

use crate::mapping;
use crate::robot::{self, Robot, Run};
use crate::state::{SeenDevice, SeenRun, State};
use crate::store::Store;

/// Returns the addresses that the receiver can have: it may also be on this machine or in the
/// laboratory's network, because the URL is the operator's own.
fn addresses() -> Result<AddressPolicy, NetworkError> {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
    private.into_iter().try_fold(AddressPolicy::public().allow_loopback(), |policy, network| {
        Ok(policy.allow_network(network.parse()?))
    })
}

/// Polls a robot, and publishes what has changed.
pub struct Bridge {
    robot: Robot,
    /// The robot's serial number, or its name: part of each id.
    name: String,
    state: Arc<Mutex<State>>,
    outbox: Handle,
    driver: JoinHandle<anyhow::Result<()>>,
}

impl Bridge {
    /// Starts a bridge between the robot and the endpoint, or starts it again with what it saved in
    /// the file.
    ///
    /// # Errors
    ///
    /// If the robot does not answer, or the file cannot be used.
    pub async fn start(robot: Robot, endpoint: Endpoint, path: &Path) -> anyhow::Result<Self> {
        let health = robot.health().await.context("the robot does not answer")?;
        let store = Store::open(path)?;
        let state = store.state();
        let mut registry = Registry::new();
        // A run's `started` must not arrive after its `completed`.
        registry.insert(endpoint.with_order(Order::per_key()))?;
        let outbox = Outbox::new(registry, 0x07ec_b41d);
        let http = Http::new(addresses()?);
        let (driver, outbox) = Driver::restore(outbox, store, http, SystemClock).await?;
        let driver = tokio::spawn(driver.with_notices(|_, _| {}).run());
        let name = health.robot_serial.unwrap_or(health.name);
        Ok(Self { robot, name, state, outbox, driver })
    }

    /// Polls once. Returns the number of messages that it published; they are durable.
    ///
    /// # Errors
    ///
    /// If the robot does not answer, or the messages cannot be saved. Then poll again later.
    pub async fn poll(&self) -> anyhow::Result<usize> {
        let mut seen = self.state().clone();
        let mut news = News { robot: &self.name, now: SystemClock.now(), messages: Vec::new() };
        self.read_runs(&mut seen, &mut news).await?;
        if let Some(estop) = self.robot.estop().await? {
            let event = mapping::estop_changed(&self.name, &estop);
            news.device(&mut seen, "estop", &estop.status, event)?;
        }
        let door = self.robot.door().await?;
        news.device(&mut seen, "door", &door.status, mapping::door_changed(&self.name, &door))?;
        seen.has_begun = true;

        let messages = news.messages;
        if messages.is_empty() {
            // Nothing is lost if this is not saved: the next poll reads the same again.
            *self.state() = seen;
            return Ok(0);
        }
        let state = Arc::clone(&self.state);
        // Between two steps of the driver, so that one save has the messages and the state.
        let published = self.outbox.with(move |outbox, now| {
            let mut published = 0;
            for message in messages {
                published += usize::from(!outbox.publish(message, now)?.duplicate);
            }
            *state.lock().unwrap_or_else(PoisonError::into_inner) = seen;
            Ok::<_, PublishError>(published)
        });
        let published = published.await??;
        self.outbox.flush().await?;
        Ok(published)
    }

    async fn read_runs(&self, seen: &mut State, news: &mut News<'_>) -> anyhow::Result<()> {
        let runs = self.robot.runs().await?;
        let ids: BTreeSet<_> = runs.iter().map(|run| run.id.clone()).collect();
        // The server has deleted the others.
        seen.runs.retain(|id, _| ids.contains(id));
        for run in &runs {
            let is_first = !seen.has_begun;
            let it = seen.runs.entry(run.id.clone()).or_default();
            if it.is_over {
                continue;
            }
            let is_final = mapping::run_state(&run.status, it.state.as_ref()).is_final();
            // A new bridge does not publish the robot's past.
            if is_first && is_final {
                it.is_over = true;
                continue;
            }
            // A run starts before its commands, and ends after them.
            if !is_final {
                news.run(it, run)?;
            }
            for (position, command) in self.robot.commands(&run.id, it.next).await? {
                let has_ended = matches!(command.status.as_str(), "succeeded" | "failed");
                if has_ended && it.end(position) && command.status == "succeeded" {
                    let event = mapping::completed(&run.id, position, &command);
                    let at = robot::time(command.completed_at.as_deref());
                    news.publish(["run", &run.id, "command", &command.id], event, at)?;
                }
            }
            if is_final {
                news.run(it, run)?;
                it.is_over = true;
            }
        }
        Ok(())
    }

    /// Waits until the receiver has accepted everything that was published.
    pub async fn settled(&self) {
        self.outbox.settled().await;
    }

    /// Kills the bridge, as a crash does: nothing is saved, and requests in flight are dropped.
    pub async fn kill(self) {
        self.driver.abort();
        let _ = self.driver.await;
    }

    /// Stops in good order.
    ///
    /// # Errors
    ///
    /// If the messages could not be saved.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.outbox.drain();
        self.driver.await?
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages of one poll.
struct News<'a> {
    robot: &'a str,
    now: Timestamp,
    messages: Vec<Message>,
}

impl News<'_> {
    /// Publishes a run's state, if it is another one than before.
    fn run(&mut self, seen: &mut SeenRun, run: &Run) -> Result<(), EncodeError> {
        let event = mapping::run_changed(self.robot, run, seen.state.as_ref());
        if seen.state.as_ref() == Some(&event.state) {
            return Ok(());
        }
        seen.state = Some(event.state.clone());
        seen.changes += 1;
        let at = if event.state.is_final() {
            robot::time(run.completed_at.as_deref())
        } else if seen.state == Some(RunState::Started) {
            robot::time(run.started_at.as_deref())
        } else {
            None
        };
        let change = seen.changes.to_string();
        self.publish(["run", &run.id, &change, &run.status], event, at)
    }

    /// Publishes a device's status, if it is another one than before.
    fn device(
        &mut self,
        seen: &mut State,
        device: &str,
        status: &str,
        event: impl Payload,
    ) -> Result<(), EncodeError> {
        let it = seen.devices.entry(device.to_owned()).or_default();
        if it.status == status {
            return Ok(());
        }
        *it = SeenDevice { status: status.to_owned(), changes: it.changes + 1 };
        let change = it.changes.to_string();
        self.publish(["device", device, &change, status], event, None)
    }

    fn publish(
        &mut self,
        id: [&str; 4],
        event: impl Payload,
        at: Option<Timestamp>,
    ) -> Result<(), EncodeError> {
        let id = MessageId::derive([&[self.robot][..], &id].concat());
        let message = Event::new(event, at.unwrap_or(self.now)).into_message(id)?;
        self.messages.push(message);
        Ok(())
    }
}
