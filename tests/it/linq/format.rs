//! Messages in the LINQ format.

use std::error::Error;

use labhook::lab::{InstructionCompleted, RunState, RunStateChanged};
use labhook::message::format::Format as _;
use labhook::provider::linq::Format;
use labhook::{Event, Message, MessageId, Timestamp};

use super::PUBLISHED;

const AT: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);

fn id() -> MessageId {
    MessageId::new("m").unwrap()
}

#[test]
fn message_renders_the_published_body() {
    let data = RunStateChanged::new("00000000-0000-0000-000000000000", RunState::Paused);
    let mut message = Event::new(data, AT).into_message(id()).unwrap();
    message.render(&Format::default()).unwrap();
    let rendering = message.rendering("linq").unwrap();
    assert_eq!(rendering.content_type(), "application/json");
    assert_eq!(rendering.headers().count(), 0);
    assert_eq!(rendering.body().unwrap(), PUBLISHED.trim_end());
}

#[test]
fn event_without_a_webhook_fails_to_render() {
    let other =
        Event::new(InstructionCompleted::new("r1", "i1".into()), AT).into_message(id()).unwrap();
    let error = Format::default().render(&other).unwrap_err();
    assert_eq!(error.to_string(), "cannot write the event as a LINQ webhook");
    assert_eq!(
        Error::source(&error).unwrap().to_string(),
        "LINQ has no webhook for `instruction.completed` events"
    );

    let rendering = labhook::message::Rendering::new("text/plain".parse().unwrap(), "x");
    let event_type = "run.state_changed".parse().unwrap();
    let bytes = Message::new(id(), event_type, AT, labhook::Keys::new(), "x", rendering);
    let error = Format::default().render(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the event of the message");
}
