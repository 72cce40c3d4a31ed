//! Objects with every kind of field, independent of any event.

use super::{JsonText, Nullable, UnknownMembers, object};
use crate::decode::{JsonErrorAt, from_json, from_json_strictly, from_json_with_path};

object! {
    /// An object.
    pub(crate) struct Inner {
        required name: String,
        optional kind: String as "type",
    }
}

object! {
    /// An object that contains others.
    pub(crate) struct Outer {
        optional first: u64,
        required inner: Inner,
        optional list: Vec<Inner>,
        optional raw: JsonText,
        required last: i64 as "last-one",
    }
}

fn read(json: &str) -> Result<Outer, (String, String)> {
    from_json(json.as_bytes()).map_err(|JsonErrorAt { path, source }| (path, source.to_string()))
}

#[test]
fn object_writes_fields_in_the_declared_order() {
    let mut outer = Outer::new(Inner::new("n"), -1);
    outer.first = Some(u64::MAX);
    outer.inner.kind = Some("k".to_owned());
    outer.list = Some(vec![Inner::new("m")]);
    outer.raw = Some(JsonText::new("[1.10]").unwrap());
    outer.unknown.insert("z", "1e400").unwrap();
    outer.unknown.insert("a", "null").unwrap();
    let json = r#"{"first":18446744073709551615,"inner":{"name":"n","type":"k"},"list":[{"name":"m"}],"raw":[1.10],"last-one":-1,"z":1e400,"a":null}"#;
    assert_eq!(serde_json::to_string(&outer).unwrap(), json);
    assert_eq!(read(json).unwrap(), outer);
    let shuffled = r#" {"z":1e400,"last-one":-1,"a":null,"raw":[1.10],
        "list":[{"name":"m"}],"inner":{"type":"k","name":"n"},"first":18446744073709551615} "#;
    assert_eq!(read(shuffled).unwrap(), outer);
    assert_eq!(Outer::NAMES, ["first", "inner", "list", "raw", "last-one"]);
}

#[test]
fn optional_field_of_null_is_none() {
    let json =
        r#"{"first":null,"inner":{"name":"n","type":null},"raw":null,"last-one":0,"z":null}"#;
    let outer = read(json).unwrap();
    assert_eq!((outer.first, &outer.raw), (None, &None));
    assert_eq!(
        serde_json::to_string(&outer).unwrap(),
        r#"{"inner":{"name":"n"},"last-one":0,"z":null}"#
    );
}

