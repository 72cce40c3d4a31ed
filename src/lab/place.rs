//! The keys `workcell` and `device`, which the payloads of this module have in common.

use crate::event::Keys;
use crate::id::WorkcellId;

/// Adds the keys of the workcell and the device that an event names.
pub(super) fn with_place(
    mut keys: Keys,
    workcell: Option<&WorkcellId>,
    device: Option<&str>,
) -> Keys {
    if let Some(workcell) = workcell {
        keys = keys.with_custom("workcell", workcell.as_str());
    }
    match device {
        Some(device) => keys.with_custom("device", device),
        None => keys,
    }
}
