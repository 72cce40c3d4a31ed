//! No signed bytes are those of two requests, in whatever order a scheme signs id, time and body.

use std::time::Duration;

use http::HeaderValue;
use labhook::signature::{CustomScheme, SchemeSpec, SchemeSpecError, TimestampForm};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);
const FORMS: [TimestampForm; 3] =
    [TimestampForm::Rfc3339, TimestampForm::UnixSeconds, TimestampForm::UnixMillis];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Text(&'static str),
    Id,
    Time,
    Body,
}

use Part::{Body, Id, Text, Time};

const ORDERS: [&[Part]; 11] = [
    &[Id, Time, Body],
    &[Id, Body, Time],
    &[Time, Id, Body],
    &[Time, Body, Id],
    &[Body, Id, Time],
    &[Body, Time, Id],
    &[Id, Body],
    &[Body, Id],
    &[Time, Body],
    &[Body, Time],
    &[Body],
];

/// Text between placeholders, which a digit, a sign or a date-time may continue.
const TEXTS: [&str; 14] =
    ["", "", "", ".", "-", ":", "--", "x", "0", "17", "-1", "T", "2025-", "0."];

/// Pieces of ids and bodies that look like times and like those texts.
const PIECES: [&str; 18] = [
    "m",
    ".",
    "-",
    ":",
    "0",
    "1",
    "17",
    "x",
    "T",
    "Z",
    "+",
    " ",
    ".1744882201.",
    "1744882200000",
    "2025-04-17T09:30:00Z",
    "2025-04-17T09:30:0",
    "2025-",
    "04-17T09:30:",
];

/// A template in its parts.
fn template() -> impl Strategy<Value = Vec<Part>> {
    let outer = || select(&["", "", "", ".", "0"][..]);
    (select(&ORDERS[..]), outer(), vec(select(&TEXTS[..]), 2), outer()).prop_map(
        |(order, start, texts, end)| {
            let mut parts = vec![Text(start)];
            for (part, text) in order.iter().zip(texts.into_iter().chain([""])) {
                parts.extend([*part, Text(text)]);
            }
            parts.push(Text(end));
            parts
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    vec(select(&PIECES[..]), 0..5).prop_map(|pieces| pieces.concat())
}

/// The id, the time as it is written, and the body.
type Reading<'a> = [&'a str; 3];

fn concat(parts: &[Part], [id, time, body]: Reading<'_>) -> String {
    let text = |part: &Part| match *part {
        Text(text) => text,
        Id => id,
        Time => time,
        Body => body,
    };
    parts.iter().map(text).collect()
}

fn is_time(text: &str, form: TimestampForm) -> bool {
    match form {
        TimestampForm::Rfc3339 => text.parse::<Timestamp>().is_ok(),
        _ => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
    }
}

/// Every request of which these can be the signed bytes.
fn readings<'a>(
    signed: &'a str,
    parts: &[Part],
    form: TimestampForm,
    read: Reading<'a>,
    found: &mut Vec<Reading<'a>>,
) {
    let Some((part, parts)) = parts.split_first() else {
        if signed.is_empty() {
            found.push(read);
        }
        return;
    };
    if let Text(text) = part {
        if let Some(rest) = signed.strip_prefix(text) {
            readings(rest, parts, form, read, found);
        }
        return;
    }
    for length in 0..=signed.len() {
        let (here, rest) = signed.split_at(length);
        let mut read = read;
        let is_possible = match part {
            Id => {
                read[0] = here;
                MessageId::new(here).is_ok()
            }
            Time => {
                read[1] = here;
                is_time(here, form)
            }
            _ => {
                read[2] = here;
                true
            }
        };
        if is_possible {
            readings(rest, parts, form, read, found);
        }
    }
}

/// The scheme, and whether the tolerance alone keeps its time apart from the body.
fn scheme(parts: &[Part], form: TimestampForm) -> Result<(CustomScheme, bool), SchemeSpecError> {
    let template = concat(parts, ["{id}", "{timestamp}", "{body}"]);
    let mut spec = SchemeSpec::new("x-signature", &template);
    if parts.contains(&Id) {
        spec = spec.with_id_header("x-id");
    }
    if parts.contains(&Time) {
        spec = spec.with_timestamp_header("x-time", form);
    }
    let is_adjacent =
        ["{timestamp}{body}", "{body}{timestamp}"].iter().any(|it| template.contains(it));
    Ok((CustomScheme::new(spec)?, is_adjacent && form != TimestampForm::Rfc3339))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16_000))]

    #[test]
    fn no_other_reading_of_signed_bytes_verifies(
        parts in template(),
        form in select(&FORMS[..]),
        messages in vec((text(), text(), 0..2_000_i64), 12),
    ) {
        let Ok((scheme, needs_tolerance)) = scheme(&parts, form) else { return Ok(()) };
        let secret = || Secret::from_text("s3cRe7").unwrap();
        let signer = Signer::custom(scheme.clone(), secret()).unwrap();
        let mut verifier = Verifier::custom(scheme, secret()).unwrap();
        if !needs_tolerance {
            verifier = verifier.with_tolerance(Duration::MAX, Duration::MAX);
        }
        for (id, body, millis) in messages {
            let Ok(id) = MessageId::new(id) else { continue };
            let now = Timestamp::from_unix_millis(NOW.unix_millis() + millis);
            let Ok(headers) = signer.sign(&id, now, body.as_bytes()) else { continue };
            prop_assert!(verifier.verify(&headers, body.as_bytes(), now).is_ok());

            let time = headers.get("x-time").map_or("", |time| time.to_str().unwrap());
            let id = if parts.contains(&Id) { id.as_str() } else { "" };
            let genuine = [id, time, &body];
            let signed = concat(&parts, genuine);
            let mut found = Vec::new();
            readings(&signed, &parts, form, [""; 3], &mut found);
            prop_assert!(found.contains(&genuine));
            for read in found.into_iter().filter(|read| *read != genuine) {
                let mut headers = headers.clone();
                for (name, text) in ["x-id", "x-time"].into_iter().zip(read) {
                    if headers.contains_key(name) {
                        headers.insert(name, HeaderValue::try_from(text).unwrap());
                    }
                }
                let verified = verifier.verify(&headers, read[2].as_bytes(), now);
                prop_assert!(verified.is_err(), "{genuine:?} {read:?}");
            }
        }
    }
}
