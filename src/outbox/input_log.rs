//! Log of an outbox's inputs: [`LogEntry`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Outbox;
use super::attempt::Ticket;
use super::published::Published;
use super::record::Record;
use super::replay_plan::ReplayPlan;
use super::step::Step;
use crate::delivery::{Outcome, Resolution};
use crate::health::EnabledBy;
use crate::id::{EndpointId, MessageId};
use crate::message::Message;
use crate::time::Timestamp;

/// One input of an outbox, and what it answered.
///
/// [`Outbox::take_input_log`] returns them and [`Outbox::rerun`] runs them again. It is plain data with
/// serde: keep each entry as a line of JSON. An entry contains no secret and no URL, but the bodies
/// of the messages that were published or restored, unless they were
/// [detached](Message::detach_bodies).
///
/// Its text is a line of a timeline, such as `2025-04-17T09:30:00.000Z poll: send run-17-started to
/// eln, attempt 1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    pub(super) at: Timestamp,
    pub(super) input: Input,
    pub(super) answer: String,
}

impl LogEntry {
    /// Returns the `now` of the input. For one without, such as [`Outbox::saved`], it is the latest
    /// instant that the outbox had seen.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the outbox's answer in a few words, for people.
    #[must_use]
    pub fn answer(&self) -> &str {
        &self.answer
    }
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.at, self.input, self.answer)
    }
}

/// The method that was called, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Input {
    Restore { records: Vec<Record> },
    Publish { message: Box<Message> },
    Poll,
    Saved { revision: u64 },
    Unsaved { revision: u64 },
    Resolve { ticket: Ticket, outcome: Outcome },
    Resend { message: MessageId, endpoint: EndpointId },
    GiveUp { message: MessageId, endpoint: EndpointId },
    Replay { plan: ReplayPlan },
    Withdraw { message: MessageId },
    WithdrawFrom { message: MessageId, endpoint: EndpointId },
    Unpublish { message: MessageId },
    Drain,
    Undrain,
    InsertEndpoint { endpoint: EndpointId },
    ReplaceEndpoint { endpoint: EndpointId },
    RemoveEndpoint { endpoint: EndpointId },
    PauseEndpoint { endpoint: EndpointId },
    ResumeEndpoint { endpoint: EndpointId },
    DisableEndpoint { endpoint: EndpointId, reason: Option<String> },
    EnableEndpoint { endpoint: EndpointId, by: EnabledBy },
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restore { records } => write!(f, "restore {} records", records.len()),
            Self::Publish { message } => write!(f, "publish {}", message.id()),
            Self::Poll => f.write_str("poll"),
            Self::Saved { revision } => write!(f, "saved {revision}"),
            Self::Unsaved { revision } => write!(f, "unsaved {revision}"),
            Self::Resolve { ticket, outcome } => {
                let Ticket { message, endpoint, attempt, .. } = ticket;
                write!(f, "resolve {message} to {endpoint}, attempt {attempt}, with {outcome}")
            }
            Self::Resend { message, endpoint } => write!(f, "resend {message} to {endpoint}"),
            Self::GiveUp { message, endpoint } => write!(f, "give up {message} to {endpoint}"),
            Self::Replay { plan } => write!(f, "replay {} deliveries", plan.len()),
            Self::Withdraw { message } => write!(f, "withdraw {message}"),
            Self::WithdrawFrom { message, endpoint } => {
                write!(f, "withdraw {message} from {endpoint}")
            }
            Self::Unpublish { message } => write!(f, "unpublish {message}"),
            Self::Drain => f.write_str("drain"),
            Self::Undrain => f.write_str("undrain"),
            Self::InsertEndpoint { endpoint } => write!(f, "insert endpoint {endpoint}"),
            Self::ReplaceEndpoint { endpoint } => write!(f, "replace endpoint {endpoint}"),
            Self::RemoveEndpoint { endpoint } => write!(f, "remove endpoint {endpoint}"),
            Self::PauseEndpoint { endpoint } => write!(f, "pause endpoint {endpoint}"),
            Self::ResumeEndpoint { endpoint } => write!(f, "resume endpoint {endpoint}"),
            Self::DisableEndpoint { endpoint, .. } => write!(f, "disable endpoint {endpoint}"),
            Self::EnableEndpoint { endpoint, .. } => write!(f, "enable endpoint {endpoint}"),
        }
    }
}

