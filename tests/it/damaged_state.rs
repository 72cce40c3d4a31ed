//! Saved state is input: whatever became of the records, restoring them is a named error or gives
//! an outbox that is correct, and a delivery that is still described is never lost.

use std::collections::BTreeSet;
use std::time::Duration;

use labhook::health::EnabledBy;
use labhook::outbox::{PublishError, Record, RestoreError};
use labhook::{EndpointId, MessageId, Notice, Outbox, Step};
use proptest::prelude::*;
use serde_json::Value;

use crate::saved_state::{endpoints, records_of_0_1_0};
use crate::support::{Host, answer, at, config, message, mid, show};

/// When the records were saved, in seconds.
const SAVED_AT: i64 = 5;

/// Every delivery of the records ends within this time, if its receiver answers: no wait can be
/// longer than their endpoints' policies could have asked for.
const LONGEST: Duration = Duration::from_secs(2 * 24 * 60 * 60);

fn restore(records: &[Record]) -> Result<Host, RestoreError> {
    let outbox = Outbox::new(endpoints(), 7);
    let mut host = Host::new(outbox.restore(records.iter().cloned(), at(SAVED_AT))?);
    host.now = at(SAVED_AT);
    host.disk = records.iter().map(|it| (it.key().to_string(), it.clone())).collect();
    Ok(host)
}

type Pair = (MessageId, EndpointId);

/// The deliveries that the messages' records describe.
fn described(records: &[Record]) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for record in records {
        if let Record::Message(it) = record {
            let id = it.message().id();
            pairs.extend(it.endpoints().map(|endpoint| (id.clone(), endpoint.clone())));
        }
    }
    pairs
}

/// Drives a restored outbox to its end, and returns what was sent. Each endpoint is enabled, one
/// that the registry lacks is removed, and receivers accept everything.
fn drive(mut host: Host) -> Vec<String> {
    let mut open = BTreeSet::new();
    for (message, endpoint, delivery) in host.outbox.deliveries() {
        if delivery.verdict().is_none() {
            open.insert((message.id().clone(), endpoint.clone()));
        }
    }
    assert_eq!(host.outbox.pending(), open.len());
    for (_, endpoint) in open.clone() {
        if endpoints().get(&endpoint).is_some() {
            // An error if it was neither.
            let _ = host.outbox.enable_endpoint(&endpoint, EnabledBy::Operator, host.now);
            let _ = host.outbox.resume_endpoint(&endpoint, host.now);
        } else {
            let _ = host.outbox.remove_endpoint(&endpoint, host.now);
        }
    }
    let mut sent = Vec::new();
    loop {
        let attempts = host.attempts();
        for attempt in &attempts {
            sent.push(format!("{} {}", host.now, show(attempt.ticket())));
            host.resolve(attempt.ticket(), &answer(200));
        }
        if attempts.is_empty() {
            if host.outbox.pending() == 0 {
                break;
            }
            host.now = host.wait.expect("something is pending");
            assert!(host.now < at(SAVED_AT) + LONGEST, "still pending at {}", host.now);
        }
    }
    for notice in &host.notices {
        if let Notice::Settled { message, endpoint, .. } = notice {
            open.remove(&(message.clone(), endpoint.clone()));
        }
    }
    assert!(open.is_empty(), "ended without a notice: {open:?}");
    sent
}

/// What is known of the records is known to the outbox, and ends.
#[track_caller]
pub(crate) fn assert_correct(records: &[Record]) -> Result<Vec<String>, RestoreError> {
    let host = restore(records)?;
    let known =
        host.outbox.deliveries().map(|(it, endpoint, _)| (it.id().clone(), endpoint.clone()));
    assert_eq!(known.collect::<BTreeSet<_>>(), described(records));
    Ok(drive(host))
}

/// With one record in the place of another.
fn with(records: &[Record], index: usize, record: Record) -> Vec<Record> {
    let mut records = records.to_vec();
    records[index] = record;
    records
}

#[test]
fn truncated_record_is_an_error() {
    for record in records_of_0_1_0() {
        let json = serde_json::to_vec(&record).unwrap();
        let mut cbor = Vec::new();
        ciborium::into_writer(&record, &mut cbor).unwrap();
        let postcard = postcard::to_allocvec(&record).unwrap();
        for length in 0..json.len() {
            assert!(serde_json::from_slice::<Record>(&json[..length]).is_err());
        }
        for length in 0..cbor.len() {
            assert!(ciborium::from_reader::<Record, _>(&cbor[..length]).is_err());
        }
        for length in 0..postcard.len() {
            assert!(postcard::from_bytes::<Record>(&postcard[..length]).is_err());
        }
    }
}

