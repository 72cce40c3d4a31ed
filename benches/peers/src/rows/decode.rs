//! Verifying a request and decoding its lab event.

use labhook::decode::Decode;
use labhook::provider::{linq, segments, strateos, strike};
use labhook::{LabEvent, Timestamp, Verifier};
use serde::de::DeserializeOwned;

use super::signature::{bare_hmac, signed_now};
use crate::fixture;
use crate::measure::{Effort, Work, compare};
use crate::row::{Row, Unit};

const OWN: &str = include_str!("../../../../tests/data/lab/run.state_changed.json");
const STRATEOS: &str = include_str!("../../../../tests/data/strateos/run_completed.json");
const LINQ: &str = include_str!("../../../../tests/data/linq/run_state_change.json");
const STRIKE: &str = include_str!("../../../../tests/data/strike/invoice.updated.json");
// The published example has an empty object; this one has the members of the vendor's package.
const SEGMENTS: &str =
    include_str!("../../../../tests/data/segments/by_package/sample.created.json");

/// The least that a receiver would write by hand for each body.
mod by_hand {
    #![expect(dead_code, reason = "only decoded")]

    use serde::Deserialize;

    #[derive(Deserialize)]
    pub struct Own {
        r#type: String,
        timestamp: String,
        data: Run,
    }

    #[derive(Deserialize)]
    struct Run {
        run_id: String,
        state: String,
    }

    #[derive(Deserialize)]
    pub struct Strateos {
        run: Id,
        project: Id,
        event: Op,
    }

    #[derive(Deserialize)]
    struct Id {
        id: String,
    }

    #[derive(Deserialize)]
    struct Op {
        op: String,
    }

    #[derive(Deserialize)]
    pub struct Linq {
        run_id: String,
        state: String,
        timestamp: String,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Strike {
        id: String,
        event_type: String,
        created: String,
        data: Entity,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entity {
        entity_id: String,
    }

    #[derive(Deserialize)]
    pub struct Segments {
        event_type: String,
        created_at: String,
        dataset: String,
    }
}

pub fn decode(effort: Effort) -> Vec<Row> {
    let against = "HMAC-SHA256 and serde_json into a minimal struct";
    let mut row = Row::new("verify and decode a `LabEvent`", against, Unit::Times);
    row = row.drawn("verify and decode");
    let own = |event: LabEvent, _| event;
    row.push("own envelope", ratio::<LabEvent, by_hand::Own>(effort, OWN, own));
    let map = |webhook: strateos::Webhook, now| webhook.to_event(now).expect("it maps");
    row.push("Strateos", ratio::<_, by_hand::Strateos>(effort, STRATEOS, map));
    let map = |webhook: linq::RunStateChange, _| webhook.to_event().expect("it maps").into();
    row.push("LINQ", ratio::<_, by_hand::Linq>(effort, LINQ, map));
    let map = |webhook: strike::Webhook, _| webhook.to_event().expect("it maps");
    row.push("Strike", ratio::<_, by_hand::Strike>(effort, STRIKE, map));
    let map = |webhook: segments::Webhook, _| webhook.to_event().expect("it maps");
    row.push("Segments", ratio::<_, by_hand::Segments>(effort, SEGMENTS, map));
    vec![row]
}

fn ratio<T: Decode, Minimal: DeserializeOwned>(
    effort: Effort,
    body: &str,
    map: impl Fn(T, Timestamp) -> LabEvent,
) -> f64 {
    let signed = signed_now(body.trim_end().into());
    let verifier = Verifier::standard_webhooks(fixture::secret());
    let key = fixture::secret().expose_bytes().to_vec();
    let mut ours = Work(|| {
        let verified = verifier.verify(&signed.headers, &signed.body, signed.at);
        let decoded = verified.expect("the request is genuine").decode();
        map(decoded.expect("the body is the vendor's"), signed.at)
    });
    let mut theirs = Work(|| {
        let mac = bare_hmac(&key, &signed);
        let minimal: Minimal = serde_json::from_slice(&signed.body).expect("the members are there");
        (mac, minimal)
    });
    compare(effort, &mut ours, &mut theirs).ratio
}
