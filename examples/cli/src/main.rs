//! A command-line companion for webhooks: it checks, makes, sends and receives signed requests, and
//! tries policies.
//!
//! ```text
//! cargo run -p labhook-cli -- verify --scheme github request.http    why is it refused?
//! cargo run -p labhook-cli -- sign body.json --url https://eln.example/in
//! cargo run -p labhook-cli -- listen 127.0.0.1:3000                  prints what comes
//! cargo run -p labhook-cli -- send http://127.0.0.1:3000/hooks       every event of the catalogue
//! cargo run -p labhook-cli -- lint policy.toml --load 20/s
//! cargo run -p labhook-cli -- simulate policy.toml --outage 10m..25m --svg picture.svg
//! ```
//!
//! A secret comes from an environment variable or a file, never from an argument, which other users
//! of the machine can read; and none is printed. `--json` makes the output one JSON object, or
//! one per line if there are several. The exit codes are the same for all commands: see
//! [`EXIT_CODES`].

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod clock;
mod event;
mod keys;
mod lint;
mod listen;
mod load;
mod output;
mod picture;
mod policy_file;
mod request;
mod scheme;
mod send;
mod sign;
mod simulate;
mod spec_file;
mod verify;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The end of each command's help.
const EXIT_CODES: &str = "Exit codes:
  0  done, and the answer is yes
  1  the answer is no: a request is refused, an event is not accepted, a finding is denied
  2  wrong usage: an argument, a file, a secret or an address cannot be used";

/// Checks, makes, sends and receives signed webhooks, and tries delivery policies.
#[derive(Parser)]
#[command(name = "labhook", version, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Verifies a captured request, and says why it is refused and what to do.
    #[command(after_help = EXIT_CODES)]
    Verify(verify::Options),
    /// Signs a body: prints the headers, and a command for curl.
    #[command(after_help = EXIT_CODES)]
    Sign(sign::Options),
    /// Sends a sample of each lab event to a receiver, signed.
    #[command(after_help = EXIT_CODES)]
    Send(send::Options),
    /// Receives webhooks: verifies, decodes, detects duplicates, prints, and forwards.
    #[command(after_help = EXIT_CODES)]
    Listen(listen::Options),
    /// Checks a policy file for settings that conflict or fail under foreseeable conditions.
    #[command(after_help = EXIT_CODES)]
    Lint(lint::Options),
    /// Runs policies against a model of their receiver, on a virtual clock.
    #[command(after_help = EXIT_CODES)]
    Simulate(simulate::Options),
}

/// The answer of a command that could be carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}

impl Answer {
    const fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let answer = match Cli::parse().command {
        Command::Verify(options) => verify::run(&options),
        Command::Sign(options) => sign::run(&options),
        Command::Send(options) => send::run(&options).await,
        Command::Listen(options) => listen::run(options).await,
        Command::Lint(options) => lint::run(&options),
        Command::Simulate(options) => simulate::run(&options),
    };
    match answer {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
