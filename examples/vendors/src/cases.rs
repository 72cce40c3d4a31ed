//! The test cases: every documented event type of every vendor.

use std::fmt;

use axum::http::HeaderValue;
use labhook::lab::{RunState, RunStateChanged};
use labhook::message::Rendering;
use labhook::message::format::{CloudEvents, Format};
use labhook::provider::linq::Kind;
use labhook::{Event, MessageId, Secret, Signer, Timestamp};

use crate::keys;

/// Origin of a payload.
#[derive(Clone, Copy)]
pub enum Payload {
    /// An example in the vendor's documentation.
    Published,
    /// Built from the documented members and values only.
    Smallest,
    /// In the published envelope, with members or values from the vendor's published package.
    ByPackage,
    /// Not published by the vendor.
    Own,
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Published => "published",
            Self::Smallest => "smallest",
            Self::ByPackage => "by its package",
            Self::Own => "labhook's own",
        })
    }
}

/// What a vendor's requests authenticate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// Only that the sender knows a token; the body is not covered.
    Token,
    /// The body.
    Signature,
    /// The body and the id in a header.
    SignatureAndId,
}

/// One event of one vendor.
pub struct Case {
    pub vendor: &'static str,
    pub event_type: String,
    pub payload: Payload,
    pub rendering: Rendering,
    pub proof: Proof,
    pub path: &'static str,
    signer: fn(Secret) -> anyhow::Result<Signer>,
    secret: Secret,
    /// The decoded event type, or the name of the error.
    becomes: &'static str,
}

impl Case {
    pub fn signer(&self) -> anyhow::Result<Signer> {
        (self.signer)(self.secret.clone())
    }

    pub fn strangers_signer(&self) -> anyhow::Result<Signer> {
        (self.signer)(keys::guess()?)
    }

    /// Returns the expected results: as sent, sent again, with another key, with a byte changed,
    /// with a duplicate header, and without its headers.
    pub fn expected(&self) -> [&'static str; 6] {
        let becomes = self.becomes;
        let (stranger, changed, twice) = match self.proof {
            // A second signature is tried as well.
            Proof::Signature => ("no-match", "no-match", becomes),
            Proof::SignatureAndId => ("no-match", "no-match", "conflicting-header"),
            Proof::Token => ("no-match", becomes, "conflicting-header"),
            // Without the secret URL, a request arrives at that of the signed sources.
            Proof::Nothing => ("no-source", becomes, becomes),
        };
        [becomes, "seen", stranger, changed, twice, "no-source"]
    }
}

fn json(body: &'static str) -> Rendering {
    let body = body.trim_end().as_bytes();
    Rendering::new(HeaderValue::from_static("application/json"), body)
}

macro_rules! data {
    ($folder:literal: $($name:literal)+) => {
        [$(($name, include_str!(concat!("../../../tests/data/", $folder, "/", $name, ".json")))),+]
    };
}

pub fn all() -> anyhow::Result<Vec<Case>> {
    let mut cases = strateos()?;
    cases.extend(linq()?);
    cases.extend(strike()?);
    cases.extend(segments()?);
    cases.extend(cloud_events()?);
    Ok(cases)
}

fn strateos() -> anyhow::Result<Vec<Case>> {
    let files = data!("strateos": "instruction_completed" "run_started" "run_completed");
    let case = |(op, body): (&'static str, _)| {
        Ok(Case {
            vendor: "Strateos",
            event_type: op.to_owned(),
            // The instruction's values are from the sample data in the vendor's software.
            payload: match op {
                "instruction_completed" => Payload::ByPackage,
                _ => Payload::Published,
            },
            rendering: json(body),
            proof: Proof::Nothing,
            path: keys::STRATEOS_PATH,
            signer: |_| Ok(Signer::unsigned()),
            secret: keys::guess()?,
            becomes: match op {
                "instruction_completed" => "instruction.completed",
                _ => "run.state_changed",
            },
        })
    };
    files.into_iter().map(case).collect()
}

