//! Secrets shared by sender and receiver.

use axum::http::HeaderName;
use labhook::Secret;
use labhook::provider::linq::Kind;

/// Strateos signs nothing: a secret path is the only authentication.
pub const STRATEOS_PATH: &str = "/strateos/9f1c7a40d2";
pub const SIGNED_PATH: &str = "/hooks";

/// The header that the hooks of a LINQ workflow set, in their `parameters`.
pub const LINQ_TOKEN: HeaderName = HeaderName::from_static("x-lab-token");

pub fn strike() -> anyhow::Result<Secret> {
    Ok(Secret::from_text("testtesttest")?)
}

pub fn segments() -> anyhow::Result<Secret> {
    Ok(Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?)
}

/// Each kind has its own token, because the body does not contain its kind.
pub fn linq(kind: Kind) -> anyhow::Result<Secret> {
    Ok(Secret::from_text(&format!("a token for {kind}"))?)
}

pub fn cloud_events() -> anyhow::Result<Secret> {
    Ok(Secret::from_whsec("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?)
}

pub fn cloud_events_binary() -> anyhow::Result<Secret> {
    Ok(Secret::from_whsec("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")?)
}

/// A wrong key, as an attacker would guess it.
pub fn guess() -> anyhow::Result<Secret> {
    Ok(Secret::from_text("correct horse battery")?)
}
