//! The receiving side of one endpoint: [`EndpointSim`].

use super::recorder::Recorder;
use super::running_receiver::RunningReceiver;
use crate::id::EndpointId;

/// The receiving side of one endpoint.
pub(super) struct EndpointSim {
    pub(super) id: EndpointId,
    pub(super) receiver: RunningReceiver,
    pub(super) recorder: Recorder,
    /// The index of the source whose messages it gets.
    pub(super) source: usize,
    /// Whether [`Watched`](super::watched::Watched) has it.
    pub(super) is_watched: bool,
}

impl EndpointSim {
    pub(super) const fn new(
        id: EndpointId,
        receiver: RunningReceiver,
        recorder: Recorder,
        source: usize,
    ) -> Self {
        Self { id, receiver, recorder, source, is_watched: false }
    }
}
