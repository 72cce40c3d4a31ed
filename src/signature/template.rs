//! Template of the signed bytes: fixed text around `{id}`, `{timestamp}` and `{body}`.

use std::borrow::Cow;

use super::scheme_spec_error::SchemeSpecError;

/// The largest number of parts: three placeholders, and text around each.
pub(super) const MAX_PARTS: usize = 7;

/// A template that [`check`] has accepted, split into its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Template {
    text: Cow<'static, str>,
    parts: [Part; MAX_PARTS],
}

/// One part of the signed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Fixed text, from and to these offsets of the template. Empty after the last part.
    Text(usize, usize),
    Id,
    Timestamp,
    Body,
}

/// What a template contains, and which boundaries could move in it.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    pub(super) id: bool,
    pub(super) timestamp: bool,
    /// No text separates id and timestamp: digits could move between the id and an integer.
    pub(super) id_touches_timestamp: bool,
    /// The body is before a timestamp that touches the id. Neither end of the timestamp is fixed, so
    /// that any time in the body could be read as the signed one.
    pub(super) timestamp_floats: bool,
    /// Text between the timestamp and another placeholder could be read as a part of an integer.
    pub(super) text_continues_integer: bool,
}

const ID: &str = "{id}";
const TIMESTAMP: &str = "{timestamp}";
const BODY: &str = "{body}";

impl Template {
    /// Splits a template from a constant that [`check`] has accepted.
    pub(super) const fn from_static(text: &'static str) -> Self {
        Self { parts: split(text.as_bytes()), text: Cow::Borrowed(text) }
    }

    /// Splits a template that [`check`] has accepted.
    pub(super) fn new(text: &str) -> Self {
        Self { parts: split(text.as_bytes()), text: Cow::Owned(text.to_owned()) }
    }

    /// Returns the signed bytes in slices, of which some may be empty.
    pub(super) fn fill<'a>(
        &'a self,
        id: &'a str,
        timestamp: &'a [u8],
        body: &'a [u8],
    ) -> [&'a [u8]; MAX_PARTS] {
        self.parts.map(|part| match part {
            Part::Text(start, end) => self.text(start, end),
            Part::Id => id.as_bytes(),
            Part::Timestamp => timestamp,
            Part::Body => body,
        })
    }

    fn text(&self, start: usize, end: usize) -> &[u8] {
        self.text.as_bytes().get(start..end).unwrap_or_default()
    }

    /// Returns whether the fixed text next to the id occurs in the id or overlaps one of its ends:
    /// the id's boundary could then move without changing the signed bytes.
    ///
    /// In the template of Standard Webhooks, only an integer timestamp could move the boundary, and
    /// a [`MessageId`](crate::MessageId) has no integer that could be one.
    pub(super) fn id_is_ambiguous(&self, integer_time: bool, id: &str) -> bool {
        if integer_time && self.text.starts_with("{id}.{timestamp}.") {
            return false;
        }
        let mut before: &[u8] = &[];
        let mut after_id = false;
        for part in self.parts {
            match part {
                Part::Text(start, end) if start == end => {}
                Part::Text(start, end) if after_id => {
                    return ends_early(id.as_bytes(), self.text(start, end));
                }
                // Such a time shows where it starts, but then the id must not contain another one.
                Part::Timestamp if after_id => return contains_date_time(id),
                Part::Id if begins_late(id.as_bytes(), before) => return true,
                _ if after_id => return false,
                Part::Text(start, end) => before = self.text(start, end),
                Part::Id => after_id = true,
                Part::Timestamp | Part::Body => before = &[],
            }
        }
        false
    }
}

/// Returns whether the text occurs in the id followed by the text, before its own place.
fn ends_early(id: &[u8], text: &[u8]) -> bool {
    let occurs_at = |at: usize| id.iter().chain(text).skip(at).take(text.len()).eq(text);
    (0..id.len()).any(occurs_at)
}

/// Returns whether the text, if there is any, occurs in the text followed by the id, after its own
/// place.
fn begins_late(id: &[u8], text: &[u8]) -> bool {
    let occurs_at = |at: usize| text.iter().chain(id).skip(at).take(text.len()).eq(text);
    !text.is_empty() && (1..=id.len()).any(occurs_at)
}

