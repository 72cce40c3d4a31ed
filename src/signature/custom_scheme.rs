//! Signature schemes as data: [`CustomScheme`].

use std::borrow::Cow;

use http::HeaderName;

use super::algorithm::Algorithm;
use super::elements::Splitter;
use super::encoding::Encoding;
use super::scheme_spec::{SchemeSpec, TimestampPlace};
use super::scheme_spec_error::SchemeSpecError;
use super::template::Template;
use super::timestamp_form::TimestampForm;

/// Signature scheme as data: constants for known vendors, or built from a
/// [`SchemeSpec`].
///
/// A scheme signs every id and time that it carries, so a [`Verified`](super::Verified) never
/// reports one that the sender did not sign. An id header outside the signature, such as GitHub's
/// `X-GitHub-Delivery`, is not part of the scheme.
#[doc = ""]
#[doc = include_str!("vendors.md")]
///
/// # Adjacent placeholders
///
/// If no text separates two placeholders, bytes can move from one to the other under the same
/// signature.
///
/// - `{id}` next to `{body}` is rejected: any id would be accepted.
/// - `{timestamp}` in RFC 3339 may touch the others, because Twitch, Zendesk and Box sign that way:
///   the format shows where such a time starts and ends. An id before it that contains another
///   date-time is rejected as ambiguous. After `{body}`, it cannot touch `{id}`: a time in the body
///   could become the signed one.
/// - An integer `{timestamp}` is different: it has one canonical form, but one digit more or less
///   makes it another time. Next to `{id}`, or to a number in the template, it is rejected. Next to
///   `{body}` it is accepted, and only the verifier's tolerance detects the change: do not widen it
///   for such a scheme.
///
/// - A value of the request, such as `{path}`, must be followed, or after `{body}` preceded, by text
///   that it cannot contain: a line feed for all of them, a space for `{method}`, `{url}`, `{path}` and
///   `{query}`, a question mark for `{path}`. `{method}` may touch a `{url}` or `{path}` after it.
/// - `{url}` may touch `{body}`, because Square and HubSpot sign that way. Bytes can then move
///   between the URL and that end of the body. A JSON object loses a brace that way; do not accept
///   other bodies, and route only URLs that you know.
///
/// Put text between the placeholders of your own schemes.
///
/// # Unsupported schemes
///
/// | scheme | used by | reason |
/// |---|---|---|
/// | RSA signatures, certificates fetched by URL | PayPal, AWS SNS | labhook cannot fetch the certificate |
/// | a list of the signed headers in a header | Contentful | the sender chooses what is signed |
/// | HMAC-SHA1 | Intercom, Vercel, Trello | another hash; only Twilio's is supported |
/// | HMAC-SHA512 | Moov, Paystack | another hash |
/// | a plain hash of secret and body | HubSpot v1 and v2, Recharge | not a MAC |
/// | the signature in the query | Kiwify | no such place |
/// | the signature in the body | Mailgun, Dropbox Sign, Adyen | the body must be parsed first |
/// | a passcode in the body | Figma, Microsoft Graph | nothing is signed |
/// | a JWT in a header | Plaid, Jira Connect and OAuth apps | another format |
/// | an HTTP-date as the timestamp | Klaviyo | no such [`TimestampForm`] |
/// | third-party descriptions only | Airtable | vendor's text not available |
///
/// ```
/// use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
///
/// // Checked at compile time.
/// const LIMS: CustomScheme = CustomScheme::from_static(
///     SchemeSpec::new("x-lims-signature", "{timestamp}.{body}")
///         .with_separator(',')
///         .with_prefix("v1=")
///         .with_timestamp_field("t=", TimestampForm::UnixSeconds),
/// );
/// assert_eq!(LIMS.header(), "x-lims-signature");
///
/// let error = CustomScheme::new(SchemeSpec::new("X-Lims-Signature", "{timestamp}")).unwrap_err();
/// assert_eq!(error.to_string(), "the template must contain `{body}`");
/// ```
#[doc(alias = "HMAC")]
#[doc(alias = "vendor")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomScheme {
    pub(super) header: HeaderName,
    pub(super) template: Template,
    pub(super) algorithm: Algorithm,
    splitter: Splitter,
    pub(super) prefix: Cow<'static, str>,
    pub(super) stronger_prefix: Option<Cow<'static, str>>,
    pub(super) encoding: Encoding,
    pub(super) separator: Option<char>,
    pub(super) value_separator: Option<char>,
    pub(super) timestamp: Option<(TimestampSource, TimestampForm)>,
    pub(super) id_header: Option<HeaderName>,
}

/// Checked and owned [`TimestampPlace`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum TimestampSource {
    Header(HeaderName),
    Field(Cow<'static, str>),
}

