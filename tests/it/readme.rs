//! The README's program to send posts once, although it is started twice.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use labhook::outbox::Change;

use http::{Request, Response};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{Changes, Record};
use labhook::{
    Endpoint, EndpointId, Event, Failure, MessageId, Outbox, Outcome, Registry, Secret, Signer,
    Step, Subscription, Timestamp,
};

type Error = Box<dyn std::error::Error>;

/// Sends what is due. Returns when to call again; a service sleeps until then, or until a response
/// or a message to publish arrives.
fn notify(
    stored: Vec<Record>,           // what `save` stored before the last shutdown
    started_at: Timestamp, // from your own row of the run: the same each time you publish it
    clock: impl Fn() -> Timestamp, // SystemTime::now().into()
    mut save: impl FnMut(&Changes) -> Result<(), Error>, // into your database, in one transaction
    post: impl Fn(Request<bytes::Bytes>) -> Result<Response<()>, Failure>, // your HTTP client
) -> Result<Option<Timestamp>, Error> {
    let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
    let signer = Signer::standard_webhooks(secret);
    let eln = Endpoint::new(EndpointId::new("eln")?, "https://eln.example/hooks", signer)?
        .with_subscription(Subscription::all().event_types(["run.*".parse()?]));
    let mut registry = Registry::new();
    registry.insert(eln)?;

    let mut outbox = Outbox::new(registry, 7) // jitter seed: random once, then kept
        .restore(stored, clock())?;
    let started = Event::new(RunStateChanged::new("run-17", RunState::Started), started_at);
    // Publishing a known message again is a reported no-op, until its retention ends: one day after
    // its last delivery by default.
    outbox.publish(started.into_message(MessageId::derive(["run-17", "started"]))?, clock())?;

    loop {
        match outbox.poll(clock()) {
            Step::Save(changes) => {
                save(&changes)?;
                outbox.saved(changes.revision()); // releases the attempts that the changes record
            }
            Step::Send(attempt) => {
                // Here or on another thread, many at once: an attempt borrows nothing.
                let response =
                    attempt.request(clock()).map_err(|_| Failure::Sender).and_then(&post);
                let outcome = match response {
                    Ok(it) => Outcome::response(it.status(), it.headers(), clock()),
                    Err(failure) => Outcome::failed(failure),
                };
                outbox.resolve(attempt.ticket(), &outcome, clock());
            }
            Step::Notify(notice) => println!("{notice}"),
            Step::Wait(until) => return Ok(Some(until)),
            Step::Idle => return Ok(None),
        }
    }
}

#[test]
fn readme_has_this_program() {
    let this = include_str!("readme.rs");
    let from = this.find("use http::").unwrap();
    let to = this.find("#[test]").unwrap();
    let program = this[from..to].trim_end();
    assert!(include_str!("../../README.md").contains(program), "the README has another program");
}

#[test]
fn program_posts_once_over_two_starts() {
    let at = Timestamp::from_unix_seconds(1_744_882_200);
    let (mut stored, posted) = (BTreeMap::new(), Cell::new(0));
    for start in 0..2 {
        let now = at + Duration::from_secs(start);
        let before: Vec<_> = stored.values().cloned().collect();
        let save = |changes: &Changes| {
            for change in changes.iter().cloned() {
                match change {
                    Change::Put(it) => _ = stored.insert(it.key().to_string(), it),
                    Change::Delete(key) => _ = stored.remove(&key.to_string()),
                }
            }
            Ok(())
        };
        let post = |_| {
            posted.set(posted.get() + 1);
            Ok(Response::new(()))
        };
        let again = notify(before, at, || now, save, post).unwrap();
        assert!(again.is_some_and(|again| again > now), "the end of the retention");
    }
    assert_eq!(posted.get(), 1);
}
