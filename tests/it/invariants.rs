//! The thirty invariants of the delivery engine, each with the properties, searches and examples
//! that check it.
//!
//! `delivery::lone`, `delivery::exhaustive`, `delivery::properties` and `delivery::regressions` are
//! unit tests in `src`; the other modules are siblings of this one. `small_scope` explores every
//! state of a small world; `small_scope::world` holds its assertions.
//!
//! 1. From any crash point, each delivery reaches one verdict:
//!    `outbox::storm::deliveries_survive_crashes_without_loss_or_overlap`,
//!    `small_scope::crash_at_any_moment_keeps_every_invariant`,
//!    `delivery::exhaustive::every_state_ends_in_one_verdict_or_in_doubt`
//! 2. An ended delivery stays ended, except by a replay:
//!    `small_scope::three_attempts_keep_every_invariant`,
//!    `delivery::properties::any_sequence_of_calls_keeps_the_invariants`,
//!    `delivery::replay::every_verdict_can_be_replayed_repeatedly`
//! 3. At most one live attempt, and attempt numbers rise by one:
//!    `small_scope::three_attempts_keep_every_invariant`,
//!    `outbox::storm::deliveries_survive_crashes_without_loss_or_overlap`,
//!    `delivery::properties::any_sequence_of_calls_keeps_the_invariants`
//! 4. Copies are bounded; at-most-once sends none after an unconfirmed one:
//!    `outbox::storm::deliveries_survive_crashes_without_loss_or_overlap`,
//!    `small_scope::late_responses_keep_every_invariant`,
//!    `outbox::at_most_once::at_most_once_sends_nothing_after_an_unconfirmed`,
//!    `delivery::guarantees::any_history_keeps_at_most_once`
//! 5. A late success ends the delivery, a late failure changes nothing:
//!    `small_scope::late_responses_keep_every_invariant`,
//!    `outbox::timing::late_success_cancels_the_retry_in_any_phase`,
//!    `outbox::timing::late_failure_of_an_unanswered_attempt_is_ignored`
//! 6. A success is never counted as a failure:
//!    `outbox::known_faults::success_of_the_last_attempt_is_no_failure`,
//!    `health::properties::every_call_keeps_the_invariants`,
//!    `small_scope::three_attempts_keep_every_invariant`
//! 7. Back-pressure uses up no attempt:
//!    `outbox::invariants::attempts_keep_to_the_rate`,
//!    `outbox::known_faults::down_endpoint_uses_up_no_attempt`,
//!    `outbox::flow::back_pressure_uses_up_no_attempt`
//! 8. Never before the scheduled delay or the one asked for:
//!    `outbox::invariants::lone_delivery_is_attempted_exactly_when_due`,
//!    `delivery::lone::lone_delivery_is_neither_early_nor_late`,
//!    `outbox::flow::retry_after_pauses_the_whole_endpoint`
//! 9. Unhindered, never after them:
//!    `outbox::invariants::lone_delivery_is_attempted_exactly_when_due`,
//!    `delivery::lone::lone_delivery_is_neither_early_nor_late`,
//!    `delivery::schedules::outbox_delivery_follows_its_schedule`
//! 10. No attempt starts at or past a deadline:
//!     `outbox::invariants::lone_delivery_is_attempted_exactly_when_due`,
//!     `small_scope::three_attempts_keep_every_invariant`,
//!     `outbox::expiry::no_retry_is_handed_out_at_or_past_the_window`,
//!     `delivery::regressions::no_attempt_starts_at_the_end_of_the_window`
//! 11. Driving at the wake-ups equals driving at every tick:
//!     `outbox::driving::wake_up_covers_what_health_and_flow_hold_back`,
//!     `outbox::determinism::driving_at_wake_ups_equals_polling_every_tick`,
//!     `outbox::twins::poll_between_wake_ups_changes_nothing`,
//!     `health::properties::wake_ups_are_exact`,
//!     `delivery::lone::waking_on_time_equals_waking_at_every_tick`
//! 12. Clocks may stop, go back or leap ahead:
//!     `simulate::evidence::clock_jump_takes_no_endpoint_down`,
//!     `outbox::clocks::down_endpoint_is_probed_within_a_wait_of_any_jump`,
//!     `outbox::invariants::backward_clock_lengthens_waits_by_its_step`,
//!     `outbox::storm::deliveries_survive_crashes_without_loss_or_overlap`,
//!     `health::properties::backward_clock_lengthens_waits_by_its_step`,
//!     `delivery::properties::backward_clock_lengthens_waits_by_its_step`,
//!     `flow::properties::decisions_keep_the_invariants`
//! 13. Determinism:
//!     `outbox::determinism::same_inputs_give_the_same_steps`,
//!     `outbox::determinism::restart_when_idle_changes_nothing`,
//!     `outbox::twins::restart_with_nothing_in_flight_changes_nothing`,
//!     `outbox::flow::restart_changes_no_flow_state`
//! 14. No overflow at any extreme:
//!     `outbox::invariants::extreme_times_under_any_policy_do_not_overflow`,
//!     `outbox::timing::extreme_times_neither_panic_nor_spin`,
//!     `delivery::properties::extreme_times_do_not_overflow`,
//!     `health::properties::extreme_times_do_not_overflow`,
//!     `flow::properties::any_saved_state_works`
//! 15. Only declared transitions:
//!     `health::properties::every_small_state_keeps_the_invariants`,
//!     `health::properties::every_call_keeps_the_invariants`
//! 16. At most one probe:
//!     `outbox::known_faults::half_open_endpoint_gets_one_probe`,
//!     `health::properties::every_call_keeps_the_invariants`,
//!     `outbox::health::batch_holds_at_most_one_probe`
//! 17. A success improves health, and enabling resets it:
//!     `health::properties::every_call_keeps_the_invariants`,
//!     `outbox::known_faults::enabled_endpoint_has_a_clean_record`
//! 18. Payload faults leave health alone:
//!     `outbox::health::probe_that_says_nothing_is_followed_by_another`,
//!     `outbox::incidents::payload_and_sender_faults_open_no_circuit`
//! 19. Disabling is neither early nor late:
//!     `outbox::invariants::disabling_is_on_time`,
//!     `health::properties::disabling_is_on_time`,
//!     `outbox::health::endpoint_is_disabled_at_an_exact_instant`
//! 20. Disabling strands nothing:
//!     `outbox::known_faults::disabling_by_anyone_strands_nothing`,
//!     `small_scope::failing_endpoints_keep_every_invariant`,
//!     `outbox::operators::disabling_ends_or_keeps_every_pending_delivery`
//! 21. Sender outages are detected:
//!     `health::properties::every_call_keeps_the_invariants`,
//!     `outbox::incidents::sender_outage_disables_nothing_and_notifies_once`,
//!     `outbox::incidents::outage_detection_counts_only_endpoints_in_use`
//! 22. Attempts keep to burst and rate:
//!     `outbox::invariants::attempts_keep_to_the_rate`,
//!     `flow::properties::releases_keep_to_the_rate`,
//!     `flow::properties::cancelled_starts_are_refunded_exactly`
//! 23. The concurrency limit grows, shrinks, and is never 0:
//!     `flow::properties::decisions_keep_the_invariants`,
//!     `outbox::flow::latency_moves_the_concurrency_limit`
//! 24. Chance, and messages that are never accepted, hold back no others:
//!     `simulate::evidence::random_refusals_do_not_slow_an_endpoint`,
//!     `simulate::evidence::poisoned_messages_do_not_affect_the_others`,
//!     `outbox::flow::retry_after_of_one_message_holds_no_other`,
//!     `outbox::evidence::probes_take_turns`
//! 25. If anything is permitted, something is sent:
//!     `outbox::flow::permitted_delivery_is_always_sent`,
//!     `small_scope::three_attempts_keep_every_invariant`,
//!     `flow::properties::decisions_keep_the_invariants`
//! 26. Each of k endpoints with a backlog gets 1/k:
//!     `outbox::invariants::backlogged_endpoints_take_turns`,
//!     `outbox::flow::backlogged_endpoints_share_bytes_not_messages`,
//!     `outbox::noisy_neighbour::hung_endpoint_does_not_delay_its_neighbours`
//! 27. In order, a message starts only after the one before it has ended:
//!     `outbox::ordering::each_key_keeps_its_order`,
//!     `outbox::invariants::replay_keeps_the_order_of_its_key`,
//!     `outbox::storm::deliveries_survive_crashes_without_loss_or_overlap`
//! 28. A replay does not overtake within its key:
//!     `outbox::invariants::replay_keeps_the_order_of_its_key`,
//!     `outbox::replay::ordered_replay_keeps_its_accepted_position`
//! 29. A replay supersedes atomically:
//!     `outbox::replay::plan_selects_exactly_its_set`,
//!     `outbox::replay::replay_supersedes_the_pending_retry`,
//!     `outbox::replay::replay_of_a_pending_delivery_is_saved_before_due`
//! 30. A replay selects exactly its set, once:
//!     `outbox::replay::plan_selects_exactly_its_set`,
//!     `outbox::known_faults::replay_selects_exactly_the_failures_once`,
//!     `outbox::replay::plan_executed_twice_replays_once`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The tests of the crate, each as `module::test`, with the number in the comment `// Fault N.`
/// above it, if it has one.
type Tests = BTreeMap<String, Option<u32>>;