fn linq() -> anyhow::Result<Vec<Case>> {
    let published = data!("linq": "run_state_change");
    let own = data!(
        "linq/own": "task_state_change" "safety_state_change" "labware_movement" "new_plan"
    );
    let mut cases = Vec::new();
    for (name, body) in published.into_iter().chain(own) {
        let (kind, becomes) = match name {
            "run_state_change" => (Kind::RunStateChange, "run.state_changed"),
            "task_state_change" => (Kind::TaskStateChange, "task.state_changed"),
            "safety_state_change" => (Kind::SafetyStateChange, "safety.state_changed"),
            "labware_movement" => (Kind::LabwareMovement, "labware.moved"),
            _ => (Kind::NewPlan, "plan.created"),
        };
        let is_published = kind == Kind::RunStateChange;
        cases.push(Case {
            vendor: "LINQ",
            event_type: kind.filter().to_owned(),
            payload: if is_published { Payload::Published } else { Payload::Own },
            rendering: json(body),
            proof: Proof::Token,
            path: keys::SIGNED_PATH,
            signer: |secret| Ok(Signer::token(keys::LINQ_TOKEN, secret)?),
            secret: keys::linq(kind)?,
            becomes,
        });
    }
    Ok(cases)
}

fn strike() -> anyhow::Result<Vec<Case>> {
    let files = data!(
        "strike": "invoice.created" "invoice.updated" "payment-method.bank.created"
        "payment-method.bank.updated" "payout.created" "payout.updated"
        "payout-originator.created" "payout-originator.updated"
        "currency-exchange-quote.updated" "payment.created" "payment.updated" "deposit.updated"
        "receive-request.receive-pending" "receive-request.receive-completed"
    );
    let case = |(event_type, body): (&'static str, _)| {
        let is_published = event_type == "invoice.updated";
        Ok(Case {
            vendor: "Strike",
            event_type: event_type.to_owned(),
            payload: if is_published { Payload::Published } else { Payload::Smallest },
            rendering: json(body),
            proof: Proof::Signature,
            path: keys::SIGNED_PATH,
            signer: |secret| Ok(Signer::strike(secret)),
            secret: keys::strike()?,
            becomes: "resource.changed",
        })
    };
    files.into_iter().map(case).collect()
}

fn segments() -> anyhow::Result<Vec<Case>> {
    let files = data!(
        "segments/by_package": "dataset.created" "dataset.updated" "dataset.deleted"
        "sample.created" "sample.updated" "sample.deleted" "label.updated" "label.deleted"
        "issue.created" "issue.updated" "release.created"
    );
    let case = |event_type: &'static str, payload, body, becomes| {
        anyhow::Ok(Case {
            vendor: "Segments.ai",
            event_type: event_type.to_owned(),
            payload,
            rendering: json(body),
            proof: Proof::SignatureAndId,
            path: keys::SIGNED_PATH,
            signer: |secret| Ok(Signer::svix(secret)),
            secret: keys::segments()?,
            becomes,
        })
    };
    let mut cases = Vec::new();
    for (event_type, body) in files {
        // The crate's models use the vendor's own event names.
        cases.push(case(event_type, Payload::ByPackage, body, event_type)?);
        if event_type == "sample.created" {
            // The documented example has an empty object, without even an id: it is unreadable.
            let [(_, body)] = data!("segments": "sample.created");
            cases.push(case(event_type, Payload::Published, body, "segments.sample.created")?);
            // Svix's other brand of headers.
            let mut other = case(event_type, Payload::ByPackage, files[3].1, event_type)?;
            other.signer = |secret| Ok(Signer::standard_webhooks(secret));
            other.event_type.push_str(" (webhook-id)");
            cases.push(other);
        }
    }
    Ok(cases)
}

fn cloud_events() -> anyhow::Result<Vec<Case>> {
    let at = Timestamp::from_unix_seconds(1_744_882_200);
    let event = Event::new(RunStateChanged::new("run-17", RunState::Paused), at);
    let message = event.into_message(MessageId::new("run-17-paused")?)?;
    let source = "https://lab.example/cell-1";
    let mut cases = Vec::new();
    for (mode, format, secret) in [
        ("structured", CloudEvents::structured(source)?, keys::cloud_events()?),
        ("binary", CloudEvents::binary(source)?, keys::cloud_events_binary()?),
    ] {
        cases.push(Case {
            vendor: "CloudEvents",
            event_type: format!("run.state_changed, {mode}"),
            payload: Payload::Own,
            rendering: format.render(&message)?,
            proof: Proof::SignatureAndId,
            path: keys::SIGNED_PATH,
            signer: |secret| Ok(Signer::standard_webhooks(secret)),
            secret,
            becomes: "run.state_changed",
        });
    }
    Ok(cases)
}
