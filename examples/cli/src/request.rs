//! A captured request: one file with all of it, or one with the headers and one with the body.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderValue, Request, Uri};
use labhook::{Timestamp, Verified, Verifier, VerifyError};

/// More headers than any server accepts.
const MAX_HEADERS: usize = 256;

#[derive(Args)]
pub struct Capture {
    /// File with the request as HTTP/1.1 has it: request line, headers, an empty line, and the
    /// bytes of the body. `-` is the standard input.
    #[arg(
        value_name = "REQUEST",
        required_unless_present = "headers",
        conflicts_with_all = ["headers", "body"]
    )]
    request: Option<PathBuf>,
    /// File with the headers, a line `name: value` each.
    #[arg(long, value_name = "PATH", requires = "body")]
    headers: Option<PathBuf>,
    /// File with the bytes of the body. `-` is the standard input.
    #[arg(long, value_name = "PATH", requires = "headers")]
    body: Option<PathBuf>,
    /// URL as the sender has it, for the schemes that sign it; the default is `https`, the `Host`
    /// header and the path.
    #[arg(long, value_name = "URL")]
    url: Option<Uri>,
}

/// A request as it was captured.
#[derive(Debug)]
pub struct Captured {
    pub parts: Parts,
    pub body: Vec<u8>,
    /// What is odd about the capture.
    pub note: Option<String>,
}

impl Captured {
    /// Verifies the request with this body, which may be another one than was captured.
    pub fn verify<'a>(
        &'a self,
        verifier: &Verifier,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        verifier.verify_request(&self.parts, body, now)
    }
}

impl Capture {
    pub fn read(&self) -> anyhow::Result<Captured> {
        let mut captured = self.parse()?;
        if let Some(url) = &self.url {
            captured.parts.uri = url.clone();
        }
        Ok(captured)
    }

    fn parse(&self) -> anyhow::Result<Captured> {
        match (&self.request, &self.headers, &self.body) {
            (Some(request), ..) => parse(&read(request)?)
                .with_context(|| format!("{} is no HTTP/1.1 request", request.display())),
            (None, Some(headers), Some(body)) => {
                let mut text = b"POST / HTTP/1.1\r\n".to_vec();
                text.extend(read(headers)?.trim_ascii());
                text.extend(b"\r\n\r\n");
                let body = read(body)?;
                text.extend(&body);
                parse(&text).with_context(|| format!("{} has no headers", headers.display()))
            }
            _ => bail!("a request is missing"),
        }
    }
}

/// Reads a file, or the standard input if it is `-`.
pub fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Captured> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(end) = head.parse(bytes)? else {
        bail!("there is no empty line after the headers");
    };
    let mut request = Request::builder()
        .method(head.method.unwrap_or_default())
        .uri(head.path.unwrap_or_default());
    for header in head.headers.iter() {
        request = request.header(header.name, HeaderValue::from_bytes(header.value)?);
    }
    let (parts, ()) = request.body(())?.into_parts();
    ensure!(
        !parts.headers.contains_key(TRANSFER_ENCODING),
        "it has a `transfer-encoding`: capture the body as it is after decoding, without this \
         header"
    );
    let body = bytes.get(end..).unwrap_or_default();
    let stated = parts.headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    let (body, note) = match stated {
        Some(length) if length < body.len() => {
            let more = body.len() - length;
            let note = format!("the capture has {more} bytes after the body, which are ignored");
            (&body[..length], Some(note))
        }
        Some(length) if length > body.len() => {
            let note = format!(
                "the body has {} bytes, and its `content-length` is {length}: it was cut or \
                 changed",
                body.len()
            );
            (body, Some(note))
        }
        _ => (body, None),
    };
    Ok(Captured { body: body.to_vec(), parts, note })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_ends_where_its_length_says() {
        let captured = parse(b"POST /in HTTP/1.1\nhost: a\ncontent-length: 2\n\n{}\n").unwrap();
        assert_eq!((captured.parts.uri.path(), &captured.body[..]), ("/in", &b"{}"[..]));
        assert_eq!(
            captured.note.unwrap(),
            "the capture has 1 bytes after the body, which are ignored"
        );
        let cut = parse(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n{}").unwrap();
        assert_eq!(cut.body, b"{}");
        assert!(cut.note.unwrap().ends_with("it was cut or changed"));
    }

    #[test]
    fn body_without_a_length_is_the_rest() {
        let captured = parse(b"POST / HTTP/1.1\r\nhost: a\r\n\r\n{}\r\n").unwrap();
        assert_eq!((&captured.body[..], captured.note), (&b"{}\r\n"[..], None));
    }

    #[test]
    fn chunked_and_headless_captures_are_refused() {
        let chunked = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
        assert!(parse(chunked).unwrap_err().to_string().contains("transfer-encoding"));
        let error = parse(b"POST / HTTP/1.1\r\nhost: a\r\n").unwrap_err();
        assert_eq!(error.to_string(), "there is no empty line after the headers");
        assert!(parse(b"{}").is_err());
    }
}
