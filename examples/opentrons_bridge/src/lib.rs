//! A bridge from an Opentrons robot, which has no webhooks, to receivers that want them.
//!
//! ```text
//! cargo run -p opentrons_bridge                                        a demo on loopback
//! LABHOOK_SECRET=whsec_... cargo run -p opentrons_bridge -- \
//!     http://ROBOT:31950 https://eln.example/hooks                     until Ctrl-C
//! ```
//!
//! The [`Bridge`] polls the HTTP API of the robot server, compares what it reads with what it saw
//! last, and publishes the changes through an outbox:
//!
//! | read | event | id of the message |
//! |---|---|---|
//! | `GET /runs`: a run's status | `run.state_changed` | robot, run, number of the change, status |
//! | `GET /runs/{id}/commands`: a command that succeeded | `instruction.completed` | robot, run, command |
//! | `GET /robot/control/estopStatus` | `safety.state_changed` of the device `estop` | robot, device, number, status |
//! | `GET /robot/door/status` | `safety.state_changed` of the device `door` | robot, device, number, status |
//!
//! [`mapping`] has the table of states. What the bridge saw last is its [`State`], which it saves
//! in the transaction that saves the messages. So a bridge that is killed at any instant publishes
//! nothing twice and forgets nothing that it saw: the demo does that and counts.
//!
//! # What a poll cannot see
//!
//! - **A status between two polls.** A run that is paused and resumed within a second has the same
//!   status in both polls, and no event says that it was paused. A run that starts and ends between
//!   two polls is published as ended only. `actions` of the run lists each play, pause and stop
//!   with its time, from which a bridge could recover some of it; this one does not.
//! - **The time of a change.** The server gives times for the start and the end of a run and of
//!   each command, which the events have. Any other change has the time of the poll that saw it: up
//!   to one interval late.
//! - **One instant.** Runs, commands, door and emergency stop are read one after the other. A door
//!   that opens in the middle can be published after the run that it blocks.
//! - **Anything while nothing is polled.** While the bridge or the network is down, only what is
//!   still to be read afterwards is published: each command, but of the statuses only the last.
//!
//! No command is missed, because the list of commands stays until the run is deleted. The server
//! deletes old runs when new ones are created.
//!
//! A safety event of a poll is late by design. It is for people and records, never for an
//! interlock.
//!
//! # Sources
//!
//! The robot server in Opentrons' published repository (`robot-server/robot_server`, October 2024):
//! the response models of `health`, `runs` and `robot/control`, and the header `Opentrons-Version`
//! of `versioning.py`; and `EngineStatus` and `CommandStatus` of `opentrons.protocol_engine`. The
//! [`stand_in`] speaks the same JSON. Nothing here was tried on a robot. An Opentrons OT-2 has no
//! emergency stop and answers 403 there. The mapping to lab events is this example's.

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_methods)]

pub mod bridge;
pub mod demo;
pub mod mapping;
pub mod receiver;
pub mod robot;
pub mod stand_in;
pub mod state;
pub mod store;

pub use bridge::Bridge;
pub use robot::Robot;
pub use state::State;
pub use store::Store;
