//! Support code shared by the vendor modules: [`Vendor`].

use http::HeaderValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::map_error::{MapError, article};
use crate::decode::TrustedBody;
use crate::event::UnknownEvent;
use crate::event_type::EventType;
use crate::json::{JsonText, UnknownMembers};
use crate::lab::LabEvent;
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};
use crate::time::TimeText;

/// A vendor's name in error texts.
#[derive(Clone, Copy)]
pub(super) struct Vendor(pub(super) &'static str);

impl Vendor {
    pub(super) fn no_webhook(self, event_type: &EventType) -> MapError {
        MapError::NoWebhook { vendor: self.0, event_type: event_type.clone() }
    }

    pub(super) const fn missing(self, member: &'static str) -> MapError {
        MapError::Missing { vendor: self.0, member }
    }

    pub(super) const fn value(self, member: &'static str) -> MapError {
        MapError::Value { vendor: self.0, member }
    }

    /// Returns a genuine body that is not understood as an unknown event of the vendor's type.
    pub(super) fn unread(
        self,
        prefix: &str,
        event_type: &str,
        at: TimeText,
        body: TrustedBody<'_>,
    ) -> Option<UnknownEvent> {
        let event_type = EventType::new(format!("{prefix}{event_type}")).ok()?;
        Some(UnknownEvent::new(event_type, body.json().ok()?, at))
    }

    /// Returns a webhook without a lab event as an unknown event, with the whole webhook as its data.
    pub(super) fn whole<W: Serialize>(
        self,
        prefix: &str,
        (event_type, member): (&str, &'static str),
        webhook: &W,
        at: TimeText,
    ) -> Result<UnknownEvent, MapError> {
        let event_type =
            EventType::new(format!("{prefix}{event_type}")).map_err(|_| self.value(member))?;
        let data = JsonText::write(webhook).map_err(|_| self.value("unknown"))?;
        Ok(UnknownEvent::new(event_type, data, at))
    }

    /// Reads the webhook of an unknown event, and the event type after the prefix.
    pub(super) fn read_whole<W: DeserializeOwned>(
        self,
        prefix: &str,
        event: &UnknownEvent,
    ) -> Result<(Box<str>, W), MapError> {
        let name = event.event_type.as_str().strip_prefix(prefix);
        let name = name.ok_or_else(|| self.no_webhook(&event.event_type))?;
        Ok((name.into(), event.data.read().map_err(|_| self.value("data"))?))
    }

    /// Fails if a field that the webhook has no member for has a value, so that no data is lost
    /// silently.
    pub(super) const fn refuse(
        self,
        member: &'static str,
        is_present: bool,
    ) -> Result<(), MapError> {
        if is_present { Err(self.value(member)) } else { Ok(()) }
    }

    /// Fails if one of these names is among the unknown members.
    pub(super) fn check_names(
        self,
        names: &[&'static str],
        unknown: &UnknownMembers,
    ) -> Result<(), MapError> {
        match names.iter().find(|name| unknown.get(name).is_some()) {
            Some(&member) => Err(self.value(member)),
            None => Ok(()),
        }
    }

    /// Appends unknown members to those of a webhook whose known members have these names.
    pub(super) fn append_unknown(
        self,
        to: &mut UnknownMembers,
        names: &[&'static str],
        more: &UnknownMembers,
    ) -> Result<(), MapError> {
        self.check_names(names, more)?;
        self.refuse("unknown", !to.append(more))
    }

    /// Keeps a member of the webhook.
    pub(super) fn keep<T: Serialize>(
        self,
        unknown: &mut UnknownMembers,
        member: &'static str,
        value: &T,
    ) -> Result<(), MapError> {
        self.check_names(&[member], unknown)?;
        unknown.put(member, self.json(value, member)?);
        Ok(())
    }

    /// Removes a member that was kept from the webhook, and reads it.
    pub(super) fn take_kept<T: DeserializeOwned>(
        self,
        unknown: &mut UnknownMembers,
        name: &str,
        member: &'static str,
    ) -> Result<Option<T>, MapError> {
        let kept = unknown.remove(name);
        kept.map(|text| text.read()).transpose().map_err(|_| self.value(member))
    }

    pub(super) fn json<T: Serialize + ?Sized>(
        self,
        value: &T,
        member: &'static str,
    ) -> Result<JsonText, MapError> {
        JsonText::write(value).map_err(|_| self.value(member))
    }

    /// Renders a message's event as the vendor's webhook, in compact JSON.
    pub(super) fn render<W: Serialize>(
        self,
        message: &Message,
        webhook: impl FnOnce(&LabEvent) -> Result<W, MapError>,
    ) -> Result<Rendering, FormatError> {
        let refused = || {
            let article = article(self.0);
            FormatError::new(format!("cannot write the event as {article} {} webhook", self.0))
        };
        let webhook = webhook(&message.event()?).map_err(|error| refused().with_source(error))?;
        let body = serde_json::to_vec(&webhook).map_err(|error| refused().with_source(error))?;
        Ok(Rendering::new(HeaderValue::from_static("application/json"), body))
    }
}
