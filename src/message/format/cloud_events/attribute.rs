//! CloudEvents attribute names and values (specification 1.0.2, "Context Attributes").

use super::cloud_event::CloudEvent;

/// Returns whether the name is a valid extension name: `a-z` and `0-9` ("Naming Conventions"), and
/// not the name of another attribute.
pub(super) fn is_extension(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && !CloudEvent::NAMES.contains(&name)
}

/// Returns the canonical string of a JSON string, boolean or 32-bit integer ("Type System").
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

/// Returns whether the text is a valid CloudEvents `String`: no control characters and no
/// noncharacters.
pub(super) fn is_string(text: &str) -> bool {
    !text.chars().any(|char| {
        let number = u32::from(char);
        char.is_control() || (0xFDD0..=0xFDEF).contains(&number) || number & 0xFFFE == 0xFFFE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_names_are_lower_case_alphanumeric() {
        for name in ["a", "dataset", "1st", "traceparent", "timestamp"] {
            assert!(is_extension(name), "{name}");
        }
        for name in ["", "api_version", "Trace", "é", "a-b", "id", "time", "data", "data_base64"] {
            assert!(!is_extension(name), "{name}");
        }
    }

    #[test]
    fn attribute_values_have_a_canonical_string() {
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
