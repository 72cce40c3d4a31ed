//! Unknown members and their renaming: [`Level`].

use std::borrow::Cow;

use super::{VENDOR, Webhook, WebhookData};
use crate::event::ReadEnvelope;
use crate::json::{JsonText, Member};
use crate::lab::ResourceChanged;
use crate::provider::MapError;

/// The prefix for names that collide with a field of the model.
const PREFIX: &str = "strike.";

/// One level of nesting, common to the webhook and the event: the envelope or the `data`.
///
/// Members that neither side knows keep their names, unless the name collides with a field of the
/// model: a `type` in Strike's envelope, for example, would be kept as `strike.type`. The renaming
/// is one-to-one, so a round trip loses nothing.
pub(super) struct Level {
    wire: &'static [&'static str],
    model: &'static [&'static str],
    /// The path of the unknown members, for errors.
    path: &'static str,
}

/// The webhook itself, and the event's envelope.
pub(super) const ENVELOPE: Level =
    Level { wire: Webhook::NAMES, model: ReadEnvelope::NAMES, path: "unknown" };

/// The `data` of the webhook and of the event.
pub(super) const DATA: Level =
    Level { wire: WebhookData::NAMES, model: ResourceChanged::NAMES, path: "data.unknown" };

impl Level {
    /// Returns the model's name for a wire member.
    pub(super) fn to_model<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.model.contains(&name.trim_start_matches(PREFIX)) {
            format!("{PREFIX}{name}").into()
        } else {
            name.into()
        }
    }

    /// Renames a member that the wire does not know, or has with a value of another type:
    /// `is_typed` says which of its fields have a value.
    pub(super) fn unknown_to_model(
        &self,
        (name, text): (&str, &JsonText),
        is_typed: impl Fn(&str) -> bool,
    ) -> Result<Member, MapError> {
        if self.wire.contains(&name) && is_typed(name) {
            return Err(self.no_counterpart());
        }
        Ok((self.to_model(name).into_owned().into(), text.clone()))
    }

    /// Returns the wire name of a member that the model does not know.
    pub(super) fn to_wire<'a>(&self, name: &'a str) -> Result<&'a str, MapError> {
        if self.model.contains(&name) {
            return Err(self.no_counterpart());
        }
        Ok(name
            .strip_prefix(PREFIX)
            .filter(|rest| self.model.contains(&rest.trim_start_matches(PREFIX)))
            .unwrap_or(name))
    }

    /// Returns whether the wire type has a field of this name.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.wire.contains(&name)
    }

    pub(super) const fn no_counterpart(&self) -> MapError {
        VENDOR.value(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (wire, model) in [
            ("receiveId", "receiveId"),
            ("type", "strike.type"),
            ("strike.type", "strike.strike.type"),
            ("strike.other", "strike.other"),
            ("strike.", "strike."),
            ("", ""),
        ] {
            assert_eq!(ENVELOPE.to_model(wire), model);
            assert_eq!(ENVELOPE.to_wire(model), Ok(wire));
        }
        assert!(ENVELOPE.to_wire("type").is_err());
    }
}
