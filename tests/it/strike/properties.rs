//! Properties of generated Strike webhooks and events.

use labhook::json::Nullable;
use labhook::lab::ResourceChanged;
use labhook::provider::strike::{EVENT_TYPES, Webhook, WebhookData, WebhookVersion};
use labhook::{Event, EventType, LabEvent};
use proptest::prelude::*;

use super::{at, change, decode, encode, own_id, there_and_back, try_decode};

/// Names that either side knows, names with this crate's prefix, and any others.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "id",
        "eventType",
        "webhookVersion",
        "data",
        "created",
        "deliverySuccess",
        "entityId",
        "changes",
        "type",
        "timestamp",
        "resource_type",
        "operation",
        "resource_id",
        "receiveId",
    ]);
    (prop_oneof![known.prop_map(str::to_owned), "[a-z.é\"]{0,3}"], 0..3_usize)
        .prop_map(|(name, marks)| "strike.".repeat(marks) + &name)
}

fn json() -> impl Strategy<Value = String> {
    let texts = vec![
        "null",
        "true",
        "1.10",
        "1e400",
        "123456789012345678901",
        r#""a""#,
        r#"{"z":1,"a":[]}"#,
    ];
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn unknown() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((name(), json()), 0..5)
}

fn event_type() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(EVENT_TYPES).prop_map(str::to_owned),
        "[a-z-]{1,5}",
        "[a-zA-Z é\"_-]{1,5}(\\.[a-z0-9 -]{0,4}){0,3}\\.[a-z-]{1,5}",
    ]
}

fn nullable<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Nullable<T>> {
    (value, 0..3_u8).prop_map(|(value, arm)| match arm {
        0 => Nullable::Absent,
        1 => Nullable::Null,
        _ => Nullable::Value(value),
    })
}

prop_compose! {
    fn any_webhook()(
        id in "\\PC{0,8}",
        event_type in event_type(),
        version in "v[0-9]",
        entity_id in nullable("\\PC{0,8}"),
        changes in nullable(prop::collection::vec("\\PC{0,4}", 0..3)),
        success in nullable(any::<bool>()),
        inner in unknown(),
        outer in unknown(),
    ) -> Webhook {
        let mut data = WebhookData::new();
        data.entity_id = match entity_id {
            Nullable::Value(id) => Nullable::Value(id.into()),
            Nullable::Null => Nullable::Null,
            Nullable::Absent => Nullable::Absent,
        };
        data.changes = changes;
        for (name, json) in inner {
            if !["entityId", "changes"].contains(&&*name) {
                data.unknown.insert(name, json).unwrap();
            }
        }
        let mut webhook = Webhook::new(id, event_type, version, data, at());
        webhook.delivery_success = success;
        for (name, json) in outer {
            let known = ["id", "eventType", "webhookVersion", "data", "created", "deliverySuccess"];
            if !known.contains(&&*name) {
                webhook.unknown.insert(name, json).unwrap();
            }
        }
        webhook
    }
}

prop_compose! {
    fn any_event()(
        resource_type in "[a-z é.-]{1,8}",
        operation in "[a-z é-]{1,8}",
        resource_id in prop::option::of("\\PC{0,8}"),
        changes in prop::option::of(prop::collection::vec("\\PC{0,4}", 0..3)),
        inner in unknown(),
        outer in unknown(),
    ) -> Event<ResourceChanged> {
        let mut data = ResourceChanged::new(resource_type, operation.into());
        data.resource_id = resource_id.map(Into::into);
        data.changes = changes;
        for (name, json) in inner {
            data.unknown.insert(name, json).unwrap();
        }
        let mut event = Event::new(data, at());
        for (name, json) in outer {
            event.unknown.insert(name, json).unwrap();
        }
        event
    }
}

proptest! {
    #[test]
    fn any_webhook_round_trips_verbatim(webhook in any_webhook()) {
        let body = encode(&webhook);
        prop_assert_eq!(&decode(&body), &webhook);
        prop_assert_eq!(encode(&decode(&body)), body.clone());
        if webhook.to_event().is_ok() {
            prop_assert_eq!(encode(&there_and_back(&webhook)), body);
        } else {
            prop_assert!(EventType::new(webhook.event_type).is_err());
        }
    }

    /// An own event is rejected or round-trips completely. The webhook adds its id and version.
    #[test]
    fn any_event_round_trips_or_is_an_error(event in any_event()) {
        let lab = LabEvent::from(event.clone());
        if let Ok(webhook) = Webhook::from_event(&lab, &own_id()) {
            let back = change(decode(&encode(&webhook)).to_event().unwrap());
            prop_assert_eq!(&back.timestamp, &event.timestamp);
            prop_assert_eq!(&back.data.resource_type, &event.data.resource_type);
            prop_assert_eq!(&back.data.operation, &event.data.operation);
            prop_assert_eq!(&back.data.resource_id, &event.data.resource_id);
            prop_assert_eq!(&back.data.changes, &event.data.changes);
            for (name, json) in event.unknown.iter() {
                prop_assert_eq!(back.unknown.get(name), Some(json));
            }
            for (name, json) in event.data.unknown.iter() {
                prop_assert_eq!(back.data.unknown.get(name), Some(json));
            }
        }
    }

    #[test]
    fn arbitrary_body_and_type_do_not_panic(body in "\\PC{0,40}", event_type in "\\PC{0,12}") {
        prop_assert!(try_decode(&body).is_err());
        let webhook = Webhook::new("e", event_type, WebhookVersion::V2, WebhookData::new(), at());
        if let Ok(event) = webhook.to_event() {
            prop_assert_eq!(Webhook::from_event(&event, &own_id()), Ok(webhook));
        }
    }
}
