//! Template of the signed bytes: fixed text around placeholders such as `{id}` and `{body}`.

use std::borrow::Cow;
use std::convert::Infallible;

use super::placeholder::{MAX_PARTS, Placeholder, placeholder_at};
use super::scheme_spec_error::SchemeSpecError;
use super::template_check::{self, Contents};

/// A template that was checked, split into its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Template {
    text: Cow<'static, str>,
    parts: [Part; MAX_PARTS],
    len: usize,
    /// Whether anything is signed except id, time and body.
    signs_request: bool,
}

/// One part of the signed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Fixed text, from and to these offsets of the template.
    Text(usize, usize),
    Placeholder(Placeholder),
}

/// The signed bytes, in slices of which some may be empty.
pub(super) struct SignedParts<'a> {
    parts: [&'a [u8]; MAX_PARTS],
    len: usize,
}

impl<'a> SignedParts<'a> {
    pub(super) fn as_slice(&self) -> &[&'a [u8]] {
        self.parts.get(..self.len).unwrap_or_default()
    }
}

impl Template {
    /// Splits a template from a constant that was checked.
    pub(super) const fn from_static(text: &'static str) -> Self {
        let (parts, len) = split(text.as_bytes());
        Self { parts, len, signs_request: signs_request(&parts), text: Cow::Borrowed(text) }
    }

    /// Splits a template that was checked.
    pub(super) fn new(text: &str) -> Self {
        let (parts, len) = split(text.as_bytes());
        let signs_request = signs_request(&parts);
        Self { parts, len, signs_request, text: Cow::Owned(text.to_owned()) }
    }

    /// Checks a template and returns what it contains.
    pub(super) const fn check(text: &str) -> Result<Contents, SchemeSpecError> {
        template_check::check(text.as_bytes())
    }

    /// Fills in id, time and body, if nothing else [is signed](Self::signs_request).
    pub(super) fn fill_plain<'a>(
        &'a self,
        id: &'a str,
        timestamp: &'a [u8],
        body: &'a [u8],
    ) -> SignedParts<'a> {
        let Ok(signed) = self.fill(|placeholder| {
            Ok::<_, Infallible>(match placeholder {
                Placeholder::Id => id.as_bytes(),
                Placeholder::Timestamp => timestamp,
                Placeholder::Body => body,
                _ => &[],
            })
        });
        signed
    }

    /// Fills in the values, of which some may be empty.
    pub(super) fn fill<'a, E>(
        &'a self,
        mut value: impl FnMut(Placeholder) -> Result<&'a [u8], E>,
    ) -> Result<SignedParts<'a>, E> {
        let mut signed = SignedParts { parts: [&[]; MAX_PARTS], len: self.len };
        for (part, bytes) in self.parts().zip(&mut signed.parts) {
            *bytes = match part {
                Part::Text(start, end) => self.bytes(start, end),
                Part::Placeholder(placeholder) => value(placeholder)?,
            };
        }
        Ok(signed)
    }

    /// Returns the text between two offsets, such as the name of a [`Placeholder::Header`].
    pub(super) fn bytes(&self, start: usize, end: usize) -> &[u8] {
        self.text.as_bytes().get(start..end).unwrap_or_default()
    }

    /// Returns whether anything is signed except id, time and body.
    pub(super) const fn signs_request(&self) -> bool {
        self.signs_request
    }

    fn parts(&self) -> impl Iterator<Item = Part> {
        self.parts.iter().copied().take(self.len)
    }

    pub(super) fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.parts().filter_map(|part| match part {
            Part::Text(..) => None,
            Part::Placeholder(placeholder) => Some(placeholder),
        })
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
        for part in self.parts() {
            match part {
                Part::Text(start, end) if after_id => {
                    return ends_early(id.as_bytes(), self.bytes(start, end));
                }
                // Such a time shows where it starts, but then the id must not contain another one.
                Part::Placeholder(Placeholder::Timestamp) if after_id => {
                    return contains_date_time(id);
                }
                Part::Placeholder(Placeholder::Id) if begins_late(id.as_bytes(), before) => {
                    return true;
                }
                _ if after_id => return false,
                Part::Text(start, end) => before = self.bytes(start, end),
                Part::Placeholder(Placeholder::Id) => after_id = true,
                Part::Placeholder(_) => before = &[],
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

const fn signs_request(parts: &[Part]) -> bool {
    let mut rest = parts;
    while let [first, after @ ..] = rest {
        if let Part::Placeholder(placeholder) = first
            && placeholder.is_of_request()
        {
            return true;
        }
        rest = after;
    }
    false
}

/// Splits a template that was checked into its parts, in signing order.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; indices stay below the lengths that bound them"
)]
const fn split(template: &[u8]) -> ([Part; MAX_PARTS], usize) {
    let mut parts = [Part::Text(0, 0); MAX_PARTS];
    let mut count = 0;
    let mut index = 0;
    while index < template.len() && count < MAX_PARTS {
        let (part, end) = match placeholder_at(template, index) {
            Some((placeholder, end)) => (Part::Placeholder(placeholder), end),
            None => {
                // A checked template has braces only around placeholders.
                let mut end = index + 1;
                while end < template.len() && template[end] != b'{' {
                    end += 1;
                }
                (Part::Text(index, end), end)
            }
        };
        parts[count] = part;
        count += 1;
        index = end;
    }
    (parts, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_the_template_order() {
        let fill = |template| {
            let template = Template::new(template);
            let parts = template.fill(|placeholder| {
                Ok::<_, ()>(match placeholder {
                    Placeholder::Id => b"I",
                    Placeholder::Timestamp => b"T",
                    Placeholder::Body => b"B",
                    Placeholder::Method => b"M",
                    Placeholder::Url => b"U",
                    Placeholder::Path => b"P",
                    Placeholder::Query => b"Q",
                    Placeholder::Header(start, end) => template.bytes(start, end),
                })
            });
            String::from_utf8(parts.unwrap().as_slice().join(&b'|')).unwrap()
        };
        assert_eq!(fill("v0:{timestamp}:{body}"), "v0:|T|:|B");
        assert_eq!(fill("{id}{timestamp}{body}é"), "I|T|B|é");
        assert_eq!(fill("a{body}b{id}c{timestamp}d"), "a|B|b|I|c|T|d");
        assert_eq!(fill("{method} {path}?{query}"), "M| |P|?|Q");
        assert_eq!(fill("{url}{header:x-a}"), "U|x-a");
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
