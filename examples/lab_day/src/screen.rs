//! Console output while the day runs: notes, and a progress bar on a terminal.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use labhook::Timestamp;

#[derive(Clone)]
pub struct Screen {
    bar: ProgressBar,
}

impl Screen {
    pub fn new(events: usize, now: Timestamp) -> Self {
        // The bar is hidden if stderr is not a terminal.
        let bar = ProgressBar::new(u64::try_from(events).unwrap_or(u64::MAX));
        let template = "{prefix}  [{bar:30}] {pos}/{len} events, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        let screen = Self { bar };
        screen.progress(now, 0, 0);
        screen.bar.enable_steady_tick(Duration::from_millis(100));
        screen
    }

    /// Advances the bar.
    pub fn progress(&self, now: Timestamp, published: usize, pending: usize) {
        self.bar.set_position(u64::try_from(published).unwrap_or(u64::MAX));
        self.bar.set_prefix(clock_face(now));
        self.bar.set_message(format!("{pending} deliveries pending"));
    }

    /// Prints a line above the bar.
    pub fn note(&self, now: Timestamp, text: impl fmt::Display) {
        self.bar.suspend(|| println!("{}  {text}", clock_face(now)));
    }

    pub fn close(&self) {
        self.bar.finish_and_clear();
    }
}

/// Month, day, hour and minute.
fn clock_face(now: Timestamp) -> String {
    let text = now.to_string().replace('T', " ");
    text.get(5..16).unwrap_or(&text).to_owned()
}
