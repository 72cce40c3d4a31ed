//! A NATS server to throw away, or the one of `NATS_URL`.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Stdio;
use std::{env, io};

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub struct Server {
    pub url: String,
    throw_away: Option<ThrowAway>,
}

struct ThrowAway {
    /// Killed when this is dropped; the directory is deleted after it.
    nats: Child,
    directory: TempDir,
    port: u16,
}

impl Server {
    /// Returns the server of `NATS_URL`, or starts one in a temporary directory. `None` if this
    /// machine has neither.
    pub fn start() -> anyhow::Result<Option<Self>> {
        if let Ok(url) = env::var("NATS_URL") {
            return Ok(Some(Self { url, throw_away: None }));
        }
        let directory = tempfile::Builder::new().prefix("labhook-nats-").tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let Some(nats) = spawn(&directory, port)? else { return Ok(None) };
        let throw_away = Some(ThrowAway { nats, directory, port });
        Ok(Some(Self { url: format!("nats://127.0.0.1:{port}"), throw_away }))
    }

    /// Kills the server with SIGKILL and starts it again, if it is one to throw away. Returns
    /// whether it is.
    pub async fn kill(&mut self) -> anyhow::Result<bool> {
        let Some(it) = &mut self.throw_away else { return Ok(false) };
        it.nats.kill().await?;
        it.nats = spawn(&it.directory, it.port)?.context("it was there before")?;
        Ok(true)
    }
}

/// `None` if there is no such program. Debian's directory for it is not in everybody's `PATH`.
fn spawn(directory: &TempDir, port: u16) -> io::Result<Option<Child>> {
    for program in ["nats-server", "/usr/sbin/nats-server"] {
        let mut nats = Command::new(program);
        nats.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(directory.path());
        nats.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        match nats.spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            spawned => return spawned.map(Some),
        }
    }
    Ok(None)
}
