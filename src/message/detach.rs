//! Bodies that the host keeps: [`Message::detach_bodies`].

use std::fmt;

use bytes::Bytes;

use super::Message;
use super::body_digest::BodyDigest;

/// A body that was taken out of a message, for your application to store. `Debug` prints no part of
/// it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DetachedBody {
    /// The name of the body's format. A body in a format that no endpoint uses need not be stored.
    pub format: Box<str>,
    /// The reference that replaces the body in the message.
    pub digest: BodyDigest,
    /// The body.
    pub body: Bytes,
}

impl fmt::Debug for DetachedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, digest, body: _ } = self;
        f.debug_struct("DetachedBody")
            .field("format", format)
            .field("digest", digest)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// Replaces each body by a [reference](BodyDigest) to it, and returns the bodies for your
    /// application to store: an outbox with many pending messages then needs no memory for them.
    ///
    /// [Render](Self::render) the message in the formats of its endpoints first, and look at the
    /// errors of that: [`publish`](crate::Outbox::publish) cannot render a detached message in
    /// another format, and reports each endpoint that has one as a
    /// [render failure](crate::outbox::Published::render_failures). A message that is already
    /// detached returns nothing.
    ///
    /// Store the bodies under the id of the message and their digest, and no later than the
    /// message's record: the [guide](crate::guide::persisting#bodies-that-you-keep) has the rules.
    /// To send one, pass it to [`Attempt::request_with_body`](crate::Attempt::request_with_body).
    ///
    /// ```
    /// # use labhook::lab::{RunState, RunStateChanged};
    /// # use labhook::{
    /// #     Endpoint, EndpointId, Event, MessageId, Outbox, Registry, Secret, Signer, Step,
    /// #     Timestamp,
    /// # };
    /// # let signer = Signer::standard_webhooks(Secret::from_bytes(&[7; 24])?);
    /// # let eln = Endpoint::new(EndpointId::new("eln")?, "https://eln.example/in", signer)?;
    /// # let mut registry = Registry::new();
    /// # registry.insert(eln)?;
    /// # let mut outbox = Outbox::new(registry, 7);
    /// # let now = Timestamp::from_unix_seconds(1_744_882_200);
    /// # let event = Event::new(RunStateChanged::new("run-17", RunState::Started), now);
    /// # let mut message = event.into_message(MessageId::new("run-17-started")?)?;
    /// # let mut sent = 0;
    /// use std::collections::BTreeMap;
    ///
    /// for endpoint in outbox.registry().iter() {
    ///     if endpoint.subscription.matches(&message) {
    ///         message.render(endpoint.format())?;
    ///     }
    /// }
    /// let bodies = message.detach_bodies();
    /// let id = message.id().clone();
    /// outbox.publish(message, now)?;
    ///
    /// let mut store = BTreeMap::new();
    /// loop {
    ///     match outbox.poll(now) {
    ///         Step::Save(changes) => {
    ///             // In one transaction with the changes.
    ///             if changes.accepted().any(|accepted| *accepted == id) {
    ///                 for it in &bodies {
    ///                     store.insert((id.clone(), it.digest), it.body.clone());
    ///                 }
    ///             }
    ///             outbox.saved(changes.revision());
    ///         }
    ///         Step::Send(attempt) => {
    ///             let digest = *attempt.kept_body().expect("the message was detached");
    ///             let body = store[&(attempt.message().id().clone(), digest)].clone();
    ///             let request = attempt.request_with_body(body, now)?;
    ///             assert!(request.headers().contains_key("webhook-signature"));
    ///             # sent += 1;
    ///         }
    ///         _ => break,
    ///     }
    /// }
    /// # assert_eq!(sent, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "claim check")]
    #[doc(alias = "blob")]
    #[must_use = "the message has the bodies no longer"]
    pub fn detach_bodies(&mut self) -> Vec<DetachedBody> {
        let detach = self.renderings.iter_mut().filter_map(|(format, rendering)| {
            let (digest, body) = rendering.detach_body()?;
            Some(DetachedBody { format: format.clone(), digest, body })
        });
        detach.collect()
    }
}
