//! Reading headers that may be repeated.

use http::{HeaderMap, HeaderName};

use super::custom_scheme::CustomScheme;
use super::elements;
use super::error::VerifyError;
use crate::id::{IdError, MessageId};

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

/// Returns the message's id from the header with this name.
pub(super) fn message_id(
    headers: &HeaderMap,
    name: &HeaderName,
    layout: &CustomScheme,
) -> Result<MessageId, VerifyError> {
    let id = match std::str::from_utf8(single(headers, name)?) {
        Ok(text) => MessageId::new(text),
        Err(error) => Err(IdError::NotPrintableAscii { at: error.valid_up_to() }),
    };
    let malformed = |reason| VerifyError::MalformedId { name: name.clone(), reason };
    let id = id.map_err(malformed)?;
    if layout.id_is_ambiguous(&id) { Err(VerifyError::AmbiguousId) } else { Ok(id) }
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
