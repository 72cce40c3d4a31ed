//! The two sets of header names of Standard Webhooks, in one request.

use http::HeaderMap;

use super::error::VerifyError;
use super::headers;
use super::scheme::{STANDARD_WEBHOOKS, SVIX};

/// Checks that the request has all `svix-` and all `webhook-` headers, with the same id and time.
pub(super) fn check(headers: &HeaderMap) -> Result<(), VerifyError> {
    let pairs = SVIX.header_names().zip(STANDARD_WEBHOOKS.header_names());
    for (svix, standard) in pairs {
        let is_complete = headers.contains_key(svix) && headers.contains_key(standard);
        let is_signature = svix == SVIX.header();
        if !is_complete
            || (!is_signature
                && headers::single(headers, svix)? != headers::single(headers, standard)?)
        {
            return Err(VerifyError::MixedBrands);
        }
    }
    Ok(())
}
