//! What the webhook has and the model does not know: [`Level`].

use std::borrow::Cow;

use super::{VENDOR, Webhook, WebhookData};
use crate::event::ReadEnvelope;
use crate::json::JsonText;
use crate::lab::ResourceChanged;
use crate::provider::MapError;

/// What is put before a name that means something else in the model.
const PREFIX: &str = "strike.";

/// One of the two objects that the webhook and the event have each.
///
/// Members that are known on neither side keep their names, but for those that the model would
/// take for its own: Strike may send a `type` in its envelope one day, and then that is kept as
/// `strike.type`. Each name has exactly one other, so nothing is lost on the way there and back.
pub(super) struct Level {
    wire: &'static [&'static str],
    model: &'static [&'static str],
    /// The path of the unknown members, for errors.
    path: &'static str,
}

/// The webhook itself, and the event's envelope.
pub(super) const ENVELOPE: Level =
    Level { wire: Webhook::NAMES, model: ReadEnvelope::NAMES, path: "unknown" };

/// The `data` of either.
pub(super) const DATA: Level =
    Level { wire: WebhookData::NAMES, model: ResourceChanged::NAMES, path: "data.unknown" };

impl Level {
    /// The model's name of a member that the wire has.
    pub(super) fn to_model<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.model.contains(&name.trim_start_matches(PREFIX)) {
            format!("{PREFIX}{name}").into()
        } else {
            name.into()
        }
    }

    /// Renames a member that the wire does not know.
    pub(super) fn unknown_to_model(
        &self,
        (name, text): (&str, &JsonText),
    ) -> Result<(Box<str>, JsonText), MapError> {
        if self.wire.contains(&name) {
            return Err(self.no_counterpart());
        }
        Ok((self.to_model(name).into(), text.clone()))
    }

    /// The wire's name of a member that the model does not know.
    pub(super) fn to_wire<'a>(&self, name: &'a str) -> Result<&'a str, MapError> {
        if self.model.contains(&name) {
            return Err(self.no_counterpart());
        }
        Ok(name
            .strip_prefix(PREFIX)
            .filter(|rest| self.model.contains(&rest.trim_start_matches(PREFIX)))
            .unwrap_or(name))
    }

    /// Whether the wire has a place of its own for members of this name.
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
    fn names_go_there_and_back() {
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
