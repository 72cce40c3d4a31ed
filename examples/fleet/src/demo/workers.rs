//! Workers as processes, to be killed and frozen.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Short, so that the next owner comes soon.
const LEASE_MS: u64 = 1_500;

/// How long a worker that is asked to stop may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Workers {
    url: String,
    /// The workers, and how many there were in each place before.
    processes: Vec<(Child, u32)>,
}

impl Workers {
    pub fn start(url: &str, count: usize) -> anyhow::Result<Self> {
        let spawn = |place| Ok((spawn(url, &name(place, 0), &[])?, 0));
        let processes = (0..count).map(spawn).collect::<anyhow::Result<_>>()?;
        Ok(Self { url: url.to_owned(), processes })
    }

    /// Returns the id of the worker that has this place now.
    pub fn name(&self, place: usize) -> String {
        name(place, self.processes.get(place).map_or(0, |it| it.1))
    }

    /// Kills a worker with SIGKILL, and starts another in its place.
    pub async fn kill(&mut self, place: usize) -> anyhow::Result<()> {
        let (process, generation) = self.processes.get_mut(place).context("no such worker")?;
        process.kill().await?;
        *generation += 1;
        *process = spawn(&self.url, &name(place, *generation), &[])?;
        Ok(())
    }

    /// Stops a worker in the middle of what it does. It wakes up when its leases are another's.
    pub fn freeze(&self, place: usize) -> anyhow::Result<()> {
        let process = self.processes.get(place).and_then(|it| it.0.id());
        let pid = process.and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let pid = pid.context("no such worker")?;
        kill_process(pid, Signal::STOP)?;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(LEASE_MS * 2)).await;
            // It may have been killed meanwhile.
            let _ = kill_process(pid, Signal::CONT);
        });
        Ok(())
    }

    /// Asks all of them to stop in good order.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for (process, _) in &mut self.processes {
            drop(process.stdin.take());
        }
        for (process, _) in &mut self.processes {
            let stopped = timeout(PATIENCE, process.wait()).await;
            let stopped = stopped.context("a worker does not stop")??;
            anyhow::ensure!(stopped.success(), "a worker failed: {stopped}");
        }
        Ok(())
    }
}

fn name(place: usize, generation: u32) -> String {
    format!("worker-{place}-{generation}")
}

/// Starts a worker of this program. It ends with this process: its standard input closes.
pub fn spawn(url: &str, id: &str, settings: &[(&str, &str)]) -> anyhow::Result<Child> {
    let mut worker = Command::new(env::current_exe()?);
    worker
        .args(["worker", id])
        // Not as an argument, which others on the machine could read.
        .env("DATABASE_URL", url)
        .env("FLEET_LEASE_MS", LEASE_MS.to_string())
        .env("FLEET_ENDS_WITH_STDIN", "1")
        .envs(settings.iter().copied())
        .stdin(Stdio::piped())
        // Their warnings are about what is done to them.
        .stderr(Stdio::null())
        .kill_on_drop(true);
    Ok(worker.spawn()?)
}
