//! Signature schemes: [`Scheme`].

use std::fmt;

use http::HeaderName;

use super::algorithm::Algorithm;
use super::custom_scheme::CustomScheme;
use super::http_message::HttpMessageProfile;
use super::scheme_spec::SchemeSpec;
use super::timestamp_form::TimestampForm;

/// Source: Standard Webhooks 1.0.0, "Signature scheme".
pub(super) static STANDARD_WEBHOOKS: CustomScheme = CustomScheme::from_static(
    SchemeSpec::new("webhook-signature", "{id}.{timestamp}.{body}")
        .with_separator(' ')
        .with_prefix("v1,")
        .with_base64()
        .with_timestamp_header("webhook-timestamp", TimestampForm::UnixSeconds)
        .with_id_header("webhook-id"),
);

/// Standard Webhooks under Svix's header names.
pub(super) static SVIX: CustomScheme = CustomScheme::from_static(
    SchemeSpec::new("svix-signature", "{id}.{timestamp}.{body}")
        .with_separator(' ')
        .with_prefix("v1,")
        .with_base64()
        .with_timestamp_header("svix-timestamp", TimestampForm::UnixSeconds)
        .with_id_header("svix-id"),
);

/// Source: Strike's documentation of its webhook signatures.
static STRIKE: CustomScheme =
    CustomScheme::from_static(SchemeSpec::new("x-webhook-signature", "{body}"));

/// Signature scheme: which headers prove a request's origin, and what they sign.
///
/// | scheme | signs | keys | header carries |
/// |---|---|---|---|
/// | [`StandardWebhooks`](Self::StandardWebhooks) | id, time, body | of every kind | a list |
/// | [`Svix`](Self::Svix) | id, time, body | of every kind | a list |
/// | [`Strike`](Self::Strike) | body | secrets | one signature |
/// | [`Token`](Self::Token) | nothing | secrets | the secret itself |
/// | [`HttpMessageSignatures`](Self::HttpMessageSignatures) | request, id, time, body | of every kind | one |
/// | [`CustomScheme`](Self::CustomScheme) | per its template | of its algorithm | one, or a list |
///
/// `Display` writes the [`name`](Self::name).
///
/// ```
/// use labhook::signature::{CustomScheme, Scheme};
/// use labhook::{Secret, Verifier};
///
/// // Choose a scheme at run time, such as from an endpoint's settings.
/// let scheme = match "github" {
///     "github" => Scheme::CustomScheme(CustomScheme::GITHUB),
///     _ => Scheme::StandardWebhooks,
/// };
/// let verifier = Verifier::new(scheme, Secret::from_text("It's a Secret to Everybody")?)?;
/// # assert!(matches!(verifier.scheme(), Scheme::CustomScheme(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "signature scheme")]
#[doc(alias = "HMAC")]
#[doc(alias = "Standard Webhooks")]
#[doc(alias = "bearer token")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "one is kept per signer or verifier")]
pub enum Scheme {
    /// Standard Webhooks 1.0.0, `v1` and, with the feature `ed25519`, `v1a`: the headers
    /// `webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature`.
    ///
    /// With the feature `p256` also `v1der`, `v2der` and so on, which are not in that specification:
    /// ECDSA P-256 in DER, as Benchling signs. The number says which of the sender's keys it is, and
    /// is ignored: each of the verifier's P-256 keys is tried. A signer writes `v1der`.
    #[doc(alias = "Standard Webhooks")]
    StandardWebhooks,
    /// Standard Webhooks with the headers `svix-id`, `svix-timestamp` and `svix-signature`. A
    /// verifier accepts either set of names, and both if they are complete and have the same id and
    /// time, but no mix; a signer writes the `svix-` names.
    Svix,
    /// Strike: `X-Webhook-Signature`, the hexadecimal HMAC-SHA256 of the body. Neither id nor time
    /// is signed: detect duplicates by the event's own id, which is in the body.
    Strike,
    /// A shared secret, sent unchanged in this header. It identifies the sender but does not
    /// protect the body: anybody who sees one request can send others.
    ///
    /// It is the scheme of senders with custom headers, such as LINQ and Label Studio, and of
    /// Hugging Face, whose header is [`HUGGING_FACE_HEADER`](Self::HUGGING_FACE_HEADER).
    Token(HeaderName),
    /// Twilio: `X-Twilio-Signature`, the base64 HMAC-SHA1 of the URL and the sorted parameters of the
    /// form in the body; or of the URL alone, if it contains the digest of the body as `bodySHA256`.
    /// Needs the feature `twilio`, and [`verify_request`](super::Verifier::verify_request). The secret
    /// is the auth token, as text.
    ///
    /// This is the weakest scheme here; use it for Twilio only. SHA-1 is broken for collisions, though
    /// not for HMAC as far as is known. Names and values are signed without anything between them, so
    /// a forger can move bytes from one to the other: `ab=c` and `a=bc` have one signature, and so can
    /// bytes between them and the end of the URL: match its whole text, the query too, and accept a
    /// `bodySHA256` only for URLs that you gave to Twilio for JSON. Neither id nor time is signed. A body that the signature does not cover is rejected. Twilio's newer
    /// `HMAC_SHA256` signatures, which an unsigned header announces, are not supported.
    ///
    /// Source: Twilio's "Webhooks security" and `twilio-node`. Vector: published by the vendor, on
    /// that page.
    #[cfg(feature = "twilio")]
    Twilio,
    /// HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530): method, URL, body, content
    /// type, id and time are signed, as the profile says.
    #[doc(alias = "RFC 9421")]
    HttpMessageSignatures(HttpMessageProfile),
    /// Another scheme, configured as data.
    CustomScheme(CustomScheme),
}

