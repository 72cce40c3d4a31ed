//! The climb of the learned rate, step by step.

use serde_json::{Value, json};

use super::line::Line;
use super::ms;

#[test]
fn recovered_rate_doubles_then_nears_100() {
    let mut line = Line::new(ms(0));
    line.flow.recovered(line.now);
    line.now += ms(100);
    // 20 and 40 per second; then 70, 85, 92.5, 96.25, 98.125: half-way to 100; and eighths more.
    let steps = [
        (11, 50_000),
        (21, 25_000),
        (41, 14_286),
        (71, 11_765),
        (86, 10_811),
        (94, 10_390),
        (98, 10_192),
        (100, 10_000),
        (101, 8_889),
        (114, 7_902),
    ];
    for step in steps {
        assert_eq!(line.climb(), step);
    }
}

/// A recovered flow, with these members of the adaptive rate as its record may have them.
fn recorded(members: &Value) -> Line {
    let mut line = Line::new(ms(0));
    line.flow.recovered(line.now);
    let mut record = serde_json::to_value(&line.flow).unwrap();
    for (name, value) in members.as_object().unwrap() {
        record["adaptive_rate"][name] = value.clone();
    }
    line.flow = serde_json::from_value(record).unwrap();
    line.now += ms(100);
    line
}

#[test]
fn trial_of_no_refusals_does_not_hold_the_rate() {
    let trial = json!({"loss": 0, "seen": 1, "again": false});
    assert_eq!(recorded(&json!({"trial": trial})).climb(), (11, 50_000));
}

#[test]
fn low_rate_of_twice_the_ceiling_doubles() {
    // In millionths of a request per second. Else it climbs by an eighth.
    for (rate, ceiling, climb) in [
        (2_000_000, 1_000_000, (8, 250_000)),
        (1_999_998, 1_000_000, (8, 444_446)),
        (6_000_000, 3_000_000, (8, 100_000)),
        (10_000_000, 1_000_000, (11, 88_889)),
    ] {
        let mut line = recorded(&json!({"rate": rate, "ceiling": ceiling}));
        assert_eq!(line.climb(), climb, "{rate} above {ceiling}");
    }
}

#[test]
fn low_rate_does_not_double_after_a_refusal() {
    let mut line = recorded(&json!({"rate": 2_000_000, "ceiling": 1_000_000}));
    line.send("+-++++++++++++++++++++++");
    assert_eq!(line.spacing(), Some(444_445));
}

#[test]
fn slowest_rate_is_left_in_minutes() {
    // In millionths of a request per second: from a tenth of the slowest rate to 100 per second.
    let ceilings = std::iter::successors(Some(10_000_u64), |ceiling| Some(ceiling * 6 / 5));
    let mut seconds = [Vec::new(), Vec::new()];
    for ceiling in ceilings.take_while(|ceiling| *ceiling <= 100_000_000) {
        // Without a trial, and with one of hardly more than a sixteenth, which takes the longest.
        for (loss, seconds) in [0, 4_097].into_iter().zip(&mut seconds) {
            let mut line = recorded(&json!({
                "rate": 100_000, "ceiling": ceiling, "step": 6, "hold": 1_024,
                "trial": {"loss": loss, "seen": 100_000, "again": false},
            }));
            let start = line.now;
            while line.spacing().is_some_and(|spacing| spacing > 100_000) {
                line.send("+");
            }
            seconds.push(line.now.saturating_since(start).as_secs());
        }
    }
    let minutes = seconds.map(|it| {
        let (least, most) = (it.iter().min().unwrap(), it.iter().max().unwrap());
        (least / 60, most.div_ceil(60))
    });
    assert_eq!(minutes, [(2, 14), (11, 23)]);
}

#[test]
fn rate_climbs_if_three_quarters_are_used() {
    // Ten starts at a learned rate of 10 per second: within 1.2 s, or not quite.
    for (last, spacing) in [(240, 50_000), (241, 100_000)] {
        let mut line = Line::new(ms(120));
        line.flow.recovered(line.now);
        line.send(&"+".repeat(9));
        assert_eq!(line.spacing(), Some(100_000));
        line.gap = ms(last);
        line.send("+");
        assert_eq!(line.spacing(), Some(spacing), "{last} ms");
    }
}

/// A flow with a learned rate of 7 per second, that is its ceiling: a fifth of 8 per second was
/// refused.
fn at_the_ceiling() -> Line {
    let mut line = Line::new(ms(125));
    line.send(&"++++-".repeat(5));
    line.gap = ms(0);
    while line.spacing() != Some(142_858) {
        line.climb();
    }
    line
}

#[test]
fn ceiling_is_passed_after_64_answers() {
    // Eight samples of eight answers, and then a step of 1/64.
    assert_eq!(at_the_ceiling().climb(), (64, 140_660));
}

#[test]
fn cut_returns_to_a_rate_that_held() {
    let mut line = at_the_ceiling();
    line.climb();
    // A sixth is refused: 5.9 per second are delivered. But 7 per second have held for 64 answers.
    line.send(&"+++++-".repeat(4));
    assert_eq!(line.spacing(), Some(142_858));
    // The step has failed, so the next one is to wait for twice as long. When it has not failed by
    // then, the one after it waits for 64 answers again.
    let answers = [(); 3].map(|()| line.climb().0);
    assert_eq!(answers, [129, 135, 72]);
}
