//! Cycles of an outbox, as one side of a comparison.

use std::mem;

use labhook::Message;

use crate::backlog::Backlog;
use crate::measure::Side;

/// Retry cycles: poll to send, failed, waiting again, and the changes to save.
pub struct Retries(pub Backlog);

impl Side for Retries {
    fn run(&mut self, calls: usize) {
        self.0.retry(calls);
    }
}

/// First cycles: publish, save, send, delivered, settled.
pub struct Firsts {
    backlog: Backlog,
    messages: Vec<Message>,
}

impl Firsts {
    pub fn new(backlog: Backlog) -> Self {
        Self { backlog, messages: Vec::new() }
    }
}

impl Side for Firsts {
    fn prepare(&mut self, calls: usize) {
        self.messages = (0..calls).map(|_| self.backlog.message()).collect();
    }

    fn run(&mut self, _: usize) {
        for message in mem::take(&mut self.messages) {
            self.backlog.publish(message);
            self.backlog.deliver_all();
        }
    }
}
