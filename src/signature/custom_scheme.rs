//! A signature scheme as data: [`CustomScheme`].

use std::borrow::Cow;

use http::HeaderName;

use super::scheme_spec::{Encoding, SchemeSpec, SchemeSpecError, TimestampPlace};
use super::template;
use super::timestamp_form::TimestampForm;

/// A checked description of an HMAC-SHA256 scheme: most vendors differ from each other in data
/// only.
///
/// Everything that the scheme names it also signs. So a [`Verified`](super::Verified) never
/// reports an id or a time that the sender did not vouch for: an id header outside the signature,
/// such as GitHub's `X-GitHub-Delivery`, is not part of the description.
///
/// # Vendors
///
/// The constants are vendors' schemes, as far as a vendor's own documentation or library confirms
/// header, encoding, signed bytes and the form of the time. Each names that source, and ends in
/// one of two claims, which a test compares with the vectors that it runs:
///
/// - "Vector: published by the vendor": it verifies a signature that the vendor has printed.
/// - "Vector: none published": none was found. The constant verifies a signature that another
///   implementation of HMAC-SHA256 made from the vendor's description; no vendor has vouched for
///   it.
///
/// Unless it says otherwise, a vendor's secret is used as text
/// ([`Secret::from_text`](crate::Secret::from_text)). A scheme says nothing of handshakes and
/// challenges: the host answers those. The vendors that have adopted Standard Webhooks need no
/// constant: see [`Scheme::StandardWebhooks`](super::Scheme::StandardWebhooks).
///
/// # Parts without text between them
///
/// Bytes can move between two parts that touch. Where that is `{id}` and `{body}`, any id would
/// do, and the description is refused. Next to `{timestamp}` it is not refused where the time is
/// in RFC 3339, because Twitch, Zendesk and Box sign so: such a time shows where it begins and
/// ends. An integer does not: it has one spelling, but with a digit more or less it is another
/// time. Next to `{id}` it is refused; next to `{body}` only the verifier's tolerance tells. Do not
/// widen the tolerance of such a scheme, and give a scheme of your own a text between its parts.
///
/// # Not reached, and why
///
/// | out of reach | whose | because |
/// |---|---|---|
/// | `v1der`: ECDSA in the headers of Standard Webhooks | Benchling | asymmetric |
/// | other ECDSA, RSA and Ed25519 signatures | Circle, SendGrid, PayPal, Discord | asymmetric |
/// | method or URL in the signed bytes | Square, HubSpot v3, Contentful | not seen by a verifier |
/// | HMAC-SHA1 | Intercom, Vercel, Twilio | another hash, and URLs for the last |
/// | HMAC-SHA512 | Moov, Paystack | another hash |
/// | a plain hash of secret and body | HubSpot v1 and v2, Recharge | not a MAC |
/// | the signature in the body | Mailgun, Dropbox Sign, Adyen | the body must be parsed first |
/// | a passcode in the body | Figma | nothing is signed |
/// | a JWT in a header | Plaid, Jira Connect and OAuth apps | another format |
/// | an HTTP-date as the time | Klaviyo | no such [`TimestampForm`] |
/// | a blank after the comma | WorkOS | verified if described, but not written so |
/// | told by others | Airtable, Calendly, WooCommerce | the vendor's own text was not at hand |
///
/// ```
/// use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
///
/// // A literal is checked when it is compiled.
/// const LIMS: CustomScheme = CustomScheme::from_static(
///     SchemeSpec::new("x-lims-signature", "{timestamp}.{body}")
///         .with_separator(',')
///         .with_prefix("v1=")
///         .with_timestamp_field("t=", TimestampForm::UnixSeconds),
/// );
/// assert_eq!(LIMS.header(), "x-lims-signature");
///
/// let error = CustomScheme::new(SchemeSpec::new("X-Lims-Signature", "{timestamp}")).unwrap_err();
/// assert_eq!(error.to_string(), "the template does not sign {body}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomScheme {
    pub(super) header: HeaderName,
    pub(super) template: Cow<'static, str>,
    pub(super) prefix: Cow<'static, str>,
    pub(super) encoding: Encoding,
    pub(super) separator: Option<char>,
    pub(super) timestamp: Option<(TimestampSource, TimestampForm)>,
    pub(super) id_header: Option<HeaderName>,
}

