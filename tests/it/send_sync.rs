//! Everything public can go to another thread, and be shared with it.

use labhook::{danger, delivery, flow, lab, outbox, signature};

fn shared<T: Send + Sync>() {}

fn kept<T: Send + Sync + 'static>() {}

macro_rules! all {
    ($kind:ident: $($type:ty),* $(,)?) => { $($kind::<$type>();)* };
}

#[test]
fn every_public_type_is_send_and_sync() {
    all!(kept:
        labhook::Admission, labhook::Attempt, labhook::Claim, labhook::DatasetId,
        labhook::DecodeError, labhook::Delivery, labhook::EncodeError, labhook::Endpoint,
        labhook::EndpointError, labhook::EndpointId, labhook::Envelope,
        labhook::Event<lab::RunStateChanged>, labhook::EventPattern, labhook::EventPatternError,
        labhook::EventType, labhook::EventTypeError, labhook::Flow, labhook::FlowPolicy, labhook::Form, labhook::FormatError,
        labhook::IdError, labhook::Inbox, labhook::InstructionId, labhook::JsonError,
        labhook::JsonText, labhook::Keys, labhook::LabEvent, labhook::LabwareId, labhook::Message,
        labhook::MessageId, labhook::NoEvent, labhook::Notice, labhook::Outbox, labhook::Outcome,
        labhook::ParseTimestampError, labhook::PlanId, labhook::Policy, labhook::ProjectId,
        labhook::Registry, labhook::RegistryError, labhook::Rendering, labhook::Reply,
        labhook::RequestError, labhook::RunId, labhook::SampleId, labhook::Scheme,
        labhook::Secret, labhook::SecretError, labhook::SignError, labhook::Signer,
        labhook::Step, labhook::Subscription, labhook::TaskId, labhook::Ticket, labhook::TimeText,
        labhook::Timestamp, labhook::Trigger, labhook::TriggerOn, labhook::UnknownEvent,
        labhook::UnknownMembers, labhook::Verdict, labhook::Verifier, labhook::VerifyError,
        labhook::WorkcellId, labhook::WorkflowId, Box<dyn labhook::Format>,
    );
    all!(kept:
        delivery::Control, delivery::Failure, delivery::Ignored, delivery::Jitter,
        delivery::PolicyError, delivery::Progress, delivery::Reaction, delivery::Resolution,
        delivery::Response, delivery::Responses, delivery::RetryAfter, delivery::Schedule,
        delivery::Started,
    );
    all!(kept:
        flow::BudgetPolicy, flow::Class, flow::Feedback, flow::FlowPolicyError, flow::Pace,
        flow::PacePolicy, flow::Permission, flow::Rate, flow::RatePolicy, flow::RetryBudget,
        flow::Window, flow::WindowPolicy,
    );
    all!(kept:
        outbox::Change, outbox::Changes, outbox::DeliveryRecord, outbox::Disabled,
        outbox::DisabledBy, outbox::EndpointRecord, outbox::Inexpressible, outbox::MessageRecord,
        outbox::PublishError, outbox::Published, outbox::Record, outbox::RecordKey,
        outbox::RestoreError, outbox::Revision,
    );
    all!(kept:
        signature::Described, signature::DescribedError, signature::Encoding, signature::KeyError,
        signature::SigningKey, signature::TimestampForm, signature::VerifyingKey,
    );
    #[cfg(feature = "ed25519")]
    all!(kept:
        signature::Ed25519KeyError, signature::Ed25519PrivateKey, signature::Ed25519PublicKey,
    );
    all!(kept:
        lab::Dataset, lab::DatasetCreated, lab::DatasetDeleted, lab::DatasetUpdated,
        lab::DeviceState, lab::InstructionCompleted, lab::LabwareMoved, lab::LabwareTrigger,
        lab::Location, lab::PlanCreated, lab::PlanStage, lab::PlanStatus, lab::RunState,
        lab::RunStateChanged, lab::SafetyStateChanged, lab::Sample, lab::SampleCreated,
        lab::SampleDeleted, lab::SampleUpdated, lab::Severity, lab::TaskState,
        lab::TaskStateChanged,
    );
    // These borrow what they speak of.
    all!(shared:
        labhook::Admitted<'_>, labhook::Verified<'_>, danger::Unsigned<'_>, delivery::Dice<'_>,
        signature::Description<'_>, signature::TimestampPlace<'_>,
    );
}

/// A type that is added to the crate's root or to its modules is added to the list above.
#[test]
fn no_public_type_is_missing_from_the_list() {
    let list = include_str!("send_sync.rs");
    let (mut seen, mut missing) = (0, Vec::new());
    for (module, source) in [
        ("labhook", include_str!("../../src/lib.rs")),
        ("delivery", include_str!("../../src/delivery.rs")),
        ("flow", include_str!("../../src/flow.rs")),
        ("outbox", include_str!("../../src/outbox.rs")),
        ("signature", include_str!("../../src/signature.rs")),
        ("lab", include_str!("../../src/lab.rs")),
    ] {
        for export in source.split("\npub use ").skip(1) {
            let export = export.split(';').next().unwrap();
            let names = export.rsplit("::").next().unwrap();
            let names =
                if export.contains('{') { export.split('{').nth(1).unwrap() } else { names };
            for name in names.trim_end_matches('}').split(',').map(str::trim) {
                // Traits have no instances.
                if name.is_empty() || ["Format", "Payload", "Decode"].contains(&name) {
                    continue;
                }
                seen += 1;
                let ends = [",", "<"].map(|end| format!("::{name}{end}"));
                if !ends.iter().any(|end| list.contains(end.as_str())) {
                    missing.push(format!("{module}::{name}"));
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(missing.is_empty(), "{missing:?}");
}
