//! `lint` and `simulate`.

mod support;

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;
use support::{labhook, run, text};

/// Writes a policy, and returns its path.
fn policy(at: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = at.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

const LIMITED: &str = "[flow.rate_limit]\nreleases = 30\nper = '1s'\n";

#[test]
fn finding_at_or_above_the_denied_severity_is_no() {
    let at = tempfile::tempdir().unwrap();
    let file = policy(&at, "policy.toml", LIMITED);
    let lint = |load: &str, deny: &str, code| {
        text(&run(labhook(&["lint", &file, "--load", load, "--deny", deny]), code))
    };
    assert_snapshot!("lint", lint("40/s", "contradiction", 1));
    assert!(lint("10/s", "contradiction", 0).ends_with("findings: 1, denied: 0\n"));
    let equal = lint("30/s", "contradiction", 0);
    assert!(equal.contains("risk: ") && equal.ends_with("findings: 2, denied: 0\n"), "{equal}");
    assert!(lint("30/s", "risk", 1).ends_with("findings: 2, denied: 2\n"));
}

#[test]
fn findings_are_json_on_request() {
    let at = tempfile::tempdir().unwrap();
    let file = policy(&at, "policy.json", r#"{"retry": {"preset": "none"}}"#);
    let output = run(labhook(&["lint", &file, "--json"]), 0);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][0]["name"], "no_retries");
    assert_eq!((&report["most_attempts"], &report["denied"]), (&1.into(), &0.into()));
}

#[test]
fn policy_of_an_endpoint_is_read_without_its_secret() {
    let at = tempfile::tempdir().unwrap();
    let file = policy(
        &at,
        "endpoints.toml",
        "[eln]\nurl = 'https://eln.example/in'\nsecret = { encoding = 'whsec', env = 'ELN' }\n\
         retry = { preset = 'svix' }\n",
    );
    let out = text(&run(labhook(&["lint", &file, "--endpoint", "eln"]), 0));
    assert!(out.contains("a delivery gets 8 attempts"), "{out}");
    run(labhook(&["lint", &file, "--endpoint", "lims"]), 2);
}

#[test]
fn error_in_a_policy_names_the_line_and_quotes_nothing() {
    let at = tempfile::tempdir().unwrap();
    let file =
        policy(&at, "endpoints.toml", "[eln]\nurl = 'https://x.example/s3cr3t'\nretri = 1\n");
    let output = run(labhook(&["lint", &file, "--endpoint", "eln"]), 2);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("unknown field `retri`") && error.contains("at line "), "{error}");
    assert!(!error.contains("s3cr3t"), "{error}");
}

#[test]
fn policies_are_simulated_side_by_side() {
    let at = tempfile::tempdir().unwrap();
    let once = policy(&at, "once.toml", "[retry]\npreset = 'none'\n");
    let svix = policy(&at, "svix.toml", "[retry]\npreset = 'svix'\n");
    let arguments = ["simulate", &once, &svix, "--outage", "10m..20m", "--load", "6/m"];
    let output = run(labhook(&arguments), 1);
    let table = text(&output);
    let row = |name: &str| table.lines().find(|line| line.contains(name)).unwrap();
    assert!(row("once").contains("svix"), "{table}");
    assert_eq!(row("messages").matches("360").count(), 2, "{table}");
    let json = run(labhook(&[&arguments[..], &["--json"]].concat()), 1);
    let lines: Vec<Value> =
        text(&json).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[1]["policy"]), (2, &Value::from("svix")));
    assert_eq!(lines[1]["delivered"], lines[1]["messages"]);
    assert!(lines[0]["delivered"].as_u64() < lines[0]["messages"].as_u64());
}

#[test]
fn simulation_is_drawn() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("picture.svg");
    let arguments = ["simulate", "--outage", "5m..10m", "--for", "20m", "--svg"];
    run(labhook(&[&arguments[..], &[file.to_str().unwrap()]].concat()), 0);
    let picture = fs::read_to_string(file).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("attempts per"));
    // The outage is shaded in both charts.
    assert_eq!(picture.matches("#f4e3d2").count(), 3);
}
