//! Every changed byte of what is covered is noticed.

use http::{HeaderValue, Method};
use labhook::signature::Scheme;
use labhook::{Signer, Verifier};

use super::{BODY, key_pairs, profile, signed_with, verdict};

#[test]
fn every_changed_byte_is_refused() {
    for (signing, verifying) in key_pairs() {
        let profile = profile().with_key_ids(["lab"]).unwrap().with_tag("lab-events").unwrap();
        let scheme = Scheme::HttpMessageSignatures(profile);
        let request = signed_with(&Signer::new(scheme.clone(), signing).unwrap());
        let verifier = Verifier::new(scheme, verifying).unwrap();
        assert_eq!(verdict(&verifier, &request, BODY), "accepted");

        let mut count = 0;
        for name in request.headers.keys() {
            let value = request.headers[name].as_bytes();
            for at in 0..value.len() {
                for bits in [0x01, 0x20, 0x80] {
                    let mut changed = value.to_vec();
                    changed[at] ^= bits;
                    let Ok(changed) = HeaderValue::from_bytes(&changed) else { continue };
                    let mut request = request.clone();
                    request.headers.insert(name, changed);
                    assert_ne!(verdict(&verifier, &request, BODY), "accepted", "{name} {at}");
                    count += 1;
                }
            }
        }
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 1;
            assert_eq!(verdict(&verifier, &request, &body), "other-digest");
            assert_eq!(verdict(&verifier, &request, &BODY[..at]), "other-digest");
        }
        let url = "https://lab.example/hooks?run=17";
        for at in "https://".len()..url.len() {
            let mut changed = url.as_bytes().to_vec();
            changed[at] ^= 1;
            let Ok(changed) = String::from_utf8(changed).unwrap().parse() else { continue };
            let mut request = request.clone();
            request.uri = changed;
            assert_ne!(verdict(&verifier, &request, BODY), "accepted", "{}", request.uri);
            count += 1;
        }
        let mut put = request.clone();
        put.method = Method::PUT;
        assert_eq!(verdict(&verifier, &put, BODY), "no-match");
        assert!(count > 600, "{count}");
    }
}
