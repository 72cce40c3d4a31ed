//! One receiver for four vendors' webhooks and CloudEvents, tested with every documented event.
//!
//! `cargo run -p vendors`
//!
//! The [`receiver`] is one that a laboratory could run. Each of the [`cases`] is sent to it over
//! HTTP: as its vendor sends it, again, with another key, with one byte of the body changed, with a
//! duplicate header, and without its signature headers. A table shows the result: the decoded event
//! type, `seen`, or the name of the error. The program fails if a result is not as expected.

// An application may read the clock; only the library must not.
#![allow(clippy::disallowed_methods)]

mod cases;
mod keys;
mod receiver;
mod replay;

use anyhow::ensure;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use replay::Replay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let replay = Replay::start().await?;
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "vendor",
        "event type",
        "payload",
        "as sent",
        "sent again",
        "another key",
        "a byte changed",
        "a header twice",
        "no headers",
    ]);
    let (mut rows, mut wrong) = (0, Vec::new());
    for case in cases::all()? {
        let answers = replay.all(&case).await?;
        let row = [case.vendor.to_string(), case.event_type.clone(), case.payload.to_string()];
        for ((how, answer), expected) in answers.iter().zip(case.expected()) {
            if *answer != expected {
                wrong.push(format!("{} {how}: {answer}, expected {expected}", row[..2].join(" ")));
            }
        }
        let answers = answers.map(|(_, answer)| answer);
        table.add_row(row.into_iter().chain(answers));
        rows += 1;
    }
    println!("{table}");
    println!("published: the vendor's own example. smallest: only the documented members.");
    println!("by its package: details from the vendor's package. labhook's own: not published.");
    println!("segments.sample.created: genuine, but unreadable as a sample, since it has no id.");
    println!("A token does not cover the body, and Strateos signs nothing: a changed byte passes.");
    println!("For Strateos, the other key is another URL. Strike tries every signature header.");
    println!("{rows} rows, {} unexpected results", wrong.len());
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
