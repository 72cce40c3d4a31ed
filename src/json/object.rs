//! The macro for the typed JSON objects of this crate: [`object`].

/// Defines a typed JSON object with [`open_object!`](super::open_object!), and adds `Eq` and the list
/// of the names of its members, for the mappings between objects.
macro_rules! object {
    ($(#[$($attribute:tt)*])* $vis:vis struct $name:ident { $($fields:tt)+ }) => {
        $crate::json::open_object! {
            $(#[$($attribute)*])*
            #[derive(Eq)]
            $vis struct $name { $($fields)+ }
        }

        #[allow(dead_code, reason = "not every object is mapped to another")]
        impl $name {
            /// The names of the known members, in the order in which they are written.
            pub(crate) const NAMES: &[&'static str] =
                <Self as $crate::json::macro_support::Object>::NAMES;
        }
    };
}
pub(crate) use object;
