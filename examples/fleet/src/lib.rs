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

//! # A fleet of your own
//!
//! ```sh
//! export DATABASE_URL=postgres://lab@db/lab
//! fleet create 32         # several times the largest number of workers that you expect
//! fleet add eln eln.json  # prints the secret that the receiver needs
//! fleet worker "$HOSTNAME-$$"                                         # on each machine
//! FLEET_TOKEN=$(openssl rand -base64 32) fleet page 127.0.0.1:8099    # ssh -L leads there
//! ```
//!
//! `eln.json` is an [`EndpointConfig`](labhook::endpoint::EndpointConfig) that names its secret
//! `secret`: `{"url": "https://eln.example/in", "secret": {"encoding": "whsec", "env": "secret"},
//! "subscription": {"event_types": ["run.*"]}}`. Any process publishes, in the transaction that
//! changes its own rows:
//!
//! ```no_run
//! # use fleet::intake::Subscribers;
//! # async fn complete(database: &mut tokio_postgres::Client, message: labhook::Message) -> anyhow::Result<()> {
//! let transaction = database.transaction().await?;
//! let subscribers = Subscribers::load(&transaction).await?;
//! subscribers.insert(&transaction, &[message]).await?;
//! transaction.commit().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Connections are not encrypted: a database elsewhere needs `tokio-postgres` with a TLS connector
//! in [`database`].

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
