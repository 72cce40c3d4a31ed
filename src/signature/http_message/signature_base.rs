//! Bytes that are signed (RFC 9421, section 2.5): [`SignatureBase`].

use zeroize::Zeroizing;

use crate::secret::wipe::joined;

/// Signature base, line by line. Wiped when dropped: a secret may be in the URL or in a header.
#[derive(Default)]
pub(super) struct SignatureBase(Zeroizing<String>);

impl SignatureBase {
    /// Adds a covered component. The identifier is a string with its quotes and parameters.
    pub(super) fn add(&mut self, identifier: &str, value: &str) {
        self.0 = joined(&[&self.0, identifier, ": ", value, "\n"]);
    }

    /// Adds the signature parameters, and returns the whole.
    pub(super) fn finish(self, parameters: &str) -> Zeroizing<String> {
        joined(&[&self.0, "\"@signature-params\": ", parameters])
    }
}