#[test]
fn record_that_comes_twice_is_an_error() {
    let records = records_of_0_1_0();
    for record in &records {
        let twice: Vec<_> = records.iter().chain([record]).cloned().collect();
        let expected = match record {
            Record::Message(it) => RestoreError::Duplicate { id: it.message().id().clone() },
            Record::Delivery(it) => RestoreError::Duplicate { id: it.message().clone() },
            Record::Endpoint(it) => RestoreError::DuplicateEndpoint { id: it.endpoint().clone() },
            other => panic!("{other:?}"),
        };
        assert_eq!(restore(&twice).map(|_| ()), Err(expected));
    }
}

#[test]
fn two_states_of_one_delivery_are_an_error() {
    let records = records_of_0_1_0();
    let mut ended = 0;
    for record in &records {
        let Record::Delivery(delivery) = record else { continue };
        let mut json = serde_json::to_value(record).unwrap();
        json["delivery"]["state"] =
            serde_json::json!({"ended": {"verdict": "delivered", "at": at(0)}});
        let other: Record = serde_json::from_value(json).unwrap();
        ended += usize::from(other == *record);
        for records in [
            records.iter().chain([&other]).cloned().collect::<Vec<_>>(),
            [&other].into_iter().chain(&records).cloned().collect(),
        ] {
            let error = restore(&records).map(|_| ()).unwrap_err();
            assert_eq!(error, RestoreError::Duplicate { id: delivery.message().clone() });
        }
    }
    assert_eq!(ended, 1, "the others differ");
}

/// The row of one delivery that names another, whose own row is sound and must not be deleted.
#[test]
fn row_that_names_another_delivery_is_an_error() {
    let records = records_of_0_1_0();
    let row = |message: &str, endpoint: &str| {
        let key = format!("delivery/{message}/{endpoint}");
        records.iter().position(|it| it.key().to_string() == key).unwrap()
    };
    let index = row("m2", "slow");
    let mut json = serde_json::to_value(&records[index]).unwrap();
    json["message"] = "m1".into();
    let damaged = with(&records, index, serde_json::from_value(json).unwrap());
    let error = restore(&damaged).map(|_| ()).unwrap_err();
    assert_eq!(error, RestoreError::Duplicate { id: mid("m1") });
    // Without the row of that other one, it is what an unfinished deletion has left.
    let mut orphan = damaged;
    orphan.remove(row("m1", "slow"));
    assert!(assert_correct(&orphan).is_ok());
}

/// The message after it would have a number that the next restart refuses.
#[test]
fn last_sequence_number_leaves_no_room_to_publish() {
    const LAST: u64 = u64::MAX << 32;
    let row = |sequence: u64| -> Record {
        serde_json::from_value(serde_json::json!({
            "record": "delivery", "sequence": sequence, "message": "gone", "endpoint": "slow",
            "delivery": {"accepted_at": at(0), "attempts": 0, "state": {"due": {"since": at(0)}}},
        }))
        .unwrap()
    };
    let mut host = restore(&[row(LAST - 1)]).unwrap();
    host.publish("m1");
    let Step::Save(changes) = host.outbox.poll(host.now) else { panic!() };
    host.save(changes);
    let saved: Vec<_> = host.disk.values().cloned().collect();
    assert!(restore(&saved).is_ok());
    for mut host in [host, restore(&[row(LAST)]).unwrap()] {
        let error = host.outbox.publish(message("m2"), host.now).unwrap_err();
        assert!(matches!(error, PublishError::Full { id } if id == mid("m2")));
    }
}