impl CustomScheme {
    /// Creates a scheme from a literal spec with lower-case header names. In a `const` or a
    /// `static`, a mistake fails the build.
    ///
    /// # Panics
    ///
    /// If the spec is invalid and this is called outside a `const` or a `static`. Use
    /// [`new`](Self::new) for a spec that is only known at run time.
    #[must_use]
    #[allow(clippy::panic, reason = "the documented way to fail a const evaluation")]
    pub const fn from_static(spec: SchemeSpec<'static>) -> Self {
        let splitter = match checked(&spec) {
            Ok(splitter) => splitter,
            Err(error) => panic!("{}", error.text()),
        };
        Self {
            header: HeaderName::from_static(spec.header),
            template: Template::from_static(spec.template),
            algorithm: spec.algorithm,
            splitter,
            prefix: Cow::Borrowed(spec.prefix),
            stronger_prefix: match spec.stronger_prefix {
                Some(prefix) => Some(Cow::Borrowed(prefix)),
                None => None,
            },
            encoding: spec.encoding,
            separator: spec.separator,
            value_separator: spec.value_separator,
            timestamp: match spec.timestamp {
                Some((TimestampPlace::Header(name), form)) => {
                    Some((TimestampSource::Header(HeaderName::from_static(name)), form))
                }
                Some((TimestampPlace::Field(prefix), form)) => {
                    Some((TimestampSource::Field(Cow::Borrowed(prefix)), form))
                }
                None => None,
            },
            id_header: match spec.id_header {
                Some(name) => Some(HeaderName::from_static(name)),
                None => None,
            },
        }
    }

    /// Creates a scheme from a spec that is only known at run time, such as one from a
    /// configuration file. Header names may be in any case.
    ///
    /// # Errors
    ///
    /// [`SchemeSpecError`] if the spec is invalid or contradicts itself.
    pub fn new(spec: SchemeSpec<'_>) -> Result<Self, SchemeSpecError> {
        let splitter = checked(&spec)?;
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let name = |text: &str| {
            HeaderName::from_bytes(text.as_bytes()).map_err(|_| SchemeSpecError::HeaderName)
        };
        Ok(Self {
            header: name(spec.header)?,
            template: Template::new(spec.template),
            algorithm: spec.algorithm,
            splitter,
            prefix: owned(spec.prefix),
            stronger_prefix: spec.stronger_prefix.map(owned),
            encoding: spec.encoding,
            separator: spec.separator,
            value_separator: spec.value_separator,
            timestamp: match spec.timestamp {
                Some((TimestampPlace::Header(text), form)) => {
                    Some((TimestampSource::Header(name(text)?), form))
                }
                Some((TimestampPlace::Field(prefix), form)) => {
                    Some((TimestampSource::Field(owned(prefix)), form))
                }
                None => None,
            },
            id_header: spec.id_header.map(name).transpose()?,
        })
    }

    /// Returns the algorithm of the signature, which decides the kind of key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the name of the header that carries the signature.
    #[must_use]
    pub const fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Returns the names of all headers that the scheme sets and reads.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let timestamp = match &self.timestamp {
            Some((TimestampSource::Header(name), _)) => Some(name),
            _ => None,
        };
        [self.id_header.as_ref(), timestamp, Some(&self.header)].into_iter().flatten()
    }

    /// Returns whether the header carries a signature per key.
    pub(super) const fn is_list(&self) -> bool {
        self.separator.is_some() || self.value_separator.is_some()
    }

    /// Returns whether the id's boundary could move without changing the signed bytes.
    pub(super) fn id_is_ambiguous(&self, id: &str) -> bool {
        let integer_time = matches!(
            self.timestamp,
            Some((_, TimestampForm::UnixSeconds | TimestampForm::UnixMillis))
        );
        self.template.id_is_ambiguous(integer_time, id)
    }

    /// Returns whether the scheme signs anything of the request except id, time and body.
    pub(super) const fn signs_request(&self) -> bool {
        self.template.signs_request()
    }

    /// Returns the prefix and the encoding of a signature of the algorithm. Beside its own, only the
    /// list of Standard Webhooks has others.
    pub(super) fn form_of(&self, algorithm: Algorithm) -> (&str, Encoding) {
        match algorithm {
            own if own == self.algorithm => (&self.prefix, self.encoding),
            Algorithm::Ed25519 => ("v1a,", Encoding::Base64),
            _ => ("v1der,", Encoding::Base64),
        }
    }

    /// Returns the algorithm of a signature other than an HMAC in the signature header, and its
    /// encoded text.
    pub(super) fn public_key_signature<'h>(
        &self,
        element: &'h [u8],
    ) -> Option<(Algorithm, &'h [u8])> {
        if self.algorithm != Algorithm::HmacSha256 {
            return Some((self.algorithm, element.strip_prefix(self.prefix.as_bytes())?));
        }
        let comma = element.iter().position(|&byte| byte == b',')?;
        let (version, text) = element.split_at_checked(comma)?;
        let algorithm = match version {
            b"v1a" => Algorithm::Ed25519,
            [b'v', number @ .., b'd', b'e', b'r']
                if !number.is_empty() && number.iter().all(u8::is_ascii_digit) =>
            {
                Algorithm::EcdsaP256
            }
            _ => return None,
        };
        Some((algorithm, text.strip_prefix(b",")?))
    }

    /// Returns the timestamps and signatures in a line of the signature header.
    pub(super) fn elements<'h>(&self, line: &'h [u8]) -> impl Iterator<Item = &'h [u8]> {
        self.splitter.elements(&self.prefix, line)
    }
}

