//! Bytes that are signed (RFC 9421, section 2.5): [`SignatureBase`].

/// Signature base, line by line.
#[derive(Default)]
pub(super) struct SignatureBase(String);

impl SignatureBase {
    /// Adds a covered component. The identifier is a string with its quotes and parameters.
    pub(super) fn add(&mut self, identifier: &str, value: &str) {
        for part in [identifier, ": ", value, "\n"] {
            self.0.push_str(part);
        }
    }

    /// Adds the signature parameters, and returns the whole.
    pub(super) fn finish(mut self, parameters: &str) -> String {
        self.0.push_str("\"@signature-params\": ");
        self.0.push_str(parameters);
        self.0
    }
}
