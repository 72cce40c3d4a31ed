//! Mapping between Label Studio webhooks and lab events.

use super::models::{ANNOTATION, DELETED_PROJECT, DELETED_TASK, InProject, PROJECT, TASK};
use super::webhook::Kind;
use super::{Action, PREFIX, VENDOR, Webhook};
use crate::event::{Event, UnknownEvent};
use crate::id::DatasetId;
use crate::json::{JsonText, UnknownMembers};
use crate::lab::{
    Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated, LabEvent, LabelUpdated,
    ResourceChanged, ResourceOperation, SampleCreated, SampleDeleted,
};
use crate::provider::MapError;
use crate::provider::carrier::Carrier;
use crate::provider::mapping::Mapping;
use crate::provider::members::Members;
use crate::time::{TimeText, Timestamp};

/// The `resource_type` of a deleted annotation.
const ANNOTATION_TYPE: &str = "annotation";

impl Webhook {
    /// Maps the webhook to a lab event.
    ///
    /// A webhook has no time. The event's is the `created_at` or `updated_at` of what was created
    /// or updated, and otherwise that of receipt.
    ///
    /// | lab | project | task | annotation |
    /// |---|---|---|---|
    /// | id | `id` | `id` | `task` |
    /// | `name` | `title` | | |
    /// | `description` | `description` | | |
    /// | `attributes` | | `data` | `result` |
    /// | `metadata` | | `meta` | |
    /// | `status` | | | `SKIPPED` if `was_cancelled` |
    /// | `created_at` | `created_at` | `created_at` | `created_at` |
    /// | `created_by` | | | `completed_by` |
    /// | `updated_at` | | | `updated_at` |
    /// | `dataset_id` | | `project.id` | `project.id` |
    ///
    /// `project.id` is that of the webhook, or, without one, the member `project` of the task or
    /// annotation. The rest is kept among the payload's unknown members under the webhook's names:
    /// `action`, the other members of the task in `tasks` and of the annotation in `annotation`,
    /// `project`, `task`, and members that this version does not know.
    /// [`from_event`](Self::from_event) writes them back.
    ///
    /// A webhook about several tasks or annotations becomes a [`LabEvent::Unknown`] of type
    /// `label_studio.<action>`, with the whole webhook as its data: see [`split`](Self::split).
    ///
    /// # Errors
    ///
    /// [`MapError`], with the member's name in the webhook, if it does not contain what the action
    /// is about, or the id of that, if the action cannot be part of a lab event type, or if an
    /// unknown member has the name of one of the payload's fields. The webhook itself is valid.
    pub fn to_event(&self, received_at: Timestamp) -> Result<LabEvent, MapError> {
        let at = |object: &JsonText| self.time(object).unwrap_or_else(|| received_at.into());
        let whole = || Ok(LabEvent::Unknown(self.to_unknown(received_at)?));
        match Action::from(self.action.as_str()) {
            Action::ProjectCreated => Ok(self.to_dataset::<DatasetCreated>(&PROJECT, at)?.into()),
            Action::ProjectUpdated => Ok(self.to_dataset::<DatasetUpdated>(&PROJECT, at)?.into()),
            Action::ProjectDeleted => {
                Ok(self.to_dataset::<DatasetDeleted>(&DELETED_PROJECT, at)?.into())
            }
            Action::TasksCreated | Action::TaskCreated => match only(&self.tasks, "tasks")? {
                Some(task) => Ok(self.read::<SampleCreated>(&TASK, task, at(task))?.into()),
                None => whole(),
            },
            Action::TasksDeleted | Action::TaskDeleted => match only(&self.tasks, "tasks")? {
                Some(task) => Ok(self.read::<SampleDeleted>(&DELETED_TASK, task, at(task))?.into()),
                None => whole(),
            },
            Action::AnnotationCreated | Action::AnnotationUpdated => {
                let annotation = self.annotation.as_ref();
                let annotation = annotation.ok_or(VENDOR.missing("annotation"))?;
                Ok(self.read::<LabelUpdated>(&ANNOTATION, annotation, at(annotation))?.into())
            }
            Action::AnnotationsCreated => {
                let list = self.annotation.as_ref().map(JsonText::read).transpose();
                match only(&list.map_err(|_| VENDOR.value("annotation"))?, "annotation")? {
                    Some(one) => Ok(self.read::<LabelUpdated>(&ANNOTATION, one, at(one))?.into()),
                    None => whole(),
                }
            }
            Action::AnnotationsDeleted | Action::AnnotationDeleted => {
                match only(&self.annotations, "annotations")? {
                    Some(one) => Ok(self.to_change(one, received_at)?.into()),
                    None => whole(),
                }
            }
            _ => whole(),
        }
    }

