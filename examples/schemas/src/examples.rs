//! Examples: the events of labhook's own tests, without the members that the types do not know, and
//! without those of any type. Both contain numbers that few languages can hold.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;
use labhook::schema::{EventShape, Shape};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::home;

/// Returns the example of one event type.
pub(crate) fn read(event: &EventShape) -> anyhow::Result<Value> {
    let file = home().join(format!("../../tests/data/lab/{}.json", event.event_type));
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let members = members(&text)?;
    let member = |name: &str| members.get(name).with_context(|| format!("no `{name}`"));
    Ok(json!({
        "type": event.event_type,
        "timestamp": serde_json::from_str::<Value>(member("timestamp")?.get())?,
        "data": known(member("data")?.get(), event.data)?,
    }))
}

fn members(text: &str) -> serde_json::Result<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(text)
}

/// Returns a value with the typed members of its objects only.
fn known(text: &str, shape: Shape) -> anyhow::Result<Value> {
    let Shape::Object(object) = shape else {
        return Ok(serde_json::from_str(text)?);
    };
    let members = members(text)?;
    let mut kept = Map::new();
    for member in object.members {
        let shape = (member.shape)();
        if let Some(value) = members.get(member.name)
            && !matches!(shape, Shape::Any)
        {
            kept.insert(member.name.to_owned(), known(value.get(), shape)?);
        }
    }
    Ok(kept.into())
}
