//! Method and URL of a request, as a scheme signs them: [`Target`].

use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, Uri, header, request};
use zeroize::Zeroizing;

use super::error::VerifyError;
use super::headers;
use crate::secret::wipe::{Text, joined};

/// A request as far as a verifier or a signer gets it.
#[derive(Clone, Copy)]
pub(crate) struct RequestView<'a> {
    pub(crate) headers: &'a HeaderMap,
    /// `None` if only the headers were passed in.
    line: Option<(&'a Method, &'a Uri)>,
}

impl<'a> RequestView<'a> {
    pub(crate) const fn headers(headers: &'a HeaderMap) -> Self {
        Self { headers, line: None }
    }

    pub(crate) const fn request(request: &'a request::Parts) -> Self {
        Self::new(&request.method, &request.uri, &request.headers)
    }

    pub(crate) const fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { headers, line: Some((method, uri)) }
    }

    /// Returns method and URL, with the URL's start from `base` if there is one.
    pub(super) fn target(self, base: Option<&'a BaseUrl>) -> Result<Target<'a>, VerifyError> {
        let (method, uri) = self.line.ok_or(VerifyError::RequestRequired)?;
        // Another scheme could lend its first letters to the method before it.
        let is_web = uri.scheme().is_none_or(|it| *it == Scheme::HTTPS || *it == Scheme::HTTP);
        if !uri.path().starts_with('/') || !is_web {
            return Err(VerifyError::MalformedTarget);
        }
        Ok(Target { method, uri, headers: self.headers, base })
    }
}

/// Method and URL of a request whose path starts with a slash.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    base: Option<&'a BaseUrl>,
}

impl<'a> Target<'a> {
    pub(super) fn method(self) -> &'a str {
        self.method.as_str()
    }

    /// Returns the absolute URL without a fragment.
    ///
    /// Without a base, a request target without scheme and host (RFC 9112, section 3.2.1) is
    /// completed with `https` and the `Host` header.
    pub(super) fn url(self) -> Result<Zeroizing<String>, VerifyError> {
        // Not as one text of the URI, which has no slash if the path is empty.
        let (path, query) = (self.uri.path(), self.uri.query());
        let (mark, query) = query.map_or(("", ""), |query| ("?", query));
        if let Some(base) = self.base {
            return Ok(joined(&[&base.text, path, mark, query]));
        }
        let (scheme, host) = match (self.uri.scheme_str(), self.uri.authority()) {
            (Some(scheme), Some(authority)) => (scheme, authority.as_str()),
            _ => {
                let host = headers::single(self.headers, &header::HOST)?;
                let host = std::str::from_utf8(host).map_err(|_| VerifyError::MalformedTarget)?;
                ("https", host)
            }
        };
        // Two programs could take another part of it for the host, if there is a user.
        if host.contains('@') || host.parse::<Authority>().is_err() {
            return Err(VerifyError::MalformedTarget);
        }
        Ok(joined(&[scheme, "://", host, path, mark, query]))
    }

    /// Returns the path as it is in the URL, percent-encoded.
    pub(super) fn path(self) -> Text<'a> {
        match self.base.map(BaseUrl::path) {
            None | Some("") => Text::Borrowed(self.uri.path()),
            Some(prefix) => Text::Joined(joined(&[prefix, self.uri.path()])),
        }
    }

    /// Returns the query without its question mark; empty if there is none.
    pub(super) fn query(self) -> &'a str {
        self.uri.query().unwrap_or_default()
    }
}

/// The URL up to and without the slash of the request's path, as the sender writes it.
#[derive(Clone, Debug)]
pub(super) struct BaseUrl {
    text: Box<str>,
    /// Where the path starts.
    path_at: usize,
}