    fn to_dataset<P: Carrier<Model = Dataset>>(
        &self,
        mapping: &Mapping<Dataset>,
        at: impl Fn(&JsonText) -> TimeText,
    ) -> Result<Event<P>, MapError> {
        let project = self.project.as_ref().ok_or(VENDOR.missing("project"))?;
        let (model, rest) = mapping.read(Some(project))?;
        let unknown = self.kept(P::NAMES, "project", Some(rest).filter(|it| !it.is_empty()))?;
        Ok(Event::new(P::of(model, None, unknown), at(project)))
    }

    fn read<P: Carrier<Model: InProject>>(
        &self,
        mapping: &Mapping<P::Model>,
        object: &JsonText,
        at: TimeText,
    ) -> Result<Event<P>, MapError> {
        let (mut model, rest) = mapping.read(Some(object))?;
        *model.dataset_id() = self.project_id(&rest).map(DatasetId::from);
        let rest = Some(rest).filter(|rest| !rest.is_empty());
        let unknown = match mapping.object {
            "tasks" => self.kept(P::NAMES, "tasks", rest.map(|rest| [rest]))?,
            name => self.kept(P::NAMES, name, rest)?,
        };
        Ok(Event::new(P::of(model, None, unknown), at))
    }

    fn to_change(
        &self,
        annotation: &JsonText,
        received_at: Timestamp,
    ) -> Result<Event<ResourceChanged>, MapError> {
        let id = annotation.read::<Members>().ok().and_then(|it| it.text_at(&["id"]));
        let id = id.ok_or(VENDOR.missing("annotations.id"))?;
        let mut data = ResourceChanged::new(ANNOTATION_TYPE, ResourceOperation::Deleted);
        data.resource_id = Some(id.into());
        data.unknown = self.kept(ResourceChanged::NAMES, "annotations", Some([annotation]))?;
        Ok(Event::new(data, received_at))
    }

    fn to_unknown(&self, received_at: Timestamp) -> Result<UnknownEvent, MapError> {
        VENDOR.whole(PREFIX, (self.action.as_str(), "action"), self, received_at.into())
    }

    /// Returns the id of the project that a task or an annotation belongs to.
    fn project_id(&self, item: &Members) -> Option<String> {
        let project: Option<Members> = self.project.as_ref().and_then(|it| it.read().ok());
        project.and_then(|it| it.text_at(&["id"])).or_else(|| item.text_at(&["project"]))
    }

