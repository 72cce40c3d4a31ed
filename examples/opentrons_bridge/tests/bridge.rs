//! The bridge between a stand-in for the robot server and a receiver.

use std::path::Path;
use std::time::Duration;

use opentrons_bridge::receiver::{Receiver, describe};
use opentrons_bridge::stand_in::StandIn;
use opentrons_bridge::{Bridge, Robot, demo};
use tempfile::TempDir;
use tokio::time::timeout;

struct World {
    robot: StandIn,
    receiver: Receiver,
    directory: TempDir,
}

impl World {
    async fn new(robot: StandIn) -> anyhow::Result<Self> {
        let receiver = Receiver::start(false).await?;
        Ok(Self { robot, receiver, directory: tempfile::tempdir()? })
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("bridge.db")
    }

    async fn bridge(&self) -> anyhow::Result<Bridge> {
        self.bridge_with(&self.file()).await
    }

    async fn bridge_with(&self, file: &Path) -> anyhow::Result<Bridge> {
        Bridge::start(Robot::new(&self.robot.url)?, self.receiver.endpoint()?, file).await
    }

    /// Waits until all is delivered, and returns the events as text, each once.
    async fn received(&self, bridge: &Bridge) -> anyhow::Result<Vec<String>> {
        timeout(Duration::from_secs(30), bridge.settled()).await?;
        let received = self.receiver.received();
        assert_eq!(received.duplicates, 0);
        Ok(received.events.iter().map(describe).collect())
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

#[tokio::test]
async fn demo_loses_nothing_and_repeats_nothing() -> anyhow::Result<()> {
    demo::run().await
}

#[tokio::test]
async fn run_is_published_from_its_start_to_its_end() -> anyhow::Result<()> {
    let world = World::new(StandIn::start_ot2().await?).await?;
    let bridge = world.bridge().await?;
    let robot = &world.robot;
    robot.create_run("r", &["aspirate"]);
    assert_eq!(bridge.poll().await?, 2);
    assert_eq!(bridge.poll().await?, 0);
    for status in ["running", "paused", "running", "awaiting-recovery", "stop-requested"] {
        robot.set_status("r", status);
        assert_eq!(bridge.poll().await?, 1, "{status}");
    }
    robot.end_command("r", "protocol", "succeeded");
    robot.set_status("r", "stopped");
    assert_eq!(bridge.poll().await?, 2);
    let received = world.received(&bridge).await?;
    let of_run: Vec<_> = received.iter().filter(|it| it.starts_with("run r")).collect();
    assert_eq!(
        of_run,
        [
            "run r: queued (idle)",
            "run r: started (running)",
            "run r: paused (paused)",
            "run r: resumed (running)",
            "run r: action_required (awaiting-recovery)",
            "run r: resumed (stop-requested)",
            "run r: aspirate completed",
            "run r: stopped (stopped)",
        ]
    );
    // An OT-2 has no emergency stop.
    assert_eq!(received.iter().filter(|it| !it.starts_with("run r")).count(), 1);
    Ok(())
}

#[tokio::test]
async fn only_commands_that_succeeded_are_published() -> anyhow::Result<()> {
    let world = World::new(StandIn::start().await?).await?;
    let bridge = world.bridge().await?;
    let robot = &world.robot;
    // More than two pages, and a setup command, which is last in the list and runs first.
    robot.create_run("r", &["aspirate"; 250]);
    robot.queue("r", "home", "setup");
    robot.end_command("r", "setup", "succeeded");
    // The setup command, the status, the door and the emergency stop.
    assert_eq!(bridge.poll().await?, 4);
    robot.set_status("r", "running");
    robot.end_command("r", "protocol", "failed");
    for _ in 1..250 {
        robot.end_command("r", "protocol", "succeeded");
    }
    robot.set_status("r", "succeeded");
    // The commands but one, and the status.
    assert_eq!(bridge.poll().await?, 250);
    assert_eq!(bridge.poll().await?, 0);
    Ok(())
}

#[tokio::test]
async fn killed_bridge_goes_on_where_it_was() -> anyhow::Result<()> {
    let world = World::new(StandIn::start().await?).await?;
    let robot = &world.robot;
    world.receiver.set_down(true);
    let mut published = 0;
    let statuses = ["idle", "running", "paused", "running", "failed"];
    robot.create_run("r", &["home"]);
    for status in statuses {
        robot.set_status("r", status);
        let bridge = world.bridge().await?;
        published += bridge.poll().await?;
        bridge.kill().await;
        let again = world.bridge().await?;
        assert_eq!(again.poll().await?, 0, "{status}");
        again.kill().await;
    }
    world.receiver.set_down(false);
    let bridge = world.bridge().await?;
    let received = world.received(&bridge).await?;
    // The door and the emergency stop too.
    assert_eq!((published, received.len()), (statuses.len() + 2, statuses.len() + 2));
    Ok(())
}

#[tokio::test]
async fn bridge_that_lost_its_file_repeats_the_same_ids() -> anyhow::Result<()> {
    let world = World::new(StandIn::start().await?).await?;
    world.robot.create_run("r", &["home"]);
    world.robot.set_status("r", "running");
    world.robot.end_command("r", "protocol", "succeeded");
    let mut ids = Vec::new();
    for file in ["a.db", "b.db"] {
        let bridge = world.bridge_with(&world.directory.path().join(file)).await?;
        assert_eq!(bridge.poll().await?, 4);
        timeout(Duration::from_secs(30), bridge.settled()).await?;
        ids.push(world.receiver.received().ids);
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(world.receiver.received().duplicates, 4);
    Ok(())
}

#[tokio::test]
async fn past_of_the_robot_is_not_published() -> anyhow::Result<()> {
    let world = World::new(StandIn::start().await?).await?;
    world.robot.create_run("old", &["home"]);
    world.robot.set_status("old", "succeeded");
    let bridge = world.bridge().await?;
    // The door and the emergency stop.
    assert_eq!(bridge.poll().await?, 2);
    // A run that began and ended between two polls.
    world.robot.create_run("new", &["home"]);
    world.robot.set_status("new", "succeeded");
    world.robot.delete_run("old");
    assert_eq!(bridge.poll().await?, 1);
    Ok(())
}

#[tokio::test]
async fn safety_is_published_when_it_changes() -> anyhow::Result<()> {
    let world = World::new(StandIn::start().await?).await?;
    let bridge = world.bridge().await?;
    assert_eq!(bridge.poll().await?, 2);
    world.robot.set_door("open");
    world.robot.set_estop("physicallyEngaged");
    assert_eq!((bridge.poll().await?, bridge.poll().await?), (2, 0));
    world.robot.set_estop("logicallyEngaged");
    world.robot.set_door("closed");
    assert_eq!(bridge.poll().await?, 2);
    let received = world.received(&bridge).await?;
    let expected = [
        "door: action_required (open)",
        "door: ready (closed)",
        "door: ready (closed)",
        "estop: emergency_stop (logicallyEngaged)",
        "estop: emergency_stop (physicallyEngaged)",
        "estop: ready (disengaged)",
    ];
    assert_eq!(sorted(received), expected);
    Ok(())
}
