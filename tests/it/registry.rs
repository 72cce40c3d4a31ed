//! The registry of endpoints.

use labhook::Registry;
use labhook::endpoint::RegistryError;

use crate::support::{eid, endpoint, registry};

#[test]
fn each_registry_error_has_its_text_and_changes_nothing() {
    let mut registry = registry([endpoint("a")]).with_limit(2);
    let error = registry.insert(endpoint("a").with_enabled(false)).unwrap_err();
    assert_eq!(error, RegistryError::Taken { id: eid("a") });
    assert_eq!(error.to_string(), "the endpoint id a is taken");
    assert!(registry.get(&eid("a")).unwrap().enabled, "the first stays");

    registry.insert(endpoint("b")).unwrap();
    let error = registry.insert(endpoint("c")).unwrap_err();
    assert_eq!(error, RegistryError::Full { limit: 2 });
    assert_eq!(error.to_string(), "the registry holds 2 endpoints, and that is its limit");
    let error = registry.insert(endpoint("a")).unwrap_err();
    assert_eq!(error, RegistryError::Taken { id: eid("a") }, "taken says more than full");

    let error = registry.replace(endpoint("c")).unwrap_err();
    assert_eq!(error.id, eid("c"));
    assert_eq!(error.to_string(), "unknown endpoint `c`");
    assert_eq!(registry.len(), 2);
}

#[test]
fn endpoints_are_kept_in_the_order_of_their_ids() {
    let registry = registry(["c", "a", "b"].map(endpoint));
    let ids: Vec<_> = registry.iter().map(|endpoint| endpoint.id().as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(!registry.is_empty());
    assert!(Registry::new().is_empty());
}

#[test]
fn a_place_is_freed_by_removal_and_not_by_replacement() {
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
fn a_limit_below_what_there_is_refuses_more_and_removes_nothing() {
    let mut registry = registry(["a", "b"].map(endpoint)).with_limit(0);
    assert_eq!(registry.len(), 2);
    assert_eq!(registry.insert(endpoint("c")), Err(RegistryError::Full { limit: 0 }));
    assert!(registry.replace(endpoint("b")).is_ok());
}
