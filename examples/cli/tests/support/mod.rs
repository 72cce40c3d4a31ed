//! Runs the program.

use std::process::Output;

use assert_cmd::Command;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Returns the program with these arguments, and with the secret in its environment.
pub fn labhook(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labhook"));
    command.args(arguments).env("LABHOOK_SECRET", SECRET);
    command
}

/// Runs a command, whose exit code must be this one.
pub fn run(mut command: Command, code: i32) -> Output {
    command.assert().code(code).get_output().clone()
}

/// What it printed.
pub fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the output is UTF-8")
}
