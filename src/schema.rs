//! The JSON of typed objects and events, described as data: [`Describe`].
//!
//! For generators of schemas, documentation and types in other languages. The macros
//! [`open_object!`](crate::json::open_object!) and [`open_enum!`](crate::json::open_enum!) implement
//! [`Describe`] from the same declaration as the reading and writing, so a description is never
//! behind its type. The texts are those of the type's documentation.
//!
//! [`LabEvent::shapes`](crate::LabEvent::shapes) describes the catalogue, and [`EventShape::of`] an
//! event of your own:
//!
//! ```
//! use labhook::json::open_object;
//! use labhook::schema::{EventShape, Presence, Shape};
//! use labhook::{EventType, Payload};
//!
//! open_object! {
//!     /// A reader was calibrated.
//!     pub struct Calibrated {
//!         /// The reader.
//!         required reader: String,
//!         /// The drift, in thousandths.
//!         optional drift: u16,
//!     }
//! }
//!
//! impl Payload for Calibrated {
//!     const EVENT_TYPE: EventType = EventType::from_static("acme.calibrated");
//! }
//!
//! let shape = EventShape::of::<Calibrated>();
//! let Shape::Object(object) = shape.data else { panic!("an object") };
//! assert_eq!(object.docs.trim(), "A reader was calibrated.");
//! assert_eq!(object.members[1].name, "drift");
//! assert_eq!(object.members[1].presence, Presence::Optional);
//! assert!(matches!((object.members[1].shape)(), Shape::Integer { min: 0, max: 65_535 }));
//! ```
//!
//! The workspace package `examples/schemas` renders the catalogue as JSON Schema, OpenAPI and
//! AsyncAPI: see [the guide](crate::guide::other_languages).
//!
//! Feature `schema`, off by default. It adds no dependency.

mod described;
#[doc(hidden)]
pub mod macro_support;

use crate::event::{EventType, Payload};

/// A type whose JSON is described.
///
/// `Vec`, `Option` and `Box` of a described type are described too. A field of another type is
/// [`Shape::Any`]; implement this trait for the type to say more.
pub trait Describe {
    /// Returns the description of the type's JSON.
    #[must_use]
    fn shape() -> Shape;
}

/// The shape of a JSON value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// Any value.
    Any,
    /// `true` or `false`.
    Bool,
    /// An integer, written without a fraction and without an exponent.
    Integer {
        /// The minimum.
        min: i128,
        /// The maximum.
        max: i128,
    },
    /// Any number.
    Number,
    /// Any text.
    Text,
    /// A text that should be an RFC 3339 date-time. Any text is read.
    Time,
    /// A text that is an [`EventType`].
    EventType,
    /// A text, usually one of the known values.
    Enum(&'static EnumShape),
    /// An array. The function describes its items.
    List(fn() -> Shape),
    /// A value, or `null`. The function describes the value.
    Nullable(fn() -> Shape),
    /// An object.
    Object(&'static ObjectShape),
}

/// The shape of a type made with [`open_object!`](crate::json::open_object!). Other members may
/// appear in the JSON.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ObjectShape {
    /// The name of the type.
    pub name: &'static str,
    /// The documentation of the type: Markdown, a line feed after each line.
    pub docs: &'static str,
    /// The known members, in the order in which they are written.
    pub members: &'static [MemberShape],
}

/// A known member of an object.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MemberShape {
    /// The name in the JSON.
    pub name: &'static str,
    /// The documentation of the field.
    pub docs: &'static str,
    /// Whether the member may be absent, `null` or of another type.
    pub presence: Presence,
    /// Describes the value. A function, because a type may contain itself.
    pub shape: fn() -> Shape,
}

/// Whether a member may be absent, `null` or of another type: its kind in
/// [`open_object!`](crate::json::open_object!).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// Must be present and have its type.
    Required,
    /// May be absent or `null`, with the same meaning. A value of another type is kept, unread.
    Optional,
    /// May be absent, `null` or a value. A value of another type is kept, unread.
    Nullable,
    /// Like [`Optional`](Self::Optional); a value of another type is an error.
    Strict,
    /// Like [`Nullable`](Self::Nullable); a value of another type is an error.
    StrictNullable,
}

/// The shape of a type made with [`open_enum!`](crate::json::open_enum!). Other texts may appear in
/// the JSON.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EnumShape {
    /// The name of the type.
    pub name: &'static str,
    /// The documentation of the type.
    pub docs: &'static str,
    /// The known values.
    pub values: &'static [ValueShape],
}

/// A known value of an enum.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ValueShape {
    /// The text that is written.
    pub text: &'static str,
    /// Other spellings that are read.
    pub also: &'static [&'static str],
    /// The documentation of the value.
    pub docs: &'static str,
}

/// The shape of an event: its type, and the shape of its data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EventShape {
    /// The event type.
    pub event_type: EventType,
    /// The data.
    pub data: Shape,
}

impl EventShape {
    /// Describes the events with this payload.
    #[must_use]
    pub fn of<P: Payload + Describe>() -> Self {
        Self { event_type: P::EVENT_TYPE, data: P::shape() }
    }
}
