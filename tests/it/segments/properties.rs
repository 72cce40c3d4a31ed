//! Properties of generated Segments.ai payloads.

use labhook::provider::segments::{EventKind, Webhook};
use labhook::{LabEvent, danger};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{decode, encode, through_a_message};
use crate::generated::{json, members, mixed, object, quoted, unknown};

/// The envelope's members; `text` may be absent, null or a value.
fn body(
    kind: &str,
    dataset: &str,
    object_text: &str,
    text: Option<Option<String>>,
    more: &[(String, String)],
) -> String {
    let mut members = vec![
        ("event_type".to_owned(), quoted(kind)),
        ("created_at".to_owned(), quoted("2021-08-09T14:40:19.987691+00:00")),
        ("api_version".to_owned(), quoted("2021-08-01")),
        ("dataset".to_owned(), quoted(dataset)),
        ("object".to_owned(), object_text.to_owned()),
    ];
    if let Some(text) = text {
        let json = text.map_or("null".to_owned(), |text| quoted(&text));
        members.push(("text".to_owned(), json));
    }
    members.extend_from_slice(more);
    object(&members)
}

/// Every member name of the package's and the lab's models, and names similar to them.
const NAMES: [&str; 34] = [
    "uuid",
    "name",
    "full_name",
    "description",
    "category",
    "public",
    "owner",
    "created_at",
    "task_type",
    "attributes",
    "metadata",
    "created_by",
    "priority",
    "sample_uuid",
    "sample_name",
    "label_type",
    "label_status",
    "labelset",
    "updated_at",
    "updated_by",
    "comments",
    "status",
    "release_type",
    "samples_count",
    "id",
    "sample_id",
    "dataset_id",
    "dataset",
    "sample",
    "labware_id",
    "run_id",
    "project_id",
    "changes",
    "unknown",
];

/// Known names in any order with any values, mixed with unknown names.
fn any_object() -> impl Strategy<Value = Vec<(String, String)>> {
    let owner = (any::<String>(), unknown()).prop_map(|(username, mut rest)| {
        rest.insert(0, ("username".to_owned(), quoted(&username)));
        object(&rest)
    });
    let value = prop_oneof![
        2 => any::<String>().prop_map(|text| quoted(&text)),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => owner,
        2 => json(),
    ];
    mixed(&NAMES, value)
}

fn round_trip(webhook: &Webhook) -> Webhook {
    Webhook::from_event(&through_a_message(webhook.to_event().unwrap())).unwrap()
}

proptest! {
    #[test]
    fn every_body_round_trips(
        kind in prop_oneof![select(EventKind::KNOWN).prop_map(|k| k.as_str().to_owned()), any::<String>()],
        dataset in any::<String>(),
        content in json(),
        text in option::of(option::of(any::<String>())),
        more in unknown(),
    ) {
        let body = body(&kind, &dataset, &content, text, &more);
        prop_assert_eq!(encode(&decode(&body)), body);
    }

    #[test]
    fn every_object_with_an_id_round_trips(
        kind in select(EventKind::KNOWN),
        dataset in any::<String>(),
        id in any::<String>(),
        mut content in any_object(),
        text in option::of(option::of(any::<String>())),
        more in unknown(),
    ) {
        let named = match kind.as_str().split_once('.').unwrap().0 {
            "dataset" => None,
            "label" => Some("sample_uuid"),
            _ => Some("uuid"),
        };
        if let Some(named) = named {
            content.retain(|(name, _)| name != named);
            content.push((named.to_owned(), quoted(&id)));
        }
        let content = object(&content);
        let body = body(kind.as_str(), &dataset, &content, text, &more);
        let webhook = decode(&body);
        let mut back = round_trip(&webhook);
        prop_assert_eq!(members(back.object.as_str()), members(&content));
        // In order, it round-trips verbatim.
        prop_assert_eq!(&round_trip(&back), &back);
        back.object = webhook.object.clone();
        prop_assert_eq!(encode(&back), body);
    }

    #[test]
    fn sample_in_package_order_round_trips_verbatim(
        [id, name, by] in any::<[String; 3]>(),
        attributes in json(),
        mut rest in unknown(),
        text in option::of(option::of(any::<String>())),
        more in unknown(),
    ) {
        let mut content: Vec<_> = [
            ("uuid", quoted(&id)),
            ("name", quoted(&name)),
            ("attributes", format!("[{attributes}]")),
            ("created_by", quoted(&by)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        content.append(&mut rest);
        let body = body("sample.updated", "jane/flowers", &object(&content), text, &more);
        prop_assert_eq!(encode(&round_trip(&decode(&body))), body);
    }

    #[test]
    fn unlisted_event_round_trips_verbatim(
        kind in "[a-z_]{1,8}(\\.[a-z]{1,8}){0,3}x",
        content in json(),
        text in option::of(option::of(any::<String>())),
        more in unknown(),
    ) {
        let body = body(&kind, "jane/flowers", &content, text, &more);
        let webhook = decode(&body);
        prop_assert!(matches!(webhook.to_event(), Ok(LabEvent::Unknown(_))));
        prop_assert_eq!(encode(&round_trip(&webhook)), body);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..64)) {
        prop_assert!(danger::unsigned(&bytes).decode::<Webhook>().is_err());
    }

    #[test]
    fn arbitrary_object_does_not_panic(kind in select(EventKind::KNOWN), content in json(), more in unknown()) {
        let webhook = decode(&body(kind.as_str(), "jane/flowers", &content, None, &more));
        if let Ok(event) = webhook.to_event() {
            let back = Webhook::from_event(&event).unwrap();
            prop_assert_eq!(&back.dataset, &webhook.dataset);
        }
    }
}
