//! A signature scheme as data: [`Described`].

use std::borrow::Cow;

use http::HeaderName;

use super::description::{DescribedError, Description, Encoding, TimestampPlace};
use super::template;
use super::timestamp_form::TimestampForm;

/// A checked description of an HMAC-SHA256 scheme: most vendors differ from each other in data
/// only.
///
/// Everything that the scheme names it also signs. So a [`Verified`](super::Verified) never
/// reports an id or a time that the sender did not vouch for: an id header outside the signature,
/// such as GitHub's `X-GitHub-Delivery`, is not part of the description.
///
/// ```
/// use labhook::signature::{Described, Description, TimestampForm};
///
/// // A literal is checked when it is compiled.
/// const LIMS: Described = Described::from_static(
///     Description::new("x-lims-signature", "{timestamp}.{body}")
///         .separator(',')
///         .prefix("v1=")
///         .timestamp_field("t=", TimestampForm::UnixSeconds),
/// );
/// assert_eq!(LIMS.header(), "x-lims-signature");
///
/// let error = Described::new(Description::new("X-Lims-Signature", "{timestamp}")).unwrap_err();
/// assert_eq!(error.to_string(), "the template does not sign {body}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
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

impl Described {
    /// GitHub: `X-Hub-Signature-256: sha256=<hex>` over the body.
    ///
    /// Neither id nor time is signed, so nothing but the body's own content tells a repeat.
    pub const GITHUB: Self =
        Self::from_static(Description::new("x-hub-signature-256", "{body}").prefix("sha256="));

    /// Slack: `X-Slack-Signature: v0=<hex>` over `v0:{timestamp}:{body}`.
    pub const SLACK: Self = Self::from_static(
        Description::new("x-slack-signature", "v0:{timestamp}:{body}")
            .prefix("v0=")
            .timestamp_header("x-slack-request-timestamp", TimestampForm::UnixSeconds),
    );

    /// Takes a literal description; header names are in lower case. A mistake in it stops the
    /// build when this is evaluated in a `const` or a `static`.
    ///
    /// # Panics
    ///
    /// When called outside a `const` with a description that is not usable; see
    /// [`new`](Self::new) for one that is only known at run time.
    #[must_use]
    #[allow(clippy::panic, reason = "the documented way to fail a const evaluation")]
    pub const fn from_static(description: Description<'static>) -> Self {
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
    /// [`DescribedError`] where the description contradicts itself.
    pub fn new(description: Description<'_>) -> Result<Self, DescribedError> {
        description.check()?;
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let name = |text: &str| {
            HeaderName::from_bytes(text.as_bytes()).map_err(|_| DescribedError::HeaderName)
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
        let names = |scheme: &Described| {
            let names: Vec<_> = scheme.header_names().map(HeaderName::to_string).collect();
            names.join(" ")
        };
        assert_eq!(names(&Described::GITHUB), "x-hub-signature-256");
        assert_eq!(names(&Described::SLACK), "x-slack-request-timestamp x-slack-signature");
    }
}
