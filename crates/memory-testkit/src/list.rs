//! The one list of scenarios. The registry and every adapter's tests are made from it, so that they
//! cannot differ; a scenario that is not in it is dead code, of which the compiler warns.

use crate::run::{Law, Scenario};
use crate::scenarios;

/// Passes the list of scenarios to the macro named first, after the tokens given for it.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_scenarios {
    ($then:path, $given:tt) => {
        $then! {
            $given
            of_verbs {
                tenants {
                    creating_a_tenant_returns_it
                    creating_the_same_tenant_again_is_the_same_write
                    a_tenant_with_other_metadata_is_a_conflict
                    a_tenant_that_wrote_nothing_is_not_there
                    the_first_write_creates_the_tenant
                    a_failed_verb_creates_no_tenant
                    reading_creates_no_tenant
                    activity_moves_at_most_once_a_minute_and_never_back
                    every_changing_verb_counts_as_activity
                    reading_is_no_activity
                    metadata_of_a_tenant_is_replaced
                    metadata_of_no_tenant_is_not_found
                    tenants_are_listed_last_active_first_then_by_the_bytes_of_their_id
                    tenants_are_listed_by_50_when_nothing_is_said
                    a_tenant_id_is_kept_to_the_byte
                    stats_count_what_is_stored
                    usage_counts_what_each_tenant_has_and_what_was_active
                    usage_is_listed_in_the_order_of_tenants
                }
                erasure {
                    erasing_no_tenant_is_not_found
                    an_erased_tenant_begins_anew_with_the_same_ids
                }
                sessions {
                    creating_a_session_returns_it
                    creating_the_same_session_again_is_the_same_write
                    a_session_with_other_content_is_a_conflict
                    a_session_that_is_not_there_is_none
                    two_tenants_may_use_the_same_session_id
                    a_title_is_kept_to_the_byte
                    renaming_sets_title_and_time_of_update
                    metadata_of_a_session_is_replaced
                    changing_a_session_that_is_not_there_is_not_found
                    deleting_a_session_takes_its_messages_along
                    clearing_counts_and_numbers_start_at_1_again
                    clearing_an_empty_session_counts_none
                    sessions_are_listed_last_updated_first_then_the_greater_id
                    sessions_are_listed_by_50_when_nothing_is_said
                    a_listed_session_is_whole
                    the_first_and_the_last_moment_are_stored
                }
                messages {
                    appending_numbers_messages_and_touches_the_session
                    the_same_message_again_is_the_same_message
                    a_message_twice_in_one_batch_is_one_message
                    a_message_with_other_content_is_a_conflict
                    a_message_twice_in_one_batch_with_other_content_is_a_conflict
                    appending_to_no_session_is_a_missing_reference
                    a_batch_of_messages_has_at_most_1000
                    history_gives_the_newest_oldest_first_and_pages_backwards
                    history_of_no_session_is_empty
                    history_gives_50_when_nothing_is_said
                    messages_between_includes_both_ends
                    messages_between_of_one_session
                    messages_between_pages_without_gap_or_repetition
                    content_is_kept_to_the_byte
                    a_role_of_ones_own_has_up_to_512_bytes
                    a_session_is_never_updated_backwards
                }
                feedback {
                    feedback_is_stored_whole_and_needs_nothing_to_be_there
                    the_same_feedback_again_is_the_same_write
                    feedback_is_listed_by_what_it_is_about
                    feedback_pages_without_gap_or_repetition
                    feedback_outlives_what_it_is_about
                    bad_feedback_is_refused
                }
                decisions {
                    a_decision_is_stored_whole
                    the_same_decision_again_is_the_same_write
                    a_decision_with_other_content_is_a_conflict
                    decisions_are_listed_by_session_and_time
                    decisions_page_without_gap_or_repetition
                    decisions_are_listed_by_50_when_nothing_is_said
                    a_bad_decision_is_refused
                }
                audit {
                    an_event_is_stored_whole
                    the_same_events_again_are_the_same_write
                    a_batch_with_a_conflict_leaves_nothing
                    a_batch_of_events_has_at_most_1000
                    events_are_listed_by_severity_type_session_and_time
                    events_page_without_gap_or_repetition
                    a_bad_event_is_refused
                    erasing_a_tenant_takes_its_events_along_and_counts_them
                }
                nodes {
                    a_new_node_is_stored_whole
                    a_bare_node_has_the_defaults
                    a_node_that_is_not_there_is_none
                    a_node_without_a_key_again_is_the_same_write
                    a_node_with_other_content_is_a_conflict
                    an_id_that_stands_under_another_key_is_a_conflict
                    a_batch_of_nodes_has_at_most_1000
                    keys_differ_by_a_single_byte
                    two_tenants_may_use_the_same_key_and_id
                    a_patch_replaces_what_it_gives
                    a_patch_gives_what_was_not_there
                    an_empty_patch_counts_an_update
                    an_update_never_moves_the_time_back
                    forgetting_a_node_takes_its_relationships_along
                    a_forgotten_key_and_id_are_free_again
                    access_is_counted_when_it_is_recorded
                    changing_a_node_that_is_not_there_is_not_found
                }
                merging {
                    merging_fills_and_keeps_what_the_rule_says
                    entity_data_is_merged_one_level_deep
                    other_content_is_replaced_key_by_key
                    entity_data_that_is_no_object_is_replaced
                    a_known_key_remembered_again_counts_an_update
                    one_key_twice_in_a_batch_is_merged_in_order
                    the_id_of_what_is_merged_is_not_used
                    merging_never_moves_the_time_back
                    merging_gives_at_most_64_tags
                }
                filters {
                    nodes_are_listed_newest_first_then_the_greater_id
                    a_filter_gives_what_meets_every_condition
                    a_cursor_need_not_name_a_node_that_is_there
                    a_filter_follows_an_update
                    nodes_are_listed_by_50_when_nothing_is_said
                    containment_is_that_of_jsonb
                    containment_pages_like_any_listing
                }
                relationships {
                    a_new_relationship_is_stored_whole
                    relating_again_replaces_strength_and_metadata
                    ends_kind_and_label_tell_relationships_apart
                    an_undirected_relationship_starts_at_the_smaller_id
                    an_end_that_is_not_there_is_a_missing_reference
                    a_new_relationship_under_a_known_id_is_a_conflict
                    unrelating_deletes_one
                    relationships_are_listed_newest_first_then_the_greater_id
                    a_cursor_need_not_name_a_relationship_that_is_there
                    relationships_are_listed_by_50_when_nothing_is_said
                    pruning_deletes_what_is_weaker_and_counts_it
                    relationships_at_the_ends_of_time_and_strength
                }
                reinforcing {
                    the_first_step_makes_the_relationship
                    a_step_decays_by_days_and_then_adds
                    the_defaults_are_a_tenth_and_95_percent_a_day
                    an_earlier_moment_neither_decays_nor_moves_the_time_back
                    decay_never_under_or_overflows
                    kinds_are_reinforced_apart
                    what_was_related_undirected_is_reinforced
                    a_step_of_zero_only_decays
                    reinforcing_without_a_node_is_a_missing_reference
                    a_new_pair_under_a_known_id_is_a_conflict
                }
                neighbours {
                    neighbours_come_strongest_first_then_the_smaller_id
                    neighbours_follow_the_direction
                    neighbours_of_one_kind
                    a_node_related_to_itself_is_listed_once
                    a_neighbour_comes_whole
                    a_node_that_is_not_there_has_no_neighbours
                    a_hub_gives_50_neighbours_when_nothing_is_said
                    loading_gives_the_newest_nodes_and_what_joins_them
                    loading_bounds_nodes_but_not_what_joins_them
                }
                searching {
                    what_is_typed_is_found_as_it_is
                    a_node_is_found_by_its_values_and_not_by_their_keys
                    hits_in_a_title_come_first_then_the_newest_then_the_smaller_id
                    a_hit_is_whole_and_says_where_it_was_found
                    scope_and_filter_leave_out_what_does_not_meet_them
                    what_changed_is_found_as_it_is_now
                    a_message_is_found_until_it_is_gone
                    two_tenants_with_the_same_texts_find_their_own
                    a_long_text_is_found_from_its_first_word_to_its_last
                    a_word_at_the_end_of_ten_megabytes_is_found
                    a_text_to_search_for_has_at_most_512_bytes
                }
                traversal {
                    nodes_are_reached_at_their_least_depth_with_the_weight_of_the_best_way
                    a_circle_is_gone_round_once_and_never_back_to_the_start
                    nodes_are_reached_nearest_first_then_heaviest_then_the_smaller_id
                    a_traversal_follows_direction_kind_and_strength
                    a_traversal_goes_two_deep_and_gives_50_when_nothing_is_said
                    of_a_hub_the_1000_heaviest_are_reached
                    weights_never_underflow
                    a_reached_node_comes_whole
                    nothing_is_reached_from_a_node_that_is_not_there
                    a_bad_traversal_is_refused
                }
                retention {
                    what_was_not_accessed_for_long_is_forgotten
                    what_was_remembered_long_ago_is_forgotten
                    only_the_named_types_are_forgotten
                    what_is_forgotten_takes_its_relationships_along_and_counts_itself
                }
                compounds {
                    a_compound_counts_how_often_it_is_recorded
                    members_that_are_new_are_added
                    compounds_are_listed_most_frequent_first_then_the_greater_id
                    a_compound_goes_with_any_of_its_members
                    a_member_that_is_not_there_is_a_missing_reference
                    a_new_compound_under_a_known_id_is_a_conflict
                    a_bad_compound_is_refused
                }
                learning {
                    a_turn_appends_remembers_links_and_counts
                    a_turn_counts_once
                    what_was_settled_in_a_turn_is_a_decision_of_its_session
                    a_decision_that_stands_with_other_content_refuses_the_turn
                    further_turns_strengthen_and_count
                    a_turn_may_be_small
                    what_is_learned_is_found
                    erasing_a_tenant_takes_what_it_learned
                    another_turn_under_a_known_id_is_a_conflict
                    a_turn_that_is_refused_leaves_nothing
                }

                tasks {
                    creating_a_task_returns_it
                    creating_the_same_task_again_is_the_same_write
                    a_task_with_other_content_is_a_conflict
                    a_task_is_found_by_its_external_id
                    tasks_are_listed_newest_first_then_the_greater_id
                    tasks_are_listed_by_50_when_nothing_is_said
                    the_highest_priority_is_claimed_first_then_the_oldest
                    a_claim_takes_only_its_types
                    a_lease_that_ran_out_can_be_claimed_again
                    a_lease_is_extended_by_its_worker
                    a_task_can_be_started_by_its_id
                    a_failed_task_is_retried_until_no_attempt_is_left
                    finishing_keeps_the_result_and_forgets_the_error
                    a_wrong_transition_names_both_states
                    a_repeated_transition_is_the_same_write
                    changing_a_task_that_is_not_there_is_not_found
                    finished_tasks_are_deleted_by_age
                    a_bad_task_is_refused
                }
                missions {
                    a_mission_is_logged_whole
                    logging_again_replaces_all_but_id_and_creation
                    a_new_mission_under_a_known_id_is_a_conflict
                    a_mission_gets_its_node_in_the_same_step
                    a_node_id_that_is_taken_is_a_conflict
                    costs_and_durations_are_kept_to_the_bit
                    missions_are_listed_newest_first_then_the_greater_id
                    a_bad_mission_is_refused
                }
                files {
                    a_snapshot_is_recorded_whole
                    the_same_snapshot_again_is_the_same_write
                    snapshots_come_newest_first_then_the_greater_id
                    a_path_has_up_to_1024_bytes
                    who_worked_on_what_is_in_the_graph
                    risky_files_come_by_score_then_missions_then_path
                    parallel_relationships_make_no_file_riskier
                    knowledge_of_nothing_is_nothing
                    knowledge_stats_count_and_add_up
                    sums_of_the_greatest_costs_stay_numbers
                }
                patches {
                    a_patch_is_requested_whole
                    requesting_the_same_patch_again_is_the_same_write
                    a_patch_is_reviewed_and_then_applied_or_fails
                    a_wrong_step_of_a_patch_names_both_states
                    a_repeated_step_of_a_patch_is_the_same_write
                    changing_a_patch_that_is_not_there_is_not_found
                    patches_are_listed_newest_first_then_the_greater_id
                    a_bad_patch_is_refused
                }
                goals {
                    a_goal_is_saved_whole
                    saving_again_replaces_all_but_id_and_creation
                    saving_the_same_goal_again_is_the_same_write
                    completing_sets_a_time_and_anything_else_clears_it
                    the_status_of_a_goal_that_is_not_there_is_not_found
                    goals_are_listed_by_deadline_then_the_smaller_id
                    active_goals_come_by_importance_then_the_newest
                    goals_are_listed_by_50_when_nothing_is_said
                    a_bad_goal_is_refused
                }
                agency {
                    an_agency_snapshot_is_recorded_whole
                    the_same_agency_snapshot_again_is_the_same_write
                    an_agency_snapshot_with_other_content_is_a_conflict
                    the_latest_agency_snapshot_is_the_newest
                    agency_snapshots_are_listed_by_time_and_by_score
                    agency_snapshots_are_listed_by_50_when_nothing_is_said
                    a_bad_agency_snapshot_is_refused
                }

                recalling {
                    a_name_in_any_case_scores_1_and_a_part_of_it_7_tenths
                    what_is_related_is_recalled_two_deep
                    what_shares_a_compound_is_recalled
                    recall_knows_names_as_they_are_now
                    what_is_learned_is_recalled
                    recall_stays_with_the_tenant_and_its_limit
                }
                values {
                    json_is_given_back_as_it_was
                    what_was_given_back_is_the_same_write
                    integral_doubles_become_integers
                    doubles_beyond_64_bits_stay_doubles
                    json_may_be_64_levels_deep
                    a_megabyte_of_json_is_stored
                    relevance_is_kept_to_the_bit
                }
                bad_input {
                    a_tenant_with_bad_metadata_is_refused
                    a_bad_session_is_refused
                    a_bad_message_is_refused_with_its_batch
                    a_bad_node_is_refused_with_its_batch
                    a_bad_patch_is_refused
                    texts_at_their_limit_are_stored
                    what_is_valid_by_construction_cannot_be_made_wrong
                    a_bad_relationship_is_refused
                    a_bad_condition_is_refused
                    text_that_looks_like_sql_is_text
                }
            }
            of_backend {
                erasing {
                    erasing_a_tenant_takes_everything_and_counts_it
                    an_erasure_in_a_work_that_is_dropped_leaves_everything
                    erasing_takes_the_ledger_and_the_reports_of_transfers_along
                }
                bad_input {
                    a_text_has_up_to_64_mib
                }
                units_of_work {
                    only_the_work_sees_its_writes_until_it_commits
                    dropping_a_work_undoes_it
                    rolling_back_undoes_what_replaced_and_deleted
                    an_unused_work_commits_and_rolls_back
                    a_refusal_leaves_the_work_usable
                    two_open_works_end_as_documented
                    a_waiting_work_begins_when_the_first_ends
                    a_plain_write_during_a_work_ends_as_documented
                    a_work_that_met_a_lock_is_aborted
                    a_work_left_idle_is_undone_and_says_so
                    an_idle_work_cannot_be_committed
                    a_work_in_use_is_not_idle
                    concurrent_works_all_commit
                    nobody_sees_half_of_a_work
                }
                concurrency {
                    sixteen_tasks_append_to_one_session
                    sixteen_tasks_append_to_sixteen_sessions
                    sixteen_tasks_retry_one_message
                    batches_that_share_messages_leave_no_gap
                    thirty_two_tasks_merge_into_one_node
                    batches_that_share_keys_do_not_deadlock
                    no_reinforcement_is_lost
                    no_access_is_lost
                    one_of_many_creates_and_one_deletes
                    one_of_many_nodes_of_one_id_is_stored
                    a_refused_batch_among_others_leaves_nothing
                    sixteen_tasks_relate_the_same_nodes
                    the_first_writes_of_a_tenant_may_come_at_once
                    writing_to_what_is_being_deleted_is_refused_or_deleted
                    more_tasks_than_connections_all_succeed
                    a_batch_is_seen_whole_or_not_at_all
                    loading_is_one_snapshot
                    merges_of_one_task_keep_their_order
                }
                learning {
                    a_refused_turn_leaves_its_work_usable
                    sixty_four_turns_at_once_are_as_if_one_came_after_the_other
                }

                tasks {
                    sixteen_workers_finish_each_task_exactly_once
                }
                isolation {
                    calling_a_verb_reaches_the_method_of_its_name
                    a_stranger_reaches_nothing_of_another_tenant
                    a_neighbour_reaches_nothing_of_another_tenant
                    nothing_is_joined_across_tenants
                    deleting_of_one_tenant_leaves_the_same_ids_of_another
                }
                records {
                    records_are_given_back_as_they_were
                    what_verbs_wrote_can_be_carried_to_another_tenant
                    what_stands_is_already_there
                    what_stands_with_other_content_is_left_alone
                    a_taken_unique_key_is_a_conflict_with_what_stands
                    a_session_that_stood_before_takes_no_messages
                    a_record_without_what_it_refers_to_is_not_inserted
                    a_record_twice_in_one_call_is_inserted_once
                    a_page_ends_where_it_is_full
                    a_dropped_writer_undoes_everything
                    a_writer_reads_back_by_key
                    the_ledger_lists_what_a_run_inserted
                    deleting_a_run_takes_just_its_records
                    deleting_a_run_spares_what_was_there_before
                    what_was_built_upon_a_run_is_named
                    nobody_writes_while_a_run_is_being_deleted
                    runs_are_listed_newest_first
                    a_checkpoint_lasts_and_what_follows_it_does_not
                    a_run_that_another_carried_on_makes_no_checkpoint
                    who_waited_for_his_turn_sees_what_the_other_made_last
                    who_shares_his_turn_waits_for_one_who_does_not
                    a_reader_sees_one_frozen_state
                    records_are_read_in_the_order_of_their_keys
                    one_tenants_records_are_read_apart
                    thousands_of_records_go_in_one_call
                }
                cancellation {
                    a_dropped_write_happened_or_did_not
                    a_dropped_read_leaves_connections_in_order
                    a_verb_dropped_in_a_work_aborts_it_or_never_started
                    a_dropped_beginning_leaves_nothing_behind
                    a_dropped_end_of_a_work_is_whole
                    tasks_that_are_aborted_lose_and_halve_nothing
                }
                raw_sql {
                    rows_are_read_by_the_names_of_their_columns
                    every_kind_of_value_goes_in_and_comes_back
                    many_sets_of_values_take_effect_together
                    what_was_not_allowed_to_write_does_not
                    no_text_leaves_the_statement_it_is
                    a_work_takes_raw_sql_along
                    nothing_stays_behind_for_the_next_verb
                    an_error_tells_what_the_database_said
                }
                admin {
                    health_is_a_round_trip
                    health_never_takes_longer_than_its_timeout
                    info_names_backend_and_versions
                    every_migration_is_applied_and_known
                    the_pool_counts_what_it_does
                    after_closing_every_verb_says_so
                    closing_waits_for_what_is_under_way
                    closing_cuts_off_what_does_not_end
                    idle_connections_serve_again
                }
            }
        }
    };
}

