//! Many workers deliver from one Postgres, with a page for operators.
//!
//! Each endpoint belongs to one of N shards, and each shard is one
//! [`Outbox`](labhook::Outbox). Workers hold shards by leases in the database, with an epoch that
//! rises with each owner: a save of an earlier owner writes nothing. The guide's chapter "More than
//! one machine" says when this design fits, and what it guarantees.
//!
//! | module | job |
//! |---|---|
//! | [`database`] | connections, the schema, notifications |
//! | [`clock`] | the database's clock |
//! | [`endpoints`] | rows of endpoints and secrets, and the shard of each |
//! | [`intake`] | messages that any process hands over in its own transaction |
//! | [`shard`] | one shard: its lease, its store, its driver |
//! | [`worker`] | takes shards, renews leases, gives back what is over its share |
//! | [`command`] | what operators ask of a shard's owner, and [`operate`] its answers |
//! | [`history`] | notices and the status of endpoints |
//! | [`page`] | the operators' page |

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod clock;
pub mod command;
pub mod database;
pub mod endpoints;
pub mod history;
pub mod intake;
pub mod operate;
pub mod page;
pub mod shard;
pub mod worker;