    /// Returns the members for which an event with these field names has no field: `rest` is what
    /// is left of the member `object`.
    fn kept<R: serde::Serialize>(
        &self,
        names: &[&'static str],
        object: &'static str,
        rest: Option<R>,
    ) -> Result<UnknownMembers, MapError> {
        let mut unknown = self.unknown.clone();
        VENDOR.keep(&mut unknown, "action", &self.action)?;
        if let Some(rest) = rest {
            VENDOR.keep(&mut unknown, object, &rest)?;
        }
        if let Some(tasks) = self.tasks.as_ref().filter(|_| object != "tasks") {
            VENDOR.keep(&mut unknown, "tasks", tasks)?;
        }
        if let Some(all) = self.annotations.as_ref().filter(|_| object != "annotations") {
            VENDOR.keep(&mut unknown, "annotations", all)?;
        }
        for (name, member) in
            [("annotation", &self.annotation), ("project", &self.project), ("task", &self.task)]
        {
            if let Some(member) = member.as_ref().filter(|_| object != name) {
                VENDOR.keep(&mut unknown, name, member)?;
            }
        }
        VENDOR.check_names(names, &unknown)?;
        Ok(unknown)
    }

    /// Maps a lab event to the webhook.
    ///
    /// An event from [`to_event`](Self::to_event) gives the original webhook, with the published
    /// members of a project, task or annotation in the published order, followed by the others.
    /// The event's timestamp is not written, because the webhook has no member for it.
    ///
    /// Any other event must have what is published and the lab's model has no field for among the
    /// payload's unknown members: an object `project` with the other members of the project and,
    /// for a sample or a label, `tasks` with one object, or `annotation`. Its action is the plural
    /// for tasks and `ANNOTATION_UPDATED` for a label. Of a deleted project, and of a deleted task
    /// apart from its `project`, only the id is published. Unknown members of the model and of the
    /// event are written after the others.
    ///
    /// # Errors
    ///
    /// [`MapError::NoWebhook`] if Label Studio has no such event, such as a changed task,
    /// [`MapError::Missing`] if a published member has no value, and [`MapError::Value`] if the
    /// webhook cannot express the event: an id that is not an integer, a field without a member,
    /// such as a sample's `run_id` or the `changes` of an update, or two members with the same
    /// name.
    pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
        match event {
            LabEvent::DatasetCreated(event) => {
                Self::of_dataset(event, &PROJECT, Action::ProjectCreated)
            }
            LabEvent::DatasetUpdated(event) => {
                Self::of_dataset(event, &PROJECT, Action::ProjectUpdated)
            }
            LabEvent::DatasetDeleted(event) => {
                Self::of_dataset(event, &DELETED_PROJECT, Action::ProjectDeleted)
            }
            LabEvent::SampleCreated(event) => {
                Self::write(event, &TASK, &[Action::TasksCreated, Action::TaskCreated])
            }
            LabEvent::SampleDeleted(event) => {
                Self::write(event, &DELETED_TASK, &[Action::TasksDeleted, Action::TaskDeleted])
            }
            LabEvent::LabelUpdated(event) => Self::write(
                event,
                &ANNOTATION,
                &[Action::AnnotationUpdated, Action::AnnotationCreated, Action::AnnotationsCreated],
            ),
            LabEvent::ResourceChanged(event) => Self::of_change(event),
            other => match other.as_text() {
                Some(event) => Self::of_unknown(event),
                None => Err(VENDOR.no_webhook(other.event_type())),
            },
        }
    }

    fn of_dataset<P: Carrier<Model = Dataset>>(
        event: &Event<P>,
        mapping: &Mapping<Dataset>,
        action: Action,
    ) -> Result<Self, MapError> {
        VENDOR.refuse("data.changes", event.data.changes().is_some())?;
        let (mut webhook, is_received) = Self::restore(event.data.unknown(), &[action])?;
        let rest = webhook.project.take().map(|rest| rest.read()).transpose();
        let rest: Option<Members> = rest.map_err(|_| VENDOR.value("data.project"))?;
        let project = mapping.write(event.data.model(), rest.unwrap_or_default(), is_received)?;
        webhook.project = Some(VENDOR.json(&project, "data.project")?);
        webhook.finish(&event.unknown)
    }

    fn write<P: Carrier<Model: InProject + Clone>>(
        event: &Event<P>,
        mapping: &Mapping<P::Model>,
        actions: &[Action],
    ) -> Result<Self, MapError> {
        VENDOR.refuse("data.changes", event.data.changes().is_some())?;
        let (mut webhook, is_received) = Self::restore(event.data.unknown(), actions)?;
        let is_task = webhook.kind() == Kind::Task;
        let rest = if is_task {
            let tasks = webhook.tasks.take().unwrap_or_default();
            VENDOR.refuse("data.tasks", tasks.len() > 1)?;
            tasks.first().map(JsonText::read)
        } else {
            webhook.annotation.take().as_ref().map(JsonText::read)
        };
        let path = if is_task { "data.tasks" } else { "data.annotation" };
        let rest: Option<Members> = rest.transpose().map_err(|_| VENDOR.value(path))?;
        let rest = rest.unwrap_or_default();
        if !is_received && webhook.project.is_none() {
            return Err(VENDOR.missing("project"));
        }
        let mut model = event.data.model().clone();
        VENDOR.check_copy(
            webhook.project_id(&rest),
            model.dataset_id().as_ref().map(DatasetId::as_str),
            "project",
            P::Model::MEMBER,
        )?;
        let object = VENDOR.json(&mapping.write(&model, rest, is_received)?, path)?;
        if is_task {
            webhook.tasks = Some(vec![object]);
        } else if webhook.action == Action::AnnotationsCreated {
            webhook.annotation = Some(VENDOR.json(&[object], path)?);
        } else {
            webhook.annotation = Some(object);
        }
        webhook.finish(&event.unknown)
    }

