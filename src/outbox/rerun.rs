//! Runs an incident again: [`Outbox::rerun`].

use super::Outbox;
use super::changes::Revision;
use super::input_log::{Answer as _, Input, LogEntry};
use crate::endpoint::Endpoint;
use crate::id::EndpointId;
use crate::time::Timestamp;

impl Outbox {
    /// Runs a logged input again, to find out why an outbox did what it did.
    ///
    /// Start with an outbox that was created as in the process that logged: with the same registry,
    /// seed and settings, but not restored, because that is the first entry of the log. Given all
    /// entries up to some point it is in the same state as the logged outbox was, bit for bit, and
    /// [`explain`](Self::explain), [`status`](Self::status) and a debugger can answer questions.
    ///
    /// Endpoints hold secrets, so the log has only their ids. Where an endpoint was inserted or
    /// replaced, `endpoint` is called with its id and the time, and returns it as it was then.
    ///
    /// ```
    /// # use labhook::{Endpoint, EndpointId, Event, MessageId, Outbox, Registry, Secret, Signer};
    /// # use labhook::{Step, Timestamp, lab::{RunState, RunStateChanged}, outbox::RestoreError};
    /// use labhook::outbox::LogEntry;
    ///
    /// # let eln = EndpointId::new("eln")?;
    /// # let signer = Signer::standard_webhooks(Secret::from_bytes(&[7; 24])?);
    /// # let mut registry = Registry::new();
    /// # registry.insert(Endpoint::new(eln.clone(), "https://eln.example/in", signer)?)?;
    /// # let (now, id) = (Timestamp::from_unix_seconds(1_744_882_200), MessageId::new("run-17-started")?);
    /// # let event = Event::new(RunStateChanged::new("run-17", RunState::Started), now);
    /// let mut outbox = Outbox::new(registry.clone(), 7).with_input_log().restore([], now)?;
    /// outbox.publish(event.into_message(id.clone())?, now)?;
    /// let Step::Save(changes) = outbox.poll(now) else { unreachable!() };
    /// let log: Vec<String> =
    ///     outbox.take_input_log().iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    /// // The process crashes before the changes are saved.
    ///
    /// let mut again = Outbox::new(registry, 7);
    /// for line in &log {
    ///     let entry: LogEntry = serde_json::from_str(line)?;
    ///     again.rerun(&entry, |_, _| None)?;
    ///     println!("{entry}");
    /// }
    /// let why = again.explain(&id, &eln, now).expect("the delivery is known");
    /// assert_eq!(why.to_string(), "the start of attempt 1 is being saved");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RerunError::Differs`] if the answer is not the logged one: the registry, the seed, a
    /// setting, an endpoint or the version of this crate differs. The input has been applied then,
    /// and the run can go on. [`RerunError::NoEndpoint`] if `endpoint` returned none, or one with
    /// another id. Nothing has changed then.
    pub fn rerun(
        &mut self,
        entry: &LogEntry,
        endpoint: impl FnOnce(&EndpointId, Timestamp) -> Option<Endpoint>,
    ) -> Result<(), RerunError> {
        let now = entry.at;
        let find = |id: &EndpointId| {
            let found = endpoint(id, now).filter(|endpoint| endpoint.id() == id);
            found.ok_or_else(|| RerunError::NoEndpoint { id: id.clone() })
        };
        let answer = match entry.input.clone() {
            Input::Restore { records } => self.restore_records(records, now).answer(),
            Input::Publish { message } => self.publish(*message, now).answer(),
            Input::Poll => self.poll(now).answer(),
            Input::Saved { revision } => self.saved(Revision(revision)).answer(),
            Input::Unsaved { revision } => self.unsaved(Revision(revision)).answer(),
            Input::Resolve { ticket, outcome } => self.resolve(&ticket, &outcome, now).answer(),
            Input::Resend { message, endpoint } => self.resend(&message, &endpoint, now).answer(),
            Input::GiveUp { message, endpoint } => self.give_up(&message, &endpoint, now).answer(),
            Input::Replay { mut plan } => self.replay(&mut plan, now).answer(),
            Input::Withdraw { message } => self.withdraw(&message, now).answer(),
            Input::WithdrawFrom { message, endpoint } => {
                self.withdraw_from(&message, &endpoint, now).answer()
            }
            Input::Unpublish { message } => self.unpublish(&message, now).answer(),
            Input::Drain => self.drain().answer(),
            Input::Undrain => self.undrain().answer(),
            Input::InsertEndpoint { endpoint: id } => {
                self.insert_endpoint(find(&id)?, now).answer()
            }
            Input::ReplaceEndpoint { endpoint: id } => {
                self.replace_endpoint(find(&id)?, now).answer()
            }
            Input::RemoveEndpoint { endpoint } => self.remove_endpoint(&endpoint, now).answer(),
            Input::PauseEndpoint { endpoint } => self.pause_endpoint(&endpoint, now).answer(),
            Input::ResumeEndpoint { endpoint } => self.resume_endpoint(&endpoint, now).answer(),
            Input::DisableEndpoint { endpoint, reason } => {
                self.disable_endpoint(&endpoint, reason, now).answer()
            }
            Input::EnableEndpoint { endpoint, by } => {
                self.enable_endpoint(&endpoint, by, now).answer()
            }
        };
        if answer == entry.answer {
            Ok(())
        } else {
            Err(RerunError::Differs { at: now, logged: entry.answer.clone(), answer })
        }
    }
}

/// Error of [`Outbox::rerun`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RerunError {
    /// The outbox gave another answer than the logged one.
    #[error("at {at} the answer was `{logged}` in the log and is `{answer}` now")]
    Differs {
        /// The time of the input.
        at: Timestamp,
        /// The answer in the log.
        logged: String,
        /// The answer now.
        answer: String,
    },
    /// An endpoint was inserted or replaced, and the caller does not have it.
    #[error("the endpoint {id} of the log is needed to run it again")]
    NoEndpoint {
        /// The id of the endpoint.
        id: EndpointId,
    },
}
