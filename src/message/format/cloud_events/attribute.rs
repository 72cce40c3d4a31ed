//! What CloudEvents takes as an attribute (specification 1.0.2, "Context Attributes").

use super::CloudEvent;

/// Whether the name may be that of an extension: `a-z` and `0-9` ("Naming Conventions"), and
/// nobody else's.
pub(super) fn is_extension(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && !CloudEvent::NAMES.contains(&name)
}

/// The canonical string of a value, where its JSON is a string, a boolean or an integer ("Type
/// System").
pub(super) fn text(json: &str) -> Option<String> {
    let number = || json.parse::<i32>().is_ok_and(|number| number.to_string() == json);
    match json {
        "true" | "false" => Some(json.to_owned()),
        json if json.starts_with('"') => {
            serde_json::from_str(json).ok().filter(|text: &String| is_string(text))
        }
        json => number().then(|| json.to_owned()),
    }
}

/// Whether the text is free of what a `String` cannot hold: control characters and
/// noncharacters.
pub(super) fn is_string(text: &str) -> bool {
    !text.chars().any(|it| {
        let number = u32::from(it);
        it.is_control() || (0xFDD0..=0xFDEF).contains(&number) || number & 0xFFFE == 0xFFFE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_letters_and_digits() {
        for name in ["a", "dataset", "1st", "traceparent", "timestamp"] {
            assert!(is_extension(name), "{name}");
        }
        for name in ["", "api_version", "Trace", "é", "a-b", "id", "time", "data", "data_base64"] {
            assert!(!is_extension(name), "{name}");
        }
    }

    #[test]
    fn values_have_a_canonical_string() {
        for (json, expected) in [
            ("true", Some("true")),
            ("-2147483648", Some("-2147483648")),
            (r#""\u20ac""#, Some("€")),
            (r#""""#, Some("")),
            ("2147483648", None),
            ("-0", None),
            ("1.0", None),
            ("1e2", None),
            ("null", None),
            ("{}", None),
            (r#""\n""#, None),
            (r#""\u009f""#, None),
            (r#""\ufdd0""#, None),
            (r#""\ud83f\udfff""#, None),
        ] {
            assert_eq!(text(json).as_deref(), expected, "{json}");
        }
    }
}
