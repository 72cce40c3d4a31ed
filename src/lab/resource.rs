//! Thin notifications about another system's resources: [`ResourceChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::ResourceId;
use crate::json::{object, open_enum};

open_enum! {
    /// The operation performed on a resource.
    ///
    /// `created` and `updated` are the last segments of Strike's known event types; others, such
    /// as `receive-pending`, are preserved as text. `deleted` is this crate's own.
    pub enum ResourceOperation {
        /// The resource was created.
        Created = "created",
        /// The resource was changed.
        Updated = "updated",
        /// The resource was deleted.
        Deleted = "deleted",
    }
}

object! {
    /// `resource.changed`: a resource of another system was changed.
    ///
    /// A thin notification: the event identifies the resource, and the receiver fetches the details
    /// from the system that owns it. Strike sends all its events this way (documentation); the
    /// payload is this crate's own.
    pub struct ResourceChanged {
        /// The kind of resource, such as `invoice` or `payment-method.bank`.
        required resource_type: String,
        /// The operation performed on it.
        exact operation: ResourceOperation,
        /// The resource's id, if the sender provided it.
        optional resource_id: ResourceId,
        /// The names of the changed fields of the resource.
        optional changes: Vec<String>,
        /// The person or system that caused the change. A system that writes back what it receives
        /// can skip the changes that it made itself.
        optional actor: String,
    }
}

impl Payload for ResourceChanged {
    const EVENT_TYPE: EventType = EventType::from_static("resource.changed");

    fn keys(&self) -> Keys {
        let keys =
            Keys::new().with_resource_change(format!("{}.{}", self.resource_type, self.operation));
        match &self.resource_id {
            Some(id) => keys.with_ordering(id.as_str()),
            None => keys,
        }
    }
}
