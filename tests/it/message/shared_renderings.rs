//! One rendering per message and format, shared by endpoints and attempts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use labhook::{Outbox, Registry};

use super::*;
use crate::support::drain;

/// A format that counts its calls.
#[derive(Debug)]
struct Counted<F>(F, Arc<AtomicU32>);

impl<F: Format> Format for Counted<F> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.render(message)
    }
}

/// Eight endpoints with three kinds of format, and two sources of CloudEvents.
#[test]
fn outbox_renders_once_per_format_and_source() {
    let made = Arc::new(AtomicU32::new(0));
    let registry = || {
        let mut registry = Registry::new();
        for number in 0..8_u8 {
            let id = EndpointId::new(format!("e{number}")).unwrap();
            let endpoint = Endpoint::new(id, "https://x.example/", Signer::unsigned()).unwrap();
            let source = if number < 6 { SOURCE } else { "/cell-2" };
            let endpoint = match number % 3 {
                0 => endpoint
                    .with_format(Counted(CloudEvents::structured(source).unwrap(), made.clone())),
                1 => endpoint
                    .with_format(Counted(CloudEvents::binary(source).unwrap(), made.clone())),
                _ => endpoint.with_format(Counted(SlackMessage::new(), made.clone())),
            };
            registry.insert(endpoint).unwrap();
        }
        registry
    };
    let run = Event::new(RunStateChanged::new("r1", RunState::Started), at());
    let mut outbox = Outbox::new(registry(), 7);
    assert_eq!(outbox.publish(message(run), at()).unwrap().endpoints.len(), 8);
    // Three formats, and two of them for another source.
    assert_eq!(made.load(Ordering::Relaxed), 5);

    let mut bodies = BTreeMap::<_, u32>::new();
    for attempt in drain(&mut outbox, at()) {
        let request = attempt.request(at()).unwrap();
        let mode = request.headers().contains_key("ce-id");
        *bodies.entry((mode, request.body().clone())).or_default() += 1;
    }
    assert_eq!(bodies.values().sum::<u32>(), 8);
    // The data of both sources is the same.
    assert_eq!(bodies.len(), 4);
    assert_eq!(made.load(Ordering::Relaxed), 5);
}