#[test]
fn object_errors_carry_the_path_of_the_field() {
    for (json, path, why) in [
        (r#"{"inner":{}}"#, "inner", "missing field `name`"),
        (r#"{"inner":{"name":"n"}}"#, ".", "missing field `last-one`"),
        (r#"{"inner":null}"#, "inner", "invalid type: null, expected a JSON object"),
        (r#"{"inner":{"name":"n"},"last-one":"x"}"#, "last-one", "invalid type: string \"x\""),
        (r#"{"first":-1,"first":1}"#, "first", "duplicate field `first`"),
        (r#"{"first":[1}"#, "first", "expected `,` or `]`"),
        (r#"{"z":1,"inner":{"name":"n"},"z":1}"#, "z", "duplicate field `z`"),
        (r#"{"raw":null,"raw":1}"#, "raw", "duplicate field `raw`"),
        (r#"{"inner":{"name":"n","\u006eame":"n"}}"#, "inner.name", "duplicate field `name`"),
        (r#"{"z":[1,}"#, "z", "expected value"),
        ("[]", ".", "invalid type: sequence, expected a JSON object"),
        ("{} {}", ".", "missing field `inner`"),
    ] {
        let (found, text) = read(json).unwrap_err();
        assert_eq!(found, path, "{json}: {text}");
        assert!(text.starts_with(why), "{json}: {text}");
    }
}

#[test]
fn optional_member_of_another_type_is_kept() {
    for member in [
        r#""first":-1"#,
        r#""first":1.0"#,
        r#""first":18446744073709551616"#,
        r#""list":[{"name":"m"},{"name":2}]"#,
        r#""list":{"name":"m","name":"m"}"#,
    ] {
        let json =
            format!(r#"{{"inner":{{"name":"n","type":1.10}},"last-one":1,{member},"z":[]}}"#);
        let outer = read(&json).unwrap();
        assert_eq!((outer.first, &outer.list, &outer.inner.kind), (None, &None, &None));
        assert_eq!(outer.inner.unknown.get("type"), Some("1.10"));
        assert_eq!(outer.unknown.len(), 2);
        let again = serde_json::to_string(&outer).unwrap();
        assert_eq!(again, json);
        assert_eq!(read(&again).unwrap(), outer);
    }
}

#[test]
fn strict_object_has_no_member_of_another_type() {
    for (json, is_strict) in [
        (r#"{"inner":{"name":"n"},"last-one":1,"list":[{"name":"m","type":null}]}"#, true),
        (r#"{"inner":{"name":"n","x":1},"last-one":1,"raw":[1.10],"first":null}"#, true),
        (r#"{"inner":{"name":"n"},"last-one":1,"first":"x"}"#, false),
        (r#"{"inner":{"name":"n","type":1},"last-one":1}"#, false),
        (r#"{"inner":{"name":"n"},"last-one":1,"list":[{"name":"m","type":1}]}"#, false),
    ] {
        let strict: Option<Outer> = from_json_strictly(json);
        assert_eq!(strict.is_some(), is_strict, "{json}");
        let kept: Outer = from_json_with_path(json.as_bytes()).unwrap();
        assert!(strict.is_none_or(|strict| strict == kept), "{json}");
    }
}

#[test]
fn member_of_another_type_collides_with_a_value() {
    let mut outer = read(r#"{"inner":{"name":"n"},"last-one":1,"first":"x"}"#).unwrap();
    outer.first = Some(1);
    assert_eq!(
        serde_json::to_string(&outer).unwrap_err().to_string(),
        "unknown member `first` collides with a known field"
    );
    assert_eq!(outer.unknown.remove("first"), Some(JsonText::new(r#""x""#).unwrap()));
    assert!(serde_json::to_string(&outer).is_ok());
}

object! {
    /// An object in which nothing may be ignored.
    pub(crate) struct Definition {
        strict only: u8,
        strict_nullable but: u8,
    }
}

#[test]
fn strict_member_of_another_type_is_an_error() {
    for (json, is_ok) in [
        ("{}", true),
        (r#"{"only":null,"but":null}"#, true),
        (r#"{"only":"x"}"#, false),
        (r#"{"but":"x"}"#, false),
    ] {
        assert_eq!(serde_json::from_str::<Definition>(json).is_ok(), is_ok, "{json}");
    }
    let mut definition = Definition::new();
    definition.unknown.insert("only", "1").unwrap();
    assert!(serde_json::to_string(&definition).is_err());
}

#[test]
fn unknown_member_with_a_known_name_is_an_error() {
    let mut inner = Inner::new("n");
    inner.kind = Some("k".to_owned());
    inner.unknown.insert("type", "1").unwrap();
    assert_eq!(
        serde_json::to_string(&inner).unwrap_err().to_string(),
        "unknown member `type` collides with a known field"
    );
}

#[test]
fn unknown_members_keep_their_insertion_order() {
    let mut unknown = UnknownMembers::new();
    assert!(unknown.is_empty());
    for (name, json) in [("z", "1"), ("a", " 2 "), ("z", "3.0")] {
        unknown.insert(name, json).unwrap();
    }
    let all: Vec<_> = unknown.iter().collect();
    assert_eq!(all, [("z", "3.0"), ("a", "2")]);
    assert_eq!((unknown.len(), unknown.get("a"), unknown.get("b")), (2, Some("2"), None));
    assert_eq!(format!("{unknown:?}"), r#"{"z", "a"}"#);
    assert_eq!(
        unknown.insert("b", "{").unwrap_err().to_string(),
        "EOF while parsing an object at line 1 column 1"
    );
    assert_eq!(unknown.len(), 2);
}

#[test]
fn many_or_deep_unknown_members_are_cheap() {
    let names: String = (0..50_000).map(|n| format!(r#""u{n}":{n},"#)).collect();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let json = format!(r#"{{{names}"deep":{deep},"inner":{{"name":"n"}},"last-one":1}}"#);
    let outer = read(&json).unwrap();
    assert_eq!(outer.unknown.len(), 50_001);
    assert_eq!(outer.unknown.get("deep"), Some(&*deep));
}

object! {
    /// An object with a nullable field.
    pub(crate) struct WithNullable {
        nullable success: bool,
        required id: u8,
    }
}

#[test]
fn nullable_field_keeps_absent_null_and_value_apart() {
    for (json, success) in [
        (r#"{"id":1}"#, Nullable::Absent),
        (r#"{"success":null,"id":1}"#, Nullable::Null),
        (r#"{"success":true,"id":1}"#, Nullable::Value(true)),
    ] {
        let object: WithNullable = serde_json::from_str(json).unwrap();
        assert_eq!(object.success, success);
        assert_eq!(serde_json::to_string(&object).unwrap(), json);
    }
    assert_eq!(WithNullable::new(1_u8).success, Nullable::Absent);
    let odd: WithNullable = serde_json::from_str(r#"{"success":1,"id":1}"#).unwrap();
    assert_eq!((odd.success, odd.unknown.get("success")), (Nullable::Absent, Some("1")));
}

#[test]
fn unknown_members_can_be_removed_and_appended() {
    let members = |names: &[&str]| {
        let mut members = UnknownMembers::new();
        names.iter().for_each(|&name| members.insert(name, "1").unwrap());
        members
    };
    let mut some = members(&["a", "b", "c"]);
    assert_eq!(some.remove("b"), Some(JsonText::new("1").unwrap()));
    assert_eq!(some.remove("b"), None);
    assert!(!some.append(&members(&["d", "c"])));
    assert_eq!(some, members(&["a", "c"]));
    assert!(some.append(&members(&["d", "b"])));
    assert_eq!(some, members(&["a", "c", "d", "b"]));
}
