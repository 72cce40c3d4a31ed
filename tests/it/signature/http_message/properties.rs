//! Arbitrary headers never panic, and are refused.

use http::HeaderValue;
use proptest::prelude::*;

use super::{BODY, NOW, profile, signed, signer, unsigned, verdict, verifier};

proptest! {
    #[test]
    fn arbitrary_headers_are_refused(
        name in prop::sample::select(vec!["signature-input", "signature", "content-digest"]),
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            r#"(sig1|sha-256)=[("@a-z:;=0-9, )?\\-]{0,60}"#.prop_map(String::into_bytes),
        ],
    ) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let mut request = signed();
            request.headers.insert(name, value);
            prop_assert_ne!(verdict(&verifier(profile()), &request, BODY), "accepted");
        }
    }

    #[test]
    fn any_signed_request_is_accepted(
        id in "[A-Za-z0-9_-]{1,40}",
        path in "(/[a-zA-Z0-9%._~-]{0,8}){1,4}",
        query in prop::option::of("[a-z0-9=&%+]{0,20}"),
        host in "[a-zA-Z][a-zA-Z0-9.-]{0,20}",
        port in prop::option::of(1_u16..),
        content_type in "[!-~]([ -~]{0,20}[!-~])?",
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = unsigned();
        request.uri = format!("https://{host}{port}{path}{query}").parse().unwrap();
        request.headers.insert("content-type", HeaderValue::try_from(content_type).unwrap());
        let id = super::super::id(&id);
        let headers = signer(profile()).sign_request(&request, &id, NOW, &body).unwrap();
        request.headers.extend(headers);
        let verifier = verifier(profile());
        let verified = verifier.verify_request(&request, &body, NOW).unwrap();
        prop_assert_eq!(verified.id(), Some(id.as_str()));
    }
}
