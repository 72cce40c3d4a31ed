//! Two policies through the same outage, side by side.
//!
//! `cargo run --release -p outage [picture.svg]`
//!
//! A receiver that accepts 50 messages a second is down for half an hour, under a load of 20 a
//! second. One sender retries each message every 30 seconds, with up to 1000 requests in flight;
//! the other uses labhook's defaults. The simulator runs both. The comparison is printed to the
//! terminal and written as an SVG.

mod drawing;
mod format;
mod terminal;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use labhook::delivery::Schedule;
use labhook::flow::ConcurrencyLimitPolicy;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Report, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, RetryPolicy};

/// One of the two policies, and its results.
struct Side {
    name: &'static str,
    about: &'static str,
    report: Report,
}

/// The conditions for both.
struct World {
    events_per_second: u32,
    capacity_per_second: u32,
    down: (Duration, Duration),
    duration: Duration,
}

fn main() -> anyhow::Result<()> {
    let picture = std::env::args_os().nth(1).map(PathBuf::from);
    let picture = picture.unwrap_or_else(|| PathBuf::from("target/outage.svg"));

    let minutes = |n: u64| Duration::from_secs(n * 60);
    let world = World {
        events_per_second: 20,
        capacity_per_second: 50,
        down: (minutes(15), minutes(45)),
        duration: minutes(120),
    };
    let count = |n| NonZeroU32::new(n).context("a count must not be zero");
    let every_30_s = Schedule::list([Duration::from_secs(30)]).forever();
    let concurrency = ConcurrencyLimitPolicy::fixed(count(1_000)?);
    let naive =
        EndpointPolicy::new(RetryPolicy::new(every_30_s).with_window(Duration::from_secs(86_400)))
            .with_health(HealthPolicy::never())
            .with_flow(FlowPolicy::fixed().with_concurrency(concurrency));

    let sides = [
        ("Retry every 30 s", "no jitter, no circuit breaker, 1000 in flight", naive),
        (
            "labhook's defaults",
            "one probe at a time, slow start, adaptive rate",
            EndpointPolicy::default(),
        ),
    ];
    let sides: Vec<Side> = sides
        .into_iter()
        .map(|(name, about, policy)| {
            let receiver = Receiver::new()
                .with_latency(Duration::from_millis(40))
                .with_capacity(count(world.capacity_per_second)?)
                .add_outage(world.down.0, world.down.1, Behaviour::refuses_connections());
            let load = Load::per_second(count(world.events_per_second)?);
            let reports = Scenario::new(load, world.duration)
                .with_points(NonZeroUsize::new(480).context("a count must not be zero")?)
                .add_endpoint(policy, receiver)
                .run();
            let report = reports.into_iter().next().context("the scenario has one endpoint")?;
            Ok(Side { name, about, report })
        })
        .collect::<anyhow::Result<_>>()?;

    terminal::show(&world, &sides);
    if let Some(folder) = picture.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    svg::save(&picture, &drawing::draw(&world, &sides))?;
    println!("\nwritten to {}", picture.display());
    Ok(())
}
