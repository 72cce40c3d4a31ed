//! Every public type is `Send + Sync`, and the list of public types is complete.

use std::fs;
use std::path::Path;

/// Fails to compile unless the types can be moved to other threads and shared between them.
macro_rules! owned {
    ($($type:ty),* $(,)?) => {{
        fn assert<T: Send + Sync + 'static>() {}
        $(assert::<$type>();)*
    }};
}

/// As [`owned`], for types that borrow.
macro_rules! borrowed {
    ($($type:ty),* $(,)?) => {{
        fn assert<T: Send + Sync>() {}
        $(assert::<$type>();)*
    }};
}

/// One block per public module. The test below finds a missing module or type by its name.
#[test]
fn every_public_type_is_send_and_sync() {
    {
        use labhook::danger::*;
        borrowed!(Unsigned<'_>);
    }
    {
        use labhook::decode::*;
        owned!(DecodeError, JsonError, Mismatch);
        borrowed!(TrustedBody<'_>);
    }
    {
        use labhook::delivery::*;
        owned!(
            Control,
            Delivery,
            DeliveryGuarantee,
            Failure,
            Ignored,
            Jitter,
            Outcome,
            ParseNameError,
            Progress,
            Resolution,
            Response,
            ResponseAction,
            ResponseRules,
            RetryAfter,
            RetryPolicy,
            RetryPolicyError,
            Schedule,
            Started,
            Verdict,
        );
        borrowed!(JitterSeed<'_>);
    }
    {
        use labhook::endpoint::*;
        owned!(
            AddressError,
            AddressKind,
            AddressPolicy,
            Endpoint,
            EndpointConfig,
            EndpointConfigError,
            EndpointError,
            EventPattern,
            EventPatternError,
            HostPattern,
            HostPatternError,
            Network,
            NetworkError,
            Registry,
            RegistryError,
            RequestError,
            Subscription,
            TriggerOn,
            UnknownEndpointError,
        );
    }
    {
        use labhook::event::*;
        owned!(
            EncodeError,
            Event<labhook::lab::RunStateChanged>,
            EventType,
            EventTypeError,
            Keys,
            Trigger,
            UnknownEvent,
        );
    }
    {
        use labhook::flow::*;
        owned!(
            AdaptiveRatePolicy,
            ConcurrencyLimitPolicy,
            Flow,
            FlowDecision,
            FlowPolicy,
            FlowPolicyError,
            ParseNameError,
            RateLimitPolicy,
            Receipt,
            Signal,
        );
    }
    {
        use labhook::health::*;
        owned!(
            Disabled,
            DisabledBy,
            EnableError,
            EnabledBy,
            Gate,
            Health,
            HealthPolicy,
            HealthPolicyError,
            Intake,
            OutagePolicy,
            OutagePolicyError,
            PendingOnDisable,
            ParseNameError,
            Permit,
            SenderOutage,
            Signal,
            SignalEffect,
            State,
            Transition,
        );
    }
    {
        use labhook::id::*;
        owned!(
            DatasetId,
            EndpointId,
            IdError,
            InstructionId,
            IssueId,
            LabwareId,
            MessageId,
            PlanId,
            ProjectId,
            ReleaseId,
            ResourceId,
            RunId,
            SampleId,
            TaskId,
            WorkcellId,
            WorkflowId,
        );
    }
    {
        use labhook::json::*;
        owned!(JsonText, Nullable<u64>, UnknownMembers);
    }
    {
        use labhook::json::macro_support::*;
        owned!(UnknownCollector);
    }
    {
        use labhook::lab::*;
        owned!(
            Dataset,
            DatasetCreated,
            DatasetDeleted,
            DatasetUpdated,
            DeviceState,
            InstructionCompleted,
            Issue,
            IssueCreated,
            IssueStatus,
            IssueUpdated,
            LabEvent,
            Label,
            LabelDeleted,
            LabelStatus,
            LabelUpdated,
            LabwareMoved,
            LabwareTrigger,
            Location,
            Phase,
            PlanCreated,
            PlanStage,
            PlanStatus,
            Release,
            ReleaseCreated,
            ReleaseStatus,
            ResourceChanged,
            ResourceOperation,
            RunState,
            RunStateChanged,
            SafetyStateChanged,
            Sample,
            SampleCreated,
            SampleDeleted,
            SampleUpdated,
            Severity,
            TaskState,
            TaskStateChanged,
        );
    }
    {
        use labhook::message::*;
        owned!(BodyDigest, DetachedBody, Message, MessageHeaderError, NoEventError, Rendering,);
    }
    {
        use labhook::message::format::*;
        owned!(
            Box<dyn Format>,
            CloudEvent,
            CloudEventHeaderError,
            CloudEvents,
            CloudEventsSourceError,
            Envelope,
            FormatError,
            SlackMessage,
        );
    }
    {
        use labhook::outbox::*;
        owned!(
            Attempt,
            AttemptReport,
            Cause,
            Change,
            Changes,
            Counters,
            DeliveryRecord,
            EnableEndpointError,
            Explanation,
            EndpointRecord,
            LogEntry,
            MessageRecord,
            Notice,
            Outbox,
            PublishError,
            Published,
            Record,
            RecordKey,
            RenderFailure,
            ReplayFilter,
            ReplayPlan,
            RerunError,
            RestoreError,
            Revision,
            Status<'static>,
            Step,
            Ticket,
        );
    }
    {
        use labhook::policy::*;
        owned!(EndpointPolicy, Load, Observation, Order, OrderScope, ParseNameError, PolicySummary);
    }
    {
        use labhook::policy::lint::*;
        owned!(Assumptions, Finding, ParseNameError, Severity);
    }
    {
        use labhook::provider::*;
        owned!(DedupeKey, MapError);
    }
    {
        use labhook::provider::benchling::*;
        owned!(
            App,
            AppDefinition,
            Channel,
            MessageType,
            ResourceSchema,
            Stability,
            Webhook,
            WebhookMessage,
        );
    }
    {
        use labhook::provider::argilla::*;
        owned!(
            DatasetObject,
            DatasetStatus,
            EventKind,
            Format,
            RecordObject,
            RecordStatus,
            ResponseObject,
            ResponseStatus,
            UserObject,
            Webhook,
            WorkspaceObject,
        );
    }
    {
        use labhook::provider::cvat::*;
        owned!(
            CommentObject,
            Format,
            IssueObject,
            OperationObject,
            ProjectObject,
            RequestObject,
            User,
            Webhook,
        );
    }
    {
        use labhook::provider::label_studio::*;
        owned!(Action, AnnotationObject, Format, ProjectObject, TaskObject, Webhook);
    }
    {
        use labhook::provider::linq::*;
        owned!(
            Format,
            Hook,
            HookEndpointError,
            HookError,
            Kind,
            LabwareMovement,
            NewPlan,
            ParseNameError,
            RunState,
            RunStateChange,
            SafetyStateChange,
            TaskStateChange,
            Watch,
            Webhook,
        );
    }
    {
        use labhook::provider::segments::*;
        owned!(
            DatasetObject,
            EventKind,
            Format,
            Hook,
            HookError,
            IssueObject,
            LabelObject,
            OwnerObject,
            ReleaseObject,
            SampleObject,
            Webhook,
        );
    }
    {
        use labhook::provider::strateos::*;
        owned!(Event, Format, Op, Project, ProjectWebhook, Run, Webhook);
    }
    {
        use labhook::provider::tiled::*;
        owned!(EventKind, Format, Spec, StructureFamily, Webhook);
    }
    {
        use labhook::provider::strike::*;
        owned!(
            CreateSubscription,
            Format,
            Subscription,
            SubscriptionError,
            UpdateSubscription,
            Webhook,
            WebhookData,
            WebhookVersion,
        );
    }
    {
        use labhook::receive::*;
        owned!(
            Admission,
            BodyError,
            Claim,
            Decoded,
            DuplicateSourceError,
            Inbox,
            InboxChange,
            InboxEvent,
            InboxState,
            Reply,
            Source,
            Sources,
        );
        borrowed!(Incoming<'_>, Proof<'_>, ReceiveError<'_>, Received<'_>, Refusal<'_>);
    }
    #[cfg(feature = "schema")]
    {
        use labhook::schema::*;
        owned!(EnumShape, EventShape, MemberShape, ObjectShape, Presence, Shape, ValueShape);
    }
    #[cfg(feature = "schema")]
    {
        use labhook::schema::macro_support::*;
        owned!(Field<u8>);
    }
    {
        use labhook::secret::*;
        owned!(Secret, SecretEncoding, SecretError, SecretRef, SecretRefError);
    }
    {
        use labhook::signature::*;
        owned!(
            Algorithm,
            BaseUrlError,
            CustomScheme,
            Encoding,
            HttpMessageError,
            HttpMessageProfile,
            HttpMessageProfileError,
            KeyError,
            ParseNameError,
            ReceiptProfile,
            Scheme,
            SchemeSpecError,
            SharedHeaderError,
            SignError,
            Signer,
            SigningKey,
            TimestampForm,
            Verifier,
            VerifyError,
            VerifyingKey,
        );
        borrowed!(SchemeSpec<'_>, TimestampPlace<'_>, Verified<'_>);
        #[cfg(feature = "ed25519")]
        owned!(Ed25519KeyError, Ed25519PrivateKey, Ed25519PublicKey);
        #[cfg(feature = "p256")]
        owned!(P256KeyError, P256PrivateKey, P256PublicKey);
        #[cfg(any(feature = "ed25519", feature = "p256"))]
        owned!(KeySet, KeySetError);
    }
    {
        use labhook::simulate::*;
        owned!(
            Behaviour,
            Chance,
            ClockJump,
            ClockShift,
            Flapping,
            GoodMessages,
            Latency,
            Limiter,
            Outage,
            Point,
            Poison,
            Processing,
            Queue,
            Reaction,
            Receiver,
            Recovery,
            Report,
            RunningReceiver,
            Scenario,
            Series,
            TestHost,
        );
    }
    {
        use labhook::time::*;
        owned!(ParseTimestampError, TimeText, Timestamp);
    }
}

/// A public module, by its path below the crate, and its source.
type Module = (String, String);

#[test]
fn list_contains_every_public_type() {
    let list = include_str!("send_sync.rs");
    let (mut seen, mut missing) = (0, Vec::new());
    for (module, name) in public_types() {
        let block = list.split(&format!("use labhook::{module}::*;\n")).nth(1);
        let block = block.and_then(|rest| rest.split("\n    }\n").next()).unwrap_or_default();
        seen += 1;
        if !block.split(|char: char| !char.is_alphanumeric()).any(|listed| listed == name) {
            missing.push(format!("{module}::{name}"));
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    assert!(seen > 200, "{seen}");
}

/// Every public type: its module and its name.
pub(crate) fn public_types() -> Vec<(String, String)> {
    let mut modules = Vec::new();
    public_modules("", "lib.rs", &mut modules);
    let mut types = Vec::new();
    // What the root exports is re-exported from the modules.
    for (module, source) in modules.iter().filter(|(module, _)| !module.is_empty()) {
        types.extend(types_in(source).into_iter().map(|name| (module.clone(), name.to_owned())));
    }
    types
}

/// Follows `pub mod` declarations.
fn public_modules(module: &str, file: &str, modules: &mut Vec<Module>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let source = fs::read_to_string(root.join(file)).unwrap();
    // The guide's chapters are modules with a body, and hold no types.
    let names = source.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for name in names {
        let (module, file) = match module {
            "" => (name.to_owned(), format!("{name}.rs")),
            _ => (format!("{module}::{name}"), format!("{}/{name}.rs", module.replace("::", "/"))),
        };
        public_modules(&module, &file, modules);
    }
    modules.push((module.to_owned(), source));
}

/// The structs and enums that a module defines or re-exports.
fn types_in(source: &str) -> Vec<&str> {
    let exported = source.split("\npub use ").skip(1).flat_map(|export| {
        let export = export.split(';').next().unwrap();
        // `path::Name` or `path::{Name, Name}`.
        let names = export.rsplit("::").next().unwrap().trim_start_matches('{');
        // `Format` of `render` is a trait.
        let names = if export == "render::Format" { "" } else { names };
        names.trim_end_matches('}').split(',').map(str::trim)
    });
    let defined = ["\npub struct ", "\npub enum "].into_iter().flat_map(|keyword| {
        let definitions = source.split(keyword).skip(1);
        definitions.filter_map(|rest| rest.split(|char: char| !char.is_alphanumeric()).next())
    });
    // The last line of an `opaque_id!` or `checked_id!` is the type's name.
    let ids = ["\nopaque_id! {", "\nchecked_id! {"].into_iter().flat_map(|id_macro| {
        let definitions = source.split(id_macro).skip(1);
        let last_lines = definitions.filter_map(|rest| rest.split("\n}\n").next()?.lines().last());
        last_lines.filter_map(|line| line.trim().split(',').next())
    });
    // Constants and functions are not types.
    let is_type =
        |name: &&str| name.starts_with(char::is_uppercase) && name.chars().any(char::is_lowercase);
    exported.chain(defined).chain(ids).filter(is_type).collect()
}
