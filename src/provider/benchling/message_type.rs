//! The message types that Benchling publishes: [`MessageType`].

use crate::json::open_enum;
use crate::lab::TaskState;

open_enum! {
    /// Type of a message: the 44 that the vendor publishes and has not retired.
    ///
    /// They are those of its Python package `benchling-api-client`, without the types of versions
    /// `v0` and `v0-beta` and `v2-beta.canvas.created`, which have successors here.
    pub enum MessageType {
        /// A user asked for the app to be activated on a tenant.
        AppActivateRequested = "v2.app.activateRequested",
        /// A user deactivated the app on a tenant.
        AppDeactivated = "v2.app.deactivated",
        /// The app was installed on a tenant. It is sent without a subscription.
        AppInstalled = "v2.app.installed",
        /// The configuration of the app was updated. The type is a beta one.
        AppConfigurationUpdated = "v2-beta.app.configuration.updated",
        /// An assay run was created.
        AssayRunCreated = "v2.assayRun.created",
        /// Fields of an assay run were updated.
        AssayRunUpdatedFields = "v2.assayRun.updated.fields",
        /// The status of an automation file transform changed to failed.
        AutomationFileTransformFailed = "v2.automationFileTransform.updated.status.failed",
        /// The status of an automation file transform changed to pending.
        AutomationFileTransformPending = "v2.automationFileTransform.updated.status.pending",
        /// The status of an automation file transform changed to running.
        AutomationFileTransformRunning = "v2.automationFileTransform.updated.status.running",
        /// The status of an automation file transform changed to succeeded.
        AutomationFileTransformSucceeded = "v2.automationFileTransform.updated.status.succeeded",
        /// An app canvas was created.
        CanvasCreated = "v2.canvas.created",
        /// A user initialized an app canvas.
        CanvasInitialized = "v2.canvas.initialized",
        /// A user pressed a button of an app canvas.
        CanvasUserInteracted = "v2.canvas.userInteracted",
        /// An entity was registered.
        EntityRegistered = "v2.entity.registered",
        /// An entry was created.
        EntryCreatedV2 = "v2.entry.created",
        /// Fields of an entry were updated.
        EntryUpdatedFields = "v2.entry.updated.fields",
        /// The review record of an entry was updated.
        EntryUpdatedReviewRecord = "v2.entry.updated.reviewRecord",
        /// A request was created.
        RequestCreated = "v2.request.created",
        /// Fields of a request were updated.
        RequestUpdatedFields = "v2.request.updated.fields",
        /// The status of a request was updated.
        RequestUpdatedStatus = "v2.request.updated.status",
        /// A workflow output was created.
        WorkflowOutputCreated = "v2.workflowOutput.created",
        /// Fields of a workflow output were updated.
        WorkflowOutputUpdatedFields = "v2.workflowOutput.updated.fields",
        /// A workflow task was created.
        WorkflowTaskCreated = "v2.workflowTask.created",
        /// The assignee of a workflow task was updated.
        WorkflowTaskUpdatedAssignee = "v2.workflowTask.updated.assignee",
        /// Fields of a workflow task were updated.
        WorkflowTaskUpdatedFields = "v2.workflowTask.updated.fields",
        /// The date for which a workflow task is scheduled was updated.
        WorkflowTaskUpdatedScheduledOn = "v2.workflowTask.updated.scheduledOn",
        /// The status of a workflow task was updated. The message does not contain the status.
        WorkflowTaskUpdatedStatus = "v2.workflowTask.updated.status",
        /// A workflow task group was created.
        WorkflowTaskGroupCreated = "v2.workflowTaskGroup.created",
        /// The mapping of a workflow task group was completed.
        WorkflowTaskGroupMappingCompleted = "v2.workflowTaskGroup.mappingCompleted",
        /// The watchers of a workflow task group were updated.
        WorkflowTaskGroupUpdatedWatchers = "v2.workflowTaskGroup.updated.watchers",
        /// A custom entity was created.
        CustomEntityCreated = "v3.customEntity.created",
        /// A custom entity was updated.
        CustomEntityUpdated = "v3.customEntity.updated",
        /// A DNA oligo was created.
        DnaOligoCreated = "v3.dnaOligo.created",
        /// A DNA oligo was updated.
        DnaOligoUpdated = "v3.dnaOligo.updated",
        /// A DNA sequence was created.
        DnaSequenceCreated = "v3.dnaSequence.created",
        /// A DNA sequence was updated.
        DnaSequenceUpdated = "v3.dnaSequence.updated",
        /// An entry was created.
        EntryCreatedV3 = "v3.entry.created",
        /// A project was created.
        ProjectCreated = "v3.project.created",
        /// A project was updated.
        ProjectUpdated = "v3.project.updated",
        /// An RNA oligo was created.
        RnaOligoCreated = "v3.rnaOligo.created",
        /// An RNA oligo was updated.
        RnaOligoUpdated = "v3.rnaOligo.updated",
        /// An RNA sequence was created.
        RnaSequenceCreated = "v3.rnaSequence.created",
        /// An RNA sequence was updated.
        RnaSequenceUpdated = "v3.rnaSequence.updated",
        /// A run was created.
        RunCreated = "v3.run.created",
    }
}

impl MessageType {
    /// Returns the state of the automation file transform, which only these four types contain.
    ///
    /// A lab's [task event](crate::lab::TaskStateChanged) needs the id of a run, which the message
    /// does not have. An application that knows the transform's run can build that event.
    #[must_use]
    pub fn transform_state(&self) -> Option<TaskState> {
        match self.as_str().strip_prefix("v2.automationFileTransform.updated.status.")? {
            "pending" => Some(TaskState::Pending),
            "running" => Some(TaskState::Running),
            "succeeded" => Some(TaskState::Completed),
            "failed" => Some(TaskState::Failed),
            _ => None,
        }
    }
}
