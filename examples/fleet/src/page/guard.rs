//! What each request must pass: [`guard`].

use axum::Form;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::App;
use super::session::{COOKIE, is_same};
use super::visit::{Fault, Fields};

/// What is sent with every response.
const HEADERS: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// Lets a request pass that has a session, and changes things only from this page.
///
/// It reads the form too, so that no handler can forget the check.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = match admit(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(response) => response,
    };
    let status = response.status();
    let is_page = response.headers().get(header::CONTENT_TYPE);
    let is_page = is_page.is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    if (status.is_client_error() || status.is_server_error()) && !is_page {
        response = Fault::new(status, "This request cannot be answered.").into_response();
    }
    for (name, value) in HEADERS {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response
}

async fn admit(app: &App, request: Request) -> Result<Request, Response> {
    let refuse = |status, why| Err(Fault::new(status, why).into_response());
    let headers = request.headers();
    let host = text(headers, header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        let why = "This page is served under localhost, 127.0.0.1 and [::1] only.";
        return refuse(StatusCode::MISDIRECTED_REQUEST, why);
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && !is_from_here(headers, host) {
        return refuse(StatusCode::FORBIDDEN, "This form was sent from another site.");
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut cookies = cookies.flat_map(|it| it.split("; ")).filter_map(|it| it.split_once('='));
    let id = cookies.find(|it| it.0 == COOKIE).map(|it| it.1);
    let session = id.and_then(|it| app.0.sessions.get(it));
    let is_login = request.uri().path() == "/login";
    if session.is_none() && !is_login && request.uri().path() != "/static/style.css" {
        return Err(Redirect::to("/login").into_response());
    }
    let (parts, body) = request.into_parts();
    let form = Request::from_parts(parts.clone(), body);
    let form = Form::<Fields>::from_request(form, &()).await;
    let Form(fields) = form.map_err(|rejection| rejection.into_response())?;
    let mut request = Request::from_parts(parts, axum::body::Body::empty());
    if let Some(session) = session {
        if !reads && !is_login && !is_same(fields.get("csrf"), &session.csrf) {
            let why = "This form is not of your session. Open the page again, and try once more.";
            return refuse(StatusCode::FORBIDDEN, why);
        }
        request.extensions_mut().insert(session);
    }
    request.extensions_mut().insert(fields);
    Ok(request)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a name can only mean this machine. Any other may be one whose owner lets it lead here
/// ("DNS rebinding"). The port does not matter: it may be forwarded.
fn is_loopback(host: &str) -> bool {
    let with_port = host.rsplit_once(':').filter(|it| it.1.bytes().all(|it| it.is_ascii_digit()));
    matches!(with_port.map_or(host, |it| it.0), "localhost" | "127.0.0.1" | "[::1]")
}

/// Whether a browser says that a page of this origin has sent the request. `Origin` is `null` in
/// forms, because of the `Referrer-Policy`; then only `Sec-Fetch-Site` tells.
fn is_from_here(headers: &HeaderMap, host: &str) -> bool {
    let site = text(headers, HeaderName::from_static("sec-fetch-site"));
    let is_origin = |it: &str| it.strip_prefix("http://") == Some(host);
    match (site, text(headers, header::ORIGIN)) {
        (Some("same-origin"), None | Some("null")) => true,
        (Some("same-origin") | None, Some(origin)) => is_origin(origin),
        _ => false,
    }
}
