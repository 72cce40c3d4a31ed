//! Components of a request that a signature covers: [`Component`].

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use zeroize::Zeroizing;

use super::super::error::VerifyError;
use super::super::headers;
use super::super::http_message_error::HttpMessageError;
use super::super::target::{BaseUrl, RequestView};
use crate::secret::wipe::{self, Text, joined};

/// Component of a request (RFC 9421, section 2), without parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Component {
    Method,
    TargetUri,
    Authority,
    Path,
    Query,
    Header(HeaderName),
}

impl Component {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Method => "@method",
            Self::TargetUri => "@target-uri",
            Self::Authority => "@authority",
            Self::Path => "@path",
            Self::Query => "@query",
            Self::Header(name) => name.as_str(),
        }
    }

    /// Returns the component's identifier, as the headers contain it.
    pub(super) fn identifier(&self) -> String {
        format!("\"{}\"", self.name())
    }

    /// Returns the component's value in the request.
    pub(super) fn value<'a>(
        &self,
        request: RequestView<'a>,
        base: Option<&'a BaseUrl>,
    ) -> Result<Text<'a>, VerifyError> {
        let url = || request.target(base)?.url();
        Ok(match self {
            Self::Method => Text::Borrowed(request.target(base)?.method()),
            Self::TargetUri => Text::Joined(target_uri(&url()?)?),
            Self::Authority => Text::Joined(authority(&parse(&url()?)?)?.into()),
            Self::Path => request.target(base)?.path(),
            Self::Query => Text::Joined(joined(&["?", request.target(base)?.query()])),
            Self::Header(name) => combined(request.headers, name)?,
        })
    }
}

/// Returns the header's value: its lines without whitespace at the ends, joined (RFC 9421, section
/// 2.1).
pub(super) fn combined<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Text<'a>, VerifyError> {
    let read = |line: &'a HeaderValue| {
        let text = line.to_str().map(|text| text.trim_matches([' ', '\t']));
        text.map_err(|_| HttpMessageError::NotAscii { name: name.clone() })
    };
    let mut lines = headers.get_all(name).iter();
    let first = read(lines.next().ok_or_else(|| headers::missing(name))?)?;
    let mut parts = vec![first];
    for line in lines {
        parts.extend([", ", read(line)?]);
    }
    Ok(if parts.len() == 1 { Text::Borrowed(first) } else { Text::Joined(joined(&parts)) })
}

fn parse(url: &str) -> Result<Uri, VerifyError> {
    Uri::from_maybe_shared(wipe::shared(url.as_bytes())).map_err(|_| VerifyError::MalformedTarget)
}

/// Returns the authority without user, in lower case and without the default port (RFC 9110,
/// section 4.2.3).
fn authority(url: &Uri) -> Result<String, VerifyError> {
    let authority = url.authority().ok_or(VerifyError::MalformedTarget)?;
    let host = authority.host();
    let (_, after_user) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    let port = after_user.strip_prefix(host).ok_or(VerifyError::MalformedTarget)?;
    let port = match port.strip_prefix(':') {
        None | Some("") => None,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(text.parse::<u16>().map_err(|_| VerifyError::MalformedTarget)?)
        }
        Some(_) => return Err(VerifyError::MalformedTarget),
    };
    let host = host.to_ascii_lowercase();
    let default = if url.scheme_str() == Some("http") { 80 } else { 443 };
    Ok(match port.filter(|port| *port != default) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

/// Returns the URL with its authority as above, so that every sender writes it the same way.
fn target_uri(url: &str) -> Result<Zeroizing<String>, VerifyError> {
    let url = parse(url)?;
    let scheme = url.scheme_str().ok_or(VerifyError::MalformedTarget)?;
    let (mark, query) = url.query().map_or(("", ""), |query| ("?", query));
    Ok(joined(&[scheme, "://", &authority(&url)?, url.path(), mark, query]))
}

#[cfg(test)]
mod tests {
    use http::{Request, header, request};

    use super::*;

    fn parts(url: &str) -> request::Parts {
        let request = Request::post(url).header(header::HOST, "Lab.Example:443");
        let request = request.header("x-list", " a ").header("x-list", "b\t").header("x-empty", "");
        request.body(()).unwrap().into_parts().0
    }

    fn value(component: &Component, url: &str, base: Option<&str>) -> Result<String, &'static str> {
        let parts = parts(url);
        let base = base.map(|base| BaseUrl::new(base).unwrap());
        let value = component.value(RequestView::request(&parts), base.as_ref());
        value.map(|text| text.to_string()).map_err(|error| error.name())
    }

    #[test]
    fn authority_is_lower_case_without_default_port() {
        for (url, authority) in [
            ("/a", Ok("lab.example")),
            ("https://LAB.example/a", Ok("lab.example")),
            ("https://lab.example:443/a", Ok("lab.example")),
            ("https://lab.example:80/a", Ok("lab.example:80")),
            ("http://lab.example:80/a", Ok("lab.example")),
            ("http://lab.example:443/a", Ok("lab.example:443")),
            ("https://lab.example:/a", Ok("lab.example")),
            ("https://me:secret@lab.example:8443/a", Err("malformed-target")),
            ("https://[2001:DB8::1]:443/a", Ok("[2001:db8::1]")),
            ("https://[::1]:8443/a", Ok("[::1]:8443")),
            ("https://lab.example:65536/a", Err("malformed-target")),
            ("https://lab.example:+443/a", Err("malformed-target")),
        ] {
            let found = value(&Component::Authority, url, None);
            assert_eq!(found.as_deref().map_err(|error| *error), authority, "{url}");
        }
        let base = Some("https://PROXY.example:443/api/");
        assert_eq!(value(&Component::Authority, "/a", base).unwrap(), "proxy.example");
        assert_eq!(value(&Component::Path, "/a", base).unwrap(), "/api/a");
        assert_eq!(
            value(&Component::TargetUri, "/a?b", base).unwrap(),
            "https://proxy.example/api/a?b"
        );
    }

    #[test]
    fn query_has_its_question_mark() {
        let query = |url| value(&Component::Query, url, None).unwrap();
        assert_eq!(query("/a?b=%7E&a=1"), "?b=%7E&a=1");
        assert_eq!(query("/a?"), "?");
        assert_eq!(query("/a"), "?");
    }

    #[test]
    fn header_lines_are_joined() {
        let header = |name| value(&Component::Header(HeaderName::from_static(name)), "/", None);
        assert_eq!(header("x-list").unwrap(), "a, b");
        assert_eq!(header("x-empty").unwrap(), "");
        assert_eq!(header("x-none"), Err("missing-header"));
        let mut headers = HeaderMap::new();
        headers.insert("x-note", HeaderValue::from_bytes(b"\xb5l").unwrap());
        let error = combined(&headers, &HeaderName::from_static("x-note")).err().unwrap();
        assert_eq!(error.name(), "not-ascii");
    }
}
