//! The saved form of the state.

use std::num::NonZeroU32;

use labhook::health::{Health, Permit, Signal};

use super::fixture::{Endpoint, at, default, restored};

use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};

#[test]
fn saved_state_has_this_form() {
    let json = |health: &Health| serde_json::to_string(health).unwrap();
    let mut endpoint = Endpoint::new(default());
    assert_eq!(json(&endpoint.health), r#"{"serial":0,"enabled_serial":0,"state":{"healthy":{}}}"#);
    let _ = endpoint.attempt(EndpointFault, 1);
    let _ = endpoint.attempt(Overload, 2);
    assert_eq!(
        json(&endpoint.health),
        concat!(
            r#"{"serial":0,"enabled_serial":0,"state":{"healthy":{"faults":[1000000],"#,
            r#""overload":{"first":2000000,"last":2000000,"count":1}}}}"#
        )
    );
    let mut endpoint = Endpoint::degraded(default().with_suspend_after(NonZeroU32::MIN), 0);
    let permit = endpoint.start(300);
    assert_eq!(serde_json::to_string(&permit).unwrap(), r#"{"serial":1,"deadline":330000000}"#);
    assert_eq!(serde_json::from_str::<Permit>(r#"{"serial":7}"#).unwrap().deadline(), None);
    assert_eq!(
        json(&endpoint.health),
        concat!(
            r#"{"serial":1,"enabled_serial":0,"state":{"degraded":{"since":0,"failed_probes":0,"#,
            r#""probe":{"in_flight":{"serial":1,"started":300000000,"deadline":330000000}}}}}"#
        )
    );
    let _ = endpoint.record(permit, EndpointFault, 301);
    endpoint.health.pause(at(302));
    assert_eq!(
        json(&endpoint.health),
        concat!(
            r#"{"serial":1,"enabled_serial":0,"paused_since":302000000,"state":{"suspended":{"#,
            r#""backoff":{"since":301000000,"failed_probes":1,"probe":{"waiting":{"due":901000000}}},"#,
            r#""timer":{"start":301000000,"decided_until":301000000}}}}"#
        )
    );
    endpoint.health.disable(Some("why".to_owned()), at(303));
    assert_eq!(
        json(&endpoint.health),
        concat!(
            r#"{"serial":1,"enabled_serial":0,"paused_since":302000000,"#,
            r#""state":{"disabled":{"since":303000000,"by":"operator","reason":"why"}}}"#
        )
    );
    assert_eq!(restored(&endpoint.health), endpoint.health);
    assert_eq!(endpoint.health.state().to_string(), "disabled");
    for signal in [Success, EndpointFault, Overload, PayloadFault, SenderFault, Gone] {
        assert_eq!(serde_json::to_string(&signal).unwrap(), format!("\"{signal}\""));
    }
}
