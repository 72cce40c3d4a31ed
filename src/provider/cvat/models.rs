//! Mapping between resources and the lab's models.

use super::VENDOR;
use super::object::{CommentObject, IssueObject, ProjectObject, RequestObject};
use crate::id::DatasetId;
use crate::lab::{Dataset, Issue, IssueStatus, Release, ReleaseStatus};
use crate::provider::mapping::{Mapping, refuse, write_fields};
use crate::provider::members::Members;

/// A project, as a dataset.
pub(super) const PROJECT: Mapping<Dataset> = Mapping {
    vendor: VENDOR,
    object: "project",
    order: ProjectObject::NAMES,
    required: &[],
    read: |object| {
        let id: String = VENDOR.take_number(object, "id", "project.id")?;
        let mut dataset = Dataset::new(id);
        dataset.name = object.take("name");
        dataset.owner = object.text_at(&["owner", "username"]);
        dataset.created_at = object.take("created_date");
        Ok(dataset)
    },
    write: |dataset, object| {
        refuse!(VENDOR, dataset in "data.dataset":
            full_name description category task_type public run_id project_id);
        VENDOR.check_copy(
            object.text_at(&["owner", "username"]),
            dataset.owner.as_deref(),
            "project.owner",
            "data.dataset.owner",
        )?;
        VENDOR.set_number(object, "id", dataset.id.as_str(), "data.dataset.id")?;
        write_fields!(VENDOR, object, dataset in "data.dataset":
            name = "name" created_at = "created_date");
        Ok(())
    },
};

/// An issue.
pub(super) const ISSUE: Mapping<Issue> = Mapping {
    vendor: VENDOR,
    object: "issue",
    order: IssueObject::NAMES,
    required: &[],
    read: |object| {
        let id: String = VENDOR.take_number(object, "id", "issue.id")?;
        let mut issue = Issue::new(id);
        issue.status = object.take("resolved").map(|resolved| match resolved {
            true => IssueStatus::Closed,
            false => IssueStatus::Open,
        });
        issue.comments = object.take("comments");
        issue.created_at = object.take("created_date");
        issue.created_by = object.text_at(&["owner", "username"]);
        issue.updated_at = object.take("updated_date");
        Ok(issue)
    },
    write: |issue, object| {
        refuse!(VENDOR, issue in "data.issue":
            description sample_id sample_name updated_by dataset_id run_id project_id);
        VENDOR.check_copy(
            object.text_at(&["owner", "username"]),
            issue.created_by.as_deref(),
            "issue.owner",
            "data.issue.created_by",
        )?;
        VENDOR.set_number(object, "id", issue.id.as_str(), "data.issue.id")?;
        if let Some(status) = &issue.status {
            VENDOR.refuse("data.issue.status", !status.is_known())?;
            let resolved = *status == IssueStatus::Closed;
            VENDOR.set(object, "resolved", &resolved, "data.issue.status")?;
        }
        write_fields!(VENDOR, object, issue in "data.issue":
            comments = "comments" created_at = "created_date" updated_at = "updated_date");
        Ok(())
    },
};

/// A comment, as a change of its issue. It stays whole.
pub(super) const COMMENT: Mapping<Issue> = Mapping {
    vendor: VENDOR,
    object: "comment",
    order: CommentObject::NAMES,
    required: &[],
    read: |object| match object.text_at(&["issue"]) {
        Some(id) => Ok(Issue::new(id)),
        None if object.has("issue") => Err(VENDOR.value("comment.issue")),
        None => Err(VENDOR.missing("comment.issue")),
    },
    write: |issue, object| {
        refuse!(VENDOR, issue in "data.issue":
            description status comments sample_id sample_name created_at created_by updated_at
            updated_by dataset_id run_id project_id);
        VENDOR.check_copy(
            object.text_at(&["issue"]),
            Some(issue.id.as_str()),
            "comment.issue",
            "data.issue.id",
        )
    },
};

/// A completed export, as a release.
pub(super) const EXPORT: Mapping<Release> = Mapping {
    vendor: VENDOR,
    object: "request",
    order: RequestObject::NAMES,
    required: &[],
    read: |object| {
        let id: String = VENDOR.take_id(object, "id", "request.id")?;
        let mut release = Release::new(id);
        release.release_type = object.text_at(FORMAT);
        release.status = object.read::<String>("status").and_then(|text| match &*text {
            "finished" => Some(ReleaseStatus::Succeeded),
            "failed" => Some(ReleaseStatus::Failed),
            // A word of the lab's would be written as the vendor's.
            other => Some(ReleaseStatus::from(other)).filter(|status| !status.is_known()),
        });
        if release.status.is_some() {
            object.take::<String>("status");
        }
        release.created_at = object.take("created_date");
        release.dataset_id = project_id(object).map(DatasetId::from);
        Ok(release)
    },
    write: |release, object| {
        refuse!(VENDOR, release in "data.release":
            name description attributes samples_count project_id);
        VENDOR.check_copy(
            object.text_at(FORMAT),
            release.release_type.as_deref(),
            "request.operation.format",
            "data.release.release_type",
        )?;
        VENDOR.check_copy(
            project_id(object),
            release.dataset_id.as_ref().map(DatasetId::as_str),
            "request.operation.project_id",
            "data.release.dataset_id",
        )?;
        VENDOR.set(object, "id", &release.id, "data.release.id")?;
        if let Some(status) = &release.status {
            let status = match ReleaseStatus::from(status.as_str()) {
                ReleaseStatus::Succeeded => "finished",
                ReleaseStatus::Failed => "failed",
                ReleaseStatus::Pending => return Err(VENDOR.value("data.release.status")),
                ReleaseStatus::Other(_) => status.as_str(),
            };
            VENDOR.set(object, "status", &status, "data.release.status")?;
        }
        write_fields!(VENDOR, object, release in "data.release": created_at = "created_date");
        Ok(())
    },
};

const FORMAT: &[&str] = &["operation", "format"];

fn project_id(request: &Members) -> Option<String> {
    request.text_at(&["operation", "project_id"])
}
