//! Properties of generated CVAT payloads.

use labhook::provider::cvat::{EVENTS, Webhook};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{NOW, decode, encode, through_a_message};
use crate::generated::{json, members, object, quoted, unknown};

const NAMES: [&str; 14] = [
    "id",
    "issue",
    "name",
    "owner",
    "resolved",
    "comments",
    "status",
    "operation",
    "created_date",
    "updated_date",
    "finished_date",
    "format",
    "url",
    "job",
];

fn any_object() -> impl Strategy<Value = Vec<(String, String)>> {
    let known = prop::sample::subsequence(NAMES.to_vec(), 0..NAMES.len());
    let nested = any::<String>().prop_map(|text| {
        format!(r#"{{"username":{0},"format":{0},"project_id":7}}"#, quoted(&text))
    });
    let value = prop_oneof![
        2 => any::<String>().prop_map(|text| quoted(&text)),
        1 => any::<bool>().prop_map(|it| it.to_string()),
        1 => Just(quoted("2022-10-04T11:04:51.451681Z")),
        1 => Just(quoted("finished")),
        1 => nested,
        2 => json(),
    ];
    (known, vec(value, NAMES.len()), unknown()).prop_map(|(known, values, unknown)| {
        let known = known.into_iter().map(str::to_owned).zip(values);
        known.chain(unknown).collect()
    })
}

proptest! {
    #[test]
    fn every_resource_with_an_id_round_trips(
        event in select(EVENTS),
        id in any::<u64>(),
        mut content in any_object(),
        before in option::of(unknown()),
        more in unknown(),
    ) {
        let resource = event.split_once(':').unwrap().1.split('[').next().unwrap();
        let id = if resource == "request" { quoted(&id.to_string()) } else { id.to_string() };
        content.retain(|(name, _)| !["id", "issue"].contains(&name.as_str()));
        content.push(("id".to_owned(), id.clone()));
        content.push(("issue".to_owned(), id));
        let content = object(&content);
        let mut all = vec![("event".to_owned(), quoted(event)), (resource.to_owned(), content.clone())];
        all.extend(before.map(|before| ("before_update".to_owned(), object(&before))));
        all.push(("webhook_id".to_owned(), "7".to_owned()));
        all.push(("sender".to_owned(), "null".to_owned()));
        all.extend(more);
        let body = object(&all);

        let webhook = decode(&body);
        prop_assert_eq!(encode(&webhook), body.clone());
        let event = through_a_message(webhook.to_event(NOW).unwrap());
        let back = Webhook::from_event(&event).unwrap();
        prop_assert_eq!(members(back.resource().unwrap().1.as_str()), members(&content));
        let again = back.to_event(NOW).unwrap();
        prop_assert_eq!(Webhook::from_event(&again).unwrap(), back.clone());
        let text = encode(&back).replacen(back.resource().unwrap().1.as_str(), &content, 1);
        prop_assert_eq!(text, body);
    }

    #[test]
    fn arbitrary_webhook_does_not_panic(
        event in prop_oneof![select(EVENTS).prop_map(str::to_owned), any::<String>()],
        name in select(vec!["project", "task", "issue", "comment", "request", "x"]),
        content in json(),
        more in unknown(),
    ) {
        let all = [("event".to_owned(), quoted(&event)), (name.to_owned(), content)];
        let webhook = decode(&object(&[&all[..], &more].concat()));
        let _ = webhook.dedupe_key();
        if let Ok(event) = webhook.to_event(NOW) {
            prop_assert_eq!(Webhook::from_event(&event).unwrap().event, webhook.event);
        }
    }
}
