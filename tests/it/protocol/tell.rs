//! A way through the search, in words.

use std::fmt::Write as _;

use labhook::outbox::{Change, Changes, Record, RecordKey};

use super::duty::{Duty, Input, Jump, Who};
use super::world::World;
use crate::small_scope::search::Model as _;

/// Tells what happens with these inputs, from the start.
pub(crate) fn tell(mut world: World<'_>, inputs: &[Input]) -> String {
    let mut text = String::new();
    let mut inputs = inputs.iter().copied().peekable();
    while let Some(input) = inputs.next() {
        let mut told = world.tell(input);
        if let Input::Write(who) = input
            && !world.scope.one_by_one
            && inputs.next_if_eq(&Input::Confirm(who)).is_some()
        {
            told = format!("{who} saves {}", world.content(who));
            world.act(input);
            world.act(Input::Confirm(who));
        } else {
            world.act(input);
        }
        if !told.is_empty() {
            let _ = write!(text, "{}{told}", if text.is_empty() { "" } else { "; " });
        }
    }
    text
}

/// What a save is about.
fn content(changes: &Changes) -> String {
    let rows = changes.iter().filter_map(|change| match change {
        Change::Put(Record::Delivery(record)) => Some(record.delivery()),
        _ => None,
    });
    let deleted = changes.iter().any(|it| matches!(it, Change::Delete(_)));
    match rows.last() {
        Some(row) => match (row.in_flight(), row.verdict()) {
            (Some(started), _) => format!("the start of attempt {}", started.number),
            (None, Some(verdict)) => format!("\"{verdict}\""),
            (None, None) => format!("the end of attempt {}", row.attempts()),
        },
        None if deleted => "that the message is forgotten".to_owned(),
        None => "the message".to_owned(),
    }
}

impl World<'_> {
    fn content(&self, who: Who) -> String {
        self.driver(who).saving.as_ref().map(|it| content(&it.changes)).unwrap_or_default()
    }

    fn attempt(&self, index: u8) -> String {
        let request = &self.wire[usize::from(index)];
        format!("{}'s attempt {}", request.who, request.ticket.attempt())
    }

    /// Tells what an input does; nothing for what only follows from the one before.
    fn tell(&self, input: Input) -> String {
        match input {
            Input::Publish(who, number) => {
                let again = self.tallies[usize::from(number)].first.is_some();
                let other = self.scope.is_without(Duty::PublishUnderOneId) && again;
                match (other, again) {
                    (true, _) => format!("{who} publishes the message under another id"),
                    (false, true) => format!("{who} publishes the message again"),
                    (false, false) => format!("{who} publishes the message"),
                }
            }
            Input::Poll(_) => String::new(),
            Input::Write(who) => self.tell_write(who),
            Input::Confirm(_) if self.scope.one_by_one => String::new(),
            Input::Confirm(who) => format!("{who} learns that this is saved"),
            Input::Unsaved(who) => format!("{who}'s save of {} has no answer", self.content(who)),
            Input::Send(who, index) => {
                let attempt = &self.driver(who).held[usize::from(index)];
                format!("{who} sends attempt {}", attempt.ticket().attempt())
            }
            Input::Answer(index, 200) => format!("the receiver accepts {}", self.attempt(index)),
            Input::Answer(index, _) => format!("the receiver refuses {}", self.attempt(index)),
            Input::Broken(index) => format!("the connection of {} breaks", self.attempt(index)),
            Input::Crash(who) => format!("{who} crashes"),
            Input::Start => self.tell_start(),
            Input::Wake(who) => format!("{who} wakes up"),
            Input::Sleep => format!("{} s pass", self.passes().unwrap_or_default().as_secs()),
            Input::Jump(jump) => format!("the clock jumps {}", tell_jump(jump)),
            Input::Fault(which) => self.tell_fault(which),
        }
    }

    fn tell_write(&self, who: Who) -> String {
        let driver = self.driver(who);
        let saving = driver.saving.as_ref().unwrap();
        if driver.epoch != self.epoch
            && !saving.checked
            && !self.scope.is_without(Duty::RefuseTheDeposed)
        {
            return format!("{who}'s save is refused");
        }
        if !self.scope.one_by_one {
            return format!("{who} writes {}", self.content(who));
        }
        match &self.changes(saving)[saving.written] {
            Change::Put(Record::Message(_)) => format!("{who} writes the message"),
            Change::Put(_) => format!("{who} writes {}", self.content(who)),
            Change::Delete(RecordKey::Message(_)) => format!("{who} deletes the message"),
            Change::Delete(_) => format!("{who} deletes the delivery"),
        }
    }

    fn tell_start(&self) -> String {
        let slot = u8::try_from(self.drivers.iter().position(Option::is_none).unwrap()).unwrap();
        let (who, by) = (Who(slot), self.charge());
        let ahead = if self.scope.is_without(Duty::GoByOneClock) {
            ", with a clock 10 s ahead"
        } else {
            ""
        };
        match by {
            Some((frozen, _)) => format!("{frozen} freezes; {who} takes over{ahead}"),
            None => format!("{who} starts again"),
        }
    }

    fn tell_fault(&self, which: u8) -> String {
        let who = Who(which);
        match self.scope.without.unwrap() {
            Duty::ConfirmWhatIsDurable => {
                format!("{who} confirms {}, which is not written", self.content(who))
            }
            Duty::FenceInTheWrite => format!("{who} sees that it holds the lock"),
            Duty::FenceBeforeReading => "B reads the records".to_owned(),
            Duty::RestoreOnceDeposed => format!("{who} gets the lock back"),
            Duty::LetNothingLandLate => "the save without an answer is written".to_owned(),
            Duty::PublishWithinRetention => format!("{who} publishes the message again"),
            Duty::SendOnce => format!("{}'s client sends the request again", self.wire[0].who),
            Duty::FollowNoRedirects => {
                let attempt = self.attempt(which);
                format!("{attempt} is redirected to a page that answers 200")
            }
            Duty::ReportDoubtAsDoubt => {
                let attempt = self.attempt(which);
                format!("the connection of {attempt} breaks and is reported as `Connect`")
            }
            other => unreachable!("{other:?} is left out in another way"),
        }
    }
}

fn tell_jump(jump: Jump) -> &'static str {
    match jump {
        Jump::ToWait => "to the next wait",
        Jump::Day => "ahead by a day",
        Jump::Future => "ahead by centuries",
        Jump::BackHalf => "back by half a second",
        Jump::Back => "back by 7 s",
        Jump::DayBack => "back by a day",
        Jump::Past => "back by decades",
        Jump::Right => "to the true time",
    }
}