/// The entries since they were last taken; `None` if the log is off.
#[derive(Clone, Debug, Default)]
pub(super) struct InputLog(Option<Vec<LogEntry>>);

impl InputLog {
    pub(super) const fn is_on(&self) -> bool {
        self.0.is_some()
    }
}

impl Outbox {
    /// Turns the log of inputs on, so that an incident can be [run again](Self::rerun).
    ///
    /// Call it before [`restore`](Self::restore), which is the first input of a process. The host
    /// takes the entries with [`take_input_log`](Self::take_input_log); until then they fill memory.
    #[must_use]
    pub fn with_input_log(mut self) -> Self {
        self.log = InputLog(Some(Vec::new()));
        self
    }

    /// Takes the log of all inputs since the last call, oldest first.
    ///
    /// To have the log of a crash as well, append it to a file before each step is carried out. It
    /// need not be synced unless it is to survive a power failure. It is empty unless the log is
    /// [on](Self::with_input_log).
    pub fn take_input_log(&mut self) -> Vec<LogEntry> {
        self.log.0.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Ends an input: logs it and its answer, if the log is on.
    pub(super) fn log(
        &mut self,
        at: Timestamp,
        input: impl FnOnce() -> Input,
        answer: &impl Answer,
    ) {
        self.close_large_part();
        if let Some(entries) = &mut self.log.0 {
            entries.push(LogEntry { at, input: input(), answer: answer.answer() });
        }
    }
}

/// What a method returned, in a few words.
pub(super) trait Answer {
    fn answer(&self) -> String;
}

impl Answer for () {
    fn answer(&self) -> String {
        "done".to_owned()
    }
}

impl Answer for bool {
    fn answer(&self) -> String {
        if *self { "done" } else { "nothing changed" }.to_owned()
    }
}

impl<T: Answer, E: fmt::Display> Answer for Result<T, E> {
    fn answer(&self) -> String {
        match self {
            Ok(value) => value.answer(),
            Err(error) => format!("error: {error}"),
        }
    }
}

impl Answer for usize {
    fn answer(&self) -> String {
        format!("{self} deliveries")
    }
}

impl Answer for Published {
    fn answer(&self) -> String {
        let mut text = match (self.duplicate, self.differs) {
            (false, _) => "accepted",
            (true, false) => "duplicate",
            (true, true) => "duplicate that differs",
        }
        .to_owned();
        for (index, id) in self.endpoints.iter().enumerate() {
            text.push_str(if index == 0 { " for " } else { ", " });
            text.push_str(id.as_str());
        }
        text
    }
}

impl Answer for Resolution {
    fn answer(&self) -> String {
        match self {
            Self::Ended(verdict) => format!("ended as {verdict}"),
            Self::Retry { at } => format!("retry at {at}"),
            Self::InDoubt => "in doubt".to_owned(),
            Self::LateSuccess => "delivered after all".to_owned(),
            Self::Ignored(reason) => format!("ignored: {reason:?}"),
        }
    }
}

impl Answer for Step {
    fn answer(&self) -> String {
        match self {
            Self::Save(changes) => {
                format!("save {}: {} changes", changes.revision(), changes.len())
            }
            Self::Send(attempt) => {
                let Ticket { message, endpoint, attempt, .. } = attempt.ticket();
                format!("send {message} to {endpoint}, attempt {attempt}")
            }
            Self::Notify(notice) => format!("notice: {notice}"),
            Self::Wait(until) => format!("wait until {until}"),
            Self::Idle => "idle".to_owned(),
        }
    }
}