impl Scheme {
    /// The header in which Hugging Face sends a webhook's secret unchanged: `X-Webhook-Secret`.
    ///
    /// Source: "Webhooks" in the documentation of the Hub ("Webhook secret"), which allows ASCII
    /// characters only. Without a secret there is no such header.
    ///
    /// ```
    /// use labhook::signature::Scheme;
    /// use labhook::{Secret, Timestamp, Verifier};
    ///
    /// let secret = Secret::from_text("correct horse battery")?;
    /// let verifier = Verifier::token(Scheme::HUGGING_FACE_HEADER, secret)?;
    ///
    /// let mut headers = http::HeaderMap::new();
    /// headers.insert("X-Webhook-Secret", "correct horse battery".parse()?);
    /// assert!(verifier.verify(&headers, b"{}", Timestamp::UNIX_EPOCH).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(clippy::declare_interior_mutable_const, reason = "a custom name has its bytes in it")]
    pub const HUGGING_FACE_HEADER: HeaderName = HeaderName::from_static("x-webhook-secret");

    /// Returns a name that does not change between releases, for use as a metrics label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standard-webhooks",
            Self::Svix => "svix",
            Self::Strike => "strike",
            Self::Token(_) => "token",
            #[cfg(feature = "twilio")]
            Self::Twilio => "twilio",
            Self::HttpMessageSignatures(_) => "http-message-signatures",
            Self::CustomScheme(_) => "custom",
        }
    }

    /// Returns the scheme's layout in the headers.
    pub(super) fn layout(&self) -> Layout<'_> {
        match self {
            Self::StandardWebhooks => Layout::Signed(&STANDARD_WEBHOOKS),
            Self::Svix => Layout::Signed(&SVIX),
            Self::Strike => Layout::Signed(&STRIKE),
            Self::Token(header) => Layout::Token(header),
            #[cfg(feature = "twilio")]
            Self::Twilio => Layout::Twilio,
            Self::HttpMessageSignatures(profile) => Layout::HttpMessage(profile),
            Self::CustomScheme(scheme) => Layout::Signed(scheme),
        }
    }

    /// Returns the only algorithm of which the scheme takes keys; `None` for every one.
    pub(super) const fn required_algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::StandardWebhooks | Self::Svix | Self::HttpMessageSignatures(_) => None,
            Self::Strike | Self::Token(_) => Some(Algorithm::HmacSha256),
            // Its keys are secrets too.
            #[cfg(feature = "twilio")]
            Self::Twilio => Some(Algorithm::HmacSha256),
            Self::CustomScheme(scheme) => Some(scheme.algorithm),
        }
    }

    pub(super) fn takes_secrets(&self) -> bool {
        self.required_algorithm().is_none_or(|required| required == Algorithm::HmacSha256)
    }

    /// Returns the names of all headers that a signer of the scheme sets.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let (signed, token, profile) = match self.layout() {
            Layout::Signed(scheme) => (Some(scheme), None, None),
            Layout::Token(header) => (None, Some(header), None),
            Layout::HttpMessage(profile) => (None, None, Some(profile)),
            #[cfg(feature = "twilio")]
            Layout::Twilio => (None, Some(&super::twilio::HEADER), None),
        };
        let profile = profile.into_iter().flat_map(HttpMessageProfile::header_names);
        signed.into_iter().flat_map(CustomScheme::header_names).chain(token).chain(profile)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Returns whether this is a header of Standard Webhooks under one of its two sets of names.
pub(crate) fn is_brand_header(name: &HeaderName) -> bool {
    STANDARD_WEBHOOKS.header_names().chain(SVIX.header_names()).any(|known| known == name)
}

/// Layout of a scheme in the headers.
pub(super) enum Layout<'a> {
    /// Signed: built-in schemes are expressed as a [`CustomScheme`] too.
    Signed(&'a CustomScheme),
    /// Unsigned: this header carries the secret itself.
    Token(&'a HeaderName),
    /// Not like any other.
    #[cfg(feature = "twilio")]
    Twilio,
    /// Signed, as HTTP Message Signatures.
    HttpMessage(&'a HttpMessageProfile),
}
