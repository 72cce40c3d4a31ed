//! Endpoint URLs: accepted as they are, or refused with the part at fault.

use std::error::Error as _;

use http::HeaderValue;
use labhook::endpoint::EndpointError;
use labhook::message::Rendering;
use labhook::{Endpoint, Signer};

use crate::support::{at, eid, mid};

fn https(url: &str) -> Result<Endpoint, EndpointError> {
    Endpoint::new(eid("eln"), url, Signer::unsigned())
}

#[test]
fn valid_url_is_used_unchanged() {
    let empty = Rendering::new(HeaderValue::from_static("application/json"), "{}");
    for url in [
        "https://eln.example",
        "https://eln.example/",
        "https://eln.example:8443/a/b?c=d&e=%20f",
        "https://eln.example?token=x",
        "https://127.0.0.1/in",
        "https://eln.example./in",
        "https://lab_7.internal:00443/in",
        "https://0x7f.eln.0xyz/in",
        "https://17.eln-2.example/%C3%A9/a:b;c=d(e)!*'~?f[]=g@h,i$j&k+l",
        "https://[::1]:8080/in",
        "HTTPS://ELN.example/In",
    ] {
        let endpoint = https(url).unwrap();
        assert_eq!(endpoint.expose_url(), url);
        let request = endpoint.request(&mid("m"), &empty, at(0)).unwrap();
        assert_eq!(request.uri(), url);
    }
    for url in ["http://eln.example/in", "https://eln.example/in"] {
        assert!(Endpoint::plain_http(eid("eln"), url, Signer::unsigned()).is_ok());
    }
}

#[test]
fn invalid_url_error_names_the_part_at_fault() {
    let malformed = "endpoint URL is malformed";
    let not_absolute = "endpoint URL must be absolute, with a scheme and a host";
    let other = "scheme of the endpoint URL must be `https` or `http`";
    let user = "endpoint URL must not contain a user name or password";
    let fragment = "endpoint URL must not contain a fragment";
    let plain =
        "scheme of the endpoint URL must be `https`; only `Endpoint::plain_http` accepts `http`";
    let host = "host of the endpoint URL must be a domain name or an IP address";
    let port = "port of the endpoint URL must be between 1 and 65535";
    let characters =
        "path and query of the endpoint URL must have other characters percent-encoded";
    let long = format!("https://{}.example/in", "x".repeat(64));
    for (url, text) in [
        ("https://eln.example/a\\b", characters),
        ("https://eln.example/caf\u{e9}", characters),
        ("https://eln.example/?q=caf\u{e9}", characters),
        ("https://eln.example/100%", characters),
        ("https://eln.example/%4", characters),
        ("https://eln.example/%g0", characters),
        ("https://eln.example/a|b", characters),
        ("https://eln.example:+443/in", port),
        ("https://eln.example:-1/in", port),
        ("https://eln.example:/in", port),
        ("https://../in", host),
        ("https://./in", host),
        ("https://eln..example/in", host),
        ("https://.eln.example/in", host),
        ("https://-eln.example/in", host),
        ("https://eln-.example/in", host),
        (&*long, host),
        ("https://300.1.1.1/in", host),
        ("https://1.2.3/in", host),
        ("https://17/in", host),
        ("https://127.1/in", host),
        ("https://0177.0.0.1/in", host),
        ("https://2130706433/in", host),
        ("https://0x7f000001/in", host),
        ("https://127.0.0.0X1./in", host),
        ("https://eln.0x/in", host),
        ("https://[::1/in", malformed),
        ("", malformed),
        ("https://", malformed),
        ("https://eln example/in", malformed),
        ("https://eln.example\\in", malformed),
        ("https://eln.example/a\nb", malformed),
        ("/in", not_absolute),
        ("eln.example", not_absolute),
        ("eln.example:443", not_absolute),
        ("https://:443/in", not_absolute),
        ("http://eln.example/in", plain),
        ("HTTP://eln.example/in", plain),
        ("https://$(x)/in", host),
        ("https://eln.example:0/in", port),
        ("https://eln.example:65536/in", port),
        ("ftp://eln.example/in", other),
        ("httpss://eln.example/in", other),
        ("https://user:word@eln.example/in", user),
        ("https://user@eln.example/in", user),
        ("https://@eln.example/in", user),
        ("https://eln.example/in#part", fragment),
        ("https://eln.example/in#", fragment),
        ("#", fragment),
    ] {
        let error = https(url).unwrap_err();
        assert_eq!(error.to_string(), text, "{url:?}");
        assert_eq!(error.source().is_some(), text == malformed, "{url:?}");
    }
    let plain_http = |url| Endpoint::plain_http(eid("eln"), url, Signer::unsigned());
    assert_eq!(plain_http("ftp://eln.example/in").unwrap_err().to_string(), other);
    assert_eq!(plain_http("http://user@eln.example/in").unwrap_err().to_string(), user);
}
