//! Wire types of CVAT: [`Webhook`].

use super::{PREFIX, User, VENDOR};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::json::{JsonText, Nullable, object};
use crate::provider::DedupeKey;
use crate::provider::members::Members;
use crate::time::{TimeText, Timestamp};

/// The known events: those of `cvat-sdk` 2.80. Other events are decoded in the same way.
pub const EVENTS: &[&str] = &[
    "completed:request[calculate:quality]",
    "completed:request[create:task]",
    "completed:request[export:annotations]",
    "completed:request[export:backup]",
    "completed:request[export:dataset]",
    "completed:request[merge:job]",
    "completed:request[merge:task]",
    "create:comment",
    "create:invitation",
    "create:issue",
    "create:job",
    "create:membership",
    "create:organization",
    "create:project",
    "create:task",
    "create:user",
    "delete:comment",
    "delete:invitation",
    "delete:issue",
    "delete:job",
    "delete:membership",
    "delete:organization",
    "delete:project",
    "delete:task",
    "delete:user",
    "update:comment",
    "update:issue",
    "update:job",
    "update:membership",
    "update:organization",
    "update:project",
    "update:task",
    "update:user",
];

macro_rules! webhook {
    ($($(#[$doc:meta])* $resource:ident,)+) => {
        object! {
            /// Body of a webhook, as published.
            ///
            /// It has the member of the resource that `event` names: see
            /// [`resource`](Self::resource).
            ///
            /// ```
            /// use labhook::danger;
            /// use labhook::provider::cvat::{RequestObject, Webhook};
            ///
            /// let body = include_bytes!("../../../tests/data/cvat/completed_request.json");
            /// # let unsigned = danger::unsigned(body.trim_ascii());
            /// let webhook: Webhook = unsigned.decode()?;
            /// assert_eq!(webhook.event, "completed:request[create:task]");
            /// let request: RequestObject = webhook.request.as_ref().unwrap().read()?;
            /// assert_eq!(request.status.as_deref(), Some("finished"));
            /// assert_eq!(serde_json::to_vec(&webhook)?, body.trim_ascii());
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub struct Webhook {
                /// The event, such as `update:task`: what happened, and to which resource.
                required event: String,
                $($(#[$doc])* optional $resource: JsonText,)+
                /// The changed members of the resource, with their old values: an object.
                optional before_update: JsonText,
                /// The id of the webhook's registration. A `ping` has none.
                optional webhook_id: u64,
                /// The user who caused the event.
                nullable sender: User,
            }
        }

        impl Webhook {
            /// Returns the resource that `event` names, and the name of its member: `task` for
            /// `update:task`, and `request` for `completed:request[create:task]`.
            #[must_use]
            pub fn resource(&self) -> Option<(&'static str, &JsonText)> {
                let (_, name) = self.event.split_once(':')?;
                let name = name.split('[').next()?;
                let name = RESOURCES.iter().find(|known| **known == name)?;
                Some((name, self.resource_of(name)?))
            }

            pub(super) fn resource_of(&self, name: &str) -> Option<&JsonText> {
                match name {
                    $(stringify!($resource) => self.$resource.as_ref(),)+
                    _ => None,
                }
            }

            pub(super) fn resource_mut(&mut self, name: &str) -> Option<&mut Option<JsonText>> {
                match name {
                    $(stringify!($resource) => Some(&mut self.$resource),)+
                    _ => None,
                }
            }
        }

        /// The names of the members for resources.
        pub(super) const RESOURCES: &[&str] = &[$(stringify!($resource)),+];
    };
}

webhook! {
    /// The project, verbatim: read it as a [`ProjectObject`](super::ProjectObject).
    project,
    /// The task, verbatim.
    task,
    /// The job, verbatim.
    job,
    /// The issue, verbatim: read it as an [`IssueObject`](super::IssueObject).
    issue,
    /// The comment, verbatim: read it as a [`CommentObject`](super::CommentObject).
    comment,
    /// The organization, verbatim.
    organization,
    /// The membership, verbatim.
    membership,
    /// The invitation, verbatim.
    invitation,
    /// The user account, verbatim.
    user,
    /// The request, verbatim: read it as a [`RequestObject`](super::RequestObject).
    request,
    /// The registration of the webhook, in a `ping`.
    webhook,
}

impl Webhook {
    /// Returns the idempotency key; `None` if the body does not distinguish two events.
    ///
    /// CVAT sends no event id, so the key is this crate's own. It is built from the event, the id
    /// of the resource and, for an update or a completed request, its `updated_date` or
    /// `finished_date` and the names in `before_update`, each as spelled in the body. A delivery
    /// that is repeated by hand may have its members in another order, so the body's digest is no
    /// key.
    ///
    /// Two webhooks that are registered for the same event give the same key. There is no key for a
    /// resource without an id, for an update without an `updated_date`, and for `ping`.
    #[must_use]
    #[doc(alias = "idempotency key")]
    pub fn dedupe_key(&self) -> Option<DedupeKey> {
        let (verb, _) = self.event.split_once(':')?;
        let resource: Members = self.resource()?.1.read().ok()?;
        let id = resource.text_at(&["id"])?;
        let mut parts = vec![self.event.clone(), id];
        match verb {
            "create" | "delete" => {}
            _ => {
                parts.push(self.time()?.as_str().to_owned());
                let mut changes = self.changes().unwrap_or_default();
                changes.sort_unstable();
                parts.append(&mut changes);
            }
        }
        Some(DedupeKey::of_parts(parts.iter().map(String::as_str)))
    }

    /// Returns the names of the changed members, in order.
    pub(super) fn changes(&self) -> Option<Vec<String>> {
        let before: Members = self.before_update.as_ref()?.read().ok()?;
        Some(before.names().map(str::to_owned).collect())
    }

    /// Returns the time of the event in the resource, if there is one. There is none for a deletion.
    pub(super) fn time(&self) -> Option<TimeText> {
        let (verb, _) = self.event.split_once(':')?;
        let name = match verb {
            "create" => "created_date",
            "update" => "updated_date",
            "completed" => "finished_date",
            _ => return None,
        };
        let resource: Members = self.resource()?.1.read().ok()?;
        resource.read::<TimeText>(name).filter(|time| time.timestamp().is_some())
    }

    /// Returns the user name of the sender.
    pub(super) fn sender_name(&self) -> Option<&String> {
        match &self.sender {
            Nullable::Value(user) => user.username.as_ref(),
            _ => None,
        }
    }
}

/// Returns an event as the end of an event type: `completed:request[create:task]` as
/// `completed.request.create.task`.
pub(super) fn type_of(event: &str) -> String {
    event.replace([':', '['], ".").replace(']', "")
}

object! {
    /// The members by which a body is recognized as a webhook.
    struct Outline {
        required event: String,
    }
}

/// Returns a body that names its event as an unknown event, although it has no lab event.
pub(crate) fn unread(body: TrustedBody<'_>, received_at: Timestamp) -> Option<UnknownEvent> {
    let Outline { event, .. } = body.json().ok()?;
    VENDOR.unread(PREFIX, &type_of(&event), received_at.into(), body)
}

/// Returns whether a body has a known event and a sender, as all published ones have.
pub(crate) fn is_published_body(body: TrustedBody<'_>) -> bool {
    let webhook = body.json::<Webhook>();
    webhook.is_ok_and(|it| {
        let is_known = it.event == "ping" || EVENTS.contains(&&*it.event);
        is_known && !it.sender.is_absent()
    })
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
