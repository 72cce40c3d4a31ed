//! Reading headers that may be repeated.

use http::{HeaderMap, HeaderName};

use super::error::VerifyError;

/// Returns the header's value; repeats must be equal.
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

/// Returns the fields of all lines of the header, which form one list.
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
            line.as_bytes().split(move |&byte| {
                separator.is_some_and(|separator| char::from(byte) == separator)
            })
        })
        .map(move |field| {
            let field = field.trim_ascii();
            // A proxy may join two lines with a comma (RFC 9110 section 5.3); no encoding uses one.
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
