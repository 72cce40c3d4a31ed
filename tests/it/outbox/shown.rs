//! What an outbox, its attempts, its log and its errors look like as text.

use labhook::outbox::{Explanation, Record, ReplayFilter};
use labhook::{Order, Outbox};

use crate::support::{Host, answer, at, eid, endpoint, message, mid, registry, secs};

/// The part of an outbox's text between two of its fields.
fn part(outbox: &Outbox, from: &str, to: &str) -> String {
    let text = format!("{outbox:?}");
    let start = text.find(from).unwrap_or_else(|| panic!("no `{from}` in {text}"));
    let rest = &text[start..];
    rest[..rest.find(to).unwrap_or_else(|| panic!("no `{to}` in {rest}"))].to_owned()
}

fn timers(outbox: &Outbox) -> String {
    part(outbox, " timers: ", ", journal: ")
}

#[test]
fn attempt_as_text_names_its_delivery_and_deadline() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    let [attempt] = &host.attempts()[..] else { panic!("one attempt") };
    let text = format!("{attempt:?}");
    assert!(text.contains("\"m1\"") && text.contains("\"a\""), "{text}");
    assert!(text.contains(&format!("deadline: {:?}", at(10))), "{text}");
}

#[test]
fn timers_as_text_are_those_that_are_set() {
    let outbox = || Outbox::new(registry([endpoint("a")]), 7).with_retention(secs(100));
    let mut host = Host::new(outbox());
    assert_eq!(timers(&host.outbox), " timers: []");
    host.publish("m1");
    let ticket = host.send();
    let text = timers(&host.outbox);
    assert!(text.contains("Delivery(") && text.contains(&format!("{:?}", at(10))), "{text}");
    // The deadline gives way to the retry, and the retry to the end of the retention.
    host.resolve(&ticket, &answer(500));
    let text = timers(&host.outbox);
    assert!(text.contains(&format!("{:?}", at(5))), "{text}");
    assert!(!text.contains(&format!("{:?}", at(10))), "{text}");
    host.now = at(5);
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    let text = timers(&host.outbox);
    assert!(!text.contains("Delivery("), "{text}");
    assert!(text.contains("Forget(") && text.contains(&format!("{:?}", at(105))), "{text}");
    assert_eq!(text.matches("Forget(").count(), 1, "{text}");
    let one = part(&host.outbox, "forget_timer: ", ", mark");
    assert_eq!(one, format!("forget_timer: Some({:?})", at(105)));
}

#[test]
fn marks_as_text_follow_the_save() {
    let mut host = Host::with([endpoint("a")]);
    let marks = |outbox: &Outbox| {
        let text = part(outbox, " messages: ", ", next_sequence: ");
        let marks: Vec<_> = text.split("mark: ").skip(1).map(str::to_owned).collect();
        marks.iter().map(|it| it[..it.find([' ', ',']).unwrap()].to_owned()).collect::<Vec<_>>()
    };
    host.publish("m1");
    // First the delivery's, then the message's.
    assert_eq!(marks(&host.outbox), ["Unchanged", "Changed"]);
    let changes = host.unsaved();
    assert_eq!(marks(&host.outbox), ["Unchanged", "Saving"]);
    host.save(changes);
    assert_eq!(marks(&host.outbox), ["Unchanged", "Unchanged"]);
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(marks(&host.outbox), ["Changed", "Unchanged"]);
    host.sends();
    assert_eq!(marks(&host.outbox), ["Unchanged", "Unchanged"]);
}

#[test]
fn age_as_text_counts_from_the_step_back_of_the_clock() {
    let mut host = Host::with([endpoint("a")]);
    let age = |host: &Host| part(&host.outbox, "age_from: ", ", deliveries");
    host.outbox.pause_endpoint(&eid("a"), at(100)).unwrap();
    host.outbox.publish(message("m1"), at(100)).unwrap();
    assert_eq!(age(&host), "age_from: None");
    host.now = at(50);
    host.sends();
    assert_eq!(age(&host), format!("age_from: Some({:?})", at(50)));
    // Once the clock is past it again, the message counts from when it was accepted.
    host.now = at(100);
    host.outbox.resume_endpoint(&eid("a"), host.now).unwrap();
    host.sends();
    assert_eq!(age(&host), "age_from: None");
}

#[test]
fn replay_as_log_entry_counts_its_deliveries() {
    let mut host = Host::new(Outbox::new(registry([endpoint("a")]), 7).with_input_log());
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(200));
    }
    host.sends();
    let mut plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(1), host.now);
    host.outbox.take_input_log();
    assert_eq!(host.outbox.replay(&mut plan, host.now), 2);
    let log = host.outbox.take_input_log();
    let [entry] = &log[..] else { panic!("{log:?}") };
    assert_eq!(entry.answer(), "2 deliveries");
    assert!(entry.to_string().ends_with("replay 2 deliveries: 2 deliveries"), "{entry}");
}

#[test]
fn down_endpoint_as_text_tells_only_what_happened() {
    let down = |refusals, failed_probes| Explanation::EndpointDown {
        since: at(0),
        failures: 3,
        refusals,
        failed_probes,
        next_probe: None,
    };
    let start =
        "the endpoint has been down since 2025-04-17T09:30:00.000Z: 3 messages in a row failed";
    assert_eq!(down(0, 0).to_string(), start);
    assert_eq!(down(2, 0).to_string(), format!("{start}, of which 2 were refused"));
    assert_eq!(down(0, 1).to_string(), format!("{start}, and 1 probe"));
}

#[test]
fn ordered_message_is_explained_by_the_one_before() {
    let mut host = Host::with([endpoint("a").with_order(Order::strict())]);
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    let first = host.send();
    host.resolve(&first, &answer(500));
    let explain = |host: &Host, id, now| host.outbox.explain(&mid(id), &eid("a"), now).unwrap();
    assert_eq!(explain(&host, "m2", at(0)).to_string(), "waits for the earlier message m1");
    let own = explain(&host, "m1", at(4));
    assert!(matches!(own, Explanation::Retry { attempts: 1, at: due } if due == at(5)), "{own:?}");
    // It no longer waits for an instant that has come.
    assert_eq!(explain(&host, "m1", at(5)).to_string(), "it is sent next");
}

#[test]
fn value_that_is_no_record_is_refused_by_name() {
    let error = serde_json::from_str::<Record>("1").unwrap_err().to_string();
    assert!(error.contains("expected a record at"), "{error}");
    let bytes = rmp_serde::to_vec(&true).unwrap();
    let error = rmp_serde::from_slice::<Record>(&bytes).unwrap_err().to_string();
    assert!(error.contains("expected a record as a byte string of JSON"), "{error}");
}

#[test]
fn key_with_separators_escapes_them() {
    let mut host = Host::with([endpoint("a")]);
    let id = labhook::MessageId::new("a%b/c%").unwrap();
    let event = labhook::Event::new(
        labhook::lab::RunStateChanged::new("r", labhook::lab::RunState::Started),
        at(0),
    );
    host.outbox.publish(event.into_message(id).unwrap(), at(0)).unwrap();
    host.sends();
    assert_eq!(host.keys(), ["delivery/a%25b%2Fc%25/a", "message/a%25b%2Fc%25"]);
}
