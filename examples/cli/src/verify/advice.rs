//! What to do about a request that is refused.

use std::time::Duration;

use labhook::signature::{Scheme, VerifyError, VerifyingKey};
use labhook::{Timestamp, Verifier};

use crate::keys::{Form, Keys};
use crate::request::Captured;
use crate::scheme;

/// Returns the advice, what is most likely first.
pub fn of(
    error: &VerifyError,
    captured: &Captured,
    keys: &Keys,
    now: Timestamp,
) -> anyhow::Result<Vec<String>> {
    Ok(match error {
        VerifyError::MissingHeader { .. } | VerifyError::MissingTimestamp { .. } => {
            missing(captured)
        }
        VerifyError::TooOld { age, tolerated } => vec![
            format!(
                "it was signed {} ago, and {} are tolerated; {}",
                humantime::format_duration(*age),
                humantime::format_duration(*tolerated),
                otherwise(captured, keys, now)?
            ),
            "a capture is verified with the time at which it came: --now TIME".into(),
            "if it has just come, compare the clocks of both machines; a queue or proxy that \
             delays requests must forward them sooner, for a sender signs each attempt again"
                .into(),
        ],
        VerifyError::TooNew { lead, .. } => vec![
            format!(
                "it was signed {} ahead of the time here; {}",
                humantime::format_duration(*lead),
                otherwise(captured, keys, now)?
            ),
            "compare the clocks of both machines, and the value of --now".into(),
        ],
        VerifyError::NoMatch { .. } | VerifyError::NoUsableSignature { .. } => {
            let found = matches(captured, keys, now)?;
            if found.is_empty() { USUAL.map(str::to_owned).into() } else { found }
        }
        VerifyError::MalformedTimestamp { .. } => vec![
            "the scheme has another time format: whole seconds, milliseconds and RFC 3339 differ"
                .into(),
        ],
        VerifyError::MalformedTarget => {
            vec!["the scheme signs the URL: give it as the sender has it, --url URL".into()]
        }
        VerifyError::ConflictingHeader { .. }
        | VerifyError::ConflictingTimestamp { .. }
        | VerifyError::MixedBrands => vec![
            "a proxy added headers to those of the sender, or somebody tries to have the request \
             read in two ways"
                .into(),
        ],
        _ => vec!["no genuine sender of this scheme writes that: is it another scheme?".into()],
    })
}

/// Whether only the time is wrong.
fn otherwise(captured: &Captured, keys: &Keys, now: Timestamp) -> anyhow::Result<&'static str> {
    let verifier = keys.verifier()?.with_tolerance(Duration::MAX, Duration::MAX);
    let result = captured.verify(&verifier, &captured.body, now);
    Ok(if result.is_ok() {
        "apart from its time it is genuine"
    } else {
        "its signature does not match either"
    })
}

/// The causes of a signature that does not match, when none was found by trial.
const USUAL: [&str; 4] = [
    "another secret: each endpoint has its own, and test and live mode differ; after a rotation, \
     give both secrets",
    "another body: it must be the bytes as they came, and not JSON that was parsed and written \
     again, decoded text or a body that an editor saved",
    "another URL, if the scheme signs it: give it as the sender has it, --url URL",
    "another scheme, or headers of another request",
];

/// What the headers in the request say about the scheme.
fn missing(captured: &Captured) -> Vec<String> {
    let others = scheme::of_headers(&captured.parts.headers);
    let seen = if others.is_empty() {
        "the request has the signature header of no known scheme: see `--scheme file:PATH`".into()
    } else {
        format!("the request has the signature header of: {}", others.join(", "))
    };
    vec![seen, "a proxy may remove headers that it does not know".into()]
}

/// Tries the secrets in other forms, and the body as it may have been, and says what matches.
fn matches(captured: &Captured, keys: &Keys, now: Timestamp) -> anyhow::Result<Vec<String>> {
    let scheme = keys.scheme()?;
    let given = keys.form(&scheme);
    let bodies = bodies(&captured.body);
    let mut found = Vec::new();
    for text in keys.texts()? {
        for form in Form::WRITTEN {
            let Ok(verifier) = form.verifying(&text).and_then(|it| verifier(&scheme, it)) else {
                continue;
            };
            let hit = bodies.iter().find(|(_, body)| captured.verify(&verifier, body, now).is_ok());
            let Some((how, _)) = hit else { continue };
            let mut parts = Vec::new();
            if form != given {
                parts.push(format!("the secret as {0}: --secret-form {0}", form.name()));
            }
            parts.extend(how.map(|how| format!("the body {how}: these are not the bytes as sent")));
            found.push(format!("the signature matches {}", parts.join(", and ")));
        }
    }
    Ok(found)
}

fn verifier(scheme: &Scheme, key: VerifyingKey) -> anyhow::Result<Verifier> {
    Ok(Verifier::new(scheme.clone(), key)?.with_tolerance(Duration::MAX, Duration::MAX))
}

/// The body, and what it may have been before somebody handled it.
fn bodies(body: &[u8]) -> Vec<(Option<&'static str>, Vec<u8>)> {
    let mut all = vec![(None, body.to_vec())];
    if let Some(line) = body.strip_suffix(b"\n") {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        all.push((Some("without its last line break"), line.to_vec()));
    }
    all.push((Some("with a line break at its end"), [body, b"\n"].concat()));
    if let Ok(text) = std::str::from_utf8(body) {
        let unix = text.replace("\r\n", "\n");
        all.push((Some("with CRLF line breaks"), unix.replace('\n', "\r\n").into_bytes()));
        all.push((Some("with LF line breaks"), unix.into_bytes()));
        all.push((Some("as JSON without spaces"), without_spaces(text).into_bytes()));
    }
    all
}

/// Removes the white space of JSON outside of its strings.
fn without_spaces(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        let is_quote = *c == '"' && !escaped;
        escaped = in_string && *c == '\\' && !escaped;
        in_string ^= is_quote;
        in_string || !c.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_in_strings_are_kept() {
        let pretty = "{\n  \"a b\": \"c \\\" d\\\\\",\r\n  \"e\": [1, 2]\n}\n";
        assert_eq!(without_spaces(pretty), r#"{"a b":"c \" d\\","e":[1,2]}"#);
    }
}
