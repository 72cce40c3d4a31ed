//! Lab models in the objects of a vendor's webhooks: [`Mapping`].

use serde::Serialize;

use super::carrier::LabModel;
use super::map_error::MapError;
use super::members::Members;
use super::vendor::Vendor;
use crate::json::JsonText;

/// How a lab model is read from an object of a vendor's webhook, and written to it.
///
/// A member that the model has a field for is moved to the field. A member of a nested object, such
/// as the name of an owner, is copied, and the nested object kept whole: on the way back it must
/// still be the same.
pub(super) struct Mapping<M: 'static> {
    pub(super) vendor: Vendor,
    /// The object's name in the webhook.
    pub(super) object: &'static str,
    /// The names of the published members, in order.
    pub(super) order: &'static [&'static str],
    /// The paths of those that the vendor always sends, without those that the model writes.
    pub(super) required: &'static [&'static str],
    /// Reads the model, and removes the members that are moved.
    pub(super) read: fn(&mut Members) -> Result<M, MapError>,
    /// Writes the members that were moved.
    pub(super) write: fn(&M, &mut Members) -> Result<(), MapError>,
}

impl<M: LabModel> Mapping<M> {
    /// Returns the model, and the members that are not in it.
    pub(super) fn read(&self, object: Option<&JsonText>) -> Result<(M, Members), MapError> {
        // A value that is not an object, or repeats a member, has no id.
        let object: Option<Members> = object.and_then(|object| object.read().ok());
        let mut object = object.unwrap_or_default();
        Ok(((self.read)(&mut object)?, object))
    }

    /// Returns the object, whose other members are `rest`. If it was received, it may lack members
    /// that the vendor always sends.
    pub(super) fn write(
        &self,
        model: &M,
        rest: Members,
        is_received: bool,
    ) -> Result<Members, MapError> {
        let mut object = rest;
        (self.write)(model, &mut object)?;
        object.append(model.unknown()).map_err(|_| self.vendor.value(self.object))?;
        if !object.are_distinct() {
            return Err(self.vendor.value(self.object));
        }
        let is_missing = |path: &&&str| {
            let (_, name) = path.rsplit_once('.').unwrap_or_default();
            object.get(name).is_none()
        };
        match self.required.iter().find(is_missing) {
            Some(path) if !is_received => return Err(self.vendor.missing(path)),
            _ => {}
        }
        object.sort_like(self.order);
        Ok(object)
    }
}

/// Fails if one of these fields has a value: the vendor has no member for it, and no data is to be
/// lost silently.
macro_rules! refuse {
    ($vendor:ident, $model:ident in $path:literal: $($field:ident)+) => {
        $(
            $vendor.refuse(concat!($path, ".", stringify!($field)), $model.$field.is_some())?;
        )+
    };
}
pub(super) use refuse;

/// Writes the fields that have a value.
macro_rules! write_fields {
    ($vendor:ident, $object:ident, $model:ident in $path:literal: $($field:ident = $name:literal)+) => {
        $(
            if let Some(value) = &$model.$field {
                $vendor.set($object, $name, value, concat!($path, ".", stringify!($field)))?;
            }
        )+
    };
}
pub(super) use write_fields;

impl Vendor {
    /// Moves an id that is text.
    pub(super) fn take_id<T: From<String>>(
        self,
        object: &mut Members,
        name: &str,
        member: &'static str,
    ) -> Result<T, MapError> {
        object.take::<String>(name).map(T::from).ok_or_else(|| self.no_id(object, name, member))
    }

    /// Moves an id that is an integer.
    pub(super) fn take_number<T: From<String>>(
        self,
        object: &mut Members,
        name: &str,
        member: &'static str,
    ) -> Result<T, MapError> {
        let number = object.take::<u64>(name);
        let number = number.ok_or_else(|| self.no_id(object, name, member))?;
        Ok(number.to_string().into())
    }

    fn no_id(self, object: &Members, name: &str, member: &'static str) -> MapError {
        if object.has(name) { self.value(member) } else { self.missing(member) }
    }

    /// Writes an id that is an integer.
    pub(super) fn set_number(
        self,
        object: &mut Members,
        name: &str,
        id: &str,
        member: &'static str,
    ) -> Result<(), MapError> {
        match id.parse::<u64>() {
            Ok(number) if number.to_string() == id => self.set(object, name, &number, member),
            _ => Err(self.value(member)),
        }
    }

    /// Writes a member.
    pub(super) fn set<T: Serialize>(
        self,
        object: &mut Members,
        name: &str,
        value: &T,
        member: &'static str,
    ) -> Result<(), MapError> {
        object.set(name, value).map_err(|_| self.value(member))
    }

    /// Checks a field that was copied from a nested object against the object.
    pub(super) fn check_copy(
        self,
        found: Option<String>,
        field: Option<&str>,
        wire: &'static str,
        member: &'static str,
    ) -> Result<(), MapError> {
        match (found, field) {
            (_, None) => Ok(()),
            (None, Some(_)) => Err(self.missing(wire)),
            (Some(found), Some(field)) if found == field => Ok(()),
            (Some(_), Some(_)) => Err(self.value(member)),
        }
    }
}
