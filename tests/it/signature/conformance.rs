//! Conformance suite: runs `tests/data/conformance.json`, which an implementation in any language
//! can run. `tests/data/conformance.md` describes the file.
//!
//! The expected verdicts were computed without this crate, or published by others.

mod case;
mod key;
mod scheme;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use case::{Case, FILE, kebab};
use serde_json::{Map, Value};

const PAGE: &str = include_str!("../../data/conformance.md");

/// Names in backticks in the first column of the page's table with this header.
fn column(header: &str) -> Vec<&'static str> {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let names: Vec<_> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(!names.is_empty(), "{header}");
    names
}

/// Names of the variants of an error type of this crate, as the file writes them.
fn variants(file: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let items = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap().items;
    let found = items.into_iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let variants = found.unwrap().variants.into_iter();
    variants.map(|variant| kebab(&variant.ident.to_string())).collect()
}

#[test]
fn conformance_cases_give_their_verdicts() {
    let cases = Case::all();
    let mut failures = Vec::new();
    let mut run = 0;
    for case in cases {
        let Some(outcome) = case.run() else { continue };
        run += 1;
        if !outcome.is_of(case) {
            failures.push(format!("{}: {outcome:?}", case.name));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    let is_complete = cfg!(all(feature = "ed25519", feature = "p256", feature = "twilio"));
    assert!(run >= if is_complete { cases.len() } else { 800 }, "{run} of {}", cases.len());
}

/// The form of a case, beyond what reading it checks.
#[test]
fn conformance_cases_are_well_formed() {
    let cases = Case::all();
    let mut names = BTreeSet::new();
    for case in cases {
        let name = &case.name;
        assert!(names.insert(name), "{name}: the name is repeated");
        let is_accepted = match case.verdict.as_str() {
            "accepted" => true,
            "refused" | "invalid-secret" | "invalid-scheme" => false,
            other => panic!("{name}: no verdict {other}"),
        };
        assert_eq!(case.key_index.is_some(), is_accepted, "{name}");
        assert_eq!(case.refusal.is_none(), is_accepted, "{name}");
        match case.optional.as_deref() {
            None => {}
            Some("hardening") => assert!(!is_accepted, "{name}"),
            Some("leniency") => assert!(is_accepted, "{name}"),
            Some(other) => panic!("{name}: no optional {other}"),
        }
        assert!(case.source.as_ref().is_none_or(|source| !source.is_empty()), "{name}");
    }
    assert!(cases.iter().filter(|case| case.source.is_some()).count() >= 70);
}

/// A runner is written from the page.
#[test]
fn every_member_and_form_is_in_the_page() {
    let cases: Vec<Map<String, Value>> = serde_json::from_str(FILE).unwrap();
    let (members, forms) = (column("| member | content |"), column("| form | key |"));
    for case in &cases {
        for (member, value) in case {
            assert!(members.contains(&&**member), "{member}");
            let settings = value.as_object().into_iter().flatten().map(|(setting, _)| setting);
            for setting in settings {
                assert!(PAGE.contains(&format!("| `{setting}` |")), "{member}: {setting}");
            }
        }
        for secret in case["secrets"].as_array().unwrap() {
            let form = secret.as_object().unwrap().keys().next().unwrap();
            assert!(forms.contains(&&**form), "{form}");
        }
    }
    assert_eq!(FILE.lines().count(), cases.len() + 2, "one line per case");
}

/// An error without a case would not be checked in other implementations.
#[test]
fn every_request_error_has_a_case() {
    let cases = Case::all();
    let mut errors = variants("signature/error.rs", "VerifyError");
    // It has the names of the other type.
    errors.retain(|name| name != "http-message");
    errors.extend(variants("signature/http_message_error.rs", "HttpMessageError"));
    let documented = column("| refusal | meaning |");
    for error in &errors {
        let has_case =
            |case: &Case| case.verdict == "refused" && case.refusal.as_ref() == Some(error);
        assert!(cases.iter().any(has_case), "{error}: no case");
        assert!(documented.contains(&error.as_str()), "{error}: not in the page");
    }
    assert_eq!(documented.len(), errors.len());
}

#[test]
fn every_refusal_of_a_secret_has_a_case() {
    // Of private keys, which no verifier has.
    let of_senders = ["public-key-mismatch", "invalid-private-key"];
    let cases = Case::all();
    for (file, name) in [
        ("secret.rs", "SecretError"),
        ("signature/ed25519.rs", "Ed25519KeyError"),
        ("signature/p256.rs", "P256KeyError"),
        ("signature/key_set.rs", "KeySetError"),
        ("signature/key.rs", "KeyError"),
    ] {
        for error in variants(file, name) {
            let has_case = |case: &Case| {
                let is_of_form = |type_name| type_name == name || name == "KeyError";
                case.verdict == "invalid-secret"
                    && case.refusal.as_ref() == Some(&error)
                    && case.secrets.iter().any(|secret| is_of_form(secret.error_type()))
            };
            let is_required = !of_senders.contains(&error.as_str());
            assert_eq!(cases.iter().any(has_case), is_required, "{name}: {error}");
            assert!(
                !is_required || PAGE.contains(&format!("`{error}`")),
                "{error}: not in the page"
            );
        }
    }
}

#[test]
fn every_refusal_of_a_scheme_has_a_case() {
    let cases = Case::all();
    for (file, name, scheme) in [
        ("signature/scheme_spec_error.rs", "SchemeSpecError", "custom"),
        (
            "signature/http_message/profile_error.rs",
            "HttpMessageProfileError",
            "http-message-signatures",
        ),
    ] {
        for error in variants(file, name) {
            let has_case = |case: &Case| {
                case.verdict == "invalid-scheme"
                    && case.scheme == scheme
                    && case.refusal.as_ref() == Some(&error)
            };
            assert!(cases.iter().any(has_case), "{name}: {error}");
            assert!(PAGE.contains(&format!("`{error}`")), "{error}: not in the page");
        }
    }
}

/// Each numbered fault and each difference between libraries has cases, and the page lists all of
/// them.
#[test]
fn every_fault_and_difference_has_a_case() {
    let cases = Case::all();
    let mut prefixes = column("| name starts with | fault |");
    // Fault 9 is about printing, 13 and 14 about decoding.
    let faults = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12].map(|number| format!("fault-{number}-"));
    assert_eq!(prefixes, faults);
    prefixes.extend(column("| name starts with | input | verdict |"));
    assert_eq!(prefixes.len(), 11 + 28);
    for prefix in &prefixes {
        assert!(cases.iter().any(|case| case.name.starts_with(prefix)), "{prefix}");
    }
    let mut listed = 0;
    for case in cases {
        let is_numbered = case.name.starts_with("fault-") || case.name.starts_with("interop-");
        let is_listed = prefixes.iter().any(|prefix| case.name.starts_with(prefix));
        assert_eq!(is_numbered, is_listed, "{}", case.name);
        listed += usize::from(is_listed);
    }
    assert!(listed >= 235, "{listed}");
}

/// Each scheme has genuine requests, a second key and refused requests.
#[test]
fn every_scheme_has_cases_of_each_kind() {
    let cases = Case::all();
    let schemes: BTreeSet<_> = cases.iter().map(|case| &*case.scheme).collect();
    assert_eq!(schemes.len(), 7);
    for scheme in schemes {
        assert!(PAGE.contains(&format!("\n## {scheme}\n")), "{scheme}: no section in the page");
        let has = |kind: &str, is: fn(&Case) -> bool| {
            let found = cases.iter().any(|case| case.scheme == scheme && is(case));
            assert!(found, "{scheme}: {kind}");
        };
        has("first key", |case| case.key_index == Some(0));
        has("later key", |case| case.key_index > Some(0));
        for refusal in ["missing-header", "no-match"] {
            let found = cases
                .iter()
                .any(|case| case.scheme == scheme && case.refusal.as_deref() == Some(refusal));
            assert!(found, "{scheme}: {refusal}");
        }
    }
}