impl BaseUrl {
    pub(super) fn new(url: &str) -> Result<Self, BaseUrlError> {
        let text = url.strip_suffix('/').unwrap_or(url);
        let uri: Uri = text.parse().map_err(|_| BaseUrlError)?;
        let is_web = uri.scheme() == Some(&Scheme::HTTPS) || uri.scheme() == Some(&Scheme::HTTP);
        let host = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        if !is_web || host.is_none() || uri.query().is_some() || text.contains('#') {
            return Err(BaseUrlError);
        }
        let after_scheme = text.find("://").map_or(0, |at| at.saturating_add(3));
        let path = text.get(after_scheme..).and_then(|rest| rest.find('/'));
        let path_at = path.map_or(text.len(), |path| after_scheme.saturating_add(path));
        Ok(Self { text: text.into(), path_at })
    }

    fn path(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or_default()
    }
}

/// Error for a [base URL](super::Verifier::with_base_url) that no request can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the base URL must be absolute, http or https, without user, query and fragment")]
#[non_exhaustive]
pub struct BaseUrlError;

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, host: &[&str]) -> request::Parts {
        let mut request = http::Request::new(());
        *request.uri_mut() = uri.parse().unwrap();
        for host in host {
            request.headers_mut().append(header::HOST, host.parse().unwrap());
        }
        request.into_parts().0
    }

    fn url(uri: &str, host: &[&str], base: Option<&str>) -> Result<String, &'static str> {
        let parts = parts(uri, host);
        let base = base.map(|base| BaseUrl::new(base).unwrap());
        let target = RequestView::request(&parts).target(base.as_ref());
        target.and_then(Target::url).map(|url| url.to_string()).map_err(|error| error.name())
    }

    #[test]
    fn url_comes_from_target_host_or_base() {
        let host = &["lab.example:8443"][..];
        assert_eq!(url("/a?b=1", host, None).unwrap(), "https://lab.example:8443/a?b=1");
        assert_eq!(url("http://x.example/a", host, None).unwrap(), "http://x.example/a");
        let base = Some("https://lab.example/api/");
        assert_eq!(url("/a?b=1", host, base).unwrap(), "https://lab.example/api/a?b=1");
        assert_eq!(url("http://x.example/a", &[], base).unwrap(), "https://lab.example/api/a");
        assert_eq!(url("/a", &[], None), Err("missing-header"));
        assert_eq!(url("/a", &["a.example", "b.example"], None), Err("conflicting-header"));
        assert_eq!(url("/a", &["a b"], None), Err("malformed-target"));
        assert_eq!(url("*", host, None), Err("malformed-target"));
        assert_eq!(url("ttps://lab.example/a", host, None), Err("malformed-target"));
        assert_eq!(url("https://me@lab.example/a", host, None), Err("malformed-target"));
        assert_eq!(url("/a", &["evil@lab.example"], None), Err("malformed-target"));
        let without_slash = "https://lab.example/?b";
        assert_eq!(url("https://lab.example?b", host, None).unwrap(), without_slash);
        let base = Some("https://lab.example");
        assert_eq!(url("https://lab.example?b", host, base).unwrap(), without_slash);
        assert_eq!(url("lab.example:80", host, None), Err("malformed-target"));
    }

    #[test]
    fn path_and_query_follow_the_base() {
        let parts = parts("/a%20b?c=%7E", &[]);
        let view = RequestView::request(&parts);
        let read = |base: Option<&BaseUrl>| {
            let target = view.target(base).unwrap();
            format!("{} {} {}", target.method(), &*target.path(), target.query())
        };
        assert_eq!(read(None), "GET /a%20b c=%7E");
        let base = BaseUrl::new("https://lab.example").unwrap();
        assert_eq!(read(Some(&base)), "GET /a%20b c=%7E");
        let base = BaseUrl::new("https://lab.example/api/v1").unwrap();
        assert_eq!(read(Some(&base)), "GET /api/v1/a%20b c=%7E");
    }

    #[test]
    fn base_url_is_absolute_and_plain() {
        for bad in [
            "",
            "lab.example",
            "/hooks",
            "ftp://lab.example",
            "https://",
            "https://user@lab.example",
            "https://lab.example?a=1",
            "https://lab.example#a",
        ] {
            assert_eq!(BaseUrl::new(bad).unwrap_err(), BaseUrlError, "{bad}");
        }
        assert_eq!(
            BaseUrlError.to_string(),
            "the base URL must be absolute, http or https, without user, query and fragment"
        );
    }
}
