//! Where each of the thirty invariants of the delivery engine is held: by which properties,
//! searches and examples.
//!
//! `delivery::lone`, `delivery::exhaustive`, `delivery::properties` and `delivery::regressions` are
//! unit tests in `src`; the other modules are siblings of this one. `small_scope` explores every
//! state of a small world; its claims are in `small_scope_world`.
//!
//! 1. From any crash point one verdict for each delivery:
//!    `outbox::nothing_is_lost_and_nothing_is_live_twice`,
//!    `small_scope::a_crash_at_any_moment`,
//!    `delivery::exhaustive::from_every_reachable_state_there_is_one_verdict_or_a_question`
//! 2. What has ended stays so, but for a replay:
//!    `small_scope::three_attempts_of_each`,
//!    `delivery::properties::any_calls_in_any_order_keep_the_invariants`,
//!    `delivery_replay::every_verdict_can_be_replayed_and_the_last_replay_counts`
//! 3. One live attempt, and numbers that rise by one:
//!    `small_scope::three_attempts_of_each`,
//!    `outbox::nothing_is_lost_and_nothing_is_live_twice`,
//!    `delivery::properties::any_calls_in_any_order_keep_the_invariants`
//! 4. Copies are bounded; at most once, none after an unconfirmed one:
//!    `outbox::nothing_is_lost_and_nothing_is_live_twice`,
//!    `small_scope::answers_that_come_late`,
//!    `outbox_doubt::at_most_once_there_is_no_second_after_an_unconfirmed_one`,
//!    `delivery_doubt::at_most_once_is_kept_by_any_history`
//! 5. A late success ends it, a late failure changes nothing:
//!    `small_scope::answers_that_come_late`,
//!    `outbox_faults::a_late_success_cancels_the_retry_wherever_it_is`,
//!    `outbox_faults::a_late_failure_of_an_unanswered_attempt_is_reported_and_changes_nothing`
//! 6. A success is never a failure:
//!    `engine_faults::fault_5_a_success_of_the_last_permitted_attempt_is_no_failure`,
//!    `health::properties::every_call_keeps_the_invariants`,
//!    `small_scope::three_attempts_of_each`
//! 7. Back-pressure uses up no attempt:
//!    `outbox_invariants::what_is_sent_keeps_to_the_rate_and_the_budget`,
//!    `engine_faults::fault_6_an_endpoint_at_rest_is_waited_for_and_no_attempt_is_used_up`,
//!    `outbox_flow::back_pressure_uses_up_no_attempt`
//! 8. Never before its delay and what was asked:
//!    `outbox_invariants::on_its_own_a_delivery_goes_when_it_is_due`,
//!    `delivery::lone::on_its_own_it_is_neither_early_nor_late`,
//!    `outbox_flow::a_pause_that_the_receiver_asked_for_holds_all_its_deliveries`
//! 9. On its own never after them:
//!    `outbox_invariants::on_its_own_a_delivery_goes_when_it_is_due`,
//!    `delivery::lone::on_its_own_it_is_neither_early_nor_late`,
//!    `schedules_golden::a_delivery_in_an_outbox_keeps_to_its_schedule`
//! 10. Nothing at or past a deadline:
//!     `outbox_invariants::on_its_own_a_delivery_goes_when_it_is_due`,
//!     `small_scope::three_attempts_of_each`,
//!     `outbox_faults::nothing_is_handed_out_at_or_past_the_end_of_the_window`,
//!     `delivery::regressions::fault_8_nothing_is_released_at_the_windows_end`
//! 11. Driving at the wake-ups is driving at every tick:
//!     `drive_faults::fault_12_the_wake_up_forgets_nothing_that_health_and_flow_hold_back`,
//!     `outbox_determinism::sleeping_until_told_loses_nothing`,
//!     `outbox_twins::a_poll_between_two_wake_ups_changes_nothing`,
//!     `health::properties::wake_ups_are_exact`,
//!     `delivery::lone::waking_when_told_equals_waking_at_every_tick`
//! 12. Clocks that stand still or go back:
//!     `outbox_invariants::a_clock_that_goes_back_shortens_no_wait_and_lengthens_it_by_as_much`,
//!     `outbox::nothing_is_lost_and_nothing_is_live_twice`,
//!     `health::properties::backward_clock_lengthens_waits_by_its_step`,
//!     `delivery::properties::a_clock_that_goes_back_lengthens_a_wait_by_no_more`,
//!     `flow::properties::decisions_keep_the_invariants`
//! 13. Determinism:
//!     `outbox_determinism::the_same_inputs_give_the_same_steps`,
//!     `outbox_determinism::stopping_and_restoring_at_a_quiet_moment_changes_nothing`,
//!     `outbox_twins::a_restart_while_nothing_is_in_flight_changes_nothing`,
//!     `outbox_flow::stopping_and_restoring_changes_no_flow`
//! 14. No overflow at any extreme:
//!     `outbox_invariants::no_extreme_overflows_or_spins_under_any_policy`,
//!     `outbox_faults::the_ends_of_time_neither_panic_nor_spin`,
//!     `delivery::properties::the_extremes_do_not_overflow`,
//!     `health::properties::extreme_times_do_not_overflow`,
//!     `flow::properties::any_saved_state_works`
//! 15. Only declared edges:
//!     `health::properties::every_small_state_keeps_the_invariants`,
//!     `health::properties::every_call_keeps_the_invariants`
//! 16. At most one probe:
//!     `engine_faults::fault_7_an_endpoint_that_is_asked_again_is_asked_once`,
//!     `health::properties::every_call_keeps_the_invariants`,
//!     `outbox_health::a_batch_holds_one_probe_and_not_more`
//! 17. A success improves health, enabling resets it:
//!     `health::properties::every_call_keeps_the_invariants`,
//!     `engine_faults::fault_10_an_endpoint_that_was_enabled_has_a_clean_record`
//! 18. Payload faults leave health alone:
//!     `health::properties::payload_faults_leave_no_trace`,
//!     `outbox_incidents::faults_of_the_payload_and_of_the_sender_degrade_nothing`
//! 19. Disabling neither early nor late:
//!     `outbox_invariants::disabling_is_neither_early_nor_late`,
//!     `health::properties::disabling_is_on_time`,
//!     `outbox_health::an_endpoint_escalates_at_exact_instants`
//! 20. Disabling strands nothing:
//!     `engine_faults::fault_3_disabling_strands_nothing_whoever_disables`,
//!     `small_scope::endpoints_that_degrade_suspend_and_are_disabled`,
//!     `outbox_operators::cancelling_at_disabling_ends_everything`
//! 21. The guard against an own outage:
//!     `health::properties::every_call_keeps_the_invariants`,
//!     `outbox_incidents::an_own_outage_suspends_nothing_and_is_told_once`,
//!     `outbox_incidents::the_guard_counts_only_endpoints_in_use`
//! 22. Releases keep to burst and rate:
//!     `outbox_invariants::what_is_sent_keeps_to_the_rate_and_the_budget`,
//!     `flow::properties::releases_keep_to_the_rate`,
//!     `flow::properties::cancelled_starts_are_refunded_exactly`
//! 23. The window grows, falls, and is never 0:
//!     `flow::properties::decisions_keep_the_invariants`,
//!     `outbox_flow::what_an_answer_says_of_the_window`
//! 24. Retries keep to ratio and trickle:
//!     `outbox_invariants::what_is_sent_keeps_to_the_rate_and_the_budget`,
//!     `flow::properties::retries_keep_to_the_budget`,
//!     `flow::properties::cancelled_starts_are_refunded_exactly`
//! 25. If anything may go, something goes:
//!     `outbox_flow::if_anything_may_go_something_goes`,
//!     `small_scope::three_attempts_of_each`,
//!     `flow::properties::decisions_keep_the_invariants`
//! 26. Each of k with a backlog gets 1/k:
//!     `outbox_invariants::endpoints_with_a_backlog_go_in_turn`,
//!     `outbox_flow::endpoints_share_bytes_and_not_messages`,
//!     `neighbours_golden::a_hung_endpoint_does_not_delay_its_neighbours`
//! 27. The next only after the one before has ended:
//!     `outbox_order::each_key_keeps_its_order`,
//!     `outbox_invariants::a_replay_keeps_the_order_of_its_key`,
//!     `outbox::nothing_is_lost_and_nothing_is_live_twice`
//! 28. A replay does not overtake within its key:
//!     `outbox_invariants::a_replay_keeps_the_order_of_its_key`,
//!     `outbox_replay::what_is_replayed_in_order_stands_where_it_was_accepted`
//! 29. A replay supersedes atomically:
//!     `outbox_replay::a_plan_selects_exactly_its_set`,
//!     `outbox_replay::a_replay_supersedes_the_retry_that_was_pending`,
//!     `outbox_replay::a_replay_of_what_is_pending_is_saved_before_it_is_due`
//! 30. A replay selects exactly its set, once:
//!     `outbox_replay::a_plan_selects_exactly_its_set`,
//!     `engine_faults::fault_4_a_replay_selects_exactly_what_failed_and_once`,
//!     `outbox_replay::a_plan_that_is_carried_out_twice_replays_once`

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The tests in a folder, each as `module::test`; unit tests are in files below `tests`, which the
/// module path leaves out.
fn tests(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let module = if stem == "tests" { module.to_owned() } else { format!("{module}{stem}::") };
        if path.is_dir() {
            tests(&path, &module, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim_start) {
                if line == "#[test]" {
                    is_test = true;
                } else if let Some(name) = line.strip_prefix("fn ")
                    && std::mem::take(&mut is_test)
                {
                    let name = name.split('(').next().unwrap();
                    found.insert(format!("{module}{name}"));
                }
            }
        }
    }
}

