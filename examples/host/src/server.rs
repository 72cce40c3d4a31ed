//! A Postgres server to throw away, or the one of `DATABASE_URL`: [`Server`]. For examples and tests.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

/// A server, which is stopped and deleted when this is dropped.
pub struct Server {
    /// What a client connects to.
    pub url: String,
    throw_away: Option<ThrowAway>,
}

struct ThrowAway {
    start: Command,
    stop: Command,
    postgres: Child,
    /// Deleted after the server has stopped.
    _directory: TempDir,
}

impl Server {
    /// Returns the server of `DATABASE_URL`, or starts one on a Unix socket in a temporary
    /// directory. `None` if this machine has neither.
    ///
    /// # Errors
    ///
    /// If the server does not start.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        if let Ok(url) = env::var("DATABASE_URL") {
            return Ok(Some(Self { url, throw_away: None }));
        }
        let Some(bin) = binaries() else { return Ok(None) };
        let directory = tempfile::Builder::new().prefix("labhook-pg-").tempdir()?;
        let Some(user) = User::of(directory.path())? else { return Ok(None) };
        let data = directory.path().join("data");

        let mut initdb = user.command(&bin.join("initdb"), directory.path());
        initdb.args(["--username=labhook", "--auth=trust", "--encoding=UTF8", "--no-sync", "-D"]);
        let made = initdb.arg(&data).output().context("cannot run initdb")?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        let mut start = user.command(&bin.join("postgres"), directory.path());
        start.arg("-D").arg(&data).arg("-k").arg(directory.path()).args(["-h", ""]);
        // Ctrl-C is for this program, which then stops the server.
        start.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut stop = user.command(&bin.join("pg_ctl"), directory.path());
        stop.args(["stop", "-s", "-m", "immediate", "-D"]).arg(&data);
        let socket = directory.path().display();
        let url = format!("host={socket} user=labhook dbname=postgres");
        let postgres = start.spawn()?;
        let throw_away = ThrowAway { start, stop, postgres, _directory: directory };
        let server = Self { url, throw_away: Some(throw_away) };
        server.comes_up().await?;
        Ok(Some(server))
    }

    /// Stops the server as a crash would, and starts it again after the pause. Returns `false` if it
    /// is the one of `DATABASE_URL`, which is not touched.
    ///
    /// # Errors
    ///
    /// If the server does not start.
    pub async fn crash(&mut self, pause: Duration) -> anyhow::Result<bool> {
        let Some(it) = &mut self.throw_away else { return Ok(false) };
        ensure!(it.stop.status()?.success(), "the Postgres server does not stop");
        it.postgres.wait()?;
        tokio::time::sleep(pause).await;
        it.postgres = it.start.spawn()?;
        self.comes_up().await?;
        Ok(true)
    }

    async fn comes_up(&self) -> anyhow::Result<()> {
        for _ in 0..200 {
            if crate::postgres::connect(&self.url).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the Postgres server does not come up")
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        if !self.stop.status().is_ok_and(|it| it.success()) {
            let _ = self.postgres.kill();
        }
        let _ = self.postgres.wait();
    }
}

/// Returns the directory of the server's programs: where Debian has them, or one in `PATH`.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = versions.map(|it| it.path().join("bin")).collect();
    debian.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut candidates = debian.into_iter().rev().chain(env::split_paths(&path));
    candidates.find(|bin| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).is_file())
    })
}

/// Who runs the server: the user of this program or, since Postgres refuses root, another one.
enum User {
    Myself,
    Other { uid: u32, gid: u32 },
}

impl User {
    /// Returns the user, who then owns the directory. `None` if there is only root.
    fn of(directory: &Path) -> anyhow::Result<Option<Self>> {
        if fs::metadata(directory)?.uid() != 0 {
            return Ok(Some(Self::Myself));
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let ids = |name: &str| {
            let mut fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
            let fields = fields.find(|fields| fields.first() == Some(&name))?;
            Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
        };
        let Some((uid, gid)) = ids("postgres").or_else(|| ids("nobody")) else { return Ok(None) };
        chown(directory, Some(uid), Some(gid))?;
        fs::set_permissions(directory, Permissions::from_mode(0o700))?;
        Ok(Some(Self::Other { uid, gid }))
    }

    /// Returns a command of this user, in a directory that the user may enter.
    fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).stdin(Stdio::null());
        if let Self::Other { uid, gid } = self {
            // Root's supplementary groups are dropped with it.
            command.uid(*uid).gid(*gid);
        }
        command
    }
}
