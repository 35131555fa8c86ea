use memory_domain::{
    AgencyFilter, AgencySnapshotId, GoalFilter, GoalId, GoalStatus, Limit, TenantId, Timestamp,
};
use memory_storage::{MemoryStore, StorageError};

use super::{Given, SECRET, Verb, shown};
use crate::support::{agency_id, at, goal_id, new_agency, new_goal};

/// The goals and agency snapshots with which verbs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenGoals {
    /// An active goal that stands.
    pub goal: GoalId,
    /// A snapshot that stands.
    pub snapshot: AgencySnapshotId,
    /// The goal to be saved.
    pub new_goal: GoalId,
    /// The snapshot to be recorded.
    pub new_snapshot: AgencySnapshotId,
}

impl Default for GivenGoals {
    fn default() -> Self {
        GivenGoals {
            goal: goal_id(1),
            snapshot: agency_id(1),
            new_goal: goal_id(11),
            new_snapshot: agency_id(11),
        }
    }
}

impl GivenGoals {
    pub(super) fn taken(self) -> GivenGoals {
        GivenGoals {
            new_goal: self.goal,
            new_snapshot: self.snapshot,
            ..self
        }
    }

    pub(super) async fn write(&self, store: &dyn MemoryStore, tenant: &TenantId) {
        let goal = new_goal(0, SECRET).with_id(self.goal);
        store.save_goal(tenant, goal, at(0)).await.unwrap();
        let snapshot = new_agency(0, 0.5)
            .with_id(self.snapshot)
            .with_task_description(SECRET);
        let snapshot = store.record_agency_snapshot(tenant, snapshot, at(0)).await;
        snapshot.unwrap();
    }
}

impl Verb {
    pub(super) async fn call_of_goals(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let given = &given.goals;
        Ok(match self {
            Verb::SaveGoal => {
                let goal = new_goal(0, "new").with_id(given.new_goal);
                shown(store.save_goal(tenant, goal, at).await?)
            }
            Verb::Goals => {
                let any = GoalFilter::default();
                shown(store.goals(tenant, any, Limit::MAX).await?)
            }
            Verb::ActiveGoals => shown(store.active_goals(tenant, Limit::MAX, None).await?),
            Verb::SetGoalStatus => {
                let done = GoalStatus::Completed;
                shown(store.set_goal_status(tenant, given.goal, done, at).await?)
            }
            Verb::RecordAgencySnapshot => {
                let snapshot = new_agency(0, -0.5).with_id(given.new_snapshot);
                shown(store.record_agency_snapshot(tenant, snapshot, at).await?)
            }
            Verb::LatestAgencySnapshot => shown(store.latest_agency_snapshot(tenant).await?),
            Verb::AgencySnapshots => {
                let any = AgencyFilter::default();
                shown(store.agency_snapshots(tenant, any, Limit::MAX).await?)
            }
            _ => shown(store.goal(tenant, given.goal).await?),
        })
    }
}
