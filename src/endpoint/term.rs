//! What subscriptions ask for, one value at a time: [`Term`].

use crate::id::DatasetId;
use crate::message::Message;

/// One value of one filter, which a message has or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Term<'a> {
    EventType(&'a str),
    /// An event type under this one.
    Under(&'a str),
    Run(&'a str),
    Project(&'a str),
    Task(&'a str),
    Labware(&'a str),
    ResourceChange(&'a str),
    Dataset(&'a str),
    DatasetOwner(&'a str),
    Custom(&'a str, &'a str),
}

impl<'a> Term<'a> {
    /// Returns the terms that a message has.
    pub(crate) fn of(message: &'a Message) -> impl Iterator<Item = Self> {
        let (event_type, keys) = (message.event_type().as_str(), message.keys());
        let families = event_type.match_indices('.').filter_map(|(end, _)| event_type.get(..end));
        let dataset = keys.dataset.as_ref();
        let one_each = [
            Some(Self::EventType(event_type)),
            keys.run.as_ref().map(|it| Self::Run(it.as_str())),
            keys.project.as_ref().map(|it| Self::Project(it.as_str())),
            keys.task.as_ref().map(|it| Self::Task(it.as_str())),
            keys.labware.as_ref().map(|it| Self::Labware(it.as_str())),
            keys.resource_change.as_deref().map(Self::ResourceChange),
            dataset.map(|it| Self::Dataset(it.as_str())),
            dataset.and_then(owner).map(Self::DatasetOwner),
        ];
        let custom = keys.custom.iter().map(|(name, value)| Self::Custom(name, value));
        one_each.into_iter().flatten().chain(families.map(Self::Under)).chain(custom)
    }
}

/// Returns the part before the first `/`.
pub(super) fn owner(dataset: &DatasetId) -> Option<&str> {
    dataset.as_str().split_once('/').map(|(owner, _)| owner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::endpoint::Subscription;
    use crate::event::Keys;
    use crate::event_type::EventType;
    use crate::id::MessageId;
    use crate::message::Rendering;
    use crate::time::Timestamp;

    const TYPES: [&str; 5] = ["run", "run.started", "run.state.changed", "running", "task"];
    const PATTERNS: [&str; 6] = ["*", "run", "run.*", "run.state.*", "task.*", "run.started"];

    fn value() -> impl Strategy<Value = Option<&'static str>> {
        proptest::option::of(proptest::sample::select(vec!["a", "b", "a/x", "b/x"]))
    }

    proptest! {
        #[test]
        fn selected_message_has_a_term_of_the_subscription(
            (event_type, patterns) in (
                proptest::sample::select(&TYPES),
                proptest::collection::vec(proptest::sample::select(&PATTERNS), 0..3),
            ),
            wanted in proptest::collection::vec(value(), 8),
            has in proptest::collection::vec(value(), 8),
        ) {
            let mut keys = Keys::new();
            keys.run = has[0].map(Into::into);
            keys.project = has[1].map(Into::into);
            keys.task = has[2].map(Into::into);
            keys.labware = has[3].map(Into::into);
            keys.resource_change = has[4].map(Into::into);
            keys.dataset = has[5].map(Into::into);
            keys.custom.extend(has[6].map(|it| ("workcell".into(), it.into())));
            let message = Message::new(
                MessageId::new("m").unwrap(),
                EventType::new(event_type).unwrap(),
                Timestamp::UNIX_EPOCH,
                keys,
                "own",
                Rendering::new(http::HeaderValue::from_static("text/plain"), ""),
            );
            let mut subscription = Subscription::all()
                .event_types(patterns.iter().map(|it| it.parse().unwrap()))
                .runs(wanted[0].map(Into::into))
                .projects(wanted[1].map(Into::into))
                .tasks(wanted[2].map(Into::into))
                .labware(wanted[3].map(Into::into))
                .resource_changes(wanted[4])
                .datasets(wanted[5].map(Into::into))
                .dataset_owners(wanted[6]);
            if let Some(it) = wanted[7] {
                subscription = subscription.custom("workcell", [it]);
            }
            if subscription.matches(&message)
                && let Some(terms) = subscription.terms()
            {
                prop_assert!(Term::of(&message).any(|term| terms.contains(&term)));
            }
        }
    }
}
