//! Writes the lab events as JSON Schema, OpenAPI and AsyncAPI, next to this package's manifest.
//!
//! `cargo run -p schemas`
//!
//! With `signed FILE`, it writes signed requests instead, for `check.sh`: Python and TypeScript
//! verify and decode them.

use std::path::Path;

use labhook::Timestamp;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            for (name, text) in schemas::documents()? {
                std::fs::write(schemas::home().join(name), text)?;
                println!("wrote {name}");
            }
            Ok(())
        }
        ["signed", file] => {
            #[allow(clippy::disallowed_methods, reason = "the verifiers have the real clock")]
            let now = std::time::SystemTime::now();
            schemas::signed::write(Path::new(file), Timestamp::from(now))
        }
        _ => anyhow::bail!("usage: schemas [signed FILE]"),
    }
}
