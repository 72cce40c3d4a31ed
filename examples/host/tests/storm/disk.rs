//! A disk that is small enough to be filled: [`SmallDisk`].

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A file system in memory, of 64 MiB.
pub struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// Mounts it. `None` if this process may not mount.
    pub fn mount() -> anyhow::Result<Option<Self>> {
        let directory = tempfile::Builder::new().prefix("labhook-disk-").tempdir()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "labhook"]).arg(directory.path());
        let is_mounted = mount.output().is_ok_and(|it| it.status.success());
        Ok(if is_mounted { Some(Self { directory }) } else { None })
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Fills it up to the last page.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::create(self.path().join("filler"))?;
        for block in [1 << 20, 4096] {
            while filler.write_all(&vec![0; block]).is_ok() {}
        }
        Ok(())
    }

    pub fn make_room(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.path().join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a sender may still be dying.
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        if !unmounted.is_ok_and(|it| it.success()) {
            eprintln!("{} is still mounted", self.path().display());
        }
    }
}
