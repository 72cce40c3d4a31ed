//! A run with an open door, on loopback, during which the bridge is killed.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::timeout;

use crate::bridge::Bridge;
use crate::receiver::Receiver;
use crate::robot::Robot;
use crate::stand_in::StandIn;

/// Runs the demo, and prints what happens.
///
/// # Errors
///
/// If an event is lost, or comes twice.
pub async fn run() -> anyhow::Result<()> {
    let robot = StandIn::start().await?;
    let receiver = Receiver::start(true).await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("bridge.db");
    let start = async || Bridge::start(Robot::new(&robot.url)?, receiver.endpoint()?, &file).await;
    let mut published = 0;

    let bridge = start().await?;
    println!("the bridge begins");
    robot.create_run("run-1", &["home", "pickUpTip", "aspirate", "dispense", "dropTip"]);
    published += bridge.poll().await?;
    settle(&bridge).await?;

    println!("the run starts, and somebody opens the door");
    robot.set_status("run-1", "running");
    robot.end_command("run-1", "protocol", "succeeded");
    robot.end_command("run-1", "protocol", "succeeded");
    published += bridge.poll().await?;
    robot.set_door("open");
    robot.set_status("run-1", "blocked-by-open-door");
    published += bridge.poll().await?;
    settle(&bridge).await?;

    println!("the receiver is down; the run goes on; the bridge is killed and started again");
    receiver.set_down(true);
    robot.set_door("closed");
    robot.set_status("run-1", "running");
    robot.end_command("run-1", "protocol", "succeeded");
    published += bridge.poll().await?;
    bridge.kill().await;
    let bridge = start().await?;
    let again = bridge.poll().await?;
    println!("  nothing has changed on the robot: {again} messages published");
    ensure!(again == 0, "the bridge published {again} messages twice");

    println!("the receiver is back");
    receiver.set_down(false);
    settle(&bridge).await?;

    println!("a pause between two polls, which no event reports; then the end");
    robot.set_status("run-1", "paused");
    robot.set_status("run-1", "running");
    published += bridge.poll().await?;
    robot.end_command("run-1", "protocol", "succeeded");
    robot.end_command("run-1", "protocol", "succeeded");
    robot.set_status("run-1", "finishing");
    published += bridge.poll().await?;
    robot.set_status("run-1", "succeeded");
    published += bridge.poll().await?;
    settle(&bridge).await?;

    println!("another run, which the emergency stop ends");
    robot.create_run("run-2", &["home"]);
    robot.set_status("run-2", "running");
    published += bridge.poll().await?;
    robot.set_estop("physicallyEngaged");
    robot.fail("run-2", "The emergency stop was pressed.");
    published += bridge.poll().await?;
    settle(&bridge).await?;
    bridge.stop().await?;

    let received = receiver.received();
    let (count, duplicates) = (received.ids.len(), received.duplicates);
    let lost = published.saturating_sub(count);
    println!("published {published}, received {count}, lost {lost}, duplicates {duplicates}");
    ensure!(published == count && duplicates == 0, "events were lost, or came twice");
    Ok(())
}

async fn settle(bridge: &Bridge) -> anyhow::Result<()> {
    Ok(timeout(Duration::from_secs(30), bridge.settled()).await?)
}
