//! The checks that a [`Verifier`] makes, by the layout of its scheme.

use http::{HeaderMap, HeaderName};

use super::super::brands;
use super::super::custom_scheme::{CustomScheme, TimestampSource};
use super::super::error::VerifyError;
use super::super::fields::Fields;
use super::super::headers;
use super::super::http_message::{HttpMessageProfile, SignedRequest};
use super::super::key::ReadyVerifyingKey;
use super::super::request_values::RequestValues;
use super::super::scheme::{self, Layout, Scheme};
use super::super::target::RequestView;
use super::super::verified::Verified;
use super::Verifier;
use crate::time::Timestamp;

#[cfg(feature = "twilio")]
use super::super::twilio;

impl Verifier {
    pub(crate) fn verify_view<'a>(
        &self,
        request: RequestView<'a>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        match self.layout(request.headers)? {
            (Layout::Signed(layout), other) => {
                self.verify_signed(layout, other, request, body, now)
            }
            (Layout::Token(header), _) => self.verify_token(header, request.headers, body),
            #[cfg(feature = "twilio")]
            (Layout::Twilio, _) => self.verify_twilio(request, body),
            (Layout::HttpMessage(profile), _) => {
                self.verify_http_message(profile, request, body, now)
            }
        }
    }

    /// Returns whether the request has the header that carries this verifier's signature or token.
    pub(crate) fn has_signature_header(&self, headers: &HeaderMap) -> bool {
        match self.layout(headers) {
            Ok((Layout::Signed(layout), _)) => headers.contains_key(layout.header()),
            Ok((Layout::Token(header), _)) => headers.contains_key(header),
            #[cfg(feature = "twilio")]
            Ok((Layout::Twilio, _)) => headers.contains_key(&twilio::HEADER),
            Ok((Layout::HttpMessage(profile), _)) => {
                headers.contains_key(profile.signature_header())
            }
            Err(_) => true,
        }
    }

    /// Returns the layout of the request, and the other brand's if the request has both.
    fn layout(
        &self,
        headers: &HeaderMap,
    ) -> Result<(Layout<'_>, Option<&'static CustomScheme>), VerifyError> {
        let has_any_of =
            |layout: &CustomScheme| layout.header_names().any(|name| headers.contains_key(name));
        if self.scheme != Scheme::Svix || !has_any_of(&scheme::STANDARD_WEBHOOKS) {
            Ok((self.scheme.layout(), None))
        } else if has_any_of(&scheme::SVIX) {
            brands::check(headers)?;
            Ok((Layout::Signed(&scheme::SVIX), Some(&scheme::STANDARD_WEBHOOKS)))
        } else {
            Ok((Layout::Signed(&scheme::STANDARD_WEBHOOKS), None))
        }
    }

    fn verify_token<'a>(
        &self,
        header: &HeaderName,
        headers: &HeaderMap,
        body: &'a [u8],
    ) -> Result<Verified<'a>, VerifyError> {
        let presented = headers::single(headers, header)?;
        // Tags under the secret are compared instead of the secret itself. All tags have the same
        // length, so the time depends on the length of the presented token, and on the secret only
        // by its number of 64-byte blocks.
        let matches = |key: &ReadyVerifyingKey| match key {
            ReadyVerifyingKey::Shared(key) => {
                key.tag(&[presented]) == key.tag(&[key.secret().expose_bytes()])
            }
            ReadyVerifyingKey::Public(_) => false,
        };
        Ok(Verified {
            body,
            id: None,
            timestamp: None,
            expires_at: None,
            key_index: self.first_match(header, matches)?,
        })
    }

    #[cfg(feature = "twilio")]
    fn verify_twilio<'a>(
        &self,
        request: RequestView<'a>,
        body: &'a [u8],
    ) -> Result<Verified<'a>, VerifyError> {
        let presented = headers::single(request.headers, &twilio::HEADER)?;
        let signature = twilio::Signature::read(presented)?;
        let target = request.target(self.base_url.as_ref())?;
        let signed = twilio::SignedBytes::of(target, request.headers, body)?;
        let matches = |key: &ReadyVerifyingKey| match key {
            ReadyVerifyingKey::Shared(key) => signed.is_signed(key, &signature),
            ReadyVerifyingKey::Public(_) => false,
        };
        let key_index = self.first_match(&twilio::HEADER, matches)?;
        Ok(Verified { body, id: None, timestamp: None, expires_at: None, key_index })
    }

    fn verify_http_message<'a>(
        &self,
        profile: &HttpMessageProfile,
        request: RequestView<'a>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let signed = SignedRequest::read(profile, request, self.base_url.as_ref())?;
        let created = signed.created();
        self.check_time(created, now)?;
        let key_index = signed.check(&self.keys, body, now)?;
        let last = created + self.past;
        Ok(Verified {
            body,
            id: signed.id(),
            timestamp: Some(created),
            expires_at: Some(signed.expires().map_or(last, |expires| expires.min(last))),
            key_index,
        })
    }

    fn verify_signed<'a>(
        &self,
        layout: &CustomScheme,
        other: Option<&CustomScheme>,
        request: RequestView<'a>,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let headers = request.headers;
        // Both brands sign the same bytes, so their signatures are one list.
        let names = [Some(layout), other].into_iter().flatten().map(CustomScheme::header);
        let mut fields = Fields::new();
        fields.read(layout, names, headers, &self.keys)?;
        let id = match &layout.id_header {
            Some(name) => Some(headers::message_id(headers, name, layout)?),
            None => None,
        };
        let (timestamp_text, timestamp) = match &layout.timestamp {
            Some((source, form)) => {
                let (name, text) = match source {
                    TimestampSource::Header(name) => (name, headers::single(headers, name)?),
                    TimestampSource::Field(_) => {
                        let name = &layout.header;
                        let missing = || VerifyError::MissingTimestamp { name: name.clone() };
                        (name, fields.timestamp.ok_or_else(missing)?)
                    }
                };
                let malformed = || VerifyError::MalformedTimestamp { name: name.clone() };
                (text, Some(form.read(text).ok_or_else(malformed)?))
            }
            None => (&[][..], None),
        };
        if let Some(timestamp) = timestamp {
            self.check_time(timestamp, now)?;
        }
        if fields.is_empty() {
            return Err(VerifyError::NoUsableSignature { name: layout.header.clone() });
        }

        let values;
        let id_text = id.unwrap_or_default();
        let parts = if layout.signs_request() {
            values = RequestValues::of(layout, request, self.base_url.as_ref())?;
            values.fill(layout, id_text, timestamp_text, body)?
        } else {
            layout.template.fill_plain(id_text, timestamp_text, body)
        };
        let key_index =
            self.first_match(&layout.header, |key| fields.any_matches(key, parts.as_slice()))?;
        Ok(Verified {
            body,
            id,
            timestamp,
            expires_at: timestamp.map(|timestamp| timestamp + self.past),
            key_index,
        })
    }

    fn first_match(
        &self,
        header: &HeaderName,
        matches: impl FnMut(&ReadyVerifyingKey) -> bool,
    ) -> Result<usize, VerifyError> {
        self.keys
            .iter()
            .position(matches)
            .ok_or_else(|| VerifyError::NoMatch { name: header.clone() })
    }

    fn check_time(&self, timestamp: Timestamp, now: Timestamp) -> Result<(), VerifyError> {
        let age = now.saturating_since(timestamp);
        let lead = timestamp.saturating_since(now);
        if age > self.past {
            Err(VerifyError::TooOld { age, tolerated: self.past })
        } else if lead > self.future {
            Err(VerifyError::TooNew { lead, tolerated: self.future })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::mac;
    use super::*;
    use crate::id::MessageId;
    use crate::secret::Secret;
    use crate::signature::{MAX_CANDIDATES, Signer};
    use http::HeaderValue;

    fn secret(text: &str) -> Secret {
        Secret::from_text(text).unwrap()
    }

    fn macs(work: impl FnOnce()) -> usize {
        let before = mac::COUNT.get();
        work();
        mac::COUNT.get().saturating_sub(before)
    }

    /// A header full of candidates costs one pass over the body per key.
    #[test]
    fn many_candidates_cost_one_mac_per_key() {
        let body = vec![b'x'; 1 << 20];
        let now = Timestamp::from_unix_seconds(1_614_265_330);
        let id = MessageId::new("m").unwrap();
        let mut headers = Signer::standard_webhooks(secret("a")).sign(&id, now, &body).unwrap();
        let mut fill = |count: usize| {
            let list = ["v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="].repeat(count);
            let list = HeaderValue::try_from(list.join(" ")).unwrap();
            headers.insert("webhook-signature", list);
            headers.clone()
        };
        let full = fill(MAX_CANDIDATES);
        let (over, flood) = (fill(MAX_CANDIDATES + 1), fill(400));

        for keys in 1..4 {
            let first = Verifier::standard_webhooks(secret("b"));
            let verifier = (1..keys).fold(first, |verifier, _| verifier.add_secret(secret("c")));
            let verify = |headers| verifier.verify(headers, &body, now).unwrap_err().name();
            assert_eq!(macs(|| assert_eq!(verify(&full), "no-match")), keys);
            assert_eq!(macs(|| assert_eq!(verify(&over), "too-many-candidates")), 0);
            assert_eq!(macs(|| assert_eq!(verify(&flood), "too-many-candidates")), 0);
        }
    }

    #[test]
    fn request_without_usable_signature_costs_no_mac() {
        let now = Timestamp::from_unix_seconds(1_614_265_330);
        let id = MessageId::new("m").unwrap();
        let verifier = Verifier::standard_webhooks(secret("a"));
        let headers = Signer::standard_webhooks(secret("a")).sign(&id, now, b"x").unwrap();
        let mut unknown = headers.clone();
        unknown.insert("webhook-signature", HeaderValue::from_static("v9,AAAA"));
        let late = now + Duration::from_secs(301);
        let count = macs(|| {
            for (headers, now) in [(&headers, late), (&unknown, now)] {
                assert!(verifier.verify(headers, b"x", now).is_err());
            }
        });
        assert_eq!(count, 0);
    }

    #[cfg(feature = "ed25519")]
    #[test]
    fn ed25519_signature_costs_no_mac() {
        let key = crate::signature::Ed25519PrivateKey::from_seed(&[7; 32]);
        let now = Timestamp::from_unix_seconds(1_614_265_330);
        let verifier = Verifier::standard_webhooks(secret("a")).add_key(key.public()).unwrap();
        let headers =
            Signer::standard_webhooks(key).sign(&MessageId::new("m").unwrap(), now, b"x").unwrap();
        let count = macs(|| assert!(verifier.verify(&headers, b"x", now).is_ok()));
        assert_eq!(count, 0);
    }
}