/// Collects the tests of a folder. Unit tests are in files below `tests`, which is left out of the
/// module path.
fn collect(folder: &Path, module: &str, found: &mut Tests) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let module = if stem == "tests" { module.to_owned() } else { format!("{module}{stem}::") };
        if path.is_dir() {
            collect(&path, &module, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // The signature tests number other faults.
            let of_the_engine = ["outbox::", "delivery::"].iter().any(|it| module.starts_with(it));
            let (mut is_test, mut fault) = (false, None);
            for line in text.lines().map(str::trim_start) {
                if of_the_engine && let Some(number) = line.strip_prefix("// Fault ") {
                    assert_eq!(fault, None, "{module}: two faults above one test");
                    fault = Some(number.strip_suffix('.').unwrap().parse().unwrap());
                } else if line == "#[test]" {
                    is_test = true;
                } else if let Some(name) = line.strip_prefix("fn ")
                    && std::mem::take(&mut is_test)
                {
                    let name = name.split('(').next().unwrap();
                    found.insert(format!("{module}{name}"), fault.take());
                } else if fault.is_some() && !is_test {
                    panic!("{module}: `// Fault N.` must be directly above `#[test]`");
                }
            }
        }
    }
}

fn tests() -> Tests {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Tests::new();
    collect(&root.join("src"), "", &mut found);
    collect(&root.join("tests/it"), "", &mut found);
    found
}

