//! Everything that is printed of values with secrets, searched as it is added: [`Printed`].

use std::any::type_name;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labhook::decode::DecodeError;
use labhook::endpoint::EndpointError;
use labhook::message::format::CloudEventHeaderError;
use labhook::outbox::RestoreError;
use labhook::provider::{MapError, linq, segments, strike};
use labhook::secret::{SecretError, SecretRefError};
use labhook::signature::{KeyError, SignError, VerifyError};
use serde::Serialize;

use super::fragments::Fragments;

pub(crate) const SECRET: &str = "Zq7WvK2pXs9TfR4mYb6NcJ8hGd3LkUeA";
pub(crate) const OLDER: &str = "b8QwZt5MxVr2HnPy7KsCj4FgDa9LuEo3";
pub(crate) const HEADER: &str = "hW3mQz9KxNv6RtPb2YjFc8GsLd5EuVa7";
pub(crate) const BODY: &str = r#"{"type":"own.thing","note":"Rk6ZyTq3WnXv9MfHp4CbJs7GdLu2EoA8"}"#;
pub(crate) const URL: &str = "https://eln.example:8443/Tn4XcRw8JzKq2Vf?key=MpGbYs5HdLe3Uta9";

/// Searches all text for secrets, and notes what was searched.
pub(crate) struct Printed {
    secrets: Fragments,
    bodies: Fragments,
    /// Bytes of secrets as decimal numbers.
    lists: Vec<String>,
    /// The paths of the types inside the crate.
    pub(crate) types: BTreeSet<String>,
    /// The variants of errors, below the paths of their types.
    pub(crate) variants: BTreeSet<String>,
}

impl Printed {
    pub(crate) fn new() -> Self {
        let mut printed = Self {
            secrets: Fragments::new(),
            bodies: Fragments::new(),
            lists: Vec::new(),
            types: BTreeSet::new(),
            variants: BTreeSet::new(),
        };
        printed.hide("the secret", SECRET.as_bytes());
        printed.hide("the older secret", OLDER.as_bytes());
        printed.hide("a header", HEADER.as_bytes());
        printed.hide("the path of the URL", &URL.as_bytes()[25..40]);
        printed.hide("the query of the URL", &URL.as_bytes()[45..]);
        printed.bodies.add("the body", &BODY.as_bytes()[28..60]);
        printed.lists.extend(lists(&BODY.as_bytes()[28..60]));
        printed
    }

    /// Adds what must not be printed, such as a MAC.
    pub(crate) fn hide(&mut self, name: &str, secret: &[u8]) {
        self.secrets.add(name, secret);
        self.lists.extend(lists(secret));
    }

    #[track_caller]
    pub(crate) fn debug<T: Debug + ?Sized>(&mut self, value: &T) {
        let path = path_of::<T>();
        self.search(&path, &format!("{value:?}\n{value:#?}"), true);
        self.types.insert(path);
    }

    /// Saved state contains bodies, and no secrets.
    #[track_caller]
    pub(crate) fn json<T: Serialize + Debug>(&mut self, value: &T) {
        self.debug(value);
        self.search(&path_of::<T>(), &serde_json::to_string(value).unwrap(), false);
    }