fn known() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = BTreeSet::new();
    tests(&root.join("src"), "", &mut known);
    tests(&root.join("tests/it"), "", &mut known);
    known
}

/// What stands between backticks.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn each_invariant_is_held_by_tests_that_exist() {
    let known = known();
    let (mut number, mut held) = (0, 0);
    let list = include_str!("invariants.rs").lines().map_while(|line| line.strip_prefix("//!"));
    for line in list {
        if line.starts_with(&format!(" {}. ", number + 1)) {
            assert!(number == 0 || held > 1, "{number} is held by {held} test");
            (number, held) = (number + 1, 0);
        } else if number > 0 {
            for name in names(line) {
                assert!(known.contains(name), "{number}: there is no test {name}");
                held += 1;
            }
        }
    }
    assert_eq!((number, held > 1), (30, true));
}

#[test]
fn each_fault_has_tests_that_exist() {
    let known = known();
    let at_the_doors = |fault: u32| {
        let number = format!("fault_{fault}_");
        let modules = ["drive_faults", "engine_faults"].map(|it| format!("{it}::{number}"));
        known.iter().any(|name| modules.iter().any(|it| name.starts_with(it)))
    };
    let is_known = |name: &str| known.iter().any(|it| it.split("::").any(|part| part == name));
    let mut faults: BTreeSet<u32> = (1..=13).filter(|fault| at_the_doors(*fault)).collect();
    let table = include_str!("engine_faults.rs").lines();
    for row in table.filter_map(|line| line.strip_prefix("//! | ")) {
        let Some((number, _)) = row.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        faults.insert(number);
        for name in names(row).filter(|it| it.contains('_')) {
            assert!(is_known(name), "{number}: there is no {name}");
        }
    }
    assert_eq!(faults, (1..=13).collect());
}
