//! The bridge as a program: see the [library](opentrons_bridge).

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_methods)]

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use labhook::{Endpoint, EndpointId, Secret, Signer};
use opentrons_bridge::{Bridge, Robot, demo};

/// The time between two polls.
const INTERVAL: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => demo::run().await,
        [robot, receiver] => serve(robot, receiver).await,
        _ => {
            eprintln!("usage: opentrons_bridge                          a demo on loopback");
            eprintln!("       LABHOOK_SECRET=whsec_... opentrons_bridge ROBOT_URL RECEIVER_URL");
            std::process::exit(2);
        }
    }
}

/// Bridges until Ctrl-C.
async fn serve(robot: &str, receiver: &str) -> anyhow::Result<()> {
    let secret = env::var("LABHOOK_SECRET").context("LABHOOK_SECRET is not set")?;
    let signer = Signer::standard_webhooks(Secret::from_whsec(&secret)?);
    let endpoint = Endpoint::plain_http(EndpointId::new("receiver")?, receiver, signer)?;
    let bridge = Bridge::start(Robot::new(robot)?, endpoint, Path::new("bridge.db")).await?;
    loop {
        // A robot that is switched off is polled until it is back.
        match bridge.poll().await {
            Ok(0) => {}
            Ok(published) => eprintln!("published {published} messages"),
            Err(error) => eprintln!("cannot poll: {error:#}"),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = tokio::signal::ctrl_c() => return bridge.stop().await,
        }
    }
}
