//! `labhook sign`: the headers of a signed request.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use http::Request;
use http::header::CONTENT_TYPE;
use labhook::signature::Scheme;
use labhook::{MessageId, Timestamp};
use serde::Serialize;

use crate::keys::{Form, Keys};
use crate::{Answer, clock, output, request};

#[derive(Args)]
pub struct Options {
    /// File with the bytes of the body. `-` is the standard input.
    #[arg(value_name = "BODY")]
    body: PathBuf,
    #[command(flatten)]
    keys: Keys,
    /// Id of the message, if the scheme signs one; the default is made from the time.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Time of signing, RFC 3339 or Unix seconds; the default is the clock's.
    #[arg(long, value_name = "TIME", value_parser = clock::parse)]
    now: Option<Timestamp>,
    /// URL of the receiver, for the schemes that sign it and the command for curl.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/")]
    url: String,
    /// Content type of the body.
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints. A token, which is the secret itself, is `null`.
#[derive(Serialize)]
struct Report {
    scheme: String,
    headers: BTreeMap<String, Option<String>>,
    curl: String,
}

pub fn run(options: &Options) -> anyhow::Result<Answer> {
    let body = request::read(&options.body)?;
    let now = options.now.unwrap_or_else(clock::now);
    let id = match &options.id {
        Some(id) => MessageId::new(id.as_str())?,
        None => MessageId::new(format!("labhook-{}", now.unix_millis()))?,
    };
    let request = Request::post(&options.url).header(CONTENT_TYPE, &options.content_type);
    let (request, ()) = request.body(())?.into_parts();
    let signed = options.keys.signer()?.sign_request(&request, &id, now, &body)?;
    let scheme = options.keys.scheme()?;
    let is_token = matches!(scheme, Scheme::Token(_));
    ensure!(
        !is_token || options.keys.form(&scheme) == Form::Text,
        "a token is sent unchanged, so it must be text: --secret-form text"
    );
    let mut headers = BTreeMap::new();
    let mut arguments =
        vec![format!("-H {}", quoted(&format!("content-type: {}", options.content_type)))];
    for (name, value) in &signed {
        if is_token {
            // Expanded by the shell, so that the secret is in no file of its history.
            arguments.push(format!("-H \"{name}: {}\"", options.keys.shell()?));
            headers.insert(name.to_string(), None);
        } else {
            let value = value.to_str()?.to_owned();
            arguments.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
            headers.insert(name.to_string(), Some(value));
        }
    }
    let file = quoted(&format!("@{}", options.body.display()));
    let curl =
        format!("curl -i {} {} --data-binary {file}", quoted(&options.url), arguments.join(" "));
    let report = Report { scheme: options.keys.scheme_name().to_owned(), headers, curl };
    if options.json {
        output::json(&report)?;
        return Ok(Answer::Yes);
    }
    for (name, value) in &report.headers {
        output::line(format!("{name}: {}", value.as_deref().unwrap_or("(the secret)")))?;
    }
    output::line(format!("\n{}", report.curl))?;
    Ok(Answer::Yes)
}

/// A word of the shell, in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
