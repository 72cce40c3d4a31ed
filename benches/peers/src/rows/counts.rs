//! Allocations and live bytes, by an allocator that counts.

use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use labhook::{Signer, Verifier};

use super::outbox::count;
use super::signature::{message_id, signed_now};
use super::{inbox, outbox};
use crate::backlog::Backlog;
use crate::fixture;
use crate::measure::{Counter, Effort};
use crate::refusals::refusals;
use crate::row::{Row, Unit};

/// A buffer that grows counts again.
const HOW: &str = "counted";

/// All rows that need the counting allocator.
pub fn counts(effort: Effort, counter: Counter) -> Vec<Row> {
    let mut rows = allocations(counter);
    rows.extend(pending(effort, counter));
    rows.push(settled(effort, counter));
    rows.push(inbox_bytes(effort, counter));
    rows
}

fn allocations(counter: Counter) -> Vec<Row> {
    let mut verify = Row::new("allocations: verify", HOW, Unit::Allocations);
    let signed = signed_now(fixture::body(1 << 10));
    let verifier = Verifier::standard_webhooks(fixture::secret());
    let work = || verifier.verify(&signed.headers, &signed.body, signed.at).is_ok();
    verify.push("success", counter.allocations(work));
    let mut most = 0.0_f64;
    for (name, verifier, headers, at) in refusals() {
        let body = fixture::body(200);
        let verify_it = || verifier.verify(&headers, &body, at);
        let error = verify_it().expect_err("the request is not genuine");
        assert_eq!(error.name(), name);
        let allocations = counter.allocations(verify_it);
        eprintln!("  {name}: {allocations}");
        most = most.max(allocations);
    }
    verify.push("the dearest of 13 refusals", most);

    let mut sign = Row::new("allocations: sign 1 KiB", HOW, Unit::Allocations);
    let signer = Signer::standard_webhooks(fixture::secret());
    let id = message_id();
    sign.push("headers", counter.allocations(|| signer.sign(&id, signed.at, &signed.body)));
    let (attempt, now) = fixture::attempt(1 << 10);
    sign.push("`Attempt::request`", counter.allocations(|| attempt.request(now)));

    let cycles = 100;
    let each = |allocations: u64| (allocations as f64 / cycles as f64 * 10.0).round() / 10.0;
    let mut row = Row::new("allocations: cycle, 10 k pending", HOW, Unit::Allocations);
    let mut backlog = Backlog::new(10_000, 1);
    backlog.retry(1_000);
    row.push("retry", each((counter.0)(&mut || backlog.retry(cycles)).allocations));
    let messages: Vec<_> = (0..cycles).map(|_| backlog.message()).collect();
    let mut messages = Some(messages);
    let count = (counter.0)(&mut || {
        for message in messages.take().into_iter().flatten() {
            backlog.publish(message);
            backlog.deliver_all();
        }
    });
    row.push("first", each(count.allocations));
    vec![verify, sign, row]
}

/// The bytes of a message by itself.
fn message_bytes(counter: Counter) -> f64 {
    let mut backlog = Backlog::empty(1);
    let (bytes, messages) = counter.live(|| {
        let mut messages = Vec::with_capacity(1_000);
        messages.extend((0..1_000).map(|_| backlog.message()));
        messages
    });
    bytes / messages.len() as f64
}

fn pending(effort: Effort, counter: Counter) -> Vec<Row> {
    let message = message_bytes(counter);
    let work = "live bytes for each pending delivery";
    let many = effort.size(1_000, 100);
    let shared = format!("counted; each message to {}", outbox::endpoints_of(many));
    let mut shared = Row::new(work, shared, Unit::Bytes).drawn("pending, fan-out");
    let mut own = Row::new(work, "counted; a message each, beside the message", Unit::Bytes);
    own = own.drawn("pending, a message each");
    for pending in [effort.size(100_000, 10_000), effort.size(1_000_000, 20_000)] {
        let each = |bytes: f64| (bytes / pending as f64).round();
        let (nothing, _) = counter.live(|| Backlog::empty(many));
        let (bytes, _) = counter.live(|| Backlog::new(pending, many));
        shared.push(count(pending), each(bytes - nothing));
        let (bytes, _) = counter.live(|| Backlog::new(pending, 1));
        own.push(count(pending), each(bytes) - message);
    }
    own.cases.iter_mut().for_each(|(_, bytes)| *bytes = bytes.round());
    let mut task = Row::new("live bytes for each sleeping tokio + backon task", HOW, Unit::Bytes);
    task = task.drawn("a tokio + backon task");
    task.push("", sleeping_task(counter));
    vec![shared, own, task]
}

/// The bytes of a task that waits for its retry, with an id of its own and what it shares.
fn sleeping_task(counter: Counter) -> f64 {
    let tasks = 10_000;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without I/O");
    let (url, body) =
        (Arc::<str>::from("https://lab.example/hooks"), Bytes::from(fixture::body(200)));
    let mut random = fastrand::Rng::with_seed(fixture::SEED);
    let (bytes, _handles) = counter.live(|| {
        runtime.block_on(async {
            let mut handles = Vec::with_capacity(tasks);
            for _ in 0..tasks {
                let delivery = (fixture::id(&mut random), Arc::clone(&url), body.clone());
                handles.push(tokio::spawn(async move {
                    let day = ExponentialBuilder::default().with_min_delay(fixture::DAY);
                    let send = || async { Err::<(), _>(delivery.2.len()) };
                    let sent = send.retry(day).await;
                    (sent, delivery)
                }));
            }
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            handles
        })
    });
    (bytes / tasks as f64).round()
}

fn settled(effort: Effort, counter: Counter) -> Row {
    let messages = effort.size(100_000, 5_000);
    let message = message_bytes(counter);
    let (bytes, _) = counter.live(|| {
        let mut backlog = Backlog::empty(3);
        for _ in 0..messages {
            let message = backlog.message();
            backlog.publish(message);
            backlog.deliver_all();
        }
        backlog
    });
    let work = "live bytes for each settled and retained message, 3 endpoints";
    let mut row = Row::new(work, HOW, Unit::Bytes);
    row.push("whole", (bytes / messages as f64).round());
    row.push("beside the message", (bytes / messages as f64 - message).round());
    row
}

fn inbox_bytes(effort: Effort, counter: Counter) -> Row {
    let ids = effort.size(1_000_000, 10_000);
    let (bytes, _) = counter.live(|| inbox::handled(ids));
    let work = format!("inbox: live bytes for each id of 31 characters, {} ids", count(ids));
    Row::new(work, HOW, Unit::Bytes).one((bytes / ids as f64).round())
}
