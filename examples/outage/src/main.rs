//! Two policies through the same outage, side by side.
//!
//! `cargo run --release -p outage [picture.svg]`
//!
//! A receiver that takes fifty messages a second is down for half an hour, while twenty a second
//! are for it. One sender tries each message again every half minute, as many at once as it likes.
//! The other is labhook as it comes. The simulator runs both, the terminal shows them, and an SVG
//! has them for keeping.

mod drawing;
mod figures;
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

/// One of the two, and what became of it.
struct Side {
    name: &'static str,
    about: &'static str,
    report: Report,
}

/// What both are put through.
struct World {
    events_per_second: u32,
    capacity_per_second: u32,
    down: (Duration, Duration),
    lasting: Duration,
}

fn main() -> anyhow::Result<()> {
    let picture = std::env::args_os().nth(1).map(PathBuf::from);
    let picture = picture.unwrap_or_else(|| PathBuf::from("target/outage.svg"));

    let minutes = |n: u64| Duration::from_secs(n * 60);
    let world = World {
        events_per_second: 20,
        capacity_per_second: 50,
        down: (minutes(15), minutes(45)),
        lasting: minutes(120),
    };
    let count = |n| NonZeroU32::new(n).context("nothing of something");
    let half_minutes = Schedule::list([Duration::from_secs(30)]).forever();
    let window = ConcurrencyLimitPolicy::fixed(count(1_000)?);
    let naive = EndpointPolicy::new(
        RetryPolicy::new(half_minutes).with_window(Duration::from_secs(86_400)),
    )
    .with_health(HealthPolicy::never())
    .with_flow(FlowPolicy::fixed().with_concurrency(window));

    let sides = [
        ("Try again every 30 s", "no jitter, no rest, a thousand at once", naive),
        (
            "labhook's defaults",
            "one probe at a time, slow start, a learned pace",
            EndpointPolicy::default(),
        ),
    ];
    let sides: Vec<Side> = sides
        .into_iter()
        .map(|(name, about, policies)| {
            let receiver = Receiver::new()
                .with_latency(Duration::from_millis(40))
                .with_capacity(count(world.capacity_per_second)?)
                .add_outage(world.down.0, world.down.1, Behaviour::refuses_connections());
            let load = Load::per_second(count(world.events_per_second)?);
            let reports = Scenario::new(load, world.lasting)
                .with_points(NonZeroUsize::new(480).context("no points")?)
                .add_endpoint(policies, receiver)
                .run();
            let report = reports.into_iter().next().context("no report")?;
            Ok(Side { name, about, report })
        })
        .collect::<anyhow::Result<_>>()?;

    terminal::show(&world, &sides);
    if let Some(folder) = picture.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    svg::save(&picture, &drawing::draw(&world, &sides))?;
    println!("\ndrawn to {}", picture.display());
    Ok(())
}
