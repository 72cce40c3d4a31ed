//! How much a sample takes, and how much must be refused: one answer on either side.

use labhook::flow::Signal;

use super::line::Line;
use super::ms;
use crate::support::at;

/// Whether a flow that has learned nothing is cut after these answers, `gap` milliseconds apart.
fn is_cut(gap: u64, answers: &str) -> bool {
    let mut line = Line::new(ms(gap));
    line.send(answers);
    line.spacing().is_some()
}

#[test]
fn cut_takes_more_than_a_sixteenth() {
    // 64 answers take 3.024 s.
    let sixteenth = "+++++++++++++++-".repeat(4);
    assert!(!is_cut(48, &sixteenth));
    assert!(is_cut(48, &sixteenth.replacen("++", "+-", 1)));
}

#[test]
fn cut_takes_two_standard_deviations() {
    // Three of 24 are an eighth, and the deviation of such a number is 1.6; that of four is 1.8.
    let eighth = "+++++++-".repeat(3);
    assert!(!is_cut(131, &eighth));
    assert!(is_cut(131, &eighth.replacen("++", "+-", 1)));
}

#[test]
fn mixed_answers_are_judged_at_24_and_3_s() {
    // The first attempt counts. 24 answers take 3.013 s, 2.99 s and 4.6 s.
    for (gap, answers) in [(131, 24), (130, 25), (200, 24)] {
        let mut line = Line::new(ms(gap));
        for sent in 1..=answers {
            assert_eq!(line.spacing(), None, "{sent} at {gap} ms");
            line.send(if sent % 2 == 0 { "-" } else { "+" });
        }
        assert!(line.spacing().is_some(), "{gap} ms");
    }
}

#[test]
fn all_refused_is_judged_at_16_and_3_s() {
    // 31 answers take 3.0 s at 100 ms, and 13 do at 250 ms. The rate is halved.
    for (gap, answers, spacing) in [(100, 31, 200_000), (250, 16, 500_000)] {
        let mut line = Line::new(ms(gap));
        line.send(&"-".repeat(answers - 1));
        assert_eq!(line.spacing(), None, "{gap} ms");
        line.send("-");
        assert_eq!(line.spacing(), Some(spacing), "{gap} ms");
    }
}

#[test]
fn sample_of_exactly_a_second_is_judged() {
    let mut line = Line::new(ms(0));
    line.flow.recovered(line.now);
    line.now += ms(100);
    // Eleven starts at 10 per second, from the first to the last.
    line.send(&"+".repeat(10));
    assert_eq!(line.spacing(), Some(100_000));
    line.send("+");
    assert_eq!(line.spacing(), Some(50_000));
}

#[test]
fn eight_successes_end_a_run_of_refusals() {
    // What was refused before the receiver was back is not held against the rate.
    assert!(!is_cut(131, "--------++++++++-+++++++"));
    assert!(is_cut(131, "--------+++++++-++++++++"), "seven do not show that it is back");
    assert!(is_cut(131, "-------++++++++-++++++++"), "seven are too few for a run");
}

#[test]
fn cancelled_start_does_not_count_as_sent() {
    let mut line = Line::new(ms(0));
    for sent in 1..=31 {
        line.now += ms(100);
        let receipt = line.flow.start(&line.policy, line.now);
        line.flow.cancel_start(&line.policy, receipt, line.now);
        line.flow.start(&line.policy, line.now);
        assert_eq!(line.spacing(), None, "{sent}");
        line.flow.end(&line.policy, line.now, Signal::Refused, None, line.now);
    }
    assert_eq!(line.now, at(3) + ms(100));
    // Half of the ten per second that were sent, not of twenty.
    assert_eq!(line.spacing(), Some(200_000));
}
