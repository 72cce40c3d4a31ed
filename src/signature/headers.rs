//! Reading headers that may be repeated.

use http::{HeaderMap, HeaderName};

use super::custom_scheme::CustomScheme;
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
pub(super) fn message_id<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    layout: &CustomScheme,
) -> Result<&'h str, VerifyError> {
    let id = valid_id(headers, name)?;
    if layout.id_is_ambiguous(id) { Err(VerifyError::AmbiguousId) } else { Ok(id) }
}

/// Returns the message's id from the header with this name, if nothing around it in the signed
/// bytes can be part of it.
pub(super) fn valid_id<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<&'h str, VerifyError> {
    let id = match std::str::from_utf8(single(headers, name)?) {
        Ok(text) => MessageId::check(text).map(|()| text),
        Err(error) => Err(IdError::NotPrintableAscii { at: error.valid_up_to() }),
    };
    id.map_err(|reason| VerifyError::MalformedId { name: name.clone(), reason })
}

pub(super) fn missing(name: &HeaderName) -> VerifyError {
    VerifyError::MissingHeader { name: name.clone() }
}