/// Returns whether the text contains the start of a date-time of RFC 3339, such as
/// `2025-04-17T09:30:00`.
fn contains_date_time(text: &str) -> bool {
    let is_date_time = |window: &[u8]| {
        let shape = b"0000-00-00T00:00:00";
        window.iter().zip(shape).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            // A few parsers accept other characters between date and time.
            b'T' => true,
            expected => byte == expected,
        })
    };
    text.as_bytes().windows(19).any(is_date_time)
}

/// Splits a template that [`check`] has accepted into its parts, in signing order.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; indices stay below the lengths that bound them"
)]
const fn split(template: &[u8]) -> [Part; MAX_PARTS] {
    let mut parts = [Part::Text(0, 0); MAX_PARTS];
    let mut count = 0;
    let mut index = 0;
    while index < template.len() && count < MAX_PARTS {
        let start = index;
        let (part, len) = if starts_at(template, index, ID.as_bytes()) {
            (Part::Id, ID.len())
        } else if starts_at(template, index, TIMESTAMP.as_bytes()) {
            (Part::Timestamp, TIMESTAMP.len())
        } else if starts_at(template, index, BODY.as_bytes()) {
            (Part::Body, BODY.len())
        } else {
            // An accepted template has braces only around placeholders.
            let mut end = start + 1;
            while end < template.len() && template[end] != b'{' {
                end += 1;
            }
            (Part::Text(start, end), end - start)
        };
        parts[count] = part;
        count += 1;
        index += len;
    }
    parts
}

#[derive(Clone, Copy)]
enum Placeholder {
    Id,
    Timestamp,
    Body,
}

/// Text since the last placeholder, or since the start.
#[derive(Clone, Copy)]
struct Gap {
    is_empty: bool,
    /// Each character is a digit.
    is_digits: bool,
    /// Each character is a digit or a minus sign.
    is_integer_like: bool,
    ends_in_digit: bool,
}

impl Gap {
    const EMPTY: Self =
        Self { is_empty: true, is_digits: true, is_integer_like: true, ends_in_digit: false };

    const fn push(self, byte: u8) -> Self {
        let is_digit = byte.is_ascii_digit();
        Self {
            is_empty: false,
            is_digits: self.is_digits && is_digit,
            is_integer_like: self.is_integer_like && (is_digit || byte == b'-'),
            ends_in_digit: is_digit,
        }
    }
}

impl Contents {
    /// Takes in two placeholders and the text between them. `has_body` says whether the body is
    /// before the second one.
    const fn between(
        mut self,
        first: Placeholder,
        gap: Gap,
        second: Placeholder,
        has_body: bool,
    ) -> Result<Self, SchemeSpecError> {
        use Placeholder::{Body, Id, Timestamp};
        match (first, second) {
            (Id, Body) | (Body, Id) if gap.is_empty => {
                return Err(SchemeSpecError::IdAdjacentToBody);
            }
            (Id, Timestamp) | (Timestamp, Id) if gap.is_empty => {
                self.id_touches_timestamp = true;
                self.timestamp_floats = matches!(second, Id) && has_body;
            }
            // A minus sign cannot move: it would have to be the end of the id.
            (Id, Timestamp) => {
                self.text_continues_integer |= gap.is_integer_like && gap.ends_in_digit
            }
            // Without a gap, the reader's tolerance decides.
            (Body, Timestamp) => {
                self.text_continues_integer |= gap.is_integer_like && !gap.is_empty
            }
            (Timestamp, _) => self.text_continues_integer |= gap.is_digits && !gap.is_empty,
            _ => {}
        }
        Ok(self)
    }
}

