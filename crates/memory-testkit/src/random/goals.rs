//! Goals and agency snapshots in random use.

use memory_domain::{
    ActiveGoalCursor, AgencyCursor, AgencyFilter, AgencyMeasures, AgencyOrder, AgencySnapshotId,
    GoalCursor, GoalFilter, GoalId, GoalStatus, Limit, NewAgencySnapshot, NewGoal, Record,
    TenantId, Timestamp,
};
use memory_storage::{MemoryStore, StorageError};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::Call;
use super::call::{Outcome, one, records};
use super::strategy::{limit, moment, mostly, text, uuid};

impl Call {
    pub(super) async fn make_in_goals(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Outcome, StorageError> {
        let (goal, agency) = (Record::Goal, Record::AgencySnapshot);
        Ok(match self {
            Call::SaveGoal(new) => one(store.save_goal(tenant, new, at).await?, goal),
            Call::Goal(id) => records(store.goal(tenant, id).await?, goal),
            Call::Goals(filter, limit) => records(store.goals(tenant, filter, limit).await?, goal),
            Call::ActiveGoals(limit, after) => {
                records(store.active_goals(tenant, limit, after).await?, goal)
            }
            Call::SetGoalStatus(id, status) => {
                one(store.set_goal_status(tenant, id, status, at).await?, goal)
            }
            Call::RecordAgencySnapshot(new) => {
                one(store.record_agency_snapshot(tenant, new, at).await?, agency)
            }
            Call::LatestAgencySnapshot => {
                records(store.latest_agency_snapshot(tenant).await?, agency)
            }
            Call::AgencySnapshots(filter, limit) => {
                records(store.agency_snapshots(tenant, filter, limit).await?, agency)
            }
            other => return other.make_recorded(store, tenant, at).await,
        })
    }
}

/// Everything that can be asked of a tenant, whatever it has.
pub(super) fn readings() -> Vec<Call> {
    let by_score = AgencyFilter {
        order: AgencyOrder::Score,
        ..AgencyFilter::default()
    };
    vec![
        Call::Goals(GoalFilter::default(), Limit::MAX),
        Call::ActiveGoals(Limit::MAX, None),
        Call::LatestAgencySnapshot,
        Call::AgencySnapshots(AgencyFilter::default(), Limit::MAX),
        Call::AgencySnapshots(by_score, Limit::MAX),
    ]
}

const GOALS: usize = 4;
const SNAPSHOTS: usize = 4;

fn goal() -> impl Strategy<Value = GoalId> {
    mostly(GOALS).prop_map(GoalId::from_uuid)
}

/// Active and completed ones often enough, and some others.
fn status() -> impl Strategy<Value = GoalStatus> {
    prop_oneof![
        2 => Just(GoalStatus::Active),
        2 => Just(GoalStatus::Completed),
        1 => select(GoalStatus::ALL.to_vec()),
    ]
}

fn importance() -> impl Strategy<Value = i64> {
    select(vec![i64::MIN, 1, 2])
}

fn delta() -> impl Strategy<Value = f64> {
    select(vec![-0.25, -0.0, 0.0, 0.1])
}

pub(super) fn goals() -> BoxedStrategy<Call> {
    let words = (text(), select(vec!["easy", "easy", "hard", ""]));
    let rest = (
        importance(),
        status(),
        option::of(moment()),
        option::of(delta()),
    );
    let new = (uuid(GOALS), words, rest).prop_map(|(id, (text, complexity), rest)| NewGoal {
        status: rest.1,
        deadline: rest.2,
        estimated_value: rest.3,
        ..NewGoal::new(text, rest.0, complexity).with_id(GoalId::from_uuid(id))
    });
    let after = (option::of(moment()), goal());
    let after = after.prop_map(|(deadline, id)| GoalCursor { deadline, id });
    let deadlines = (option::of(moment()), option::of(moment()));
    let filter = (option::of(status()), deadlines, option::of(after));
    let filter = filter.prop_map(|(status, (from, to), after)| GoalFilter {
        status,
        deadline_from: from,
        deadline_to: to,
        after,
    });
    let place = (importance(), moment(), goal());
    let place = place.prop_map(|(importance, created_at, id)| ActiveGoalCursor {
        importance,
        created_at,
        id,
    });
    prop_oneof![
        5 => new.prop_map(Call::SaveGoal),
        3 => (goal(), status()).prop_map(|(id, status)| Call::SetGoalStatus(id, status)),
        1 => goal().prop_map(Call::Goal),
        2 => (filter, limit()).prop_map(|(filter, limit)| Call::Goals(filter, limit)),
        1 => (limit(), option::of(place))
            .prop_map(|(limit, after)| Call::ActiveGoals(limit, after)),
    ]
    .boxed()
}

pub(super) fn agency() -> BoxedStrategy<Call> {
    let id = || uuid(SNAPSHOTS).prop_map(AgencySnapshotId::from_uuid);
    let new = (id(), delta(), option::of(text()), option::of(text()));
    let new = new.prop_map(|(id, delta_agency, description, complexity)| {
        let measures = AgencyMeasures {
            delta_agency,
            ..AgencyMeasures::default()
        };
        NewAgencySnapshot {
            task_description: description,
            task_complexity: complexity,
            ..NewAgencySnapshot::new(measures).with_id(id)
        }
    });
    let after = (delta(), moment(), id());
    let after = after.prop_map(|(delta_agency, taken_at, id)| AgencyCursor {
        delta_agency,
        taken_at,
        id,
    });
    let times = (option::of(moment()), option::of(moment()));
    let bound = || option::of(prop_oneof![8 => delta(), 1 => Just(f64::NAN)]);
    let order = select(vec![AgencyOrder::Newest, AgencyOrder::Score]);
    let filter = (times, bound(), bound(), order, option::of(after));
    let filter = filter.prop_map(|(times, least, most, order, after)| AgencyFilter {
        from: times.0,
        to: times.1,
        min_delta: least,
        max_delta: most,
        order,
        after,
    });
    prop_oneof![
        3 => new.prop_map(Call::RecordAgencySnapshot),
        1 => Just(Call::LatestAgencySnapshot),
        2 => (filter, limit()).prop_map(|(filter, limit)| Call::AgencySnapshots(filter, limit)),
    ]
    .boxed()
}
