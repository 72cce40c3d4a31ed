//! Sessions: who is logged in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{Html, IntoResponse as _, Redirect};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use tokio::time::{Instant, sleep};

use super::App;
use super::visit::{Fields, Page};

/// The name of the cookie with the id of the session.
pub const COOKIE: &str = "fleet_session";

/// How long a session lasts: a shift.
const LASTS: Duration = Duration::from_secs(8 * 60 * 60);

/// What a wrong token costs.
const PENALTY: Duration = Duration::from_millis(500);

/// The maximum length of an operator's name, in characters.
const MAX_NAME: usize = 64;

/// A session, in memory only.
pub struct Session {
    pub operator: String,
    /// What each form of the session contains, so that no other site can send one.
    pub csrf: String,
    ends: Instant,
    flash: Mutex<Option<String>>,
    /// New secrets that are not shown yet, by a random id.
    secrets: Mutex<HashMap<String, String>>,
}

impl Session {
    /// Keeps a sentence for the next page.
    pub fn put_flash(&self, sentence: String) {
        *lock(&self.flash) = Some(sentence);
    }

    pub fn take_flash(&self) -> Option<String> {
        lock(&self.flash).take()
    }

    /// Keeps a secret until it is shown. Returns its id.
    pub fn put_secret(&self, secret: String) -> anyhow::Result<String> {
        let once = random()?;
        lock(&self.secrets).insert(once.clone(), secret);
        Ok(once)
    }

    pub fn take_secret(&self, once: &str) -> Option<String> {
        lock(&self.secrets).remove(once)
    }
}

#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Sessions {
    pub fn get(&self, id: &str) -> Option<Arc<Session>> {
        let mut sessions = lock(&self.0);
        sessions.retain(|_, it| it.ends > Instant::now());
        sessions.get(id).cloned()
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    operator: &'a str,
    error: &'a str,
}

pub async fn login() -> Page {
    Ok(Html(Login { operator: "", error: "" }.render()?).into_response())
}

pub async fn log_in(State(app): State<App>, Extension(fields): Extension<Fields>) -> Page {
    let operator = fields.get("operator");
    let is_name = !operator.is_empty()
        && operator.chars().count() <= MAX_NAME
        && !operator.chars().any(char::is_control);
    let error = match (is_same(fields.get("token"), &app.0.token), is_name) {
        (true, true) => {
            let (ends, csrf, id) = (Instant::now() + LASTS, random()?, random()?);
            let (flash, secrets) = (Mutex::default(), Mutex::default());
            let session = Session { operator: operator.to_owned(), csrf, ends, flash, secrets };
            lock(&app.0.sessions.0).insert(id.clone(), Arc::new(session));
            let cookie = format!("{COOKIE}={id}; {}={}", "Path=/; Max-Age", LASTS.as_secs());
            let cookie = format!("{cookie}; HttpOnly; SameSite=Strict");
            return Ok(([(SET_COOKIE, cookie)], Redirect::to("/")).into_response());
        }
        (true, false) => "Your name must have 1 to 64 characters.",
        (false, _) => "This is not the token.",
    };
    sleep(PENALTY).await;
    let page = Html(Login { operator, error }.render()?);
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}

pub async fn log_out(State(app): State<App>, Extension(session): Extension<Arc<Session>>) -> Page {
    lock(&app.0.sessions.0).retain(|_, it| !Arc::ptr_eq(it, &session));
    let cookie = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/login")).into_response())
}

/// Compares in a time that does not depend on how much is equal.
pub fn is_same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok().context("the system gives no random numbers")?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
