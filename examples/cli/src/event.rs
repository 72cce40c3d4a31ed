//! A lab event in a sentence.

use labhook::message::format::{Format as _, SlackMessage};
use labhook::{LabEvent, MessageId};
use serde_json::Value;

use crate::output::harmless;

/// Describes the event as the crate's format for Slack does; an event that has no such sentence by
/// its type.
pub fn describe(event: &LabEvent) -> String {
    if let LabEvent::Unreadable { reason, .. } = event {
        return harmless(&format!("does not match its type: {reason}"));
    }
    let sentence = sentence(event).unwrap_or_else(|| format!("a {} event", event.event_type()));
    harmless(&sentence)
}

fn sentence(event: &LabEvent) -> Option<String> {
    let message = event.clone().into_message(MessageId::derive(["sentence"])).ok()?;
    let rendering = SlackMessage::new().render(&message).ok()?;
    let body: Value = serde_json::from_slice(rendering.body()?).ok()?;
    // Slack's three escapes; `&amp;` last, or `&amp;lt;` would become `<`.
    let text = body["text"].as_str()?.replace("&lt;", "<").replace("&gt;", ">");
    Some(text.replace("&amp;", "&"))
}
