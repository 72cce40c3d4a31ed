//! What each request must pass: [`guard`].

use axum::Form;
use axum::body::Body;
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

/// Why a request is not admitted. With `SEE_OTHER`, where to go instead.
type Refusal = (StatusCode, &'static str);

/// Lets a request pass that has a session, and changes things only from this page.
///
/// It reads the form too, so that no handler can forget the check.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = match admit(&app, request).await {
        Ok(request) => next.run(request).await,
        Err((StatusCode::SEE_OTHER, to)) => Redirect::to(to).into_response(),
        Err((status, why)) => Fault::new(status, why).into_response(),
    };
    let status = response.status();
    let is_page = response.headers().get(header::CONTENT_TYPE);
    let is_page = is_page.is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    if (status.is_client_error() || status.is_server_error()) && !is_page {
        let is_missing = status == StatusCode::NOT_FOUND;
        let why = if is_missing { "There is no such page." } else { "It cannot be answered." };
        response = Fault::new(status, why).into_response();
    }
    for (name, value) in HEADERS {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response
}

async fn admit(app: &App, request: Request) -> Result<Request, Refusal> {
    let headers = request.headers();
    let host = text(headers, header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        let why = "This page is served under localhost, 127.0.0.1 and [::1] only.";
        return Err((StatusCode::MISDIRECTED_REQUEST, why));
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read && !is_from_here(headers, host) {
        return Err((StatusCode::FORBIDDEN, "This form was sent from another site."));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut cookies = cookies.flat_map(|it| it.split("; ")).filter_map(|it| it.split_once('='));
    let session = cookies.find(|it| it.0 == COOKIE).and_then(|it| app.0.sessions.get(it.1));
    let is_login = request.uri().path() == "/login";
    if session.is_none() && !is_login && request.uri().path() != "/static/style.css" {
        return Err((StatusCode::SEE_OTHER, "/login"));
    }
    let (parts, body) = request.into_parts();
    let form = Form::<Fields>::from_request(Request::from_parts(parts.clone(), body), &()).await;
    let Form(fields) = form.map_err(|it| (it.status(), "The form cannot be read."))?;
    let mut request = Request::from_parts(parts, Body::empty());
    if let Some(session) = session {
        if !is_read && !is_login && !is_same(fields.get("csrf"), &session.csrf) {
            let why = "This form is not of your session. Open the page again, and try once more.";
            return Err((StatusCode::FORBIDDEN, why));
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
