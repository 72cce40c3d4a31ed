//! Unchecked description of a signature scheme: [`SchemeSpec`].

use super::algorithm::Algorithm;
use super::encoding::Encoding;
use super::scheme_spec_error::SchemeSpecError;
use super::template::Template;
use super::timestamp_form::TimestampForm;

/// Unchecked description of a signature scheme, as found in a vendor's documentation.
///
/// [`CustomScheme`](super::CustomScheme) checks it, at compile time or at run time. By default the
/// signature is an HMAC-SHA256, hexadecimal without a prefix, the header carries one signature, and
/// neither time nor id is signed.
///
/// ```
/// use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
///
/// // X-Signature: sha256=<hex>, over the time in X-Timestamp, a full stop and the body.
/// let spec = SchemeSpec::new("X-Signature", "{timestamp}.{body}")
///     .with_prefix("sha256=")
///     .with_timestamp_header("X-Timestamp", "unix_seconds".parse()?);
/// let scheme = CustomScheme::new(spec)?;
/// assert_eq!(scheme.header(), "x-signature");
/// # assert_eq!(spec.timestamp.map(|(_, form)| form), Some(TimestampForm::UnixSeconds));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "HMAC")]
#[doc(alias = "vendor")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SchemeSpec<'a> {
    /// Name of the header that carries the signature.
    pub header: &'a str,
    /// Template of the signed bytes: fixed text around placeholders, each at most once.
    ///
    /// | placeholder | stands for |
    /// |---|---|
    /// | `{id}` | the message's id |
    /// | `{timestamp}` | the signing time, as its header or field has it |
    /// | `{body}` | the body; required |
    /// | `{method}` | the request's method |
    /// | `{url}` | its absolute URL, without fragment |
    /// | `{path}` | the path in that URL, percent-encoded |
    /// | `{query}` | the query in that URL, without question mark; may be empty |
    /// | `{header:NAME}` | the value of a header, which must be present; `NAME` in lower case |
    ///
    /// The last five need the request: see
    /// [`Verifier::verify_request`](super::Verifier::verify_request) and
    /// [`Signer::sign_request`](super::Signer::sign_request).
    pub template: &'a str,
    /// Algorithm of the signature.
    pub algorithm: Algorithm,
    /// Text before the encoded signature, such as `sha256=` or `HMAC `; may be empty.
    pub prefix: &'a str,
    /// Encoding of the signature.
    pub encoding: Encoding,
    /// Character between the fields of the signature header; `None` if it has one field.
    pub separator: Option<char>,
    /// Character between several signatures behind one prefix; `None` if each has its own.
    pub value_separator: Option<char>,
    /// Place and format of the timestamp; `None` if the time is not signed.
    pub timestamp: Option<(TimestampPlace<'a>, TimestampForm)>,
    /// Name of the header that carries the message's id; `None` if the id is not signed.
    pub id_header: Option<&'a str>,
    /// Prefix of a stronger signature in the same header; `None` if there is none.
    pub stronger_prefix: Option<&'a str>,
}

