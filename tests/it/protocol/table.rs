//! Each duty, left out, with what that breaks: the table of the guide.

use std::collections::{BTreeMap, BTreeSet};

use labhook::delivery::DeliveryGuarantee::{AtLeastOnce, AtMostOnce};

use super::duty::Guarantee::{
    AtMostOnce as Twice, BoundedCopies, FinalVerdicts, NothingLost, OneAtATime,
};
use super::duty::{Duty, Guarantee, Limits};
use super::scope::Scope;
use super::tell::tell;
use super::world::World;
use super::{CRASH, NONE, TAKEOVER};
use crate::small_scope::search::search;
use crate::support::secs;

/// How a duty is left out.
struct Row {
    duty: Duty,
    attempts: usize,
    limits: Limits,
    /// Whether messages are forgotten, and saves written change by change.
    forgets: bool,
    /// The number of states to visit, nearest first; `None` for all.
    at_most: Option<usize>,
    /// What it breaks, the one that the guide shows first.
    breaks: &'static [Guarantee],
}

const EVERYTHING: &[Guarantee] = &[BoundedCopies, Twice, NothingLost, OneAtATime, FinalVerdicts];
const COPIES: &[Guarantee] = &[BoundedCopies, Twice];

fn rows() -> Vec<Row> {
    let takeover = Limits { faults: 1, ..TAKEOVER };
    let crash = Limits { faults: 1, ..CRASH };
    let both = Limits { crashes: 1, ..takeover };
    let row = |duty, attempts, limits, breaks| Row {
        duty,
        attempts,
        limits,
        forgets: false,
        at_most: None,
        breaks,
    };
    let first = |at_most, row: Row| Row { at_most: Some(at_most), ..row };
    let forgets = |row: Row| Row { forgets: true, ..row };
    use Duty::*;
    vec![
        first(
            1_500,
            row(
                ConfirmWhatIsDurable,
                1,
                both,
                &[NothingLost, BoundedCopies, Twice, OneAtATime, FinalVerdicts],
            ),
        ),
        forgets(row(WriteInOrder, 1, crash, &[FinalVerdicts, BoundedCopies, Twice])),
        forgets(row(
            LetNothingLandLate,
            1,
            Limits { unsaved: 1, ..crash },
            &[FinalVerdicts, BoundedCopies, Twice],
        )),
        first(1_500, row(RefuseTheDeposed, 1, takeover, EVERYTHING)),
        row(FenceInTheWrite, 1, takeover, EVERYTHING),
        first(3_000, row(FenceBeforeReading, 1, both, EVERYTHING)),
        first(3_000, row(RestoreOnceDeposed, 1, both, EVERYTHING)),
        // All of them: see `whole`.
        first(3_000, row(StopOnceDeposed, 1, takeover, &[])),
        row(KeepTheSeed, 2, crash, &[]),
        row(AcknowledgeWhatIsSaved, 1, crash, &[NothingLost]),
        row(PublishUnderOneId, 1, takeover, COPIES),
        forgets(row(
            PublishWithinRetention,
            1,
            Limits { faults: 1, ..NONE },
            &[BoundedCopies, Twice, FinalVerdicts],
        )),
        row(SendOnce, 1, crash, &[BoundedCopies, Twice, OneAtATime]),
        row(FollowNoRedirects, 1, crash, &[NothingLost]),
        row(ReportDoubtAsDoubt, 2, crash, COPIES),
        row(ReportEachOutcome, 2, crash, &[]),
        row(GiveUpAtTheDeadline, 2, crash, &[OneAtATime]),
        row(MakeTheRequestLast, 2, takeover, &[OneAtATime]),
        row(GoByOneClock, 2, takeover, &[OneAtATime]),
        row(KeepTheClockSteady, 2, Limits { jumps: 1, ..NONE }, &[OneAtATime]),
    ]
}

impl Row {
    /// Leaves the duty out, and returns the row of the guide.
    fn search(&self) -> String {
        let mut broken = BTreeMap::new();
        for guarantee in [AtLeastOnce, AtMostOnce] {
            let mut scope = Scope::new(self.attempts, guarantee, self.limits).without(self.duty);
            if self.forgets {
                scope = scope.forgetting(secs(20)).one_by_one();
            }
            let found = search(World::new(&scope), self.at_most.unwrap_or(usize::MAX));
            println!(
                "without {:?}, {guarantee}: {} states, {} steps",
                self.duty, found.states, found.steps
            );
            assert!(found.is_whole || self.at_most.is_some(), "{:?}", self.duty);
            for (it, inputs) in found.broken {
                broken.entry(it).or_insert_with(|| tell(World::new(&scope), &inputs));
            }
        }
        let found: BTreeSet<_> = broken.keys().collect();
        for (it, way) in &broken {
            println!("  {it:?}: {way}");
        }
        assert_eq!(found, self.breaks.iter().collect(), "{:?}", self.duty);
        let names: Vec<_> = self.breaks.iter().map(|it| it.name()).collect();
        let way = self.breaks.first().map_or("", |it| broken[it].as_str());
        match &names[..] {
            [] => format!("| {} | nothing: all of them stay | |", self.duty.name()),
            names => format!("| {} | {} | {way} |", self.duty.name(), names.join(", ")),
        }
    }
}

#[test]
fn duty_left_out_breaks_what_the_guide_says() {
    let guide = include_str!("../../../src/guide/persisting.md");
    let rows: Vec<_> = rows().iter().map(Row::search).collect();
    let missing: Vec<_> = rows.iter().filter(|row| !guide.contains(*row)).cloned().collect();
    assert!(missing.is_empty(), "not in the guide:\n{}", missing.join("\n"));
}
