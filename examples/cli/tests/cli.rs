//! The commands, as a user runs them.

#![allow(clippy::disallowed_methods, reason = "a test starts processes")]

mod support;

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;
use support::{SECRET, labhook, run, text};

/// The published example of Standard Webhooks, as a request.
const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/standard_webhooks.http");

/// The published key pair of Standard Webhooks.
const PRIVATE_KEY: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

/// The crate's sample events.
const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/lab");

#[test]
fn help_names_the_commands_and_exit_codes() {
    assert_snapshot!("help", text(&run(labhook(&["--help"]), 0)));
    assert_snapshot!("help_lint", text(&run(labhook(&["lint", "--help"]), 0)));
}

#[test]
fn genuine_request_is_verified() {
    let arguments = ["verify", CAPTURE, "--now", "1614265400"];
    assert_snapshot!("genuine", text(&run(labhook(&arguments), 0)));
    let json = run(labhook(&[&arguments[..], &["--json"]].concat()), 0);
    assert_snapshot!("genuine_json", text(&json));
}

#[test]
fn old_request_is_refused_with_its_age() {
    let arguments = ["verify", CAPTURE, "--now", "2021-02-25T16:02:10Z"];
    assert_snapshot!("too_old", text(&run(labhook(&arguments), 1)));
}

#[test]
fn other_secret_is_refused_with_the_usual_causes() {
    let mut command = labhook(&["verify", CAPTURE, "--now", "1614265400", "--json"]);
    command.env("LABHOOK_SECRET", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    assert_snapshot!("no_match", text(&run(command, 1)));
}

#[test]
fn request_of_another_scheme_is_named() {
    let mut command = labhook(&["verify", CAPTURE, "--scheme", "github"]);
    command.env("LABHOOK_SECRET", "It's a Secret to Everybody");
    assert_snapshot!("missing_header", text(&run(command, 1)));
}

/// Signs a body, and returns a file with the headers.
fn signed(scheme: &str, form: &str, body: &str, at: &tempfile::TempDir) -> String {
    let (file, headers) = (at.path().join("body"), at.path().join("headers"));
    fs::write(&file, body).unwrap();
    let command = labhook(
        &[
            &["sign", file.to_str().unwrap(), "--scheme", scheme, "--secret-form", form][..],
            &["--now", "1614265330", "--json"],
        ]
        .concat(),
    );
    let report: Value = serde_json::from_slice(&run(command, 0).stdout).unwrap();
    let lines = report["headers"].as_object().unwrap().iter();
    // A token is not printed.
    let lines =
        lines.map(|(name, value)| format!("{name}: {}\n", value.as_str().unwrap_or(SECRET)));
    fs::write(&headers, lines.collect::<String>()).unwrap();
    headers.to_str().unwrap().to_owned()
}

#[test]
fn signed_body_is_verified_by_each_kind_of_scheme() {
    let at = tempfile::tempdir().unwrap();
    let spec = at.path().join("scheme.toml");
    let toml = "header = 'X-Lims'\ntemplate = '{timestamp}.{body}'\nprefix = 'v1='\n\
                separator = ','\ntimestamp_field = 't='\ntimestamp_form = 'unix_millis'\nencoding = 'base64'\n";
    fs::write(&spec, toml).unwrap();
    let spec = format!("file:{}", spec.display());
    for scheme in [
        "standard-webhooks",
        "svix",
        "strike",
        "token:x-token",
        "github",
        "stripe",
        "twitch",
        &spec,
    ] {
        let headers = signed(scheme, "auto", "{}", &at);
        let body = at.path().join("body");
        let body = body.to_str().unwrap();
        let arguments = ["verify", "--headers", &headers, "--body", body, "--scheme", scheme];
        run(labhook(&[&arguments[..], &["--now", "1614265330"]].concat()), 0);
    }
}

/// The vendor's published example.
#[test]
fn url_is_verified_if_the_scheme_signs_it() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("request.http");
    let request = "POST /webhook HTTP/1.1\r\nhost: example.com\r\n\
                   x-square-hmacsha256-signature: 2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og=\r\n\
                   \r\n{\"hello\":\"world\"}";
    fs::write(&file, request).unwrap();
    for (url, code) in [(None, 0), (Some("https://example.com/webhook"), 0), (Some("/hooks"), 1)] {
        let mut arguments = vec!["verify", file.to_str().unwrap(), "--scheme", "square"];
        arguments.extend(url.into_iter().flat_map(|url| ["--url", url]));
        let mut command = labhook(&arguments);
        command.env("LABHOOK_SECRET", "asdf1234");
        run(command, code);
    }
}

