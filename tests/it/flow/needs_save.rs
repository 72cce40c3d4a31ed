//! When a flow must be saved.

use labhook::Timestamp;
use labhook::flow::{Flow, FlowPolicy, Signal};

use super::line::Line;
use super::ms;
use crate::support::{at, secs};

/// Whether losing the start of an attempt would matter.
fn start_matters(line: &Line) -> bool {
    let mut flow = line.flow.clone();
    flow.start(&line.policy, line.now + secs(1));
    flow.needs_save(&line.flow)
}

#[test]
fn starts_matter_while_a_sample_has_refusals() {
    let mut line = Line::new(ms(131));
    line.send("+");
    assert!(!start_matters(&line));
    line.send("-");
    assert!(start_matters(&line));
    // Too few are refused for a cut. After 24 answers the next sample begins.
    line.send(&"+".repeat(21));
    assert!(start_matters(&line));
    line.send("+");
    assert!(!start_matters(&line));
}

#[test]
fn starts_matter_during_a_trial() {
    // Half of 20.8 per second are refused.
    let mut line = Line::new(ms(48));
    line.send(&"+-".repeat(32));
    assert_eq!(line.spacing(), Some(96_001));
    assert!(start_matters(&line));
    line.climb();
    assert!(!start_matters(&line), "the cut has helped");
}

#[test]
fn starts_matter_while_a_share_is_excused() {
    let mut line = Line::new(ms(131));
    line.send(&"+-".repeat(12 + 32 + 32));
    assert_eq!((line.flow.excused_percent(), line.spacing()), (50, None));
    assert!(start_matters(&line));
}

#[test]
fn starts_matter_below_10_per_second() {
    let mut line = Line::new(ms(125));
    line.send(&"++++-".repeat(5));
    line.gap = ms(0);
    line.climb();
    assert!(line.spacing() > Some(100_000), "and the cut has helped");
    assert!(start_matters(&line));
    line.flow.recovered(line.now);
    assert!(!start_matters(&line), "at 10 per second");
    line.climb();
    assert!(!start_matters(&line), "at 20 per second");
}

#[test]
fn end_of_a_sample_with_refusals_matters() {
    let mut line = Line::new(ms(0));
    // A refusal counts towards trials of pauses until 1 023 answers have followed.
    line.send("-");
    line.send(&"+".repeat(1_023));
    let saved = line.flow.clone();
    line.gap = secs(3);
    line.send("+");
    assert!(line.flow.needs_save(&saved), "or it would be judged twice");
}

#[test]
fn first_failure_and_longer_pause_matter() {
    let policy = FlowPolicy::fixed();
    let end = |flow: &mut Flow, pause, now: Timestamp| {
        let saved = flow.clone();
        flow.start(&policy, now);
        flow.end(&policy, now, Signal::Failed, pause, now);
        flow.needs_save(&saved)
    };
    let mut flow = Flow::new();
    assert!(end(&mut flow, None, at(0)), "the second in a row may ask for a pause");
    assert!(end(&mut flow, Some(secs(10)), at(0)));
    assert!(!end(&mut flow, Some(secs(9)), at(0)));
    assert!(end(&mut flow, Some(secs(11)), at(0)), "it has been extended");
}
