//! Shares of refusals that no lower rate brings down, and cuts while they are excused.

use super::line::Line;
use super::ms;

/// A receiver that refuses every second attempt at any rate, and a sender that has found that out:
/// two cuts did not help. From here on, 96 answers are one sample.
fn half_excused() -> Line {
    let mut line = Line::new(ms(131));
    line.send(&"+-".repeat(12 + 32 + 31));
    assert_eq!(line.flow.excused_percent(), 0);
    line.send("+-");
    assert_eq!((line.flow.excused_percent(), line.spacing()), (50, None));
    line.gap = ms(32);
    line
}

#[test]
fn excused_refusals_do_not_lower_a_cut() {
    let mut line = half_excused();
    let answers = "+---".repeat(24);
    line.send(&answers[..95]);
    assert_eq!(line.spacing(), None, "with an excuse, a sample takes 96 answers");
    line.send(&answers[95..]);
    // A quarter is accepted, which is half of what the excuse leaves of 31.25 per second.
    assert_eq!(line.spacing(), Some(64_000));
}

#[test]
fn excuse_on_trial_lowers_the_cut() {
    // After 16 samples the excuse is tried again, although a sixteenth more is not too much. So the
    // cut reckons that nothing is refused at a low enough rate: to 7/16 of 31.25 per second.
    let mut line = half_excused();
    line.send(&"+-".repeat(16 * 48));
    assert_eq!((line.flow.excused_percent(), line.spacing()), (50, None));
    line.send(&"+-+-+-+-+-+-+---".repeat(6));
    assert_eq!(line.spacing(), Some(73_143));
}

#[test]
fn excuse_falls_faster_than_it_rises() {
    let mut line = half_excused();
    // Half-way to a quarter.
    line.send(&"+++-".repeat(24));
    assert_eq!((line.flow.excused_percent(), line.spacing()), (37, None));
    // An eighth of the way back to a half. The twelve refusals that are not excused are exactly 2.45
    // standard deviations (the square root of 6); only more would be excessive.
    line.send(&"+-".repeat(48));
    assert_eq!((line.flow.excused_percent(), line.spacing()), (39, None));
}

#[test]
fn excuse_ends_below_a_64th() {
    let mut line = half_excused();
    // Without a refusal, 68 answers in 1.005 s are a sample, which halves the excuse.
    line.gap = ms(15);
    for percent in [25, 12, 6, 3, 1] {
        line.send(&"+".repeat(68));
        assert_eq!(line.flow.excused_percent(), percent);
    }
    line.send(&"+".repeat(68));
    assert_eq!(line.flow.excused_percent(), 0);
    // Without an excuse, a sample takes 24 answers again.
    line.gap = ms(131);
    line.send(&"+-".repeat(12));
    assert!(line.spacing().is_some());
}
