//! What a signature must cover and say: [`HttpMessageProfile`].

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderName, header};

use super::component::Component;
use super::profile_error::HttpMessageProfileError;
use super::structured_field::{is_key, is_plain_string};
use super::{CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT};

static WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");

/// The largest number of headers that a profile covers beside its own.
const MAX_HEADERS: usize = 24;

/// Profile of HTTP Message Signatures (RFC 9421): the components that each signature covers, and
/// its parameters.
///
/// RFC 9421 leaves to the application what is signed, and with which algorithm (section 1.4). Here
/// sender and receiver agree on it beforehand, with equal profiles; nothing is negotiated. A
/// signature covers
///
/// - `@method`, `@authority`, `@path` and `@query`,
/// - `content-digest` (RFC 9530), whose `sha-256` digest is compared with the body's,
/// - `content-type`, and
/// - the message's id, in `webhook-id`.
///
/// A [`Signer`](crate::Signer) sets the headers `webhook-id`, `content-digest`, `signature-input`
/// and `signature`. Its signature has the parameters `created` and `expires`, `keyid` if its key
/// has [an id](Self::with_key_ids), `alg`, and the profile's [`tag`](Self::with_tag). It is made
/// with the first key.
///
/// A [`Verifier`](crate::Verifier) reads only the signature with the profile's label, and requires
/// exactly the profile's components, in any order, and `created`. It checks `created` against its
/// tolerance. `expires`, if present, must not have passed. `alg`, if present, must be that of the
/// key, and never chooses one. It ignores a `nonce`, because the message's id detects duplicates.
/// Other parameters, and other forms of the headers than the canonical one (RFC 9651, section 4.1),
/// are refused, as are more than 8 KiB of `signature-input`, `signature` or `content-digest`.
///
/// HMAC-SHA256, Ed25519 (feature `ed25519`) and ECDSA P-256 (feature `p256`) keys can be used:
/// `hmac-sha256`, `ed25519` and `ecdsa-p256-sha256` in the registry. At most one signature is
/// checked per key, over a few hundred bytes; the body is hashed once, after that.
///
/// Behind a proxy, set the verifier's [base URL](crate::Verifier::with_base_url). The bytes of path
/// and query are signed as they are, so a proxy must not normalize them.
///
/// ```
/// use http::Request;
/// use labhook::signature::{HttpMessageProfile, Scheme};
/// use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
///
/// let scheme = Scheme::HttpMessageSignatures(HttpMessageProfile::new());
/// let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
///
/// let signer = Signer::new(scheme.clone(), secret()?)?;
/// let request = Request::post("https://lab.example/hooks?run=17")
///     .header("content-type", "application/json");
/// let (mut request, body) = request.body(br#"{"hello": "world"}"#)?.into_parts();
/// let headers = signer.sign_request(&request, &MessageId::new("msg_1")?, now, body)?;
/// assert_eq!(
///     headers["signature-input"],
///     "sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\" \"content-type\" \
///      \"webhook-id\");created=1744882200;expires=1744882500;alg=\"hmac-sha256\""
/// );
/// assert_eq!(headers["signature"], "sig1=:h8frIOPLTB7Sks9LmwsIa1iUkdggwG0TOJ88gfXNKUw=:");
/// request.headers.extend(headers);
///
/// let verifier = Verifier::new(scheme, secret()?)?;
/// let verified = verifier.verify_request(&request, body, now)?;
/// assert_eq!(verified.id(), Some("msg_1"));
/// assert_eq!(verified.timestamp(), Some(now));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Other profiles
///
/// [`with_target_uri`](Self::with_target_uri), [`with_headers`](Self::with_headers) and
/// [`with_id_header`](Self::with_id_header) express profiles that others have published:
///
/// - Ad Context Protocol 3.2 (its "Signed Requests") covers `@target-uri`, has a fixed `tag` and no
///   header with an id. Its `nonce`, which it requires, is the receiver's to compare; its URLs are
///   normalized further than here.
/// - Universal Commerce Protocol ("Message Signatures") covers the same components as here, with
///   `idempotency-key` for the id and `ucp-agent`; its `created` is optional, and required here,
///   and its `@query` is covered only if there is a query.
#[doc(alias = "RFC 9421")]
#[doc(alias = "RFC 9530")]
#[doc(alias = "HTTP signature")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpMessageProfile {
    pub(super) label: Cow<'static, str>,
    uses_target_uri: bool,
    pub(super) id_header: Option<HeaderName>,
    headers: Vec<HeaderName>,
    pub(super) tag: Option<Box<str>>,
    key_ids: Vec<Box<str>>,
    pub(super) validity: Duration,
}

impl HttpMessageProfile {
    /// Creates the profile with the label `sig1`, without tag and key ids. Signatures expire after
    /// 300 s.
    #[must_use]
    pub fn new() -> Self {
        Self {
            label: Cow::Borrowed("sig1"),
            uses_target_uri: false,
            id_header: Some(WEBHOOK_ID.clone()),
            headers: Vec::new(),
            tag: None,
            key_ids: Vec::new(),
            validity: Duration::from_secs(300),
        }
    }

    /// Sets the label of the signature in both headers. A request may carry others with other
    /// labels, such as a proxy's.
    ///
    /// # Errors
    ///
    /// [`HttpMessageProfileError::Label`] if the text cannot be a label.
    pub fn with_label(mut self, label: &str) -> Result<Self, HttpMessageProfileError> {
        if !is_key(label) {
            return Err(HttpMessageProfileError::Label);
        }
        self.label = Cow::Owned(label.to_owned());
        Ok(self)
    }

