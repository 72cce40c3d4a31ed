//! What `object` may hold, by the names of the vendor's published package.
//!
//! No form of `object` is documented. These are the members of the package's models, all of them
//! optional, for the events of the kind that the name says. Times are text, as the package
//! declares them; what may be a fraction, or has a form of its own, is JSON text.

use crate::json::{JsonText, object};
use crate::lab::{IssueStatus, LabelStatus, ReleaseStatus};

object! {
    /// The `object` of a `dataset.*` event, as far as it resembles the package's dataset.
    #[derive(Default)]
    pub struct DatasetObject {
        /// Its name, alone.
        optional name: String,
        /// Its owner and its name, such as `jane/flowers`.
        optional full_name: String,
        /// The dataset that it was made of.
        optional cloned_from: String,
        /// A sentence for people.
        optional description: String,
        /// What it is about, such as `garden`.
        optional category: String,
        /// Whether everybody may see it.
        optional public: bool,
        /// Whose it is.
        optional owner: OwnerObject,
        /// When it was made.
        optional created_at: String,
        /// What is done with its samples, such as `segmentation-bitmap`.
        optional task_type: String,
        /// How many samples have labels of each status: an object.
        optional label_stats: JsonText,
        /// How many samples it has: a number, or text.
        optional samples_count: JsonText,
        /// The categories and attributes that labels choose from: an object.
        optional task_attributes: JsonText,
        /// The sets of labels: an array.
        optional labelsets: JsonText,
        /// What its owner says about it at length.
        optional readme: String,
    }
}

object! {
    /// The owner of a [`DatasetObject`].
    #[derive(Default)]
    pub struct OwnerObject {
        /// The name that the datasets' full names begin with.
        optional username: String,
        /// When the account was made.
        optional created_at: String,
        /// The address.
        optional email: String,
    }
}

object! {
    /// The `object` of a `sample.*` event, as far as it resembles the package's sample.
    #[derive(Default)]
    pub struct SampleObject {
        /// The sample.
        optional uuid: String,
        /// What people call it.
        optional name: String,
        /// What it is: an object, whose form depends on the kind of sample.
        optional attributes: JsonText,
        /// What its owner noted about it: an object.
        optional metadata: JsonText,
        /// When it was made.
        optional created_at: String,
        /// Who made it.
        optional created_by: String,
        /// Who is to label it.
        optional assigned_labeler: String,
        /// Who is to review its label.
        optional assigned_reviewer: String,
        /// What was said about it: an array.
        optional comments: JsonText,
        /// How urgent it is to label it: a number.
        optional priority: JsonText,
        /// Its label, where there is one: an object.
        optional label: JsonText,
        /// Its issues: an array.
        optional issues: JsonText,
    }
}

object! {
    /// The `object` of a `label.*` event, as far as it resembles the package's label.
    #[derive(Default)]
    pub struct LabelObject {
        /// The sample that it is about.
        optional sample_uuid: String,
        /// What kind of label it is, such as `segmentation-bitmap`.
        optional label_type: String,
        /// How far the work on it is.
        optional label_status: LabelStatus,
        /// The set of labels that it belongs to.
        optional labelset: String,
        /// What it says: an object, whose form depends on the kind of label.
        optional attributes: JsonText,
        /// When it was made.
        optional created_at: String,
        /// Who made it.
        optional created_by: String,
        /// When it was changed last.
        optional updated_at: String,
        /// A number.
        optional score: JsonText,
        /// A number.
        optional rating: JsonText,
        /// When it was reviewed.
        optional reviewed_at: String,
        /// Who reviewed it.
        optional reviewed_by: String,
    }
}

object! {
    /// The `object` of an `issue.*` event, as far as it resembles the package's issue.
    #[derive(Default)]
    pub struct IssueObject {
        /// The issue.
        optional uuid: String,
        /// What it is about.
        optional description: String,
        /// When it was made.
        optional created_at: String,
        /// When it was changed last.
        optional updated_at: String,
        /// Who made it.
        optional created_by: String,
        /// Who changed it last.
        optional updated_by: String,
        /// What was said to it: an array.
        optional comments: JsonText,
        /// Whether it is settled.
        optional status: IssueStatus,
        /// The sample that it is about.
        optional sample_uuid: String,
        /// What people call the sample.
        optional sample_name: String,
    }
}

object! {
    /// The `object` of a `release.created` event, as far as it resembles the package's release.
    #[derive(Default)]
    pub struct ReleaseObject {
        /// The release.
        optional uuid: String,
        /// What people call it.
        optional name: String,
        /// A sentence for people.
        optional description: String,
        /// What kind of release it is.
        optional release_type: String,
        /// Where it can be had: an object.
        optional attributes: JsonText,
        /// How the making of it went.
        optional status: ReleaseStatus,
        /// When it was made.
        optional created_at: String,
        /// How many samples it holds.
        optional samples_count: u64,
    }
}
