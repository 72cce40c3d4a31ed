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

/// Sends what is due, and returns when there is more to do. A service keeps the outbox, and polls
/// again then, or when a response or a message to publish has arrived.
fn notify(
    stored: Vec<Record>,           // what `save` stored before the last shutdown
    started_at: Timestamp, // from your own row of the run: the same each time you publish it
    clock: impl Fn() -> Timestamp, // SystemTime::now().into()
    mut save: impl FnMut(&Changes) -> Result<(), Error>, // into your database, in one transaction
    // Your HTTP client, with this timeout, no redirects and no retries of its own.
    post: impl Fn(Request<bytes::Bytes>, Duration) -> Result<Response<()>, Failure>,
) -> Result<Option<Timestamp>, Error> {
    // From your secret store: this one is public.
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
                let request = attempt.request(clock()).map_err(|_| Failure::Sender);
                let response = request.and_then(|it| post(it, attempt.timeout(clock())));
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
        let post = |_, timeout: Duration| {
            assert!(timeout > Duration::ZERO);
            posted.set(posted.get() + 1);
            Ok(Response::new(()))
        };
        let again = notify(before, at, || now, save, post).unwrap();
        assert!(again.is_some_and(|again| again > now), "the end of the retention");
    }
    assert_eq!(posted.get(), 1);
}

/// The README's table of systems has a row for each module that receives, and a tick in "send" for
/// each that has a format.
#[test]
fn systems_of_the_readme_have_their_modules() {
    use labhook::Verifier;
    use labhook::message::format::Format;
    use labhook::provider::{argilla, cvat, label_studio, linq, segments, strateos, strike, tiled};
    use labhook::receive::Source;

    let verifier = || {
        let secret = Secret::from_text("a secret of the lab").unwrap();
        Verifier::token(http::HeaderName::from_static("x-token"), secret).unwrap()
    };
    // A message keeps its rendering under the name of the format.
    assert_eq!(argilla::Format::default().name(), "argilla");
    assert_eq!(cvat::Format::default().name(), "cvat");
    assert_eq!(label_studio::Format::default().name(), "label_studio");
    assert_eq!(tiled::Format::default().name(), "tiled");

    type Row = (Source, Option<Box<dyn Format>>, &'static str);
    let formats: [Row; 9] = [
        (Source::argilla("a", verifier()), Some(Box::new(argilla::Format::default())), "Argilla"),
        (
            Source::linq("a", linq::Kind::RunStateChange, verifier()),
            Some(Box::new(linq::Format::default())),
            "Automata LINQ",
        ),
        (Source::benchling("a", verifier()), None, "Benchling"),
        (Source::cvat("a", verifier()), Some(Box::new(cvat::Format::default())), "CVAT"),
        (
            Source::label_studio("a", verifier()),
            Some(Box::new(label_studio::Format::default())),
            "Label Studio",
        ),
        (
            Source::segments("a", verifier()),
            Some(Box::new(segments::Format::default())),
            "Segments.ai",
        ),
        (Source::strateos("a", verifier()), Some(Box::new(strateos::Format::new())), "Strateos"),
        (Source::strike("a", verifier()), Some(Box::new(strike::Format::default())), "Strike"),
        (
            Source::tiled("a", verifier()),
            Some(Box::new(tiled::Format::default())),
            "Tiled (Bluesky)",
        ),
    ];
    let expected: Vec<_> = formats
        .iter()
        .map(|(_, format, name)| {
            format!("  | {name} | \u{2713} | {}|", if format.is_some() { "\u{2713} " } else { "" })
        })
        .collect();
    let readme = include_str!("../../README.md");
    let (_, table) = readme.split_once("  | system | receive | send | signature |\n").unwrap();
    let rows: Vec<_> = table.lines().skip(1).take_while(|line| line.starts_with("  |")).collect();
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(&expected) {
        assert!(row.starts_with(expected.as_str()), "{row}\n{expected}");
    }
}
