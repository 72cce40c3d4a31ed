//! Everything public can go to another thread, and be shared with it.

use labhook::provider::{self, linq, segments, strateos, strike};
use labhook::{danger, delivery, flow, health, lab, outbox, policy, receive, signature, simulate};

fn shared<T: Send + Sync>() {}

fn kept<T: Send + Sync + 'static>() {}

macro_rules! all {
    ($kind:ident: $($type:ty),* $(,)?) => { $($kind::<$type>();)* };
}

#[test]
fn every_public_type_is_send_and_sync() {
    all!(kept:
        receive::Admission, labhook::Attempt, receive::Claim, labhook::message::format::CloudEvent,
        labhook::message::format::CloudEventHeaderError, labhook::message::format::CloudEvents, labhook::message::format::CloudEventsSourceError,
        labhook::id::DatasetId, labhook::decode::DecodeError, delivery::Delivery, labhook::event::EncodeError,
        labhook::Endpoint, labhook::endpoint::EndpointError, labhook::EndpointId, labhook::message::format::Envelope,
        labhook::Event<lab::RunStateChanged>, labhook::endpoint::EventPattern, labhook::endpoint::EventPatternError,
        labhook::EventType, labhook::event::EventTypeError, labhook::Failure, flow::Flow,
        labhook::FlowPolicy, labhook::secret::SecretEncoding,
        labhook::message::format::FormatError, health::Health, labhook::HealthPolicy,
        labhook::id::IdError, labhook::Inbox, labhook::id::InstructionId, labhook::id::IssueId,
        labhook::decode::JsonError, labhook::json::JsonText, labhook::Keys, labhook::LabEvent, labhook::id::LabwareId,
        labhook::Message, labhook::MessageId, labhook::message::NoEventError, labhook::Notice,
        labhook::json::Nullable<u64>, labhook::Order,
        labhook::Outbox, labhook::Outcome, labhook::time::ParseTimestampError, labhook::id::PlanId,
        labhook::RetryPolicy, labhook::id::ProjectId, labhook::Registry, labhook::endpoint::RegistryError,
        labhook::endpoint::UnknownEndpointError,
        labhook::id::ReleaseId, labhook::message::Rendering, labhook::Reply, labhook::endpoint::RequestError,
        labhook::id::ResourceId, labhook::id::RunId, labhook::id::SampleId, signature::Scheme, labhook::Secret,
        labhook::secret::SecretError, signature::SignError, labhook::Signer, labhook::message::format::SlackMessage,
        labhook::Step, labhook::Subscription, labhook::id::TaskId, labhook::Ticket, labhook::time::TimeText,
        labhook::Timestamp, labhook::event::Trigger, labhook::endpoint::TriggerOn, labhook::event::UnknownEvent,
        labhook::json::UnknownMembers, labhook::Verdict, labhook::Verifier, labhook::VerifyError,
        labhook::id::WorkcellId, labhook::id::WorkflowId, Box<dyn labhook::message::format::Format>,
    );
    all!(kept:
        delivery::Control, delivery::Delivery, delivery::DeliveryGuarantee, delivery::Failure, delivery::Ignored,
        delivery::Jitter, delivery::Outcome, delivery::RetryPolicy, delivery::RetryPolicyError,
        delivery::Progress, delivery::ResponseAction, delivery::Resolution, delivery::Response,
        delivery::ResponseRules, delivery::RetryAfter, delivery::Schedule, delivery::Started,
        delivery::Verdict,
    );
    all!(kept:
        flow::FlowPolicy, health::HealthPolicy, health::Gate, health::Disabled, health::DisabledBy, health::Transition, health::EnableError,
        health::EnabledBy, health::SenderOutage, health::HealthPolicyError, health::Intake,
        health::NewMessages, health::OutagePolicy, health::OutagePolicyError, health::Permit,
        health::SignalEffect, health::Signal, health::HealthStatus, health::State, health::PendingOnDisable,
    );
    all!(kept:
        flow::RetryBudgetPolicy, flow::AttemptKind, flow::Feedback, flow::FlowPolicyError, flow::AdaptiveRate,
        flow::AdaptiveRatePolicy, flow::FlowDecision, flow::RateLimit, flow::RateLimitPolicy, flow::RetryBudget, flow::Receipt,
        flow::ConcurrencyLimit, flow::ConcurrencyLimitPolicy,
    );
    all!(kept:
        outbox::AttemptReport, outbox::Cause, outbox::Change, outbox::Changes, outbox::Counters, outbox::DeliveryRecord,
        outbox::EnableEndpointError, outbox::EndpointRecord, outbox::RenderFailure, outbox::MessageRecord,
        outbox::PublishError, outbox::Published, outbox::Record, outbox::RecordKey,
        outbox::ReplayPlan, outbox::RestoreError, outbox::Revision, outbox::ReplayFilter, outbox::Status<'static>,
    );
    all!(kept:
        signature::CustomScheme, signature::SchemeSpecError, signature::Encoding, signature::KeyError,
        signature::SigningKey, signature::TimestampForm, signature::VerifyingKey,
    );
    all!(kept:
        simulate::Behaviour, simulate::Latency, policy::lint::Assumptions, policy::Load,
        simulate::Outage, simulate::Point, policy::EndpointPolicy, policy::OrderScope, simulate::Receiver,
        simulate::Recovery, simulate::Report, simulate::Scenario, simulate::Series,
        policy::lint::Severity, policy::Observation, policy::PolicySummary, policy::lint::Finding,
        policy::lint::ParseSeverityError,
    );
    #[cfg(feature = "ed25519")]
    all!(kept:
        signature::Ed25519KeyError, signature::Ed25519PrivateKey, signature::Ed25519PublicKey,
    );
    all!(kept:
        lab::Dataset, lab::DatasetCreated, lab::DatasetDeleted, lab::DatasetUpdated,
        lab::DeviceState, lab::InstructionCompleted, lab::Issue, lab::IssueCreated,
        lab::IssueStatus, lab::IssueUpdated, lab::LabEvent, lab::Label, lab::LabelDeleted,
        lab::LabelStatus, lab::LabelUpdated, lab::LabwareMoved, lab::LabwareTrigger, lab::Location,
        lab::PlanCreated, lab::PlanStage, lab::PlanStatus, lab::Release, lab::ReleaseCreated,
        lab::ReleaseStatus, lab::ResourceChanged, lab::ResourceOperation, lab::RunState,
        lab::RunStateChanged, lab::SafetyStateChanged, lab::Sample, lab::SampleCreated,
        lab::SampleDeleted, lab::SampleUpdated, lab::Severity, lab::TaskState,
        lab::TaskStateChanged,
    );
    all!(kept:
        provider::DedupeKey, receive::ReceiveError, receive::Source, receive::DuplicateSourceError,
        receive::Sources, provider::MapError,
    );
    all!(kept:
        strateos::Event, strateos::Format, strateos::Op, strateos::Project,
        strateos::ProjectWebhook, strateos::Run, strateos::Webhook,
    );
    all!(kept:
        linq::Format, linq::Hook, linq::HookEndpointError, linq::HookError, linq::Kind,
        linq::LabwareMovement, linq::NewPlan, linq::RunState, linq::RunStateChange,
        linq::SafetyStateChange, linq::TaskStateChange, linq::UnknownKindError, linq::Watch,
        linq::Webhook,
    );
    all!(kept:
        strike::CreateSubscription, strike::Format, strike::Subscription,
        strike::SubscriptionError, strike::UpdateSubscription, strike::Webhook,
        strike::WebhookData, strike::WebhookVersion,
    );
    all!(kept:
        segments::DatasetObject, segments::EventKind, segments::Format, segments::Hook,
        segments::HookError, segments::IssueObject, segments::LabelObject, segments::OwnerObject,
        segments::ReleaseObject, segments::SampleObject, segments::Webhook,
    );
    // These borrow what they speak of.
    all!(shared:
        labhook::decode::TrustedBody<'_>, labhook::Verified<'_>, danger::Unsigned<'_>, delivery::JitterSeed<'_>,
        signature::SchemeSpec<'_>, signature::TimestampPlace<'_>,
        receive::Proof<'_>, receive::Received<'_>,
    );
}

