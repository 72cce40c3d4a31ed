//! Receiver's signature for a request that it got: [`ReceiptProfile`].

use http::{HeaderMap, StatusCode, request};

use super::super::error::VerifyError;
use super::super::http_message_error::HttpMessageError;
use super::super::key::{ReadySigningKey, ReadyVerifyingKey, SigningKey, VerifyingKey};
use super::super::sign_error::SignError;
use super::super::target::{BaseUrl, BaseUrlError, RequestView};
use super::component::combined;
use super::profile::HttpMessageProfile;
use super::sign::{header_value, signature_text};
use super::signature_base::SignatureBase;
use super::signature_input::{SignatureInput, check_components};
use super::signed_request::{is_signed_with, read_signature};
use super::{SIGNATURE, SIGNATURE_INPUT, registered_name};
use crate::secret::wipe::{Text, joined};
use crate::time::Timestamp;

/// Label of a receipt in both headers.
const LABEL: &str = "receipt";

/// The `tag` parameter of a receipt.
const TAG: &str = "labhook-receipt";

/// Profile of receipts: in its response, the receiver of a signed request signs what it got (RFC
/// 9421, section 2.4).
///
/// A receipt covers the status of the response and, of the request, every component of the profile
/// that the request was signed with. It has the label `receipt`, the tag `labhook-receipt` and the
/// parameters `created` and `alg`. These three are this crate's own; no other system is known to
/// write or read them. The receipt does not cover the request's signature itself, which RFC 9421
/// recommends against.
///
/// # What a receipt proves
///
/// A holder of the receiver's key answered this request with this status: its method, URL, content
/// type and id, the other covered headers, and the digest of its body. With a public key, a third
/// party can be shown that too. With a shared secret, the sender could have made the receipt
/// itself.
///
/// It does not prove that the request was handled or stored, that anybody understood the body, or
/// that the status was the last word. The receiver's clock wrote the time. The body of the response
/// is not covered, and neither is the time of the request. A response without a receipt proves
/// nothing: a proxy may have removed it.
///
/// ```
/// use http::{Request, StatusCode};
/// use labhook::signature::{HttpMessageProfile, ReceiptProfile, Scheme, SigningKey, VerifyingKey};
/// use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
///
/// # let now = Timestamp::from_unix_seconds(1_744_882_200);
/// # let secret = || Secret::from_text("a secret of both");
/// # // Outside of an example, an Ed25519 or P-256 key.
/// # let private_key = SigningKey::from(Secret::from_text("a key of the receiver")?);
/// # let public_key = VerifyingKey::from(Secret::from_text("a key of the receiver")?);
/// let profile = HttpMessageProfile::new();
/// # let scheme = Scheme::HttpMessageSignatures(profile.clone());
/// # let signer = Signer::new(scheme.clone(), secret()?)?;
/// # let verifier = Verifier::new(scheme, secret()?)?;
/// # let request = Request::post("https://lab.example/hooks").header("content-type", "text/plain");
/// # let (mut request, body) = request.body(b"{}")?.into_parts();
/// # request.headers.extend(signer.sign_request(&request, &MessageId::new("m")?, now, body)?);
/// // The receiver verifies the request, handles it, and adds these headers to its response.
/// let receipts = ReceiptProfile::new(profile.clone()).with_base_url("https://lab.example")?;
/// verifier.verify_request(&request, body, now)?;
/// let headers = receipts.sign(&private_key, &request, StatusCode::OK, now)?;
///
/// // The sender kept the request that it sent.
/// let receipts = ReceiptProfile::new(profile);
/// let signed_at = receipts.verify(&public_key, &request, StatusCode::OK, &headers)?;
/// assert_eq!(signed_at, now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "acknowledgement")]
#[doc(alias = "non-repudiation")]
#[derive(Clone, Debug)]
pub struct ReceiptProfile {
    request: HttpMessageProfile,
    base_url: Option<BaseUrl>,
}