/// Checks a template and returns what it contains.
///
/// Signed bytes can be read in one way if each boundary is found from one end of them: the id by
/// the text between it and the body or the timestamp, which it does not contain
/// ([`Template::id_is_ambiguous`]); and the timestamp from its fixed end, because no date-time of
/// RFC 3339 is the start or the end of another one, and no integer continues in the text beside it.
/// What remains is listed in [`Contents`].
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; the index only grows while below the length"
)]
pub(super) const fn check(template: &[u8]) -> Result<Contents, SchemeSpecError> {
    let mut contents = Contents {
        id: false,
        timestamp: false,
        id_touches_timestamp: false,
        timestamp_floats: false,
        text_continues_integer: false,
    };
    let mut has_body = false;
    let mut previous = None;
    let mut gap = Gap::EMPTY;
    let mut index = 0;
    while index < template.len() {
        let (found, len, is_repeated) = if starts_at(template, index, ID.as_bytes()) {
            (Placeholder::Id, ID.len(), contents.id)
        } else if starts_at(template, index, TIMESTAMP.as_bytes()) {
            (Placeholder::Timestamp, TIMESTAMP.len(), contents.timestamp)
        } else if starts_at(template, index, BODY.as_bytes()) {
            (Placeholder::Body, BODY.len(), has_body)
        } else if template[index] == b'{' || template[index] == b'}' {
            return Err(SchemeSpecError::Placeholder);
        } else {
            gap = gap.push(template[index]);
            index += 1;
            continue;
        };
        if is_repeated {
            return Err(SchemeSpecError::Repeated);
        }
        if let Some(previous) = previous {
            contents = match contents.between(previous, gap, found, has_body) {
                Ok(contents) => contents,
                Err(error) => return Err(error),
            };
        }
        match found {
            Placeholder::Id => contents.id = true,
            Placeholder::Timestamp => contents.timestamp = true,
            Placeholder::Body => has_body = true,
        }
        (previous, gap) = (Some(found), Gap::EMPTY);
        index += len;
    }
    if has_body { Ok(contents) } else { Err(SchemeSpecError::NoBody) }
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; the first check bounds both indices"
)]
const fn starts_at(text: &[u8], at: usize, prefix: &[u8]) -> bool {
    if text.len() - at < prefix.len() {
        return false;
    }
    let mut index = 0;
    while index < prefix.len() {
        if text[at + index] != prefix[index] {
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
    fn parts_follow_the_template_order() {
        let fill = |template| {
            let parts = Template::new(template).fill("I", b"T", b"B").map(<[u8]>::to_vec);
            String::from_utf8(parts.join(&b'|')).unwrap()
        };
        assert_eq!(fill("v0:{timestamp}:{body}"), "v0:|T|:|B|||");
        assert_eq!(fill("{id}{timestamp}{body}é"), "I|T|B|é|||");
        assert_eq!(fill("a{body}b{id}c{timestamp}d"), "a|B|b|I|c|T|d");
    }

    fn id_is_ambiguous(template: &str, integer_time: bool, id: &str) -> bool {
        Template::new(template).id_is_ambiguous(integer_time, id)
    }

    #[test]
    fn id_with_adjacent_template_text_is_ambiguous() {
        let check = |template, id| id_is_ambiguous(template, true, id);
        assert!(check("{id}:{timestamp}:{body}", "m:1"));
        assert!(!check("{id}:{timestamp}:{body}", "m-1"));
        assert!(check("{body}:{id}", "m:1"));
        assert!(check("{body}:{id}-{timestamp}", "m-1"));
        assert!(!check("v:{timestamp}{id}-{body}", "v:1"));
        assert!(!check("{id}{timestamp}:{body}", "m:1"));
        assert!(!check("{body}", "m:1"));
        // Text that overlaps itself can extend into the id.
        assert!(check("{id}::{body}", "m:"));
        assert!(!check("{id}::{body}", "m:1"));
        assert!(check("{body}--{id}", "-m"));
    }

    #[test]
    fn id_beside_a_date_time_contains_none() {
        let check = |template, id| id_is_ambiguous(template, false, id);
        let template = "{id}{timestamp}{body}";
        assert!(check(template, "m2025-04-17T09:30:00Z{note: x"));
        assert!(check(template, "2025-04-17 09:30:00"));
        assert!(!check(template, "2025-04-17T09:30"));
        assert!(!check(template, "e76c6bd4-55c9-4987-8304-da1588d8988b"));
        assert!(!check("{timestamp}{id}.{body}", "2025-04-17T09:30:00Z"));
    }

    #[test]
    fn full_stop_in_id_depends_on_the_template() {
        let id = "m.x";
        assert!(!id_is_ambiguous("{id}.{timestamp}.{body}", true, id));
        // A time in RFC 3339 may contain a full stop itself.
        assert!(id_is_ambiguous("{id}.{timestamp}.{body}", false, id));
        for template in
            ["{id}.{timestamp}:{body}", "{id}.{body}", "{body}.{id}", "{id}.{body}.{timestamp}"]
        {
            assert!(id_is_ambiguous(template, true, id), "{template}");
        }
    }
}