    /// Sets the `tag` parameter, which names the application that the signature is for. Without
    /// one, a signature must have no tag.
    ///
    /// # Errors
    ///
    /// [`HttpMessageProfileError::Tag`] if the text cannot be a tag.
    pub fn with_tag(mut self, tag: &str) -> Result<Self, HttpMessageProfileError> {
        if !is_plain_string(tag) {
            return Err(HttpMessageProfileError::Tag);
        }
        self.tag = Some(tag.into());
        Ok(self)
    }

    /// Sets the ids of the keys, in the order in which the signer or verifier gets the keys.
    ///
    /// A verifier tries a key with an id only for signatures with that `keyid`, and a key without
    /// an id for all.
    ///
    /// ```
    /// use labhook::signature::{HttpMessageProfile, Scheme};
    /// use labhook::{Secret, Verifier};
    ///
    /// let profile = HttpMessageProfile::new().with_key_ids(["2026-11", "2026-05"])?;
    /// let new = Secret::from_whsec("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?;
    /// let old = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
    /// let verifier = Verifier::new(Scheme::HttpMessageSignatures(profile), new)?.add_secret(old);
    /// # let _ = verifier;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HttpMessageProfileError::KeyId`] if a text cannot be a key id.
    pub fn with_key_ids<'k>(
        mut self,
        key_ids: impl IntoIterator<Item = &'k str>,
    ) -> Result<Self, HttpMessageProfileError> {
        self.key_ids = key_ids.into_iter().map(Into::into).collect();
        if self.key_ids.iter().all(|key_id| is_plain_string(key_id)) {
            Ok(self)
        } else {
            Err(HttpMessageProfileError::KeyId)
        }
    }

    /// Sets the header that carries the message's id, instead of `webhook-id`.
    ///
    /// # Errors
    ///
    /// [`HttpMessageProfileError::Header`] if the header is covered already.
    pub fn with_id_header(mut self, name: HeaderName) -> Result<Self, HttpMessageProfileError> {
        self.id_header = Some(name);
        self.checked()
    }

    /// Leaves out the header with the message's id.
    ///
    /// A [`Verified`](crate::Verified) then has no id: detect duplicates by an id in the body.
    #[must_use]
    pub fn without_id_header(mut self) -> Self {
        self.id_header = None;
        self
    }

    /// Sets further headers that are covered. Each must be in the request; several lines of one are
    /// joined with commas.
    ///
    /// # Errors
    ///
    /// [`HttpMessageProfileError`] if a header is covered already, or there are more than 24.
    pub fn with_headers(
        mut self,
        names: impl IntoIterator<Item = HeaderName>,
    ) -> Result<Self, HttpMessageProfileError> {
        self.headers = names.into_iter().take(MAX_HEADERS.saturating_add(1)).collect();
        if self.headers.len() > MAX_HEADERS {
            return Err(HttpMessageProfileError::TooManyHeaders);
        }
        self.checked()
    }

    /// Covers `@target-uri`, the whole URL, instead of `@path` and `@query`.
    #[must_use]
    pub const fn with_target_uri(mut self) -> Self {
        self.uses_target_uri = true;
        self
    }

    /// Sets how long after `created` a signer lets its signatures expire, in whole seconds and at
    /// least one. A verifier ignores it, and also has its own tolerance for `created`.
    #[must_use]
    pub const fn with_validity(mut self, validity: Duration) -> Self {
        self.validity = validity;
        self
    }

    fn checked(self) -> Result<Self, HttpMessageProfileError> {
        let own = [&CONTENT_DIGEST, &SIGNATURE, &SIGNATURE_INPUT, &header::CONTENT_TYPE];
        let mut seen: Vec<&HeaderName> = own.to_vec();
        for name in self.id_header.iter().chain(&self.headers) {
            if seen.contains(&name) {
                return Err(HttpMessageProfileError::Header { name: name.clone() });
            }
            seen.push(name);
        }
        Ok(self)
    }

    /// Returns the covered components, in the order in which a signer writes them.
    pub(super) fn components(&self) -> Vec<Component> {
        let url: &[_] = if self.uses_target_uri {
            &[Component::Method, Component::TargetUri, Component::Authority]
        } else {
            &[Component::Method, Component::Authority, Component::Path, Component::Query]
        };
        let headers = [&CONTENT_DIGEST, &header::CONTENT_TYPE].into_iter().chain(&self.id_header);
        let headers = headers.chain(&self.headers).cloned().map(Component::Header);
        url.iter().cloned().chain(headers).collect()
    }

    /// Returns the id of the key with this index.
    pub(super) fn key_id(&self, index: usize) -> Option<&str> {
        self.key_ids.get(index).map(|key_id| &**key_id)
    }

    /// Returns the names of the headers that a signer sets.
    pub(in super::super) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.id_header.iter().chain([&CONTENT_DIGEST, &SIGNATURE_INPUT, &SIGNATURE])
    }

    /// Returns the name of the header that says that a request is signed.
    pub(in super::super) fn signature_header(&self) -> &'static HeaderName {
        &SIGNATURE_INPUT
    }
}

impl Default for HttpMessageProfile {
    fn default() -> Self {
        Self::new()
    }
}