impl ReceiptProfile {
    /// Creates the profile of receipts for requests that are signed with `request`.
    #[must_use]
    pub const fn new(request: HttpMessageProfile) -> Self {
        Self { request, base_url: None }
    }

    /// Sets the start of the URL as the sender writes it, for a receiver: the same as its
    /// [`Verifier::with_base_url`](crate::Verifier::with_base_url).
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if no request can have such a URL.
    pub fn with_base_url(mut self, url: &str) -> Result<Self, BaseUrlError> {
        self.base_url = Some(BaseUrl::new(url)?);
        Ok(self)
    }

    /// Returns the headers to add to the response with this status.
    ///
    /// [Verify](crate::Verifier::verify_request) the request first: this only signs what its
    /// headers say, and does not compare its digest with the body.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the request lacks what is to be signed.
    pub fn sign(
        &self,
        key: &SigningKey,
        request: &request::Parts,
        status: StatusCode,
        now: Timestamp,
    ) -> Result<HeaderMap, SignError> {
        let key = ReadySigningKey::from(key.clone());
        let covered = self.covered(request, status).map_err(SignError::of)?;
        let identifiers: Vec<&str> = covered.iter().map(|(identifier, _)| &**identifier).collect();
        let parameters = format!(
            "({});created={};alg=\"{}\";tag=\"{TAG}\"",
            identifiers.join(" "),
            now.unix_seconds(),
            registered_name(key.algorithm())
        );
        let mut lines = SignatureBase::default();
        for (identifier, value) in &covered {
            lines.add(identifier, value);
        }
        let signature = signature_text(&key, &lines.finish(&parameters));
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(&SIGNATURE_INPUT, header_value(format!("{LABEL}={parameters}")));
        headers.insert(&SIGNATURE, header_value(format!("{LABEL}=:{signature}:")));
        Ok(headers)
    }

    /// Verifies that a holder of the key signed this status for this request, the one that was
    /// sent. Returns the time in the receipt.
    ///
    /// There is no tolerance: a receipt is as true later as it is now.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if there is no such receipt in the headers of the response.
    pub fn verify(
        &self,
        key: &VerifyingKey,
        request: &request::Parts,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Timestamp, VerifyError> {
        let key = ReadyVerifyingKey::from(key.clone());
        let text = combined(headers, &SIGNATURE_INPUT)?;
        let input = SignatureInput::read(&text, LABEL)?;
        if input.tag != Some(TAG) {
            return Err(HttpMessageError::OtherParameter { parameter: "tag" }.into());
        }
        if input.algorithm != Some(registered_name(key.algorithm())) {
            return Err(HttpMessageError::OtherParameter { parameter: "alg" }.into());
        }
        let covered = self.covered(request, status)?;
        check_components(&input.components, covered.iter().map(|(identifier, _)| &**identifier))?;
        let mut lines = SignatureBase::default();
        for identifier in &input.components {
            let value = covered.iter().find(|(own, _)| own == identifier);
            let (_, value) = value.ok_or(HttpMessageError::UnknownComponent)?;
            lines.add(identifier, value);
        }
        let signature = read_signature(&combined(headers, &SIGNATURE)?, LABEL)?;
        if is_signed_with(&key, &lines.finish(input.text), &signature) {
            Ok(Timestamp::from_unix_seconds(input.created))
        } else {
            Err(VerifyError::NoMatch { name: SIGNATURE.clone() })
        }
    }

    /// Returns the identifiers and values of the covered components.
    fn covered<'r>(
        &'r self,
        request: &'r request::Parts,
        status: StatusCode,
    ) -> Result<Vec<(String, Text<'r>)>, VerifyError> {
        let view = RequestView::request(request);
        let status = Text::Joined(joined(&[status.as_str()]));
        let mut covered = vec![("\"@status\"".to_owned(), status)];
        for component in self.request.components() {
            let value = component.value(view, self.base_url.as_ref())?;
            covered.push((format!("{};req", component.identifier()), value));
        }
        Ok(covered)
    }
}
