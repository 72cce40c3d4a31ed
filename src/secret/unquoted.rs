//! Errors for values of a wrong type that quote nothing, unlike serde's own: a secret may have been
//! written there.

use std::fmt;

use serde::de::Visitor;

/// Rejects values in a [`Visitor`] without quoting them.
macro_rules! reject {
    (text, numbers) => {
        $crate::secret::unquoted::reject!(text);
        $crate::secret::unquoted::reject!(numbers);
    };
    (text) => {
        $crate::secret::unquoted::reject!(visit_str: &str);
    };
    (numbers) => {
        $crate::secret::unquoted::reject! {
            visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64
        }
    };
    ($($method:ident: $type:ty),+) => {
        $(fn $method<E: serde::de::Error>(self, _: $type) -> Result<Self::Value, E> {
            let expected = $crate::secret::unquoted::Expecting(&self);
            Err(E::custom(format_args!("expected {expected}")))
        })+
    };
}

pub(crate) use reject;

pub(crate) struct Expecting<'a, V>(pub(crate) &'a V);

impl<'de, V: Visitor<'de>> fmt::Display for Expecting<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}