/// A type that is added to a module is added to the list above, there or at the root.
#[test]
fn every_public_type_is_in_the_list() {
    let list = include_str!("send_sync.rs");
    let (mut seen, mut missing) = (0, Vec::new());
    for (module, source) in [
        ("decode", include_str!("../../src/decode.rs")),
        ("delivery", include_str!("../../src/delivery.rs")),
        ("endpoint", include_str!("../../src/endpoint.rs")),
        ("event", include_str!("../../src/event.rs")),
        ("flow", include_str!("../../src/flow.rs")),
        ("format", include_str!("../../src/message/format.rs")),
        ("health", include_str!("../../src/health.rs")),
        ("json", include_str!("../../src/json.rs")),
        ("lab", include_str!("../../src/lab.rs")),
        ("message", include_str!("../../src/message.rs")),
        ("outbox", include_str!("../../src/outbox.rs")),
        ("policy", include_str!("../../src/policy.rs")),
        ("lint", include_str!("../../src/policy/lint.rs")),
        ("provider", include_str!("../../src/provider.rs")),
        ("linq", include_str!("../../src/provider/linq.rs")),
        ("segments", include_str!("../../src/provider/segments.rs")),
        ("strateos", include_str!("../../src/provider/strateos.rs")),
        ("strike", include_str!("../../src/provider/strike.rs")),
        ("receive", include_str!("../../src/receive.rs")),
        ("signature", include_str!("../../src/signature.rs")),
        ("simulate", include_str!("../../src/simulate.rs")),
        ("time", include_str!("../../src/time.rs")),
    ] {
        let exports = source.split("\npub use ").skip(1).map(|it| it.split(';').next().unwrap());
        let exported = exports.flat_map(|export| {
            let names = export.rsplit("::").next().unwrap();
            let names = export.split('{').nth(1).unwrap_or(names);
            names.trim_end_matches('}').split(',').map(str::trim)
        });
        let own = source.split("\npub ").skip(1).filter_map(|item| {
            let name = item.strip_prefix("struct ").or(item.strip_prefix("enum "))?;
            name.split(|c: char| !c.is_alphanumeric()).next()
        });
        for name in exported.chain(own) {
            // Traits have no instances, and neither have constants and functions.
            let is_type = name.chars().any(char::is_lowercase)
                && name.starts_with(char::is_uppercase)
                && !["Payload", "Decode"].contains(&name)
                && (module, name) != ("format", "Format");
            if !is_type {
                continue;
            }
            seen += 1;
            let spelled =
                |path: String| [",", "<"].iter().any(|it| list.contains(&(path.clone() + it)));
            if !spelled(format!("{module}::{name}")) && !spelled(format!("labhook::{name}")) {
                missing.push(format!("{module}::{name}"));
            }
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(missing.is_empty(), "{missing:?}");
}
