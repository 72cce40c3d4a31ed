//! Wire types of Label Studio: [`Webhook`] and [`Action`].

use super::{PREFIX, VENDOR};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::json::{JsonText, object, open_enum};
use crate::provider::DedupeKey;
use crate::provider::members::Members;
use crate::time::{TimeText, Timestamp};

open_enum! {
    /// Action of a webhook, from the documentation and the source.
    pub enum Action {
        /// A project was created.
        ProjectCreated = "PROJECT_CREATED",
        /// A project was changed.
        ProjectUpdated = "PROJECT_UPDATED",
        /// A project was deleted.
        ProjectDeleted = "PROJECT_DELETED",
        /// Tasks were created.
        TasksCreated = "TASKS_CREATED",
        /// A task was created. In the documentation only.
        TaskCreated = "TASK_CREATED",
        /// Tasks were deleted.
        TasksDeleted = "TASKS_DELETED",
        /// A task was deleted. In the documentation only.
        TaskDeleted = "TASK_DELETED",
        /// An annotation was created.
        AnnotationCreated = "ANNOTATION_CREATED",
        /// Annotations were created. In the source only.
        AnnotationsCreated = "ANNOTATIONS_CREATED",
        /// An annotation was changed.
        AnnotationUpdated = "ANNOTATION_UPDATED",
        /// Annotations were deleted.
        AnnotationsDeleted = "ANNOTATIONS_DELETED",
        /// An annotation was deleted. In the documentation only.
        AnnotationDeleted = "ANNOTATION_DELETED",
        /// Labels were linked to a project. In the source only.
        LabelLinkCreated = "LABEL_LINK_CREATED",
        /// A link of a label was changed. In the source only.
        LabelLinkUpdated = "LABEL_LINK_UPDATED",
        /// A link of a label was deleted. In the source only.
        LabelLinkDeleted = "LABEL_LINK_DELETED",
    }
}

object! {
    /// Body of a webhook, as published.
    ///
    /// ```
    /// use labhook::danger;
    /// use labhook::provider::label_studio::{Action, TaskObject, Webhook};
    ///
    /// let body = include_bytes!("../../../tests/data/label_studio/TASKS_CREATED.json").trim_ascii();
    /// # let unsigned = danger::unsigned(body);
    /// let webhook: Webhook = unsigned.decode()?;
    /// assert_eq!(webhook.action, Action::TasksCreated);
    /// let tasks = webhook.tasks.as_ref().unwrap();
    /// let last: TaskObject = tasks[2].read()?;
    /// assert_eq!(last.id, 23);
    /// assert_eq!(serde_json::to_vec(&webhook)?, body);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Webhook {
        /// The action.
        required action: Action,
        /// The tasks that were created or deleted, verbatim: read one as a
        /// [`TaskObject`](super::TaskObject).
        optional tasks: Vec<JsonText>,
        /// The annotation that was created or changed, verbatim: read it as an
        /// [`AnnotationObject`](super::AnnotationObject). A list for `ANNOTATIONS_CREATED` (the
        /// source).
        optional annotation: JsonText,
        /// The annotations that were deleted, verbatim.
        optional annotations: Vec<JsonText>,
        /// The project, verbatim: read it as a [`ProjectObject`](super::ProjectObject).
        optional project: JsonText,
        /// The task of the annotation, or their tasks (the source), verbatim.
        optional task: JsonText,
    }
}