/// [`TimestampPlace`], checked and owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimestampSource {
    Header(HeaderName),
    Field(Cow<'static, str>),
}

impl CustomScheme {
    /// Takes a literal description; header names are in lower case. A mistake in it stops the
    /// build when this is evaluated in a `const` or a `static`.
    ///
    /// # Panics
    ///
    /// When called outside a `const` with a description that is not usable; see
    /// [`new`](Self::new) for one that is only known at run time.
    #[must_use]
    #[allow(clippy::panic, reason = "the documented way to fail a const evaluation")]
    pub const fn from_static(description: SchemeSpec<'static>) -> Self {
        if let Err(error) = description.check() {
            panic!("{}", error.text());
        }
        Self {
            header: HeaderName::from_static(description.header),
            template: Cow::Borrowed(description.template),
            prefix: Cow::Borrowed(description.prefix),
            encoding: description.encoding,
            separator: description.separator,
            timestamp: match description.timestamp {
                Some((TimestampPlace::Header(name), form)) => {
                    Some((TimestampSource::Header(HeaderName::from_static(name)), form))
                }
                Some((TimestampPlace::Field(prefix), form)) => {
                    Some((TimestampSource::Field(Cow::Borrowed(prefix)), form))
                }
                None => None,
            },
            id_header: match description.id_header {
                Some(name) => Some(HeaderName::from_static(name)),
                None => None,
            },
        }
    }

    /// Takes a description that came from a configuration; header names may be in any case.
    ///
    /// # Errors
    ///
    /// [`SchemeSpecError`] where the description contradicts itself.
    pub fn new(description: SchemeSpec<'_>) -> Result<Self, SchemeSpecError> {
        description.check()?;
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let name = |text: &str| {
            HeaderName::from_bytes(text.as_bytes()).map_err(|_| SchemeSpecError::HeaderName)
        };
        Ok(Self {
            header: name(description.header)?,
            template: owned(description.template),
            prefix: owned(description.prefix),
            encoding: description.encoding,
            separator: description.separator,
            timestamp: match description.timestamp {
                Some((TimestampPlace::Header(text), form)) => {
                    Some((TimestampSource::Header(name(text)?), form))
                }
                Some((TimestampPlace::Field(prefix), form)) => {
                    Some((TimestampSource::Field(owned(prefix)), form))
                }
                None => None,
            },
            id_header: description.id_header.map(name).transpose()?,
        })
    }

    /// The header that carries the signature.
    #[must_use]
    pub const fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Every header that the scheme sets and reads.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let timestamp = match &self.timestamp {
            Some((TimestampSource::Header(name), _)) => Some(name),
            _ => None,
        };
        [self.id_header.as_ref(), timestamp, Some(&self.header)].into_iter().flatten()
    }

    /// The signed bytes as the slices that make them up: the body is not copied.
    pub(super) fn signed_parts<'a>(
        &'a self,
        id: &'a str,
        timestamp: &'a [u8],
        body: &'a [u8],
    ) -> Vec<&'a [u8]> {
        template::parts(&self.template)
            .map(|part| match part {
                template::Part::Text(text) => text.as_bytes(),
                template::Part::Id => id.as_bytes(),
                template::Part::Timestamp => timestamp,
                template::Part::Body => body,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_described_scheme_names_its_headers() {
        let names = |scheme: &CustomScheme| {
            let names: Vec<_> = scheme.header_names().map(HeaderName::to_string).collect();
            names.join(" ")
        };
        assert_eq!(names(&CustomScheme::GITHUB), "x-hub-signature-256");
        assert_eq!(names(&CustomScheme::SLACK), "x-slack-request-timestamp x-slack-signature");
    }
}
