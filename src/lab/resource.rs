//! Anything that another system only points at: [`ResourceChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::ResourceId;
use crate::json::{object, open_enum};

open_enum! {
    /// What was done to a resource.
    ///
    /// `created` and `updated` are the last parts of the event types that are known of Strike;
    /// others, such as `receive-pending`, are kept as they come. `deleted` is this crate's own.
    pub enum ResourceOperation {
        /// There is a new one.
        Created = "created",
        /// Something about it has changed.
        Updated = "updated",
        /// It is no more.
        Deleted = "deleted",
    }
}

object! {
    /// `resource.changed`: something was done to a resource that the event only names.
    ///
    /// The thin notification: whoever wants to know more asks the system that has the resource.
    /// Strike sends all its events so (documentation); the payload is this crate's own.
    pub struct ResourceChanged {
        /// What kind of resource it is, such as `invoice` or `payment-method.bank`.
        required resource_type: String,
        /// What was done to it.
        required operation: ResourceOperation,
        /// The resource; absent where the sender does not name it.
        optional resource_id: ResourceId,
        /// The names of what has changed about it.
        optional changes: Vec<String>,
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