impl Webhook {
    /// Returns one webhook for each task or annotation that this one is about, so that each is a
    /// lab event. Each has a copy of the project.
    ///
    /// ```
    /// use labhook::{LabEvent, Timestamp, danger};
    /// use labhook::provider::label_studio::Webhook;
    ///
    /// let body = include_bytes!("../../../tests/data/label_studio/TASKS_CREATED.json");
    /// # let unsigned = danger::unsigned(body);
    /// # let now = Timestamp::UNIX_EPOCH;
    /// let webhook: Webhook = unsigned.decode()?;
    /// assert!(matches!(webhook.to_event(now)?, LabEvent::Unknown(_)));
    /// let split = webhook.split();
    /// assert_eq!(split.len(), 3);
    /// let LabEvent::SampleCreated(event) = split[2].to_event(now)? else { panic!() };
    /// assert_eq!(event.data.sample.id.as_str(), "23");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn split(&self) -> Vec<Self> {
        // What each item copies, without the list of all of them.
        let mut common = self.clone();
        let list = |json: &JsonText| json.read::<Vec<JsonText>>().ok();
        match self.kind() {
            Kind::Task => {
                let tasks = common.tasks.take().into_iter().flatten();
                tasks.map(|task| Self { tasks: Some(vec![task]), ..common.clone() }).collect()
            }
            Kind::DeletedAnnotation => {
                let all = common.annotations.take().into_iter().flatten();
                all.map(|it| Self { annotations: Some(vec![it]), ..common.clone() }).collect()
            }
            Kind::Annotation => {
                let Some(all) = self.annotation.as_ref().and_then(list) else {
                    return vec![common];
                };
                // One task per annotation, in the same order.
                let tasks = self.task.as_ref().and_then(list);
                let tasks = tasks.filter(|tasks| tasks.len() == all.len());
                common.annotation = None;
                if tasks.is_some() {
                    common.task = None;
                }
                let one = |(index, annotation)| {
                    let mut one = common.clone();
                    one.annotation = JsonText::write(&[annotation]).ok();
                    if let Some(task) = tasks.as_ref().and_then(|all| all.get(index)) {
                        one.task = JsonText::write(&[task]).ok();
                    }
                    one
                };
                all.iter().enumerate().map(one).collect()
            }
            Kind::Project | Kind::Other => vec![common],
        }
    }

    /// Returns the idempotency key; `None` if the body does not distinguish two events.
    ///
    /// Label Studio sends no event id, and sends nothing twice by itself, so the key is this
    /// crate's own. It is built from the action, the ids of what it is about and, for an update,
    /// its `updated_at`, each as spelled in the body. There is no key if one of them is missing, as
    /// in a webhook that is sent without payload, and for links of labels.
    #[must_use]
    #[doc(alias = "idempotency key")]
    pub fn dedupe_key(&self) -> Option<DedupeKey> {
        let mut parts = vec![self.action.as_str().to_owned()];
        for item in self.items()? {
            parts.push(item.text_at(&["id"])?);
            if self.is_update() {
                parts.push(item.text_at(&["updated_at"])?);
            }
        }
        (parts.len() > 1).then(|| DedupeKey::of_parts(parts.iter().map(String::as_str)))
    }

    /// Returns the objects that the action is about.
    fn items(&self) -> Option<Vec<Members>> {
        let read = |all: &Vec<JsonText>| all.iter().map(|item| item.read().ok()).collect();
        match self.kind() {
            Kind::Project => Some(vec![self.project.as_ref()?.read().ok()?]),
            Kind::Task => read(self.tasks.as_ref()?),
            Kind::DeletedAnnotation => read(self.annotations.as_ref()?),
            Kind::Annotation => {
                let annotation = self.annotation.as_ref()?;
                let one = || annotation.read().ok().map(|one| vec![one]);
                annotation.read().ok().or_else(one)
            }
            Kind::Other => None,
        }
    }

    fn is_update(&self) -> bool {
        matches!(
            Action::from(self.action.as_str()),
            Action::ProjectUpdated | Action::AnnotationUpdated
        )
    }

    /// Returns the time of the event in its object, if there is one. There is none for a deletion.
    pub(super) fn time(&self, object: &JsonText) -> Option<TimeText> {
        let name = match Action::from(self.action.as_str()) {
            Action::ProjectDeleted | Action::TasksDeleted | Action::TaskDeleted => return None,
            _ if self.is_update() => "updated_at",
            _ => "created_at",
        };
        let object: Members = object.read().ok()?;
        object.read::<TimeText>(name).filter(|time| time.timestamp().is_some())
    }

    pub(super) fn kind(&self) -> Kind {
        // `Action::Other` may have been constructed with the text of a known action.
        match Action::from(self.action.as_str()) {
            Action::ProjectCreated | Action::ProjectUpdated | Action::ProjectDeleted => {
                Kind::Project
            }
            Action::TasksCreated
            | Action::TaskCreated
            | Action::TasksDeleted
            | Action::TaskDeleted => Kind::Task,
            Action::AnnotationCreated | Action::AnnotationsCreated | Action::AnnotationUpdated => {
                Kind::Annotation
            }
            Action::AnnotationsDeleted | Action::AnnotationDeleted => Kind::DeletedAnnotation,
            _ => Kind::Other,
        }
    }
}

/// What a webhook is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Project,
    Task,
    Annotation,
    DeletedAnnotation,
    Other,
}

object! {
    /// The member by which a body is recognized as a webhook.
    struct Outline {
        required action: String,
    }
}

/// Returns a body that names its action as an unknown event, although it has no lab event.
pub(crate) fn unread(body: TrustedBody<'_>, received_at: Timestamp) -> Option<UnknownEvent> {
    let Outline { action, .. } = body.json().ok()?;
    VENDOR.unread(PREFIX, &action, received_at.into(), body)
}

/// Returns whether a body has a known action.
pub(crate) fn is_published_body(body: TrustedBody<'_>) -> bool {
    body.json::<Webhook>().is_ok_and(|webhook| webhook.action.is_known())
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
