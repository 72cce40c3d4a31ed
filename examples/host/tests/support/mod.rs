//! An attempt to send to a URL.

use std::time::Duration;

use host::{Clock as _, SystemClock};
use labhook::lab::{RunState, RunStateChanged};
use labhook::{
    Attempt, Endpoint, EndpointId, Event, MessageId, Outbox, Registry, RetryPolicy, Secret, Signer,
    Step,
};

/// Returns an attempt of half a second at this URL.
pub fn attempt(url: &str) -> anyhow::Result<Attempt> {
    let signer = Signer::standard_webhooks(Secret::from_bytes(&[7; 24])?);
    let id = EndpointId::new("eln")?;
    let endpoint = match url.starts_with("https:") {
        true => Endpoint::new(id, url, signer)?,
        false => Endpoint::plain_http(id, url, signer)?,
    };
    let policy = RetryPolicy::standard_webhooks().with_attempt_timeout(Duration::from_millis(500));
    let mut registry = Registry::new();
    registry.insert(endpoint.with_retry(policy))?;
    let mut outbox = Outbox::new(registry, 7).without_storage();
    let now = SystemClock.now();
    let event = Event::new(RunStateChanged::new("run-17", RunState::Started), now);
    outbox.publish(event.into_message(MessageId::new("run-17-started")?)?, now)?;
    match outbox.poll(now) {
        Step::Send(attempt) => Ok(attempt),
        step => anyhow::bail!("no attempt, but {step:?}"),
    }
}
