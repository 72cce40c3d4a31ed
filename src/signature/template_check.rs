//! Which templates sign exactly one request: [`check`].

use super::placeholder::{MAX_PARTS, Placeholder, placeholder_at};
use super::scheme_spec_error::SchemeSpecError;

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
    body: bool,
    method: bool,
    url: bool,
    path: bool,
    query: bool,
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
    has_line_feed: bool,
    has_space: bool,
    has_question_mark: bool,
}

impl Gap {
    const EMPTY: Self = Self {
        is_empty: true,
        is_digits: true,
        is_integer_like: true,
        ends_in_digit: false,
        has_line_feed: false,
        has_space: false,
        has_question_mark: false,
    };

    const fn push(self, byte: u8) -> Self {
        let is_digit = byte.is_ascii_digit();
        Self {
            is_empty: false,
            is_digits: self.is_digits && is_digit,
            is_integer_like: self.is_integer_like && (is_digit || byte == b'-'),
            ends_in_digit: is_digit,
            has_line_feed: self.has_line_feed || byte == b'\n',
            has_space: self.has_space || byte == b' ',
            has_question_mark: self.has_question_mark || byte == b'?',
        }
    }

    /// Returns whether the text contains a character that the value cannot contain, so that it
    /// shows where the value ends.
    const fn delimits(self, value: Placeholder) -> bool {
        self.has_line_feed && !matches!(value, Placeholder::Body)
            || match value {
                Placeholder::Method | Placeholder::Url | Placeholder::Query => self.has_space,
                Placeholder::Path => self.has_space || self.has_question_mark,
                _ => false,
            }
    }
}

impl Contents {
    /// Takes in a placeholder. Returns `false` if there was one of its kind.
    const fn insert(&mut self, placeholder: Placeholder) -> bool {
        let seen = match placeholder {
            Placeholder::Id => &mut self.id,
            Placeholder::Timestamp => &mut self.timestamp,
            Placeholder::Body => &mut self.body,
            Placeholder::Method => &mut self.method,
            Placeholder::Url => &mut self.url,
            Placeholder::Path => &mut self.path,
            Placeholder::Query => &mut self.query,
            Placeholder::Header(..) => return true,
        };
        let is_new = !*seen;
        *seen = true;
        is_new
    }

    /// Takes in two placeholders and the text between them. The body may be before the second one.
    const fn between(
        mut self,
        first: Placeholder,
        gap: Gap,
        second: Placeholder,
    ) -> Result<Self, SchemeSpecError> {
        use Placeholder::{Body, Id, Method, Path, Timestamp, Url};
        match (first, second) {
            // A method contains neither colon nor slash, a path starts with a slash, and a URL with one
            // of two schemes, so the first of them ends the method.
            (Method, Url | Path) if gap.is_empty && !self.body => {}
            // Vendors sign this way. Documented with `CustomScheme`.
            (Url, Body) | (Body, Url) if gap.is_empty => {}
            // What is before the body is read from the start, and what is after it from the end.
            (first, second)
                if (first.is_of_request() || second.is_of_request())
                    && !gap.delimits(if self.body { second } else { first }) =>
            {
                return Err(SchemeSpecError::RequestValueNotDelimited);
            }
            (Id, Body) | (Body, Id) if gap.is_empty => {
                return Err(SchemeSpecError::IdAdjacentToBody);
            }
            (Id, Timestamp) | (Timestamp, Id) if gap.is_empty => {
                self.id_touches_timestamp = true;
                self.timestamp_floats = matches!(second, Id) && self.body;
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
/// ([`Template::id_is_ambiguous`](super::template::Template::id_is_ambiguous)); the timestamp from
/// its fixed end, because no date-time of RFC 3339 is the start or the end of another one, and no
/// integer continues in the text beside it; and a value of the request by text that it cannot
/// contain. What remains is listed in [`Contents`].
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
        body: false,
        method: false,
        url: false,
        path: false,
        query: false,
    };
    let mut previous = None;
    let mut gap = Gap::EMPTY;
    let mut parts = 0;
    let mut index = 0;
    while index < template.len() {
        let Some((found, end)) = placeholder_at(template, index) else {
            if template[index] == b'{' || template[index] == b'}' {
                return Err(SchemeSpecError::Placeholder);
            }
            parts += gap.is_empty as usize;
            gap = gap.push(template[index]);
            index += 1;
            continue;
        };
        if let Some(previous) = previous {
            contents = match contents.between(previous, gap, found) {
                Ok(contents) => contents,
                Err(error) => return Err(error),
            };
        }
        if !contents.insert(found) {
            return Err(SchemeSpecError::Repeated);
        }
        parts += 1;
        (previous, gap) = (Some(found), Gap::EMPTY);
        index = end;
    }
    if !contents.body {
        Err(SchemeSpecError::NoBody)
    } else if parts > MAX_PARTS {
        Err(SchemeSpecError::TooManyParts)
    } else {
        Ok(contents)
    }
}