/// Checks a spec, and returns what splits its header.
const fn checked(spec: &SchemeSpec<'_>) -> Result<Splitter, SchemeSpecError> {
    if let Err(error) = spec.check() {
        return Err(error);
    }
    let splitter = Splitter::new(spec);
    match spec.stronger_prefix {
        // No element would begin with it.
        Some(prefix) if !splitter.keeps(prefix) => Err(SchemeSpecError::Separator),
        _ => Ok(splitter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_lists_its_headers() {
        let names = |scheme: &CustomScheme| {
            let names: Vec<_> = scheme.header_names().map(HeaderName::to_string).collect();
            names.join(" ")
        };
        assert_eq!(names(&CustomScheme::GITHUB), "x-hub-signature-256");
        assert_eq!(names(&CustomScheme::SLACK), "x-slack-request-timestamp x-slack-signature");
    }

    #[test]
    fn each_spec_error_has_its_text() {
        use SchemeSpecError as E;
        const FORM: TimestampForm = TimestampForm::UnixSeconds;
        let new = SchemeSpec::new;
        for (spec, error, text) in [
            (new("x", "v0"), E::NoBody, "the template must contain `{body}`"),
            (
                new("x", "{Body}{body}"),
                E::Placeholder,
                "the template has a brace outside a placeholder such as `{body}`",
            ),
            (new("x", "{body}{body}"), E::Repeated, "the template repeats a placeholder"),
            (
                new("x", "{id}{body}").with_id_header("y"),
                E::IdAdjacentToBody,
                "the template must have text between `{id}` and `{body}`",
            ),
            (
                new("x", "{id}{timestamp}.{body}")
                    .with_id_header("y")
                    .with_timestamp_header("z", FORM),
                E::IdAdjacentToTimestamp,
                "the template must have text between `{id}` and a `{timestamp}` that is an integer \
                 or follows `{body}`",
            ),
            (
                new("x", "{timestamp}0{body}").with_timestamp_header("z", FORM),
                E::TextContinuesTimestamp,
                "the text beside an integer `{timestamp}` must not be a number",
            ),
            (
                new("x", "{timestamp}.{body}"),
                E::NoTimestampHeader,
                "the template contains `{timestamp}`, but no timestamp header or field is set",
            ),
            (
                new("x", "{body}").with_timestamp_header("y", FORM),
                E::TimestampNotSigned,
                "a timestamp is set, but the template does not contain `{timestamp}`",
            ),
            (
                new("x", "{id}.{body}"),
                E::NoIdHeader,
                "the template contains `{id}`, but no id header is set",
            ),
            (
                new("x", "{body}").with_id_header("y"),
                E::IdNotSigned,
                "an id header is set, but the template does not contain `{id}`",
            ),
            (new("x y", "{body}"), E::HeaderName, "a header name is invalid"),
            (
                new("x-a", "{id}.{body}").with_id_header("X-A"),
                E::SameHeader,
                "two headers have the same name",
            ),
            (
                new("x", "{body}").with_prefix(" v1"),
                E::Prefix,
                "a prefix must be printable ASCII without the separator and without a space at \
                 its start, and that of the timestamp must not be empty",
            ),
            (
                new("x", "{timestamp}{body}")
                    .with_separator(',')
                    .with_prefix("t=")
                    .with_timestamp_field("t=", FORM),
                E::SamePrefix,
                "the prefixes of timestamp and signatures are ambiguous",
            ),
            (
                new("x", "{timestamp}{body}").with_timestamp_field("t=", FORM),
                E::Separator,
                "a separator is missing or could occur inside a field",
            ),
        ] {
            let found = CustomScheme::new(spec).unwrap_err();
            assert_eq!(found, error);
            assert_eq!(found.to_string(), text);
        }
    }

    #[test]
    fn template_with_a_movable_time_is_rejected() {
        use SchemeSpecError::{IdAdjacentToTimestamp as Id, TextContinuesTimestamp as Text};
        for (template, rfc3339, integer) in [
            ("{body}{timestamp}{id}", Some(Id), Some(Id)),
            ("{body}.{timestamp}{id}", Some(Id), Some(Id)),
            ("{body}.{id}{timestamp}", None, Some(Id)),
            ("{timestamp}{id}.{body}", None, Some(Id)),
            ("{body}{timestamp}.{id}", None, None),
            ("{id}.{timestamp}0{body}", None, Some(Text)),
            ("{timestamp}17.{id}.{body}", None, None),
            ("{timestamp}17{id}.{body}", None, Some(Text)),
            ("{id}.{body}17{timestamp}", None, Some(Text)),
            ("{id}.{body}-{timestamp}", None, Some(Text)),
            ("{id}.{body}-x{timestamp}", None, None),
            ("{body}.{id}-1{timestamp}", None, Some(Text)),
            ("{body}.{id}-{timestamp}", None, None),
            ("17{timestamp}.{id}.{body}", None, None),
            ("{id}.{body}.{timestamp}17", None, None),
        ] {
            let check = |form| {
                let spec = SchemeSpec::new("x", template).with_id_header("y");
                CustomScheme::new(spec.with_timestamp_header("z", form)).err()
            };
            assert_eq!(check(TimestampForm::Rfc3339), rfc3339, "{template}");
            assert_eq!(check(TimestampForm::UnixSeconds), integer, "{template}");
            assert_eq!(check(TimestampForm::UnixMillis), integer, "{template}");
        }
    }

    #[test]
    fn contradictory_specs_are_rejected() {
        use SchemeSpecError as E;
        const FORM: TimestampForm = TimestampForm::UnixSeconds;
        let signed = SchemeSpec::new("x", "{timestamp}.{body}").with_separator(',');
        let error = |spec| CustomScheme::new(spec).unwrap_err();
        assert_eq!(error(signed.with_timestamp_header("X", FORM)), E::SameHeader);
        assert_eq!(error(signed.with_timestamp_field("", FORM)), E::Prefix);
        assert_eq!(error(signed.with_timestamp_field("t,", FORM)), E::Prefix);
        assert_eq!(
            error(signed.with_prefix("t=1").with_timestamp_field("t=", FORM)),
            E::SamePrefix
        );
        assert_eq!(error(signed.with_prefix("t").with_timestamp_field("t=", FORM)), E::SamePrefix);
        // A hexadecimal tag may start with an a.
        assert_eq!(error(signed.with_timestamp_field("a", FORM)), E::SamePrefix);
        assert!(CustomScheme::new(signed.with_timestamp_field("a=", FORM)).is_ok());
        assert_eq!(error(signed.with_base64().with_timestamp_field("t", FORM)), E::SamePrefix);
        let rfc3339 = signed.with_prefix("v1=").with_separator(':');
        assert_eq!(error(rfc3339.with_timestamp_field("t=", TimestampForm::Rfc3339)), E::Separator);
        let minus = signed.with_prefix("v1=").with_separator('-');
        assert_eq!(error(minus.with_timestamp_field("t=", FORM)), E::Separator);
        let touching = SchemeSpec::new("x", "{id}{timestamp}.{body}").with_id_header("y");
        assert_eq!(error(touching.with_timestamp_header("z", FORM)), E::IdAdjacentToTimestamp);
        assert!(
            CustomScheme::new(touching.with_timestamp_header("z", TimestampForm::Rfc3339)).is_ok()
        );
        let plain = SchemeSpec::new("x", "{body}");
        for bad in ['=', '/', '+', 'a', '0', '\n', 'é'] {
            assert_eq!(error(plain.with_separator(bad)), E::Separator, "{bad:?}");
        }
        assert_eq!(error(plain.with_separator(',').with_prefix("v1,")), E::Separator);
        assert!(CustomScheme::new(plain.with_separator(';').with_prefix("v1,")).is_ok());
        for bad in [
            "{body}}",
            "{{body}",
            "{body",
            "{}{body}",
            "{body}{id",
            "{",
            "{header:x",
            "{header:xY}{body}",
        ] {
            let error = error(SchemeSpec::new("x", bad));
            assert_eq!(error, E::Placeholder, "{bad}");
        }
        assert_eq!(
            error(SchemeSpec::new("x", "{body}{id}").with_id_header("y")),
            E::IdAdjacentToBody
        );
    }
}
