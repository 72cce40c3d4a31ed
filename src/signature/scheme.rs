//! How a request carries its proof: [`Scheme`].

use http::HeaderName;

use super::custom_scheme::CustomScheme;
use super::scheme_spec::SchemeSpec;
use super::timestamp_form::TimestampForm;

/// Standard Webhooks 1.0.0, "Signature scheme".
pub(super) static STANDARD_WEBHOOKS: CustomScheme = CustomScheme::from_static(
    SchemeSpec::new("webhook-signature", "{id}.{timestamp}.{body}")
        .with_separator(' ')
        .with_prefix("v1,")
        .with_base64()
        .with_timestamp_header("webhook-timestamp", TimestampForm::UnixSeconds)
        .with_id_header("webhook-id"),
);

/// The same under the older brand.
pub(super) static SVIX: CustomScheme = CustomScheme::from_static(
    SchemeSpec::new("svix-signature", "{id}.{timestamp}.{body}")
        .with_separator(' ')
        .with_prefix("v1,")
        .with_base64()
        .with_timestamp_header("svix-timestamp", TimestampForm::UnixSeconds)
        .with_id_header("svix-id"),
);

/// Strike's documentation of its webhook signatures.
static STRIKE: CustomScheme =
    CustomScheme::from_static(SchemeSpec::new("x-webhook-signature", "{body}"));

/// What precedes an Ed25519 signature in the list of Standard Webhooks.
#[cfg(feature = "ed25519")]
pub(super) const V1A: &str = "v1a,";

/// How a request carries the proof of its origin.
///
/// | scheme | signs | keys | carries |
/// |---|---|---|---|
/// | [`StandardWebhooks`](Self::StandardWebhooks) | id, time, body | secrets, Ed25519 keys | a list |
/// | [`Svix`](Self::Svix) | id, time, body | secrets, Ed25519 keys | a list |
/// | [`Strike`](Self::Strike) | body | secrets | one signature |
/// | [`Token`](Self::Token) | nothing | secrets | the secret itself |
/// | [`CustomScheme`](Self::CustomScheme) | what its template says | secrets | as described |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Standard Webhooks 1.0.0, `v1` and, with the feature `ed25519`, `v1a`: the headers
    /// `webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature`.
    StandardWebhooks,
    /// The same under the names `svix-id`, `svix-timestamp` and `svix-signature`. A verifier takes
    /// either set of names, never a mix of the two; a signer writes the `svix-` names.
    Svix,
    /// Strike: `X-Webhook-Signature`, the hexadecimal HMAC-SHA256 of the body. Neither id nor time
    /// is signed: repeats are told by the event's own id, which is in the body.
    Strike,
    /// A shared secret, as it is, in a header of the receiver's choice. It proves who speaks and
    /// says nothing of the body: whoever sees one request can send others.
    Token(HeaderName),
    /// Any other HMAC-SHA256 scheme, as data.
    CustomScheme(CustomScheme),
}

impl Scheme {
    /// A name that does not change between releases, for a metrics label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standard-webhooks",
            Self::Svix => "svix",
            Self::Strike => "strike",
            Self::Token(_) => "token",
            Self::CustomScheme(_) => "described",
        }
    }

    pub(super) fn layout(&self) -> Layout<'_> {
        match self {
            Self::StandardWebhooks => Layout::Signed(&STANDARD_WEBHOOKS),
            Self::Svix => Layout::Signed(&SVIX),
            Self::Strike => Layout::Signed(&STRIKE),
            Self::Token(header) => Layout::Token(header),
            Self::CustomScheme(described) => Layout::Signed(described),
        }
    }

    #[cfg(feature = "ed25519")]
    pub(super) const fn takes_ed25519(&self) -> bool {
        matches!(self, Self::StandardWebhooks | Self::Svix)
    }

    /// Every header that a signer of the scheme sets.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let (described, token) = match self.layout() {
            Layout::Signed(described) => (Some(described), None),
            Layout::Token(header) => (None, Some(header)),
        };
        described.into_iter().flat_map(CustomScheme::header_names).chain(token)
    }
}

/// What a scheme comes down to.
pub(super) enum Layout<'a> {
    /// Something is signed: every such scheme is a described one.
    Signed(&'a CustomScheme),
    /// Nothing is signed: the secret itself is in this header.
    Token(&'a HeaderName),
}
