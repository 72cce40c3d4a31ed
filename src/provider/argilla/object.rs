//! The objects in `data`, as in the source of Argilla's server (`webhooks/v1/schemas.py`).
//!
//! Members whose shape depends on the dataset are JSON text.

use crate::id::{DatasetId, SampleId};
use crate::json::{JsonText, object, open_enum};
use crate::time::TimeText;

open_enum! {
    /// Status of a dataset. From the server's source (`enums.py`).
    pub enum DatasetStatus {
        /// Not published yet.
        Draft = "draft",
        /// Published.
        Ready = "ready",
    }
}

open_enum! {
    /// Status of a record. From the server's source (`enums.py`).
    pub enum RecordStatus {
        /// It needs more responses.
        Pending = "pending",
        /// It has the responses that its dataset asks for.
        Completed = "completed",
    }
}

open_enum! {
    /// Status of a response. From the server's source (`enums.py`).
    pub enum ResponseStatus {
        /// Saved, not submitted.
        Draft = "draft",
        /// Submitted.
        Submitted = "submitted",
        /// Discarded: the user did not want to respond.
        Discarded = "discarded",
    }
}

object! {
    /// Dataset in the `data` of a `dataset.*` event, and in a record.
    ///
    /// The schema requires all members except `guidelines`. Some are optional here, so that
    /// [`new`](Self::new) takes few arguments.
    pub struct DatasetObject {
        /// The dataset's id.
        required id: DatasetId,
        /// The name.
        required name: String,
        /// The guidelines for annotators.
        nullable guidelines: String,
        /// Whether records may have metadata that no property describes.
        optional allow_extra_metadata: bool,
        /// The status.
        required status: DatasetStatus,
        /// How records are distributed among annotators: an object.
        optional distribution: JsonText,
        /// The workspace that it belongs to.
        required workspace: WorkspaceObject,
        /// The questions: an array.
        optional questions: JsonText,
        /// The fields of a record: an array.
        optional fields: JsonText,
        /// The metadata properties: an array.
        optional metadata_properties: JsonText,
        /// The vectors: an array.
        optional vectors_settings: JsonText,
        /// The time of the last activity, without a UTC offset.
        optional last_activity_at: TimeText,
        /// The time of creation, without a UTC offset.
        required inserted_at: TimeText,
        /// The time of the last change, without a UTC offset.
        required updated_at: TimeText,
    }
}

object! {
    /// Workspace of a [`DatasetObject`].
    pub struct WorkspaceObject {
        /// The workspace's id.
        required id: String,
        /// The name.
        required name: String,
        /// The time of creation, without a UTC offset.
        required inserted_at: TimeText,
        /// The time of the last change, without a UTC offset.
        required updated_at: TimeText,
    }
}

object! {
    /// Record in the `data` of a `record.*` event, and in a response.
    pub struct RecordObject {
        /// The record's id.
        required id: SampleId,
        /// The status.
        required status: RecordStatus,
        /// The content: an object with the dataset's fields.
        required fields: JsonText,
        /// The metadata: an object.
        nullable metadata: JsonText,
        /// The id in the system that the record comes from.
        nullable external_id: String,
        /// The dataset.
        required dataset: DatasetObject,
        /// The time of creation, without a UTC offset.
        required inserted_at: TimeText,
        /// The time of the last change, without a UTC offset.
        required updated_at: TimeText,
    }
}

object! {
    /// Response in the `data` of a `response.*` event.
    pub struct ResponseObject {
        /// The response's id.
        required id: String,
        /// The answers by the names of the questions: an object.
        nullable values: JsonText,
        /// The status.
        required status: ResponseStatus,
        /// The record.
        required record: RecordObject,
        /// The user who responded.
        required user: UserObject,
        /// The time of creation, without a UTC offset.
        required inserted_at: TimeText,
        /// The time of the last change, without a UTC offset.
        required updated_at: TimeText,
    }
}

object! {
    /// User of a [`ResponseObject`].
    pub struct UserObject {
        /// The user's id.
        required id: String,
        /// The first name.
        required first_name: String,
        /// The last name.
        nullable last_name: String,
        /// The user name.
        required username: String,
        /// The role, such as `owner`.
        required role: String,
        /// The time of creation, without a UTC offset.
        required inserted_at: TimeText,
        /// The time of the last change, without a UTC offset.
        required updated_at: TimeText,
    }
}
