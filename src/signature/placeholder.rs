//! Placeholders of a template, such as `{id}` and `{header:x-cell}`: [`Placeholder`].

/// The largest number of parts: placeholders, and text around them.
pub(super) const MAX_PARTS: usize = 12;

/// A value that is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Placeholder {
    Id,
    Timestamp,
    Body,
    Method,
    Url,
    Path,
    Query,
    /// The header of which the name is from and to these offsets of the template.
    Header(usize, usize),
}

impl Placeholder {
    /// Returns whether it is a value of the request line or of a header.
    pub(super) const fn is_of_request(self) -> bool {
        !matches!(self, Self::Id | Self::Timestamp | Self::Body)
    }
}

/// Returns the placeholder that starts at this offset, and the offset of its end.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; each index was compared with the length"
)]
pub(super) const fn placeholder_at(template: &[u8], at: usize) -> Option<(Placeholder, usize)> {
    const NAMES: [(&[u8], Placeholder); 7] = [
        (b"{id}", Placeholder::Id),
        (b"{timestamp}", Placeholder::Timestamp),
        (b"{body}", Placeholder::Body),
        (b"{method}", Placeholder::Method),
        (b"{url}", Placeholder::Url),
        (b"{path}", Placeholder::Path),
        (b"{query}", Placeholder::Query),
    ];
    const HEADER: &[u8] = b"{header:";
    let mut index = 0;
    while index < NAMES.len() {
        let (name, placeholder) = NAMES[index];
        if starts_at(template, at, name) {
            return Some((placeholder, at + name.len()));
        }
        index += 1;
    }
    if !starts_at(template, at, HEADER) {
        return None;
    }
    let start = at + HEADER.len();
    let mut end = start;
    while end < template.len() && is_lower_case_token(template[end]) {
        end += 1;
    }
    if end == start || end == template.len() || template[end] != b'}' {
        return None;
    }
    Some((Placeholder::Header(start, end), end + 1))
}

/// Returns whether a header's name in lower case can contain the byte (RFC 9110, section 5.6.2).
const fn is_lower_case_token(byte: u8) -> bool {
    byte.is_ascii_lowercase()
        || byte.is_ascii_digit()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
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
