//! Reading headers without letting a repeated one decide.

use http::{HeaderMap, HeaderName};

use super::VerifyError;

/// The header's one value; equal repeats are one, conflicting ones an error.
pub(super) fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<&'h [u8], VerifyError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().ok_or_else(|| missing(name))?;
    if values.all(|value| value == first) {
        Ok(first.as_bytes())
    } else {
        Err(VerifyError::ConflictingHeader { name: name.clone() })
    }
}

/// The fields of all the header's lines, which together are one list.
pub(super) fn fields<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    separator: Option<char>,
) -> Result<impl Iterator<Item = &'h [u8]>, VerifyError> {
    if !headers.contains_key(name) {
        return Err(missing(name));
    }
    Ok(headers
        .get_all(name)
        .iter()
        .flat_map(move |line| {
            line.as_bytes()
                .split(move |&byte| separator.is_some_and(|wanted| char::from(byte) == wanted))
        })
        .map(move |field| {
            let field = field.trim_ascii();
            // A proxy joins two lines with a comma (RFC 9110 section 5.3), which no encoding uses.
            match separator {
                Some(' ') => field.strip_suffix(b",").unwrap_or(field),
                _ => field,
            }
        })
        .filter(|field| !field.is_empty()))
}

fn missing(name: &HeaderName) -> VerifyError {
    VerifyError::MissingHeader { name: name.clone() }
}
