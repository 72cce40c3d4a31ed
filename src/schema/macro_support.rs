//! What the code that the macros generate calls. **Not public API**: it may change in any release.

use std::fmt;
use std::marker::PhantomData;

use super::{Describe, EnumShape, MemberShape, ObjectShape, Presence, Shape, ValueShape};

impl ObjectShape {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        docs: &'static str,
        members: &'static [MemberShape],
    ) -> Self {
        Self { name, docs, members }
    }
}

impl MemberShape {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        docs: &'static str,
        presence: Presence,
        shape: fn() -> Shape,
    ) -> Self {
        Self { name, docs, presence, shape }
    }
}

impl EnumShape {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        docs: &'static str,
        values: &'static [ValueShape],
    ) -> Self {
        Self { name, docs, values }
    }
}

impl ValueShape {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        text: &'static str,
        also: &'static [&'static str],
        docs: &'static str,
    ) -> Self {
        Self { text, also, docs }
    }
}

/// Describes a field of type `T`, whether or not the type is described: `Field::<T>::shape` is the
/// inherent function if `T: Describe`, and that of [`Undescribed`] otherwise. A crate that enables
/// the feature must not break another one whose fields have types of its own.
pub struct Field<T>(PhantomData<T>);

impl<T> fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Field")
    }
}

impl<T: Describe> Field<T> {
    #[must_use]
    pub fn shape() -> Shape {
        T::shape()
    }
}

pub trait Undescribed {
    #[must_use]
    fn shape() -> Shape {
        Shape::Any
    }
}

impl<T> Undescribed for Field<T> {}