/// A member that this version does not know, in any object: from a later version, or misspelt.
#[test]
fn unknown_member_is_an_error_except_among_the_keys() {
    let records = records_of_0_1_0();
    let (mut ignored, mut refused) = (0, 0);
    for (index, record) in records.iter().enumerate() {
        let json = serde_json::to_value(record).unwrap();
        for path in paths(&json, String::new()).into_iter().chain([String::new()]) {
            let mut json = json.clone();
            let Value::Object(members) = json.pointer_mut(&path).unwrap() else { continue };
            members.insert("later".to_owned(), true.into());
            match serde_json::from_value(json) {
                Ok(read) => {
                    assert_eq!(path, "/message/keys");
                    assert_eq!(read, *record);
                    assert!(assert_correct(&with(&records, index, read)).is_ok());
                    ignored += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(ignored > 0 && refused > 0, "{ignored} ignored, {refused} refused");
}

/// A member that is missing: an error that names it, or its default.
#[test]
fn missing_member_is_a_default_or_a_named_error() {
    let records = records_of_0_1_0();
    let (mut read, mut refused) = (0, 0);
    for (index, record) in records.iter().enumerate() {
        let json = serde_json::to_value(record).unwrap();
        for path in paths(&json, String::new()) {
            let mut json = json.clone();
            let (parent, name) = path.rsplit_once('/').unwrap();
            json.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
            match serde_json::from_value::<Record>(json) {
                Ok(without) => {
                    let _ = assert_correct(&with(&records, index, without));
                    read += 1;
                }
                Err(error) => {
                    refused += 1;
                    let text = error.to_string();
                    // The only one of its kind: an enum's variant, or the message's rendering.
                    let only = text == "invalid value: map, expected map with a single key"
                        || text == "`renderings` must not be empty";
                    assert!(only || text.contains(&format!("`{name}`")), "{path}: {text}");
                }
            }
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

/// The pointers to all members of all objects.
fn paths(json: &Value, at: String) -> Vec<String> {
    let Value::Object(members) = json else { return Vec::new() };
    let mut all = Vec::new();
    for (name, value) in members {
        let path = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        all.extend(paths(value, path.clone()));
        all.push(path);
    }
    all
}

/// Flips every `step`th bit of the records' JSON.
fn flip_bits(step: usize) {
    let records = records_of_0_1_0();
    let (mut unread, mut refused, mut driven) = (0, 0, 0);
    for (index, record) in records.iter().enumerate() {
        let json = serde_json::to_vec(record).unwrap();
        for bit in (0..8 * json.len()).step_by(step) {
            let mut json = json.clone();
            json[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = serde_json::from_slice(&json) else {
                unread += 1;
                continue;
            };
            match assert_correct(&with(&records, index, flipped)) {
                Ok(_) => driven += 1,
                Err(_) => refused += 1,
            }
        }
    }
    println!("{unread} not read, {refused} refused, {driven} driven to their end");
    assert!(unread > 0 && refused > 0 && driven > 0);
}

#[test]
fn flipped_bit_is_an_error_or_a_correct_outbox() {
    flip_bits(31);
}

#[test]
#[ignore = "takes minutes"]
fn any_flipped_bit_is_an_error_or_a_correct_outbox() {
    flip_bits(1);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn order_of_the_records_changes_nothing(
        shuffled in Just(records_of_0_1_0()).prop_shuffle(),
    ) {
        let expected = assert_correct(&records_of_0_1_0());
        prop_assert_eq!(assert_correct(&shuffled), expected);
    }

    /// A delivery without its record starts again, an endpoint without one has learned nothing, and
    /// only a message without one is lost with its deliveries.
    #[test]
    fn missing_records_lose_nothing_else(
        kept in prop::sample::subsequence(records_of_0_1_0(), 0..=records_of_0_1_0().len()),
    ) {
        prop_assert!(assert_correct(&kept).is_ok());
    }

    /// Anything in the place of any number.
    #[test]
    fn wrong_number_is_an_error_or_a_correct_outbox(
        record in any::<prop::sample::Index>(),
        number in any::<prop::sample::Index>(),
        value in prop_oneof![
            prop::sample::select(vec![0, 1, u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1]),
            any::<u64>(),
            0..100_u64,
        ],
    ) {
        fn numbers<'a>(json: &'a mut Value, found: &mut Vec<&'a mut Value>) {
            match json {
                Value::Object(members) => members.values_mut().for_each(|it| numbers(it, found)),
                Value::Array(items) => items.iter_mut().for_each(|it| numbers(it, found)),
                Value::Number(_) => found.push(json),
                _ => {}
            }
        }
        let records = records_of_0_1_0();
        let index = record.index(records.len());
        let mut json = serde_json::to_value(&records[index]).unwrap();
        let mut found = Vec::new();
        numbers(&mut json, &mut found);
        let number = number.index(found.len());
        *found[number] = value.into();
        if let Ok(record) = serde_json::from_value(json) {
            let _ = assert_correct(&with(&records, index, record));
        }
    }
}
