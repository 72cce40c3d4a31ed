//! The committed documents are those that the code writes.

use std::fs;

#[test]
fn committed_document_is_up_to_date() {
    for (name, text) in schemas::documents().unwrap() {
        let committed = fs::read_to_string(schemas::home().join(name)).unwrap_or_default();
        assert!(committed == text, "{name} is out of date: run `cargo run -p schemas`");
    }
}

#[test]
fn document_has_every_event_of_the_catalogue() {
    let [(_, schema), (_, openapi), (_, asyncapi)] = schemas::documents().unwrap();
    for event_type in labhook::LabEvent::CATALOGUE {
        assert!(schema.contains(&format!(r#""const": "{event_type}""#)), "{event_type}");
        assert!(openapi.contains(&format!(r#"    "{event_type}": {{"#)), "{event_type}");
        assert!(asyncapi.contains(&format!(r#""name": "{event_type}""#)), "{event_type}");
    }
}
