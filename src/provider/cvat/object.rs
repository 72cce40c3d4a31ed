//! The resources that have a lab model, named after the models of `cvat-sdk` 2.80.
//!
//! All members except ids are optional: the webhook's documentation refers to that of the API,
//! which changes with its versions. Structured values are JSON text.

use crate::json::{JsonText, object};
use crate::time::TimeText;

object! {
    /// User, as the sender of a webhook, and as the owner or assignee of a resource.
    #[derive(Default)]
    pub struct User {
        /// The URL in the API.
        optional url: String,
        /// The user's id.
        optional id: u64,
        /// The user name.
        optional username: String,
        /// The first name.
        optional first_name: String,
        /// The last name.
        optional last_name: String,
    }
}

object! {
    /// Project of a `*:project` event.
    pub struct ProjectObject {
        /// The URL in the API.
        optional url: String,
        /// The project's id.
        required id: u64,
        /// The name.
        optional name: String,
        /// The owner.
        nullable owner: User,
        /// The user it is assigned to.
        nullable assignee: User,
        /// The id of the annotation guide.
        nullable guide_id: u64,
        /// The URL of a bug tracker.
        optional bug_tracker: String,
        /// The names of the subsets of tasks.
        optional task_subsets: Vec<String>,
        /// The time of creation.
        optional created_date: TimeText,
        /// The time of the last change.
        optional updated_date: TimeText,
        /// The status, such as `annotation`.
        optional status: String,
        /// The dimension, such as `2d`.
        nullable dimension: String,
        /// The id of the organization.
        nullable organization: u64,
        /// Where exports are stored: an object.
        nullable target_storage: JsonText,
        /// Where imports are read from: an object.
        nullable source_storage: JsonText,
        /// A summary of the tasks: an object.
        optional tasks: JsonText,
        /// A summary of the labels: an object.
        optional labels: JsonText,
    }
}

object! {
    /// Issue of an `*:issue` event.
    pub struct IssueObject {
        /// The issue's id.
        required id: u64,
        /// The number of the frame it is about.
        optional frame: u64,
        /// The position in the frame: an array of coordinates.
        optional position: JsonText,
        /// The id of the job it is about.
        optional job: u64,
        /// The user who raised it.
        nullable owner: User,
        /// The user it is assigned to.
        nullable assignee: User,
        /// The time of creation.
        nullable created_date: TimeText,
        /// The time of the last change.
        nullable updated_date: TimeText,
        /// Whether it is resolved.
        optional resolved: bool,
        /// A summary of the comments: an object.
        optional comments: JsonText,
    }
}

object! {
    /// Comment of a `*:comment` event.
    pub struct CommentObject {
        /// The comment's id.
        required id: u64,
        /// The id of the issue.
        required issue: u64,
        /// The user who wrote it.
        nullable owner: User,
        /// The text.
        optional message: String,
        /// The time of creation.
        optional created_date: TimeText,
        /// The time of the last change.
        optional updated_date: TimeText,
    }
}

object! {
    /// Request of a `completed:request[..]` event. Published with an example.
    pub struct RequestObject {
        /// The status: `finished` or `failed` once it is completed.
        optional status: String,
        /// A human-readable message.
        optional message: String,
        /// The request's id.
        required id: String,
        /// What was requested.
        optional operation: OperationObject,
        /// The progress, from 0 to 1: a number.
        nullable progress: JsonText,
        /// The time of creation.
        optional created_date: TimeText,
        /// The time at which work on it started.
        nullable started_date: TimeText,
        /// The time at which it was completed.
        nullable finished_date: TimeText,
        /// The time at which its result is removed.
        nullable expiry_date: TimeText,
        /// The user who made the request.
        optional owner: User,
        /// The URL of the result.
        nullable result_url: String,
        /// The id of the result.
        nullable result_id: u64,
    }
}

object! {
    /// Operation of a [`RequestObject`]. Published with an example.
    #[derive(Default)]
    pub struct OperationObject {
        /// The operation, such as `export:dataset`.
        optional kind: String as "type",
        /// What it is about: `project`, `task` or `job`.
        optional target: String,
        /// The id of the project.
        nullable project_id: u64,
        /// The id of the task.
        nullable task_id: u64,
        /// The id of the job.
        nullable job_id: u64,
        /// The id of the organization.
        nullable org_id: u64,
        /// The format of an export, such as `COCO 1.0`.
        nullable format: String,
        /// Whether a backup leaves out the data.
        nullable lightweight: bool,
    }
}
