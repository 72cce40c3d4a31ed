//! A receiver of four vendors' webhooks and of CloudEvents, and every event replayed to it.
//!
//! `cargo run -p vendors`
//!
//! The [`receiver`] is what a laboratory would run. Each of the [`cases`] is sent to it over HTTP:
//! as its vendor sends it, once more, with another key, with one byte of the body changed, with a
//! header twice, and without the headers that prove anything. A row says what became of each: the
//! event that it was read as, `seen`, or the name of the refusal. The program fails where that is
//! not what it should be.

// A host reads the clock; it is the core that does not.
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
                wrong.push(format!("{} {how}: {answer}, not {expected}", row[..2].join(" ")));
            }
        }
        let answers = answers.map(|(_, answer)| answer);
        table.add_row(row.into_iter().chain(answers));
        rows += 1;
    }
    println!("{table}");
    println!("published: by the vendor. smallest: no more than the documentation has.");
    println!("by its package: details as in the vendor's package. labhook's own: not published.");
    println!("unmapped: genuine, and about a sample that has no id.");
    println!(
        "A token does not cover the body, and Strateos proves nothing: a changed byte passes."
    );
    println!("Its other key is another URL. To Strike a second signature is one more to try.");
    println!("{rows} rows, {} answers not as expected", wrong.len());
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
