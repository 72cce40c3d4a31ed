//! Views of `object` by the names of the vendor's published package.
//!
//! The contents of `object` are not documented. Each view has the members of the package's model,
//! all optional, for the events in its name. Timestamps are text, as in the package; values that
//! may be fractions or are structured are JSON text.

use crate::json::{JsonText, object};
use crate::lab::{IssueStatus, LabelStatus, ReleaseStatus};

object! {
    /// Dataset in the `object` of a `dataset.*` event, as modelled by the vendor's package.
    #[derive(Default)]
    pub struct DatasetObject {
        /// The name without the owner.
        optional name: String,
        /// The owner and name, such as `jane/flowers`.
        optional full_name: String,
        /// The dataset that it was cloned from.
        optional cloned_from: String,
        /// The description.
        optional description: String,
        /// The subject category, such as `garden`.
        optional category: String,
        /// Whether the dataset is public.
        optional public: bool,
        /// The owner.
        optional owner: OwnerObject,
        /// When it was created.
        optional created_at: String,
        /// The labeling task, such as `segmentation-bitmap`.
        optional task_type: String,
        /// The number of samples by label status: an object.
        optional label_stats: JsonText,
        /// The number of samples: a number or text.
        optional samples_count: JsonText,
        /// The label categories and attributes: an object.
        optional task_attributes: JsonText,
        /// The label sets: an array.
        optional labelsets: JsonText,
        /// The readme.
        optional readme: String,
    }
}

object! {
    /// Owner of a [`DatasetObject`].
    #[derive(Default)]
    pub struct OwnerObject {
        /// The user name, which is the first part of a dataset's full name.
        optional username: String,
        /// When the account was created.
        optional created_at: String,
        /// The email address.
        optional email: String,
    }
}

object! {
    /// Sample in the `object` of a `sample.*` event, as modelled by the vendor's package.
    #[derive(Default)]
    pub struct SampleObject {
        /// The sample's id.
        optional uuid: String,
        /// The name.
        optional name: String,
        /// The sample data: an object that depends on the type of sample.
        optional attributes: JsonText,
        /// The metadata: an object.
        optional metadata: JsonText,
        /// When it was created.
        optional created_at: String,
        /// Who created it.
        optional created_by: String,
        /// The assigned labeler.
        optional assigned_labeler: String,
        /// The assigned reviewer.
        optional assigned_reviewer: String,
        /// The comments: an array.
        optional comments: JsonText,
        /// The labeling priority: a number.
        optional priority: JsonText,
        /// The label, if any: an object.
        optional label: JsonText,
        /// The issues: an array.
        optional issues: JsonText,
    }
}

object! {
    /// Label in the `object` of a `label.*` event, as modelled by the vendor's package.
    #[derive(Default)]
    pub struct LabelObject {
        /// The sample's id.
        optional sample_uuid: String,
        /// The label type, such as `segmentation-bitmap`.
        optional label_type: String,
        /// The label status.
        optional label_status: LabelStatus,
        /// The label set.
        optional labelset: String,
        /// The label data: an object that depends on the type of label.
        optional attributes: JsonText,
        /// When it was created.
        optional created_at: String,
        /// Who created it.
        optional created_by: String,
        /// When it was last changed.
        optional updated_at: String,
        /// The score: a number.
        optional score: JsonText,
        /// The rating: a number.
        optional rating: JsonText,
        /// When it was reviewed.
        optional reviewed_at: String,
        /// Who reviewed it.
        optional reviewed_by: String,
    }
}

object! {
    /// Issue in the `object` of an `issue.*` event, as modelled by the vendor's package.
    #[derive(Default)]
    pub struct IssueObject {
        /// The issue's id.
        optional uuid: String,
        /// The description.
        optional description: String,
        /// When it was created.
        optional created_at: String,
        /// When it was last changed.
        optional updated_at: String,
        /// Who created it.
        optional created_by: String,
        /// Who last changed it.
        optional updated_by: String,
        /// The comments: an array.
        optional comments: JsonText,
        /// The issue status.
        optional status: IssueStatus,
        /// The sample's id.
        optional sample_uuid: String,
        /// The sample's name.
        optional sample_name: String,
    }
}

object! {
    /// Release in the `object` of a `release.created` event, as modelled by the vendor's package.
    #[derive(Default)]
    pub struct ReleaseObject {
        /// The release's id.
        optional uuid: String,
        /// The name.
        optional name: String,
        /// The description.
        optional description: String,
        /// The release type.
        optional release_type: String,
        /// Where the release can be downloaded: an object.
        optional attributes: JsonText,
        /// The status of release creation.
        optional status: ReleaseStatus,
        /// When it was created.
        optional created_at: String,
        /// The number of samples.
        optional samples_count: u64,
    }
}