#[test]
fn public_key_verifies_what_the_private_one_signed() {
    let body = format!("{LAB}/plan.created.json");
    let now = ["--now", "1614265330", "--secret-form", "ed25519"];
    let mut sign = labhook(&[&["sign", &body, "--json"][..], &now].concat());
    sign.env("LABHOOK_SECRET", PRIVATE_KEY);
    let report: Value = serde_json::from_slice(&run(sign, 0).stdout).unwrap();
    let lines = report["headers"].as_object().unwrap().iter();
    let lines = lines.map(|(name, value)| format!("{name}: {}\n", value.as_str().unwrap()));
    let at = tempfile::tempdir().unwrap();
    let headers = at.path().join("headers");
    fs::write(&headers, lines.collect::<String>()).unwrap();
    let headers = ["--headers", headers.to_str().unwrap(), "--body", &body];
    let mut verify = labhook(&[&["verify"][..], &headers, &now].concat());
    verify.env("LABHOOK_SECRET", PUBLIC_KEY);
    assert!(text(&run(verify, 0)).contains("Plan plan-9 for run r1 is now completed"));
}

#[test]
fn changed_body_and_secret_form_are_found_by_trial() {
    let at = tempfile::tempdir().unwrap();
    let body = at.path().join("body");
    for (sent, captured, form, advice) in [
        ("{\"a\":1}", "{\"a\":1}\n", "auto", "the body without its last line break"),
        ("{\"a\":1}\n", "{\"a\":1}", "auto", "the body with a line break at its end"),
        ("{\"a\":1}", "{\n  \"a\": 1\n}", "auto", "the body as JSON without spaces"),
        ("{}", "{}", "text", "the secret as text: --secret-form text"),
        ("{}", "{}\n", "text", "--secret-form text, and the body without its last line break"),
    ] {
        let headers = signed("standard-webhooks", form, sent, &at);
        fs::write(&body, captured).unwrap();
        let arguments = ["verify", "--headers", &headers, "--body", body.to_str().unwrap()];
        let refused = run(labhook(&[&arguments[..], &["--now", "1614265330"]].concat()), 1);
        let out = text(&refused);
        assert!(out.contains("no-match") && out.contains(advice), "{out}");
    }
}

#[test]
fn sign_prints_headers_and_a_command() {
    let arguments = ["sign", "-", "--id", "msg_1", "--now", "1614265330"];
    let mut command = labhook(&arguments);
    command.write_stdin("{}");
    assert_snapshot!("sign", text(&run(command, 0)));
}

#[test]
fn no_output_contains_a_secret() {
    let body = format!("{LAB}/plan.created.json");
    let missing = format!("/nowhere/{SECRET}");
    for (arguments, code) in [
        (&["sign", &body, "--scheme", "token:authorization"][..], 0),
        (&["sign", &body, "--scheme", "token:authorization", "--json"], 0),
        (&["sign", &body, "--scheme", "strike", "--secret-form", "base64"], 2),
        // Mistakes: the secret instead of the name of a variable or a file.
        (&["sign", &body, "--secret-env", SECRET], 2),
        (&["sign", &body, "--secret-file", &missing], 2),
        (&["verify", CAPTURE, "--now", "0"], 1),
        (&["verify", CAPTURE, "--scheme", "token:x-token"], 1),
        (&["send", "http://127.0.0.1:1/", "--type", "plan.created"], 1),
    ] {
        let output = run(labhook(arguments), code);
        let all = text(&output) + &String::from_utf8_lossy(&output.stderr);
        assert!(!all.contains(SECRET), "{arguments:?}: {all}");
    }
}

#[test]
fn secret_comes_from_a_file_or_a_named_variable() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).unwrap();
    let verify = ["verify", CAPTURE, "--now", "1614265400"];
    let mut by_file = labhook(&[&verify[..], &["--secret-file", file.to_str().unwrap()]].concat());
    by_file.env_remove("LABHOOK_SECRET");
    run(by_file, 0);
    let mut by_name =
        labhook(&[&verify[..], &["--secret-env", "NEW", "--secret-env", "OLD"]].concat());
    by_name.env("NEW", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").env("OLD", SECRET);
    assert!(text(&run(by_name, 0)).contains("with secret 2"));
    let mut none = labhook(&verify);
    none.env_remove("LABHOOK_SECRET");
    let error = String::from_utf8(run(none, 2).stderr).unwrap();
    assert!(error.starts_with("error: LABHOOK_SECRET is not set: give a secret by"), "{error}");
}

#[test]
fn wrong_usage_has_exit_code_2() {
    for arguments in [
        &["verify"][..],
        &["verify", "/nowhere"],
        &["verify", CAPTURE, "--scheme", "githb"],
        &["verify", CAPTURE, "--now", "yesterday"],
        &["send", "not a URL"],
        &["send", "http://127.0.0.1:1/", "--type", "unknown.type"],
        &["lint", "/nowhere"],
        &["simulate", "--load", "fast"],
        &["listen", "192.0.2.1:1"],
    ] {
        let output = run(labhook(arguments), 2);
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}
