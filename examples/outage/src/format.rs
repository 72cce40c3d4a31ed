//! Numbers as text.

use std::time::Duration;

use labhook::Verdict;
use labhook::simulate::Report;

use crate::Side;

/// The end of the time axis: the last simulation's end, rounded up to a quarter of an hour.
pub fn end(sides: &[Side]) -> Duration {
    let end = sides.iter().map(|side| side.report.ended_at.as_secs_f64()).fold(0.0, f64::max);
    Duration::from_secs_f64((end / 900.0).ceil() * 900.0)
}

/// Digits in groups of three: 1 034 112.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Hours and minutes: 1:05.
pub fn clock(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// A duration in its two largest units: 21 min 8 s.
pub fn long(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// The rows of the table, as labels and values.
pub fn rows(report: &Report) -> Vec<(&'static str, String)> {
    let recovery = report.recovery;
    let drained = recovery.and_then(|it| it.drained_after).map_or("never".to_owned(), long);
    let latency = report.latency;
    vec![
        ("delivered", grouped(report.ended(Verdict::Delivered))),
        ("lost", grouped(report.accepted - report.ended(Verdict::Delivered))),
        ("attempts", grouped(report.attempts)),
        ("refused with 429", grouped(report.overloaded)),
        ("peak requests/s", grouped(report.peak_requests)),
        ("peak retries/s after the outage", grouped(recovery.map_or(0, |it| it.peak_retries))),
        ("time to drain the backlog", drained),
        ("latency, p50", latency.map_or(String::new(), |it| long(it.p50))),
        ("latency, maximum", latency.map_or(String::new(), |it| long(it.max))),
    ]
}

/// The smallest axis step of 1, 2, 2.5 or 5 times a power of ten that needs at most four steps.
pub fn axis_step(most: f64) -> f64 {
    let power = 10_f64.powf((most / 4.0).max(1.0).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * power);
    steps.into_iter().find(|step| most / step <= 4.0).unwrap_or(power * 10.0)
}
