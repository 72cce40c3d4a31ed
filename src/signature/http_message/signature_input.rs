//! Components and parameters of one signature: [`SignatureInput`].

use http::HeaderName;

use super::super::http_message_error::HttpMessageError;
use super::SIGNATURE_INPUT;
use super::structured_field::{self, BareItem, Member, Value};

/// What the signature-input header says of the signature with one label.
#[derive(Debug)]
pub(super) struct SignatureInput<'a> {
    /// Identifiers of the covered components, as written.
    pub(super) components: Vec<&'a str>,
    pub(super) created: i64,
    pub(super) expires: Option<i64>,
    pub(super) key_id: Option<&'a str>,
    pub(super) algorithm: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
    /// Components and parameters as written, which is the form in which they are signed.
    pub(super) text: &'a str,
}

impl<'a> SignatureInput<'a> {
    pub(super) fn read(text: &'a str, label: &str) -> Result<Self, HttpMessageError> {
        let member = labelled(text, label, &SIGNATURE_INPUT)?;
        let Value::InnerList(components) = member.value else {
            return Err(HttpMessageError::MalformedField { name: SIGNATURE_INPUT.clone() });
        };
        let (mut created, mut expires) = (None, None);
        let (mut key_id, mut algorithm, mut nonce, mut tag) = (None, None, None, None);
        for (name, value) in member.parameters {
            match name {
                "created" => set(&mut created, "created", integer(value))?,
                "expires" => set(&mut expires, "expires", integer(value))?,
                "keyid" => set(&mut key_id, "keyid", string(value))?,
                "alg" => set(&mut algorithm, "alg", string(value))?,
                "nonce" => set(&mut nonce, "nonce", string(value))?,
                "tag" => set(&mut tag, "tag", string(value))?,
                _ => return Err(HttpMessageError::UnknownParameter),
            }
        }
        let created = created.ok_or(HttpMessageError::MissingParameter { parameter: "created" })?;
        if expires.is_some_and(|expires| expires <= created) {
            return Err(HttpMessageError::InvalidParameter { parameter: "expires" });
        }
        let text = member.text;
        Ok(Self { components, created, expires, key_id, algorithm, tag, text })
    }
}

/// Checks that each of these components is covered once, and nothing else.
pub(super) fn check_components<'i>(
    covered: &[&str],
    expected: impl ExactSizeIterator<Item = &'i str>,
) -> Result<(), HttpMessageError> {
    let is_full = covered.len() == expected.len();
    for identifier in expected {
        let component = || identifier.into();
        match covered.iter().filter(|text| **text == identifier).count() {
            0 => return Err(HttpMessageError::MissingComponent { component: component() }),
            1 => {}
            _ => return Err(HttpMessageError::RepeatedComponent { component: component() }),
        }
    }
    if is_full { Ok(()) } else { Err(HttpMessageError::UnknownComponent) }
}

/// Returns the only member with the label.
pub(super) fn labelled<'a>(
    text: &'a str,
    label: &str,
    name: &HeaderName,
) -> Result<Member<'a>, HttpMessageError> {
    let malformed = |_| HttpMessageError::MalformedField { name: name.clone() };
    let members = structured_field::dictionary(text).map_err(malformed)?;
    let mut own = members.into_iter().filter(|member| member.key == label);
    let first = own.next().ok_or_else(|| HttpMessageError::MissingLabel { name: name.clone() })?;
    match own.next() {
        None => Ok(first),
        Some(_) => Err(HttpMessageError::RepeatedLabel { name: name.clone() }),
    }
}

/// Sets a parameter that has no value yet.
fn set<T>(
    place: &mut Option<T>,
    parameter: &'static str,
    value: Option<T>,
) -> Result<(), HttpMessageError> {
    if place.is_some() || value.is_none() {
        return Err(HttpMessageError::InvalidParameter { parameter });
    }
    *place = value;
    Ok(())
}

const fn integer(value: BareItem<'_>) -> Option<i64> {
    if let BareItem::Integer(integer) = value { Some(integer) } else { None }
}

const fn string(value: BareItem<'_>) -> Option<&str> {
    if let BareItem::String(text) = value { Some(text) } else { None }
}
