//! Reading headers that may be repeated.

use http::{HeaderMap, HeaderName};

use super::custom_scheme::CustomScheme;
use super::elements;
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

/// Returns the elements of all lines of the header, which form one list.
pub(super) fn elements<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    layout: &CustomScheme,
) -> Result<impl Iterator<Item = &'h [u8]>, VerifyError> {
    if !headers.contains_key(name) {
        return Err(missing(name));
    }
    let lines = headers.get_all(name).iter();
    Ok(lines.flat_map(|line| elements::elements(layout, line.as_bytes())))
}

fn missing(name: &HeaderName) -> VerifyError {
    VerifyError::MissingHeader { name: name.clone() }
}
