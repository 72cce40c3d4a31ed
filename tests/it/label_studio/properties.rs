//! Properties of generated Label Studio payloads.

use labhook::provider::label_studio::{Action, Webhook};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{NOW, decode, encode, through_a_message};
use crate::generated::{json, members, object, quoted, unknown};

const NAMES: [&str; 13] = [
    "title",
    "description",
    "data",
    "meta",
    "result",
    "was_cancelled",
    "completed_by",
    "created_at",
    "updated_at",
    "project",
    "is_labeled",
    "name",
    "sample_id",
];

fn any_object() -> impl Strategy<Value = Vec<(String, String)>> {
    let known = prop::sample::subsequence(NAMES.to_vec(), 0..NAMES.len());
    let value = prop_oneof![
        2 => any::<String>().prop_map(|text| quoted(&text)),
        1 => any::<u64>().prop_map(|it| it.to_string()),
        1 => any::<bool>().prop_map(|it| it.to_string()),
        1 => Just(quoted("2021-08-17T13:35:59.817086Z")),
        2 => json(),
    ];
    (known, vec(value, NAMES.len()), unknown()).prop_map(|(known, values, unknown)| {
        let known = known.into_iter().map(str::to_owned).zip(values);
        known.chain(unknown).collect()
    })
}

proptest! {
    #[test]
    fn every_object_with_an_id_round_trips(
        action in select(Action::KNOWN),
        id in any::<u64>(),
        mut content in any_object(),
        with_project in any::<bool>(),
        more in unknown(),
    ) {
        content.push(("id".to_owned(), id.to_string()));
        content.push(("task".to_owned(), id.to_string()));
        let content = object(&content);
        let mut all = vec![("action".to_owned(), quoted(action.as_str()))];
        let (name, value) = match action.as_str() {
            text if text.starts_with("PROJECT") => ("project", content.clone()),
            text if text.starts_with("TASK") => ("tasks", format!("[{content}]")),
            "ANNOTATIONS_CREATED" => ("annotation", format!("[{content}]")),
            text if text.ends_with("DELETED") => ("annotations", format!("[{content}]")),
            _ => ("annotation", content.clone()),
        };
        all.push((name.to_owned(), value));
        if with_project && name != "project" {
            all.push(("project".to_owned(), r#"{"z":1.10,"id":2}"#.to_owned()));
        }
        all.extend(more);
        let body = object(&all);

        let webhook = decode(&body);
        prop_assert_eq!(encode(&webhook), body.clone());
        let event = through_a_message(webhook.to_event(NOW).unwrap());
        let back = Webhook::from_event(&event).unwrap();
        let again = back.to_event(NOW).unwrap();
        prop_assert_eq!(Webhook::from_event(&again).unwrap(), back.clone());
        let text = encode(&back);
        prop_assert_eq!(members(&text).len(), members(&body).len());
        for (member, value) in members(&text) {
            let (found, sent) = (value, members(&body).remove(&member).unwrap());
            let inner = |text: &str| members(text.trim_start_matches('[').trim_end_matches(']'));
            match &*member {
                "tasks" | "annotations" => prop_assert_eq!(inner(&found), inner(&sent)),
                "annotation" | "project" => prop_assert_eq!(inner(&found), inner(&sent)),
                _ => prop_assert_eq!(found, sent),
            }
        }
    }

    #[test]
    fn arbitrary_webhook_does_not_panic(
        action in prop_oneof![select(Action::KNOWN).prop_map(|it| it.to_string()), any::<String>()],
        name in select(vec!["project", "tasks", "annotation", "annotations", "x"]),
        content in json(),
        more in unknown(),
    ) {
        let all = [("action".to_owned(), quoted(&action)), (name.to_owned(), content)];
        let webhook = decode(&object(&[&all[..], &more].concat()));
        let _ = webhook.dedupe_key();
        for one in webhook.split() {
            if let Ok(event) = one.to_event(NOW) {
                prop_assert_eq!(Webhook::from_event(&event).unwrap().action, one.action);
            }
        }
    }
}