    fn of_change(event: &Event<ResourceChanged>) -> Result<Self, MapError> {
        let data = &event.data;
        VENDOR.refuse("data.resource_type", data.resource_type != ANNOTATION_TYPE)?;
        VENDOR.refuse("data.operation", data.operation != ResourceOperation::Deleted)?;
        VENDOR.refuse("data.changes", data.changes.is_some())?;
        VENDOR.refuse("data.actor", data.actor.is_some())?;
        let id = data.resource_id.as_ref().ok_or(VENDOR.missing("annotations.id"))?;
        let actions = [Action::AnnotationsDeleted, Action::AnnotationDeleted];
        let (mut webhook, is_received) = Self::restore(&data.unknown, &actions)?;
        if !is_received && webhook.project.is_none() {
            return Err(VENDOR.missing("project"));
        }
        let kept = webhook.annotations.take().unwrap_or_default();
        let kept = kept.first().map(JsonText::read).transpose();
        let kept: Option<Members> = kept.map_err(|_| VENDOR.value("data.annotations"))?;
        let mut annotation = kept.unwrap_or_default();
        VENDOR.set_number(&mut annotation, "id", id.as_str(), "data.resource_id")?;
        webhook.annotations = Some(vec![VENDOR.json(&annotation, "data.annotations")?]);
        webhook.finish(&event.unknown)
    }

    fn of_unknown(event: &UnknownEvent) -> Result<Self, MapError> {
        let (action, webhook): (_, Self) = VENDOR.read_whole(PREFIX, event)?;
        VENDOR.refuse("data.action", webhook.action.as_str() != &*action)?;
        webhook.finish(&event.unknown)
    }

    /// Returns a webhook with the members that were kept, of one of these actions, the usual one
    /// first, and whether the event was received from Label Studio: only then has it an action.
    fn restore(kept: &UnknownMembers, actions: &[Action]) -> Result<(Self, bool), MapError> {
        let mut unknown = kept.clone();
        let action: Option<Action> = VENDOR.take_kept(&mut unknown, "action", "data.action")?;
        let is_received = action.is_some();
        let action = action.or(actions.first().cloned()).filter(|it| actions.contains(it));
        let mut webhook = Self::new(action.ok_or(VENDOR.value("data.action"))?);
        webhook.tasks = restore_list(&mut unknown, "tasks");
        webhook.annotation = unknown.remove("annotation");
        webhook.annotations = restore_list(&mut unknown, "annotations");
        webhook.project = unknown.remove("project");
        webhook.task = unknown.remove("task");
        webhook.unknown = unknown;
        Ok((webhook, is_received))
    }

    fn finish(mut self, unknown: &UnknownMembers) -> Result<Self, MapError> {
        VENDOR.append_unknown(&mut self.unknown, Self::NAMES, unknown)?;
        Ok(self)
    }
}

/// Returns the only object of a list; `None` if it has none or several.
fn only<'a>(
    list: &'a Option<Vec<JsonText>>,
    member: &'static str,
) -> Result<Option<&'a JsonText>, MapError> {
    match list.as_deref() {
        Some([one]) => Ok(Some(one)),
        Some(_) => Ok(None),
        None => Err(VENDOR.missing(member)),
    }
}

/// Removes and returns a kept list, unless the webhook had a value of another type.
fn restore_list(unknown: &mut UnknownMembers, name: &str) -> Option<Vec<JsonText>> {
    let list = serde_json::from_str(unknown.get(name)?).ok()?;
    unknown.remove(name);
    Some(list)
}