    /// Searches an error with all its sources.
    #[track_caller]
    pub(crate) fn error<T: Error + 'static>(&mut self, error: &T) {
        self.debug(error);
        self.note::<T>(error);
        let mut next: Option<&dyn Error> = Some(error);
        while let Some(error) = next {
            self.search("an error", &format!("{error}\n{error:#}\n{error:?}\n{error:#?}"), true);
            self.note_source(error);
            next = error.source();
        }
    }

    /// Searches an error whose source may quote a value of the body, as is documented. It is
    /// searched for secrets alone.
    #[track_caller]
    pub(crate) fn quoting_error<T: Error + 'static>(&mut self, error: &T) {
        self.search("an error", &error.to_string(), true);
        self.note::<T>(error);
        self.types.insert(path_of::<T>());
        let mut next: Option<&dyn Error> = Some(error);
        while let Some(error) = next {
            self.search("an error", &format!("{error}\n{error:?}"), false);
            self.note_source(error);
            next = error.source();
        }
    }

    /// Notes the variant of an error.
    pub(crate) fn note<T: ?Sized>(&mut self, error: &(impl Debug + ?Sized)) {
        let text = format!("{error:?}");
        let name = text.split(|char: char| !char.is_alphanumeric()).next().unwrap();
        self.variants.insert(format!("{}::{name}", path_of::<T>()));
    }

    fn note_source(&mut self, error: &(dyn Error + 'static)) {
        // Its text is that of the error inside, and it has the source of that.
        if let Some(VerifyError::HttpMessage(error)) = error.downcast_ref() {
            self.error(error);
        }
        macro_rules! note {
            ($($type:ty),* $(,)?) => {
                $(if let Some(error) = error.downcast_ref::<$type>() {
                    self.note::<$type>(error);
                    self.types.insert(path_of::<$type>());
                })*
            };
        }
        note!(
            CloudEventHeaderError,
            DecodeError,
            EndpointError,
            KeyError,
            MapError,
            RestoreError,
            SecretError,
            SecretRefError,
            SignError,
            VerifyError,
            linq::HookError,
            segments::HookError,
            strike::SubscriptionError,
        );
    }

    #[track_caller]
    pub(crate) fn search(&self, of: &str, text: &str, for_bodies: bool) {
        let leak = self.leak(text, for_bodies);
        assert!(leak.is_none(), "{of}: {leak:?} in {text}");
    }

    /// Returns the form of what should not be in the text.
    fn leak(&self, text: &str, for_bodies: bool) -> Option<&str> {
        let secret = self.secrets.find_in(text.as_bytes());
        let body = if for_bodies { self.bodies.find_in(text.as_bytes()) } else { Vec::new() };
        if let Some((_, _, form)) = secret.iter().chain(&body).next() {
            return Some(form);
        }
        // A list of bytes in JSON is a body, which saved state contains.
        if !for_bodies {
            return None;
        }
        let dense: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        let mut lists = dense.split(|char: char| !char.is_ascii_digit() && char != ',');
        let is_secret = |list: &str| self.lists.iter().any(|secret| list.contains(secret));
        lists.any(|list| list.len() > 10 && is_secret(list)).then_some("a list of bytes")
    }
}

/// The path of a type inside the crate, without its parameters.
fn path_of<T: ?Sized>() -> String {
    let name = type_name::<T>().split('<').next().unwrap();
    name.strip_prefix("labhook::").unwrap_or(name).to_owned()
}

/// Every six bytes as decimal numbers.
fn lists(secret: &[u8]) -> Vec<String> {
    let list = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    secret.windows(6).map(list).collect()
}

/// The search finds a secret in each form, or it would prove nothing.
#[test]
fn secret_is_found_in_each_form() {
    let mut printed = Printed::new();
    printed.hide("a MAC", b"\x8f\x01\xfe\x33\x80\x7b\x9a\xd4\xc2\x11\x5e\x66\x02\x03\x04");
    let found = |text: &str| printed.leak(text, true).is_some();
    for text in [
        format!("Secret({SECRET})"),
        format!("{:?}", &SECRET[7..16]),
        format!("{:?}", HEADER.as_bytes()),
        format!("{:#?}", OLDER.as_bytes()),
        URL_SAFE_NO_PAD.encode(format!("a{SECRET}")),
        URL_SAFE_NO_PAD.encode(format!("ab{SECRET}")),
        URL_SAFE_NO_PAD.encode(format!("abc{BODY}")),
        hex::encode(SECRET),
        hex::encode_upper(URL),
        "8f01fe33807b9ad4".to_owned(),
        "jwH+M4B7mtTC".to_owned(),
        "jwH-M4B7mtTC".to_owned(),
    ] {
        assert!(found(&text), "{text}");
    }
    assert!(!found(&format!("Secret({} bytes), https://eln.example:8443", SECRET.len())));
}
