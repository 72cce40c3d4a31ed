//! What the host does, and what it is promised for that.

use std::fmt;

/// What a host is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guarantee {
    /// A message that was acknowledged ends, and as delivered only if its receiver accepted it.
    NothingLost,
    /// No more copies after the first than attempts that ended without a response.
    BoundedCopies,
    /// Under at-most-once, no request after one that the receiver may have accepted.
    AtMostOnce,
    /// No request while another one of its delivery is under way.
    OneAtATime,
    /// A verdict is notified once, and stays.
    FinalVerdicts,
}

impl Guarantee {
    /// What the guide calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NothingLost => "nothing lost",
            Self::BoundedCopies => "bounded copies",
            Self::AtMostOnce => "at-most-once",
            Self::OneAtATime => "one at a time",
            Self::FinalVerdicts => "final verdicts",
        }
    }
}

/// A duty of the host, which one search leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Duty {
    ConfirmWhatIsDurable,
    WriteInOrder,
    LetNothingLandLate,
    RefuseTheDeposed,
    FenceInTheWrite,
    FenceBeforeReading,
    RestoreOnceDeposed,
    StopOnceDeposed,
    KeepTheSeed,
    AcknowledgeWhatIsSaved,
    PublishUnderOneId,
    PublishWithinRetention,
    SendOnce,
    FollowNoRedirects,
    ReportDoubtAsDoubt,
    ReportEachOutcome,
    GiveUpAtTheDeadline,
    MakeTheRequestLast,
    GoByOneClock,
    KeepTheClockSteady,
}

impl Duty {
    /// What the guide calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ConfirmWhatIsDurable => "Call `saved` only when the changes are durable",
            Self::WriteInOrder => "Write the changes in order, or in one transaction",
            Self::LetNothingLandLate => "A save that was reported as failed is not written later",
            Self::RefuseTheDeposed => "The store refuses the saves of a process that was replaced",
            Self::FenceInTheWrite => "The store refuses them in the write itself",
            Self::FenceBeforeReading => "Take over before you read the records",
            Self::RestoreOnceDeposed => "After losing the lock, restore again",
            Self::StopOnceDeposed => "A process that was replaced ends",
            Self::KeepTheSeed => "Restore with the same seed",
            Self::AcknowledgeWhatIsSaved => "Acknowledge a message only when its revision is saved",
            Self::PublishUnderOneId => "Publish a message again under the same id",
            Self::PublishWithinRetention => "Publish a message again within its retention only",
            Self::SendOnce => "The client sends each request once",
            Self::FollowNoRedirects => "The client follows no redirects",
            Self::ReportDoubtAsDoubt => {
                "What may have been sent is reported as `Broken` or `Timeout`"
            }
            Self::ReportEachOutcome => "Report each outcome",
            Self::GiveUpAtTheDeadline => "The client gives up at the deadline",
            Self::MakeTheRequestLast => "Make the request right before it is sent",
            Self::GoByOneClock => "All processes go by one clock",
            Self::KeepTheClockSteady => "The clock does not jump",
        }
    }
}

/// The most that may happen in a search, in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) takeovers: u8,
    pub(crate) crashes: u8,
    /// Saves that the host reports as failed, whatever is written.
    pub(crate) unsaved: u8,
    /// How often time may pass while something is to be saved or sent.
    pub(crate) slow: u8,
    pub(crate) jumps: u8,
    /// How often the host fails in its duty.
    pub(crate) faults: u8,
}

/// One of the two drivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who(pub(crate) u8);

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["A", "B"][usize::from(self.0)])
    }
}

/// How far the clock jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jump {
    /// To the instant for which a driver waits.
    ToWait,
    /// Beyond every deadline and wait.
    Day,
    /// To another century.
    Future,
    /// By less than the outbox follows.
    BackHalf,
    /// To before the attempt.
    Back,
    /// To before everything.
    DayBack,
    Past,
    /// To the true time.
    Right,
}

impl Jump {
    pub(crate) const ALL: [Self; 8] = [
        Self::ToWait,
        Self::Day,
        Self::Future,
        Self::BackHalf,
        Self::Back,
        Self::DayBack,
        Self::Past,
        Self::Right,
    ];
}

/// The next input. Attempts are named by their place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Publish(Who, u8),
    Poll(Who),
    /// The save, or its next change, reaches the store.
    Write(Who),
    /// The store's answer reaches the driver.
    Confirm(Who),
    /// No answer does.
    Unsaved(Who),
    Send(Who, u8),
    Answer(u8, u16),
    /// The connection breaks, or its time is over.
    Broken(u8),
    Crash(Who),
    /// Another process restores the records. If there is a driver, it is frozen.
    Start,
    Wake(Who),
    Sleep,
    Jump(Jump),
    /// The host fails in the duty that is left out.
    Fault(u8),
}
