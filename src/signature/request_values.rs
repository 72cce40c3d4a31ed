//! Values of the request that a scheme signs beside id, time and body: [`RequestValues`].

use http::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

use super::custom_scheme::CustomScheme;
use super::error::VerifyError;
use super::headers;
use super::placeholder::Placeholder;
use super::target::{BaseUrl, RequestView};
use super::template::SignedParts;
use crate::secret::wipe::Text;

/// The values of the placeholders in a scheme's template that need the request.
pub(super) struct RequestValues<'a> {
    method: &'a str,
    url: Zeroizing<String>,
    path: Text<'a>,
    query: &'a str,
    headers: &'a HeaderMap,
}

impl<'a> RequestValues<'a> {
    /// Reads the values that the template names.
    pub(super) fn of(
        layout: &CustomScheme,
        request: RequestView<'a>,
        base: Option<&'a BaseUrl>,
    ) -> Result<Self, VerifyError> {
        let mut values = Self {
            method: "",
            url: Zeroizing::default(),
            path: Text::Borrowed(""),
            query: "",
            headers: request.headers,
        };
        for placeholder in layout.template.placeholders() {
            match placeholder {
                Placeholder::Method => values.method = request.target(base)?.method(),
                Placeholder::Url => values.url = request.target(base)?.url()?,
                Placeholder::Path => values.path = request.target(base)?.path(),
                Placeholder::Query => values.query = request.target(base)?.query(),
                Placeholder::Id
                | Placeholder::Timestamp
                | Placeholder::Body
                | Placeholder::Header(..) => {}
            }
        }
        Ok(values)
    }

    /// Returns the signed bytes.
    pub(super) fn fill<'s>(
        &'s self,
        layout: &'s CustomScheme,
        id: &'s str,
        timestamp: &'s [u8],
        body: &'s [u8],
    ) -> Result<SignedParts<'s>, VerifyError> {
        layout.template.fill(|placeholder| {
            Ok(match placeholder {
                Placeholder::Id => id.as_bytes(),
                Placeholder::Timestamp => timestamp,
                Placeholder::Body => body,
                Placeholder::Method => self.method.as_bytes(),
                Placeholder::Url => self.url.as_bytes(),
                Placeholder::Path => self.path.as_bytes(),
                Placeholder::Query => self.query.as_bytes(),
                Placeholder::Header(start, end) => {
                    let name = HeaderName::from_bytes(layout.template.bytes(start, end))
                        .expect("the template was checked");
                    // Transports take whitespace at the ends away.
                    headers::single(self.headers, &name)?.trim_ascii()
                }
            })
        })
    }
}
