//! Nothing public is forgotten: a new type or error variant must be searched, or be listed as one
//! that holds no secret.

use std::path::Path;

use quote::ToTokens as _;
use syn::{Item, Visibility};

use super::printed::Printed;
use super::{errors, types};
use crate::{public_api, send_sync};

/// Of types with these prefixes, there are none without their feature.
const FEATURES: [(&str, bool); 3] = [
    ("Ed25519", cfg!(feature = "ed25519")),
    ("P256", cfg!(feature = "p256")),
    ("KeySet", cfg!(any(feature = "ed25519", feature = "p256"))),
];

/// Modules whose errors are all searched. In others, a variant needs no search if its fields cannot
/// hold a secret.
const SEARCHED: [&str; 4] = ["endpoint", "receive", "secret", "signature"];

/// Types of fields that cannot hold a secret: numbers, times, and names that the application chose.
const HARMLESS: &str = "u8 u32 u64 usize Duration Timestamp HeaderName EndpointId MessageId \
    EventType EventTypeError IdError EnableError UnknownEndpointError static str";

/// Names of presets, statuses and formats; answers in words, for a log that has them anyway; and the
/// error of a payload of the application's own.
const NAMES: [&str; 8] = [
    "delivery::error::RetryPolicyError::DuplicateStatus",
    "delivery::error::RetryPolicyError::UnknownPreset",
    "delivery::error::RetryPolicyError::UnknownStatus",
    "event::EncodeError::Json",
    "flow::error::FlowPolicyError::UnknownPreset",
    "health::error::HealthPolicyError::UnknownPreset",
    "outbox::rerun::RerunError::Differs",
    "outbox::restore::RestoreError::NoRendering",
];

#[test]
fn nothing_public_prints_a_secret_mac_or_body() {
    let mut printed = Printed::new();
    types::print_all(&mut printed);
    errors::print_all(&mut printed);
    println!("{} types, {} error variants", printed.types.len(), printed.variants.len());
    let (types, variants) = (unknown_types(&printed), unknown_variants(&printed));
    assert!(types.is_empty(), "neither searched nor listed, or both: {types:#?}");
    assert!(variants.is_empty(), "not searched: {variants:#?}");
}

fn is_enabled(name: &str) -> bool {
    FEATURES.iter().all(|(prefix, is_enabled)| *is_enabled || !name.starts_with(prefix))
}

/// The types that are neither searched nor listed, or both.
fn unknown_types(printed: &Printed) -> Vec<String> {
    let listed = listed();
    let is_searched = |module: &str, name: &str| {
        printed.types.iter().any(|path| {
            path.starts_with(&format!("{module}::")) && path.ends_with(&format!("::{name}"))
        })
    };
    let mut types: Vec<(String, String)> = send_sync::public_types();
    types.extend(listed.iter().cloned());
    types.sort();
    types.dedup();
    types
        .into_iter()
        .filter(|it| is_enabled(&it.1) && is_searched(&it.0, &it.1) == listed.contains(it))
        .map(|(module, name)| format!("{module}::{name}"))
        .collect()
}

/// The types that hold no secret: module and name.
fn listed() -> Vec<(String, String)> {
    let mut module = "";
    let mut types = Vec::new();
    let lines = include_str!("holds_none.txt").lines().filter(|line| !line.starts_with('#'));
    for word in lines.flat_map(str::split_whitespace) {
        match word.strip_suffix(':') {
            Some(name) => module = name,
            None => types.push((module.to_owned(), word.to_owned())),
        }
    }
    types
}

/// The error variants that are neither searched nor listed, or both. One without fields prints a constant.
fn unknown_variants(printed: &Printed) -> Vec<String> {
    let mut unknown = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (module, file) in public_api::modules(&root) {
        let errors = file.items.into_iter().filter_map(|item| match item {
            Item::Enum(it) if matches!(it.vis, Visibility::Public(_)) => Some(it),
            _ => None,
        });
        let errors = errors.filter(|it| it.ident.to_string().ends_with("Error"));
        for error in errors.filter(|it| is_enabled(&it.ident.to_string())) {
            for variant in error.variants.iter().filter(|it| !it.fields.is_empty()) {
                let path = format!("{module}::{}::{}", error.ident, variant.ident);
                let top = module.split("::").next().unwrap();
                let is_harmless =
                    !SEARCHED.contains(&top) && variant.fields.iter().all(is_harmless);
                if !is_harmless && printed.variants.contains(&path) == NAMES.contains(&&*path) {
                    unknown.push(path);
                }
            }
        }
    }
    unknown
}

fn is_harmless(field: &syn::Field) -> bool {
    let text = field.ty.to_token_stream().to_string();
    let is_static = !text.contains('&') || text.contains("'static");
    let mut words = text.split(|char: char| !char.is_alphanumeric()).filter(|it| !it.is_empty());
    is_static && words.all(|word| HARMLESS.split_whitespace().any(|known| known == word))
}
