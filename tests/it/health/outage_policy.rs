//! Detection of sender outages: thresholds, and the file form.

use labhook::health::{OutagePolicy, SenderOutage};
use proptest::prelude::*;

proptest! {
    #[test]
    fn share_is_compared_exactly(
        percent in 0..=100_u8,
        least in 0..9_u32,
        failing in 0..20_u64,
        all in 0..20_u64,
    ) {
        let suspected = OutagePolicy::new(percent, least).check(failing, all).is_suspected();
        let failing = failing.min(all);
        let exceeds = failing * 100 > all * u64::from(percent);
        prop_assert_eq!(suspected, exceeds && failing >= u64::from(least));
    }
}

#[test]
fn extremes_are_handled() {
    let policy = OutagePolicy::new(99, 1);
    assert_eq!(policy.check(u64::MAX, u64::MAX), SenderOutage::Suspected);
    assert_eq!(policy.check(u64::MAX, 0), SenderOutage::Clear);
    assert_eq!(OutagePolicy::new(255, 0).percent(), 100);
    assert_eq!(OutagePolicy::new(100, 0).check(9, 9), SenderOutage::Clear);
    assert_eq!(OutagePolicy::default().check(3, 5), SenderOutage::Suspected);
    assert_eq!(OutagePolicy::default().check(2, 2), SenderOutage::Clear);
    assert_eq!(OutagePolicy::default().at_least(), 3);
    // To one in 10^18.
    let half = u64::MAX / 2;
    assert_eq!(OutagePolicy::default().check(half, half * 2), SenderOutage::Clear);
    assert_eq!(OutagePolicy::default().check(half + 1, half * 2), SenderOutage::Suspected);
}

#[test]
fn file_may_omit_fields() {
    let read = |json| serde_json::from_str::<OutagePolicy>(json).map_err(|error| error.to_string());
    assert_eq!(read("{}"), Ok(OutagePolicy::default()));
    assert_eq!(read(r#"{"percent": 0, "at_least": 10}"#), Ok(OutagePolicy::new(0, 10)));
    let error = "`percent` must be at most 100, got 101";
    assert_eq!(read(r#"{"percent": 101}"#), Err(error.to_owned()));
    assert!(read(r#"{"share": 50}"#).is_err());
    assert_eq!(
        serde_json::to_string(&OutagePolicy::default()).unwrap(),
        r#"{"percent":50,"at_least":3}"#
    );
}
