//! Installs the libraries, once per language and lock file, outside of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// Where drivers and lock files are.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/official");
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/official");

/// The tests run in parallel, and each language is installed by the first one that needs it.
static PYTHON: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    install("python3", &["requirements.txt"], "driver.py", |folder| {
        run(Command::new("python3").args(["-m", "venv", "venv"]), folder)?;
        let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-r"];
        run(Command::new("venv/bin/python").args(pip).arg("requirements.txt"), folder)
    })
});

static JAVASCRIPT: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    install("node", &["package-lock.json", "package.json"], "driver.mjs", |folder| {
        let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(options), folder)
    })
});

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    JavaScript,
}

impl Language {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
        }
    }

    /// Returns the command that starts the driver for a library, or why there is none.
    pub(super) fn driver(self, library: &str) -> Result<Command, &'static str> {
        let (folder, program, driver) = match self {
            Self::Python => (&*PYTHON, "venv/bin/python", "driver.py"),
            Self::JavaScript => (&*JAVASCRIPT, "node", "driver.mjs"),
        };
        let folder = folder.as_ref().map_err(|why| &**why)?;
        // A program without a slash is looked up in `PATH`.
        let mut command = match program.contains('/') {
            true => Command::new(folder.join(program)),
            false => Command::new(program),
        };
        command.arg(folder.join(driver)).arg(library);
        Ok(command)
    }
}

/// Returns the folder of the interpreter, after `install` has run there for its version and these
/// lock files. The driver is copied there too, because Node.js looks for packages beside the
/// importing file.
fn install(
    interpreter: &str,
    locks: &[&str],
    driver: &str,
    install: impl FnOnce(&Path) -> Result<String, String>,
) -> Result<PathBuf, String> {
    let folder = Path::new(TARGET).join(interpreter);
    let mut lock = run(Command::new(interpreter).arg("--version"), Path::new("."))?;
    lock.extend(locks.iter().map(|name| read(&Path::new(SOURCE).join(name))));
    // It is written last, so an installation that was interrupted does not count.
    let done = folder.join("installed");
    if fs::read_to_string(&done).ok().as_ref() != Some(&lock) {
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        for name in locks {
            fs::copy(Path::new(SOURCE).join(name), folder.join(name)).unwrap();
        }
        install(&folder)?;
        fs::write(&done, lock).unwrap();
    }
    fs::copy(Path::new(SOURCE).join(driver), folder.join(driver)).unwrap();
    Ok(folder)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns what the command prints.
fn run(command: &mut Command, folder: &Path) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir(folder).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let log = folder.join("failure.txt");
            fs::write(&log, [output.stdout, output.stderr].concat()).unwrap();
            Err(format!("{program} failed, see {}", log.display()))
        }
        Err(error) => Err(format!("no {program}: {error}")),
    }
}