/// The text between backticks.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_invariant_cites_existing_tests() {
    let tests = tests();
    let (mut number, mut cited) = (0, 0);
    let list = include_str!("invariants.rs").lines().map_while(|line| line.strip_prefix("//!"));
    for line in list {
        if line.starts_with(&format!(" {}. ", number + 1)) {
            assert!(number == 0 || cited > 1, "{number} cites {cited} test");
            (number, cited) = (number + 1, 0);
        } else if number > 0 {
            for name in names(line) {
                assert!(tests.contains_key(name), "{number}: there is no test {name}");
                cited += 1;
            }
        }
    }
    assert_eq!((number, cited > 1), (30, true));
}

#[test]
fn every_fault_has_existing_tests() {
    let tests = tests();
    let through_the_outbox = |fault: u32| {
        let modules = ["outbox::driving::", "outbox::known_faults::"];
        tests.iter().any(|(name, number)| {
            *number == Some(fault) && modules.iter().any(|it| name.starts_with(it))
        })
    };
    let is_known = |name: &str| tests.keys().any(|it| it.split("::").any(|part| part == name));
    let mut faults: BTreeSet<u32> = (1..=13).filter(|fault| through_the_outbox(*fault)).collect();
    let table = include_str!("outbox/known_faults.rs").lines();
    for row in table.filter_map(|line| line.strip_prefix("//! | ")) {
        let Some((number, _)) = row.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        faults.insert(number);
        for name in names(row).filter(|it| it.contains('_')) {
            assert!(is_known(name), "{number}: there is no {name}");
            for (_, fault) in tests.iter().filter(|(it, _)| it.ends_with(&format!("::{name}"))) {
                assert!(fault.is_none_or(|it| it == number), "{name} is of another fault");
            }
        }
    }
    assert_eq!(faults, (1..=13).collect());
}
