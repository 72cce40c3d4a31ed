//! Instructions by callgrind: [`growth`] runs this binary under valgrind.

use std::hint::black_box;
use std::process::Command;

use anyhow::{Context, bail};

use crate::backlog::Backlog;
use crate::measure::Effort;
use crate::row::{Row, Unit};
use crate::rows::outbox::count;

const CYCLES: usize = 2_000;

/// What runs under valgrind: the backlog is made, and only the cycles are counted.
pub fn run(pending: usize) {
    let mut backlog = Backlog::new(pending, 1);
    counted_cycles(&mut backlog);
    black_box(&backlog);
}

/// Valgrind finds it by its name.
#[inline(never)]
fn counted_cycles(backlog: &mut Backlog) {
    backlog.retry(CYCLES);
}

/// Instructions of a retry cycle, and their growth with what is pending.
pub fn growth(effort: Effort) -> Vec<Row> {
    let small = effort.size(10_000, 1_000);
    let large = if effort.huge { 10_000_000 } else { effort.size(100_000, 10_000) };
    let counted = instructions(small).and_then(|few| Ok((few, instructions(large)?)));
    let (few, many) = match counted {
        Ok(counted) => counted,
        Err(error) => {
            eprintln!("skipped: instructions, because {error:#}");
            return Vec::new();
        }
    };
    let mut each =
        Row::new("instructions of a retry cycle, pending", "callgrind", Unit::Instructions);
    each.push(count(small), few.round());
    each.push(count(large), many.round());
    let work = format!("instructions of a retry cycle, {} pending", count(large));
    let against = format!("the same, {} pending", count(small));
    vec![each, Row::new(work, against, Unit::Times).one(many / few)]
}

fn instructions(pending: usize) -> anyhow::Result<f64> {
    let out = std::env::temp_dir().join(format!("labhook-callgrind-{}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*counted_cycles*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["instructions", &pending.to_string()])
        .output()
        .context("valgrind does not run")?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("valgrind fails: {report}");
    }
    let _ = std::fs::remove_file(out);
    let collected = report.lines().find_map(|line| line.split("Collected : ").nth(1));
    let collected: f64 = collected.context("valgrind says no count")?.trim().parse()?;
    Ok(collected / CYCLES as f64)
}
