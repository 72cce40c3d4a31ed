//! Leaves no copies of secrets in memory: [`joined`], [`shared`], [`header_value`], [`wiping_stack`].

use std::hint::black_box;
use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use zeroize::Zeroizing;

/// Text that is borrowed, or that was joined and is wiped when dropped.
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Joined(Zeroizing<String>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Joined(text) => text,
        }
    }
}

/// Joins texts in a buffer that never grows, so that no copy is left on the heap.
pub(crate) fn joined(parts: &[&str]) -> Zeroizing<String> {
    let len = parts.iter().fold(0_usize, |len, part| len.saturating_add(part.len()));
    let mut text = Zeroizing::new(String::with_capacity(len));
    parts.iter().for_each(|part| text.push_str(part));
    text
}

/// Returns a prefix and base64, which is not encoded in a buffer on the stack.
pub(crate) fn base64(prefix: &str, bytes: &[u8]) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(vec![0; bytes.len().div_ceil(3).saturating_mul(4)]);
    wiping_stack(|| STANDARD.encode_slice(bytes, &mut encoded))
        .expect("the length is that of base64");
    joined(&[prefix, std::str::from_utf8(&encoded).expect("base64 is ASCII")])
}

/// Returns a copy of the bytes that is wiped when the last handle is dropped.
pub(crate) fn shared(bytes: &[u8]) -> Bytes {
    Bytes::from_owner(Zeroizing::new(Box::<[u8]>::from(bytes)))
}

/// Returns a header value that is wiped when the last request with it is dropped, and that `Debug`
/// does not print.
pub(crate) fn header_value(bytes: &[u8]) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(shared(bytes))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The number of 64-bit words on the stack that are wiped: twice as many as left no copy in the test
/// `memory`, or more. Without optimization, frames are larger.
const WORDS: usize = if cfg!(debug_assertions) { 2048 } else { 256 };

/// Key that is built in place on the heap, with no copy left on the stack.
pub(crate) struct KeyBox<T>(Box<T>);

impl<T> KeyBox<T> {
    pub(crate) fn new<E>(make: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        wiping_stack(|| Ok(Self(Box::new(make()?))))
    }
}

impl<T: Clone> Clone for KeyBox<T> {
    fn clone(&self) -> Self {
        wiping_stack(|| Self(self.0.clone()))
    }
}

impl<T> Deref for KeyBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Does work with a key, and wipes the stack that it used.
///
/// The functions of cryptographic libraries leave copies of keys and of keyed states there. They
/// would stay until another call overwrites them, or reach the heap as the unused bytes of a value
/// that is built there and moved.
pub(crate) fn wiping_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = below(work);
    wipe();
    result
}

/// Has a frame of its own, which starts where that of [`wipe`] does.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn wipe() {
    black_box(&mut [0_u64; WORDS]);
}
