use async_trait::async_trait;
use memory_diesel::AgencySnapshotRow;
use memory_domain::{
    AgencyFilter, AgencyOrder, AgencySnapshot, Limit, NewAgencySnapshot, TenantId, Timestamp,
};
use memory_storage::{AgencyStore, StorageError};

use crate::columns::{AgencySnapshots, agency_columns};
use crate::executor::{Executor, Postgres};
use crate::listing::Newest;
use crate::statement::Statement;

// See the recording of a decision.
const RECORD: &str = concat!(
    "with written as (
        insert into agency_snapshots as x (
            tenant_id, id, decision_quality, skill_development, ai_reliance, bottleneck_resolution,
            user_confidence, engagement, autonomy_perception, autonomy_retention, delta_agency,
            task_description, task_complexity, taken_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (tenant_id, id) do nothing
        returning ",
    agency_columns!("x"),
    ")
    select ",
    agency_columns!("w"),
    ", touch_tenant($1, $14) from written as w
    union all
    select ",
    agency_columns!("x"),
    ", true from agency_snapshots as x where x.tenant_id = $1 and x.id = $2"
);

const LIST: &str = concat!(
    "select ",
    agency_columns!("x"),
    " from agency_snapshots as x where x.tenant_id = $1"
);

const LATEST: &str = concat!(
    "select ",
    agency_columns!("x"),
    " from agency_snapshots as x where x.tenant_id = $1
    order by x.taken_at desc, x.id desc limit 1"
);

#[async_trait]
impl<E: Executor> AgencyStore for Postgres<E> {
    async fn record_agency_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewAgencySnapshot,
        at: Timestamp,
    ) -> Result<AgencySnapshot, StorageError> {
        let new = snapshot.validated()?;
        let stands: AgencySnapshot = self
            .standing(|| {
                let mut statement = Statement::writing("recording an agency snapshot", RECORD)
                    .text(tenant.as_str())
                    .id(new.id.uuid());
                for (_, measure) in new.measures.named() {
                    statement = statement.double(measure);
                }
                let statement = statement
                    .optional_text(new.task_description.as_deref())
                    .optional_text(new.task_complexity.as_deref())
                    .at(at);
                self.entities::<AgencySnapshots, AgencySnapshotRow, _>(statement)
            })
            .await?;
        if new.is_same_write(&stands) {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "agency snapshot",
                id: new.id.to_string(),
            })
        }
    }

    async fn latest_agency_snapshot(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<AgencySnapshot>, StorageError> {
        let step = "looking the latest agency snapshot up";
        let statement = Statement::reading(step, LATEST).text(tenant.as_str());
        let snapshots = self
            .entities::<AgencySnapshots, AgencySnapshotRow, _>(statement)
            .await?;
        Ok(snapshots.into_iter().next())
    }

    async fn agency_snapshots(
        &self,
        tenant: &TenantId,
        filter: AgencyFilter,
        limit: Limit,
    ) -> Result<Vec<AgencySnapshot>, StorageError> {
        let filter = filter.validated()?;
        let mut statement =
            Statement::reading("listing agency snapshots", LIST).text(tenant.as_str());
        if let Some(least) = filter.min_delta {
            statement = statement.then(" and x.delta_agency >= ").parameter();
            statement = statement.double(least);
        }
        if let Some(most) = filter.max_delta {
            statement = statement.then(" and x.delta_agency <= ").parameter();
            statement = statement.double(most);
        }
        let statement = match filter.order {
            AgencyOrder::Newest => {
                let newest = Newest {
                    by: "taken_at",
                    from: filter.from,
                    to: filter.to,
                    after: filter.after.map(|place| (place.taken_at, place.id.uuid())),
                    limit,
                };
                newest.of(statement)
            }
            AgencyOrder::Score => by_score(statement, filter, limit),
        };
        self.entities::<AgencySnapshots, AgencySnapshotRow, _>(statement)
            .await
    }
}

/// The end of the listing by score.
fn by_score(mut statement: Statement<'_>, filter: AgencyFilter, limit: Limit) -> Statement<'_> {
    if let Some(from) = filter.from {
        statement = statement.then(" and x.taken_at >= ").parameter().at(from);
    }
    if let Some(to) = filter.to {
        statement = statement.then(" and x.taken_at <= ").parameter().at(to);
    }
    if let Some(after) = filter.after {
        statement = statement
            .then(" and (x.delta_agency, x.taken_at, x.id) < (")
            .parameter()
            .double(after.delta_agency)
            .then(", ")
            .parameter()
            .at(after.taken_at)
            .then(", ")
            .parameter()
            .id(after.id.uuid())
            .then(")");
    }
    statement
        .then(" order by x.delta_agency desc, x.taken_at desc, x.id desc limit ")
        .parameter()
        .limit(limit)
}
