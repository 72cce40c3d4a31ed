//! Your own event type: define its payload, send it, and decode it at two receivers.
//!
//! `cargo run -p own_event`
//!
//! labhook has no event for plate readers. A crate that adds one needs a serde type and a short
//! [`Payload`] impl. The type is made with [`open_object!`], so that what a newer sender adds
//! survives a round trip. This program is both sender and receiver, at a fixed time, so that its
//! output is always the same; a real application has a clock and an HTTP client.

use std::error::Error;

use http::HeaderValue;
use labhook::json::{open_enum, open_object};
use labhook::message::Rendering;
use labhook::{
    Endpoint, EndpointId, Event, EventType, Keys, LabEvent, MessageId, Payload, Secret, Signer,
    Subscription, Timestamp, Verifier,
};

open_object! {
    /// A plate reader was calibrated before a run.
    struct ReaderCalibrated {
        required reader: String,
        required run: String,
        exact result: Calibration,
        required channels: Vec<Channel>,
        optional operator: String,
    }
}

open_object! {
    struct Channel {
        required wavelength_nm: u16,
        /// Drift since the previous calibration, in parts per million.
        required drift_ppm: i32,
    }
}

open_enum! {
    /// The result of a calibration. A newer reader may report others.
    enum Calibration {
        Passed = "passed" | "ok",
        Failed = "failed",
    }
}

impl Payload for ReaderCalibrated {
    const EVENT_TYPE: EventType = EventType::from_static("reader.calibrated");

    /// The keys that subscriptions and ordering use: this event belongs to its run, and has a key
    /// of its own, the reader.
    fn keys(&self) -> Keys {
        Keys::new()
            .with_run(self.run.as_str())
            .with_custom("reader", self.reader.as_str())
            .with_ordering(self.run.as_str())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let now: Timestamp = "2025-04-17T09:30:00Z".parse()?;
    let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;

    // The sender: an endpoint, a message, a signed request.
    let url = "https://eln.example/hooks";
    let eln =
        Endpoint::new(EndpointId::new("eln")?, url, Signer::standard_webhooks(secret.clone()))?
            .with_subscription(Subscription::all().custom("reader", ["reader-1", "reader-2"]));
    let channels = vec![Channel::new(450_u16, -12), Channel::new(620_u16, 3)];
    let calibrated = ReaderCalibrated::new("reader-2", "run-17", Calibration::Passed, channels);
    let message = Event::new(calibrated, now).into_message(MessageId::new("reader-2-cal-41")?)?;
    let rendering = eln.format().render(&message)?;
    let request = eln.request(message.id(), &rendering, now)?;

    println!("The subscription to reader-2 matches: {}\n", eln.subscription.matches(&message));
    println!("{} {}", request.method(), request.uri());
    for (name, value) in request.headers() {
        println!("{name}: {}", value.to_str()?);
    }
    println!("\n{}\n", str::from_utf8(request.body())?);

    // A receiver with the type: verify, then decode.
    let verifier = Verifier::standard_webhooks(secret);
    let verified = verifier.verify(request.headers(), request.body(), now)?;
    let event: Event<ReaderCalibrated> = verified.decode()?;
    println!("A receiver with the type reads, at {}:\n  {:?}\n", event.timestamp, event.data);

    // A receiver without the type decodes the same body as a `LabEvent`.
    match verified.decode()? {
        LabEvent::RunStateChanged(event) => println!("run {}", event.data.run_id),
        LabEvent::Unknown(event) => {
            println!("A receiver without the type keeps it verbatim:");
            println!("  {}: {}\n", event.event_type, event.data.as_str());
        }
        event => println!("a {} event", event.event_type()),
    }

    // A newer sender: what this version does not know is kept, and written back as it was.
    let data =
        r#"{"reader":"reader-2","run":"run-17","result":"warming_up","channels":[],"gain":1.10}"#;
    let body = format!(
        r#"{{"type":"reader.calibrated","timestamp":"2025-04-17T09:30:00Z","data":{data}}}"#
    );
    let rendering = Rendering::new(HeaderValue::from_static("application/json"), body.clone());
    let request = eln.request(&MessageId::new("reader-2-cal-43")?, &rendering, now)?;
    let verified = verifier.verify(request.headers(), request.body(), now)?;
    let event: Event<ReaderCalibrated> = verified.decode()?;
    println!("A newer sender's result and gain, read by this version:");
    println!("  {}, {:?}", event.data.result, event.data.unknown.get("gain"));
    let message = event.into_message(MessageId::new("reader-2-cal-43")?)?;
    let forwarded = message.rendering("labhook").ok_or("every event has the envelope")?;
    println!(
        "and forwarded byte for byte: {}\n",
        forwarded.body().is_some_and(|it| it == body.as_bytes())
    );

    // A sender with a bug and a genuine signature: the error says where the body is wrong.
    let body = r#"{"type":"reader.calibrated","timestamp":"2025-04-17T09:30:00Z","data":{
        "reader":"reader-2","run":"run-17","result":"ok","channels":[
            {"wavelength_nm":450,"drift_ppm":-12},{"wavelength_nm":"red","drift_ppm":3}]}}"#;
    let rendering = Rendering::new(HeaderValue::from_static("application/json"), body);
    let request = eln.request(&MessageId::new("reader-2-cal-42")?, &rendering, now)?;
    let verified = verifier.verify(request.headers(), request.body(), now)?;
    let Err(error) = verified.decode::<Event<ReaderCalibrated>>() else {
        return Err("a word was read as a wavelength".into());
    };
    println!("The error for a malformed body:\n  {error}");
    // The error's source quotes the offending value, which not every log should contain.
    println!("  {}", error.source().map_or_else(String::new, ToString::to_string));
    Ok(())
}
