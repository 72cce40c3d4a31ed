//! Properties of generated Argilla payloads.

use labhook::provider::argilla::{EventKind, Webhook};
use labhook::{LabEvent, danger};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{decode, encode, through_a_message};
use crate::generated::{json, members, mixed, object, quoted, unknown};

const NAMES: [&str; 18] = [
    "id",
    "name",
    "guidelines",
    "status",
    "distribution",
    "workspace",
    "fields",
    "metadata",
    "external_id",
    "dataset",
    "values",
    "user",
    "record",
    "inserted_at",
    "updated_at",
    "run_id",
    "sample_id",
    "unknown",
];

fn body(kind: &str, data: &str, more: &[(String, String)]) -> String {
    let known = [
        ("type", quoted(kind)),
        ("version", "1".to_owned()),
        ("timestamp", quoted("2024-09-26T14:17:20.488053Z")),
        ("data", data.to_owned()),
    ];
    let known = known.map(|(name, value)| (name.to_owned(), value));
    object(&[&known[..], more].concat())
}

/// Known names in any order with any values, mixed with unknown names.
fn any_object() -> impl Strategy<Value = Vec<(String, String)>> {
    let nested = any::<String>().prop_map(|id| {
        format!(r#"{{"id":{0},"username":{0},"dataset":{{"id":{0}}}}}"#, quoted(&id))
    });
    let value = prop_oneof![
        2 => any::<String>().prop_map(|text| quoted(&text)),
        1 => nested,
        2 => json(),
    ];
    mixed(&NAMES, value)
}

fn round_trip(webhook: &Webhook) -> Webhook {
    Webhook::from_event(&through_a_message(webhook.to_event().unwrap())).unwrap()
}

proptest! {
    #[test]
    fn every_object_with_an_id_round_trips(
        kind in select(EventKind::KNOWN),
        id in any::<String>(),
        mut content in any_object(),
        more in unknown(),
    ) {
        let (name, value) = match kind.as_str().split_once('.').unwrap().0 {
            "response" => ("record", format!(r#"{{"z":1.10,"id":{}}}"#, quoted(&id))),
            _ => ("id", quoted(&id)),
        };
        content.retain(|(known, _)| known != name);
        content.push((name.to_owned(), value));
        let content = object(&content);
        let body = body(kind.as_str(), &content, &more);
        let webhook = decode(&body);
        let mut back = round_trip(&webhook);
        prop_assert_eq!(members(back.data.as_str()), members(&content));
        // In order, it round-trips verbatim.
        prop_assert_eq!(&round_trip(&back), &back);
        back.data = webhook.data.clone();
        prop_assert_eq!(encode(&back), body);
    }

    #[test]
    fn arbitrary_object_does_not_panic(
        kind in prop_oneof![select(EventKind::KNOWN).prop_map(|kind| kind.to_string()), any::<String>()],
        content in json(),
        more in unknown(),
    ) {
        let body = body(&kind, &content, &more);
        let webhook = decode(&body);
        prop_assert_eq!(encode(&webhook), body);
        let _ = webhook.dedupe_key();
        match webhook.to_event() {
            Ok(event @ LabEvent::Unknown(_)) => {
                prop_assert_eq!(Webhook::from_event(&event).unwrap(), webhook);
            }
            Ok(event) => prop_assert_eq!(Webhook::from_event(&event).unwrap().event_type, webhook.event_type),
            Err(_) => {}
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..64)) {
        prop_assert!(danger::unsigned(&bytes).decode::<Webhook>().is_err());
    }
}
