//! The rows, by the part of the crate that they are about.

pub mod counts;
pub mod decode;
pub mod inbox;
pub mod loopback;
pub mod outbox;
pub mod publish;
pub mod replay;
pub mod restore;
pub mod signature;
pub mod simulate;
pub mod tree;
pub mod worst;
