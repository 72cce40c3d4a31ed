//! The registry of endpoints.

use labhook::Registry;
use labhook::endpoint::RegistryError;

use crate::support::{eid, endpoint, registry};

#[test]
fn registry_error_has_a_text_and_changes_nothing() {
    let mut registry = registry([endpoint("a")]).with_limit(2);
    let error = registry.insert(endpoint("a").with_enabled(false)).unwrap_err();
    assert_eq!(error, RegistryError::AlreadyRegistered { id: eid("a") });
    assert_eq!(error.to_string(), "endpoint id `a` is already registered");
    assert!(registry.get(&eid("a")).unwrap().enabled, "the first stays");

    registry.insert(endpoint("b")).unwrap();
    let error = registry.insert(endpoint("c")).unwrap_err();
    assert_eq!(error, RegistryError::Full { limit: 2 });
    assert_eq!(error.to_string(), "registry is full: at most 2 endpoints");
    let error = registry.insert(endpoint("a")).unwrap_err();
    assert_eq!(
        error,
        RegistryError::AlreadyRegistered { id: eid("a") },
        "a duplicate is reported before the limit"
    );

    let error = registry.replace(endpoint("c")).unwrap_err();
    assert_eq!(error.id, eid("c"));
    assert_eq!(error.to_string(), "unknown endpoint `c`");
    assert_eq!(registry.len(), 2);
}

#[test]
fn registry_iterates_in_the_order_of_the_ids() {
    let registry = registry(["c", "a", "b"].map(endpoint));
    let ids: Vec<_> = registry.iter().map(|endpoint| endpoint.id().as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(!registry.is_empty());
    assert!(Registry::new().is_empty());
}

#[test]
fn removal_frees_a_place_and_replacement_does_not() {
    let mut registry = registry([endpoint("a")]).with_limit(1);
    let old = registry.replace(endpoint("a").with_enabled(false)).unwrap();
    assert!(old.enabled);
    assert!(!registry.get(&eid("a")).unwrap().enabled);
    assert!(registry.insert(endpoint("b")).is_err());
    assert!(!registry.remove(&eid("a")).unwrap().enabled);
    assert!(registry.remove(&eid("a")).is_none());
    assert!(registry.get(&eid("a")).is_none());
    registry.insert(endpoint("b")).unwrap();
}

#[test]
fn limit_below_the_length_removes_nothing() {
    let mut registry = registry(["a", "b"].map(endpoint)).with_limit(0);
    assert_eq!(registry.len(), 2);
    assert_eq!(registry.insert(endpoint("c")), Err(RegistryError::Full { limit: 0 }));
    assert!(registry.replace(endpoint("b")).is_ok());
}
