//! What a signature covers: fixed text around `{id}`, `{timestamp}` and `{body}`.

use super::scheme_spec::SchemeSpecError;

/// One part of the signed bytes, in the order in which it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Id,
    Timestamp,
    Body,
}

/// Which of the three a template holds.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    pub(super) id: bool,
    pub(super) timestamp: bool,
    pub(super) id_touches_timestamp: bool,
}

const ID: &str = "{id}";
const TIMESTAMP: &str = "{timestamp}";
const BODY: &str = "{body}";

/// Walks a template that [`check`] has passed.
pub(super) fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        for (name, part) in [(ID, Part::Id), (TIMESTAMP, Part::Timestamp), (BODY, Part::Body)] {
            if let Some(after) = rest.strip_prefix(name) {
                rest = after;
                return Some(part);
            }
        }
        // A passed template has a brace only where a placeholder starts or ends.
        let (text, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        rest = after;
        (!text.is_empty()).then_some(Part::Text(text))
    })
}

/// Whether fixed text that stands next to the id occurs in it, or begins in it or ends in it: its
/// bounds could then be moved without changing the signed bytes.
pub(super) fn id_is_ambiguous(template: &str, id: &str) -> bool {
    let ends_early = |text: &str| format!("{id}{text}").find(text) != Some(id.len());
    let begins_late = |text: &str| format!("{text}{id}").rfind(text) != Some(0);
    let mut before = None;
    let mut after_id = false;
    for part in parts(template) {
        match part {
            Part::Text(text) if after_id => return ends_early(text),
            Part::Id if before.is_some_and(begins_late) => return true,
            _ if after_id => return false,
            Part::Text(text) => before = Some(text),
            Part::Id => after_id = true,
            Part::Timestamp | Part::Body => before = None,
        }
    }
    false
}

#[derive(Clone, Copy)]
enum Last {
    Text,
    Id,
    Timestamp,
    Body,
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; the index only grows while it is below the length"
)]
pub(super) const fn check(template: &[u8]) -> Result<Contents, SchemeSpecError> {
    let (mut id, mut timestamp, mut body) = (false, false, false);
    let mut id_touches_timestamp = false;
    let mut last = Last::Text;
    let mut index = 0;
    while index < template.len() {
        if starts_at(template, index, ID.as_bytes()) {
            if id {
                return Err(SchemeSpecError::Repeated);
            }
            if matches!(last, Last::Body) {
                return Err(SchemeSpecError::IdTouchesBody);
            }
            id_touches_timestamp |= matches!(last, Last::Timestamp);
            (id, last) = (true, Last::Id);
            index += ID.len();
        } else if starts_at(template, index, TIMESTAMP.as_bytes()) {
            if timestamp {
                return Err(SchemeSpecError::Repeated);
            }
            id_touches_timestamp |= matches!(last, Last::Id);
            (timestamp, last) = (true, Last::Timestamp);
            index += TIMESTAMP.len();
        } else if starts_at(template, index, BODY.as_bytes()) {
            if body {
                return Err(SchemeSpecError::Repeated);
            }
            if matches!(last, Last::Id) {
                return Err(SchemeSpecError::IdTouchesBody);
            }
            (body, last) = (true, Last::Body);
            index += BODY.len();
        } else if template[index] == b'{' || template[index] == b'}' {
            return Err(SchemeSpecError::Placeholder);
        } else {
            last = Last::Text;
            index += 1;
        }
    }
    if body {
        Ok(Contents { id, timestamp, id_touches_timestamp })
    } else {
        Err(SchemeSpecError::NoBody)
    }
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; the first test bounds both indices"
)]
const fn starts_at(text: &[u8], at: usize, wanted: &[u8]) -> bool {
    if text.len() - at < wanted.len() {
        return false;
    }
    let mut index = 0;
    while index < wanted.len() {
        if text[at + index] != wanted[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_walked_in_order() {
        let walked: Vec<_> = parts("v0:{timestamp}:{body}").collect();
        assert_eq!(walked, [Part::Text("v0:"), Part::Timestamp, Part::Text(":"), Part::Body]);
        let walked: Vec<_> = parts("{id}{timestamp}{body}é").collect();
        assert_eq!(walked, [Part::Id, Part::Timestamp, Part::Body, Part::Text("é")]);
    }

    #[test]
    fn an_id_cannot_hold_the_text_beside_it() {
        assert!(id_is_ambiguous("{id}:{timestamp}:{body}", "m:1"));
        assert!(!id_is_ambiguous("{id}:{timestamp}:{body}", "m-1"));
        assert!(id_is_ambiguous("{body}:{id}", "m:1"));
        assert!(id_is_ambiguous("{body}:{id}-{timestamp}", "m-1"));
        assert!(!id_is_ambiguous("v:{timestamp}{id}-{body}", "v:1"));
        assert!(!id_is_ambiguous("{id}{timestamp}:{body}", "m:1"));
        assert!(!id_is_ambiguous("{body}", "m:1"));
        // Text that overlaps itself reaches into the id.
        assert!(id_is_ambiguous("{id}::{body}", "m:"));
        assert!(!id_is_ambiguous("{id}::{body}", "m:1"));
        assert!(id_is_ambiguous("{body}--{id}", "-m"));
    }
}
