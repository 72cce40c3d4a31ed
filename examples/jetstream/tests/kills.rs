//! The example as a whole: nothing is lost.

use std::process::Command;

#[test]
fn killed_workers_lose_nothing() -> std::io::Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_jetstream")).output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    println!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    assert!(stdout.ends_with("\nlost 0\n") || stdout.starts_with("skipped: "));
    Ok(())
}