macro_rules! registry {
    (
        ()
        of_verbs { $($verbs_file:ident { $($of_verbs:ident)* })* }
        of_backend { $($backend_file:ident { $($of_backend:ident)* })* }
    ) => {
        pub(crate) const SCENARIOS: &[Scenario] = &[
            $($(Scenario {
                name: concat!(stringify!($verbs_file), "::", stringify!($of_verbs)),
                law: Law::OfVerbs(|store| Box::pin(scenarios::$verbs_file::$of_verbs(store))),
            },)*)*
            $($(Scenario {
                name: concat!(stringify!($backend_file), "::", stringify!($of_backend)),
                law: Law::OfBackend(|backend| {
                    Box::pin(scenarios::$backend_file::$of_backend(backend))
                }),
            },)*)*
        ];
    };
}

__with_scenarios!(registry, ());

/// Makes a test of each scenario, in modules named like the suite's files: one for the laws of
/// verbs, one for those that open stores as they need them, and one for random use.
///
/// Takes an expression that makes a [`Backend`](crate::Backend); each test makes its own.
///
/// ```ignore
/// memory_testkit::conformance!(SqliteFiles::default());
/// ```
#[macro_export]
macro_rules! conformance {
    ($backend:expr) => {
        $crate::__with_scenarios!($crate::__tests, ($backend));

        mod random_use {
            use super::*;

            #[test]
            fn agrees_with_the_model() {
                $crate::random_use_agrees_with_model(&$backend);
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    (
        ($backend:expr)
        of_verbs { $($verbs_file:ident { $($of_verbs:ident)* })* }
        of_backend { $($backend_file:ident { $($of_backend:ident)* })* }
    ) => {
        mod of_verbs {
            $(mod $verbs_file {
                use super::super::*;
                $(
                    #[test]
                    fn $of_verbs() {
                        let name = concat!(stringify!($verbs_file), "::", stringify!($of_verbs));
                        $crate::run(name, &$backend);
                    }
                )*
            })*
        }

        mod of_backend {
            $(mod $backend_file {
                use super::super::*;
                $(
                    #[test]
                    fn $of_backend() {
                        let name =
                            concat!(stringify!($backend_file), "::", stringify!($of_backend));
                        $crate::run(name, &$backend);
                    }
                )*
            })*
        }
    };
}