/// Place of the timestamp in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimestampPlace<'a> {
    /// In a separate header of this name.
    Header(&'a str),
    /// In the signature header, as a field with this prefix, such as `t=`.
    Field(&'a str),
}

impl<'a> SchemeSpec<'a> {
    /// Creates a spec from the name of the signature header and the template of the signed bytes.
    #[must_use]
    pub const fn new(header: &'a str, template: &'a str) -> Self {
        Self {
            header,
            template,
            algorithm: Algorithm::HmacSha256,
            prefix: "",
            encoding: Encoding::Hex,
            separator: None,
            value_separator: None,
            timestamp: None,
            id_header: None,
            stronger_prefix: None,
        }
    }

    /// Sets the algorithm.
    #[must_use]
    pub const fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets the text before the encoded signature.
    #[must_use]
    pub const fn with_prefix(mut self, prefix: &'a str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Sets the encoding of the signature to base64.
    #[must_use]
    pub const fn with_base64(mut self) -> Self {
        self.encoding = Encoding::Base64;
        self
    }

    /// Sets the character between the fields of the signature header, which may then carry several
    /// signatures: during key rotation a sender signs with all of its secrets.
    #[must_use]
    pub const fn with_separator(mut self, separator: char) -> Self {
        self.separator = Some(separator);
        self
    }

    /// Sets the character between several signatures behind one prefix, as in `v0=<hex>,<hex>`. It may be
    /// the one between fields, if that is set.
    #[must_use]
    pub const fn with_value_separator(mut self, separator: char) -> Self {
        self.value_separator = Some(separator);
        self
    }

    /// Sets the header that carries the timestamp, and its format.
    #[must_use]
    pub const fn with_timestamp_header(mut self, name: &'a str, form: TimestampForm) -> Self {
        self.timestamp = Some((TimestampPlace::Header(name), form));
        self
    }

    /// Sets the prefix of the timestamp field in the signature header, and its format.
    #[must_use]
    pub const fn with_timestamp_field(mut self, prefix: &'a str, form: TimestampForm) -> Self {
        self.timestamp = Some((TimestampPlace::Field(prefix), form));
        self
    }

    /// Sets the header that carries the message's id.
    #[must_use]
    pub const fn with_id_header(mut self, name: &'a str) -> Self {
        self.id_header = Some(name);
        self
    }

    /// Sets the prefix of a stronger signature in the same header, such as `v1=` beside this one's
    /// `v0=`. A request that has one is [rejected](super::VerifyError::StrongerSignature) by this
    /// scheme, whatever its own signature is.
    ///
    /// A receiver of a sender that moves from a weak scheme to a stronger one tries the stronger
    /// first. Without this, a forger of the weak signature just adds it to a wrong strong one.
    ///
    /// The prefix contains nothing that separates elements: no separator of the scheme, no comma
    /// except as in `v2,` beside `v1,`, and no space if the time is in the same header.
    #[must_use]
    pub const fn with_stronger_prefix(mut self, prefix: &'a str) -> Self {
        self.stronger_prefix = Some(prefix);
        self
    }

    /// Checks that the spec is consistent.
    pub(super) const fn check(&self) -> Result<(), SchemeSpecError> {
        let contents = match Template::check(self.template) {
            Ok(contents) => contents,
            Err(error) => return Err(error),
        };
        match (contents.id, self.id_header) {
            (true, None) => return Err(SchemeSpecError::NoIdHeader),
            (false, Some(_)) => return Err(SchemeSpecError::IdNotSigned),
            _ => {}
        }
        match (contents.timestamp, self.timestamp) {
            (true, None) => return Err(SchemeSpecError::NoTimestampHeader),
            (false, Some(_)) => return Err(SchemeSpecError::TimestampNotSigned),
            _ => {}
        }
        if contents.timestamp_floats {
            return Err(SchemeSpecError::IdAdjacentToTimestamp);
        }
        if let Some((_, TimestampForm::UnixSeconds | TimestampForm::UnixMillis)) = self.timestamp {
            if contents.id_touches_timestamp {
                return Err(SchemeSpecError::IdAdjacentToTimestamp);
            }
            if contents.text_continues_integer {
                return Err(SchemeSpecError::TextContinuesTimestamp);
            }
        }
        if !is_prefix(self.prefix) {
            return Err(SchemeSpecError::Prefix);
        }
        // Standard Webhooks' prefix `v1,` contains a comma; spaces separate its fields.
        if let Some(separator) = self.separator
            && (!is_separator(separator) || contains(self.prefix.as_bytes(), separator))
        {
            return Err(SchemeSpecError::Separator);
        }
        if let Some(separator) = self.value_separator
            && (!is_separator(separator) || contains(self.prefix.as_bytes(), separator))
        {
            return Err(SchemeSpecError::Separator);
        }
        if let Some(stronger) = self.stronger_prefix {
            if stronger.is_empty() || !is_prefix(stronger) {
                return Err(SchemeSpecError::Prefix);
            }
            match self.separator {
                Some(separator) if !contains(stronger.as_bytes(), separator) => {}
                _ => return Err(SchemeSpecError::Separator),
            }
            if self.prefix.is_empty()
                || starts_with(self.prefix, stronger)
                || self.can_begin_with(stronger)
            {
                return Err(SchemeSpecError::SamePrefix);
            }
        }
        if let Some(id_header) = self.id_header
            && is_same_name(self.header, id_header)
        {
            return Err(SchemeSpecError::SameHeader);
        }
        match (self.timestamp, self.separator) {
            (Some((TimestampPlace::Field(_), _)), None) => Err(SchemeSpecError::Separator),
            (Some((TimestampPlace::Field(field), form)), Some(separator)) => {
                // An encoded tag without a prefix must not look like a timestamp field.
                let has_bare_tag = self.prefix.is_empty() || self.value_separator.is_some();
                let ambiguous = has_bare_tag && !has_char_outside(field.as_bytes(), self.encoding);
                let (in_field, in_time) = match self.value_separator {
                    Some(separator) => {
                        (contains(field.as_bytes(), separator), form.can_contain(separator))
                    }
                    None => (false, false),
                };
                if field.is_empty()
                    || !is_prefix(field)
                    || contains(field.as_bytes(), separator)
                    || in_field
                {
                    Err(SchemeSpecError::Prefix)
                } else if form.can_contain(separator) || in_time {
                    Err(SchemeSpecError::Separator)
                } else if ambiguous
                    || starts_with(self.prefix, field)
                    || (!self.prefix.is_empty() && starts_with(field, self.prefix))
                {
                    Err(SchemeSpecError::SamePrefix)
                } else {
                    Ok(())
                }
            }
            (Some((TimestampPlace::Header(name), _)), _) => {
                let is_taken = match self.id_header {
                    Some(id_header) => is_same_name(name, id_header),
                    None => false,
                };
                if is_taken || is_same_name(name, self.header) {
                    Err(SchemeSpecError::SameHeader)
                } else {
                    Ok(())
                }
            }
            (None, _) => Ok(()),
        }
    }

    /// Returns whether a signature, whatever its first digits are, or a timestamp can begin like a
    /// stronger signature.
    const fn can_begin_with(&self, stronger: &str) -> bool {
        let digits = match after(stronger, self.prefix) {
            // Further values have no prefix.
            None if self.value_separator.is_some() => Some(stronger.as_bytes()),
            digits => digits,
        };
        if let Some(digits) = digits
            && !has_char_outside(digits, self.encoding)
        {
            return true;
        }
        match self.timestamp {
            Some((TimestampPlace::Field(field), _)) => {
                starts_with(field, stronger) || starts_with(stronger, field)
            }
            _ => false,
        }
    }
}

/// Returns whether a field can start with this text: it is printable ASCII, and does not start with
/// a space, because those around a field are removed.
const fn is_prefix(text: &str) -> bool {
    let mut rest = text.as_bytes();
    if let [b' ', ..] = rest {
        return false;
    }
    while let [first, after @ ..] = rest {
        if !first.is_ascii_graphic() && *first != b' ' {
            return false;
        }
        rest = after;
    }
    true
}

/// Returns whether the character can separate fields: it occurs in neither encoding.
const fn is_separator(separator: char) -> bool {
    separator == ' ' || (separator.is_ascii_punctuation() && !matches!(separator, '+' | '/' | '='))
}

/// Returns whether the text contains the ASCII character.
pub(super) const fn contains(text: &[u8], character: char) -> bool {
    let mut rest = text;
    while let [first, after @ ..] = rest {
        if *first as u32 == character as u32 {
            return true;
        }
        rest = after;
    }
    false
}

/// Returns whether the text contains a character outside the encoding's alphabet.
const fn has_char_outside(text: &[u8], encoding: Encoding) -> bool {
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let in_alphabet = match encoding {
            Encoding::Hex => first.is_ascii_hexdigit(),
            Encoding::Base64 => {
                first.is_ascii_alphanumeric() || matches!(*first, b'+' | b'/' | b'=')
            }
        };
        if !in_alphabet {
            return true;
        }
        rest = after;
    }
    false
}

const fn starts_with(text: &str, start: &str) -> bool {
    after(text, start).is_some()
}

/// Returns what follows `start` in the text, if the text starts with it.
const fn after<'a>(text: &'a str, start: &str) -> Option<&'a [u8]> {
    let (mut text, mut start) = (text.as_bytes(), start.as_bytes());
    while let [expected, start_after @ ..] = start {
        match text {
            [found, text_after @ ..] if *found == *expected => text = text_after,
            _ => return None,
        }
        start = start_after;
    }
    Some(text)
}

const fn is_same_name(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        match (left, right) {
            ([], []) => return true,
            ([l, l_after @ ..], [r, r_after @ ..]) if l.eq_ignore_ascii_case(r) => {
                (left, right) = (l_after, r_after);
            }
            _ => return false,
        }
    }
}
