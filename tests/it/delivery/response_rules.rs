//! Response rules: what each preset does with a status.

use http::StatusCode;
use labhook::RetryPolicy;
use labhook::delivery::{ResponseAction, ResponseRules, Schedule};

use ResponseAction::{Deliver, Disable, Fail, Retry};

/// A preset's name, its constructor, and the actions other than to deliver 2xx and retry the rest.
type Preset = (&'static str, fn() -> ResponseRules, &'static [(u16, ResponseAction)]);

#[test]
fn presets_treat_statuses_as_documented() {
    const STATUSES: [u16; 14] =
        [200, 204, 302, 400, 401, 403, 404, 408, 409, 410, 413, 429, 501, 503];
    let presets: [Preset; 6] = [
        ("standard_webhooks", ResponseRules::standard_webhooks, &[(410, Disable)]),
        ("svix", ResponseRules::svix, &[(410, Disable)]),
        ("strike", ResponseRules::strike, &[(410, Fail), (501, Fail)]),
        (
            "event_bridge",
            ResponseRules::event_bridge,
            &[
                (302, Fail),
                (400, Fail),
                (403, Fail),
                (404, Fail),
                (408, Fail),
                (410, Fail),
                (413, Fail),
            ],
        ),
        (
            "event_grid",
            ResponseRules::event_grid,
            &[(400, Fail), (401, Fail), (403, Fail), (413, Fail)],
        ),
        (
            "shopware",
            ResponseRules::shopware,
            &[(400, Fail), (401, Fail), (403, Fail), (409, Fail), (410, Disable), (413, Fail)],
        ),
    ];
    for (name, preset, exceptions) in presets {
        let rules = preset();
        for status in STATUSES {
            let usual = if status < 300 { Deliver } else { Retry };
            let exception = exceptions.iter().find(|(of, _)| *of == status);
            let expected = exception.map_or(usual, |(_, action)| *action);
            let found = rules.action(StatusCode::from_u16(status).unwrap());
            assert_eq!(found, expected, "{name} {status}");
        }
        if let Some(policy) = RetryPolicy::named(name) {
            assert_eq!(policy.responses(), &rules, "{name}");
        }
        assert_eq!(ResponseRules::named(name), Some(rules), "{name}");
    }
    assert_eq!(ResponseRules::named("none"), None);
}

#[test]
fn each_class_has_its_own_rule() {
    let rules = ResponseRules::new()
        .with_successes(Retry)
        .with_redirections(Disable)
        .with_client_errors(Fail)
        .with_server_errors(Deliver)
        .with_other(Fail);
    for (status, action) in [
        (200, Retry),
        (299, Retry),
        (300, Disable),
        (399, Disable),
        (400, Fail),
        (499, Fail),
        (500, Deliver),
        (599, Deliver),
        (600, Fail),
    ] {
        assert_eq!(rules.action(StatusCode::from_u16(status).unwrap()), action, "{status}");
    }
}

#[test]
fn schedule_is_found_by_its_name() {
    for (name, schedule) in [
        ("standard_webhooks", Schedule::STANDARD_WEBHOOKS),
        ("svix", Schedule::SVIX),
        ("strike", Schedule::STRIKE),
        ("hook0", Schedule::HOOK0),
        ("outpost", Schedule::OUTPOST),
        ("event_grid", Schedule::EVENT_GRID),
        ("shopware", Schedule::SHOPWARE),
        ("none", Schedule::NONE),
    ] {
        assert_eq!(Schedule::named(name), Some(schedule), "{name}");
    }
    assert_eq!(Schedule::named("daily"), None);
}
