//! Saving what each call changes.

use std::collections::BTreeMap;

use labhook::Inbox;
use labhook::receive::{InboxChange, InboxEvent, InboxState};

use super::{begin, inbox, is_new, seen};
use crate::support::at;

/// Two tables.
#[derive(Default)]
pub(super) struct Rows {
    state: InboxState,
    events: BTreeMap<(String, String), String>,
}

impl Rows {
    pub(super) fn save(&mut self, inbox: &mut Inbox) -> usize {
        let changes = inbox.take_changes();
        let count = changes.len();
        for change in changes {
            match change {
                InboxChange::Put(event) => {
                    let key = (event.source().to_owned(), event.id().to_owned());
                    self.events.insert(key, serde_json::to_string(&event).unwrap());
                }
                InboxChange::Delete { source, id } => {
                    self.events.remove(&(source.to_string(), id.to_string()));
                }
                InboxChange::State(state) => self.state = state,
            }
        }
        count
    }

    pub(super) fn restore(&self, capacity: usize) -> Inbox {
        let events: Vec<InboxEvent> =
            self.events.values().map(|json| serde_json::from_str(json).unwrap()).collect();
        inbox(capacity).restore(self.state, events)
    }
}

#[test]
fn each_call_saves_only_what_it_changed() {
    let mut inbox = inbox(2).with_changes();
    let mut rows = Rows::default();
    let claim = begin(&mut inbox, "m", 0);
    assert_eq!(rows.save(&mut inbox), 2, "the event, and the clock");
    let first = |rows: &Rows| -> InboxEvent {
        serde_json::from_str(rows.events.values().next().unwrap()).unwrap()
    };
    assert!(!first(&rows).is_handled());
    assert_eq!(rows.save(&mut inbox), 0);
    assert!(inbox.done(&claim, at(0)));
    assert_eq!(rows.save(&mut inbox), 2);
    _ = inbox.begin("s", "m", at(0));
    assert_eq!(rows.save(&mut inbox), 0, "a duplicate, and the clock stands");
    seen(&mut inbox, "n", 0);
    seen(&mut inbox, "o", 0);
    assert_eq!(rows.save(&mut inbox), 4, "one is evicted");
    let event = first(&rows);
    assert_eq!((event.source(), event.id(), event.is_handled()), ("s", "n", true));
    assert!(inbox.forget("s", "n"));
    assert_eq!(rows.save(&mut inbox), 1);
    let restored = rows.restore(2);
    assert!(is_new(&restored, "n", 0) && !is_new(&restored, "o", 0));
}

#[test]
fn inboxes_with_other_events_differ() {
    let with = |id| {
        let mut inbox = inbox(2);
        seen(&mut inbox, id, 0);
        inbox
    };
    assert_eq!(with("m"), with("m"));
    assert_ne!(with("m"), with("n"));
    let mut in_progress = inbox(2);
    begin(&mut in_progress, "m", 0);
    assert_ne!(in_progress, with("m"));
}

/// A crash between two rows: the row of the inbox is the older one.
#[test]
fn rows_that_are_partly_saved_restore() {
    let mut inbox = inbox(8).with_changes();
    let mut rows = Rows::default();
    seen(&mut inbox, "old", 0);
    rows.save(&mut inbox);
    let state = rows.state;
    for number in 0..4 {
        seen(&mut inbox, &format!("m{number}"), 90);
    }
    rows.save(&mut inbox);
    rows.state = state;
    let mut restored = rows.restore(8);
    assert_eq!(restored.len(), 5);
    let claim = begin(&mut restored, "n", 90);
    assert!(restored.done(&claim, at(90)));
    assert_eq!(restored.rows().1.count(), 6);
    let numbers: std::collections::BTreeSet<String> = restored
        .rows()
        .1
        .map(|event| serde_json::to_value(event).unwrap()["number"].to_string())
        .collect();
    assert_eq!(numbers.len(), 6, "no number is used twice");
}
