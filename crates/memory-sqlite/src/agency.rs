use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::AgencySnapshotRow;
use memory_diesel::schema::agency_snapshots;
use memory_diesel::sql_types::IdValue;
use memory_domain::{
    AgencyFilter, AgencyOrder, AgencySnapshot, AgencySnapshotId, Limit, NewAgencySnapshot,
    TenantId, Timestamp,
};
use memory_storage::{AgencyStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::listing::Newest;
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> AgencyStore for Sqlite<E> {
    async fn record_agency_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewAgencySnapshot,
        at: Timestamp,
    ) -> Result<AgencySnapshot, StorageError> {
        let new = snapshot.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("recording an agency snapshot", move |connection| {
                record(connection, tenant, new, at)
            })
            .await
    }

    async fn latest_agency_snapshot(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<AgencySnapshot>, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("looking the latest agency snapshot up");
        self.0
            .read(reading, move |connection| {
                let rows: Vec<AgencySnapshotRow> = Statement::new(
                    "select * from agency_snapshots indexed by agency_snapshots_by_time
                     where tenant_id = ? order by taken_at desc, id desc limit 1",
                )
                .text(tenant.as_str())
                .load(connection)?;
                Ok(entities(rows)?.into_iter().next())
            })
            .await
    }

    async fn agency_snapshots(
        &self,
        tenant: &TenantId,
        filter: AgencyFilter,
        limit: Limit,
    ) -> Result<Vec<AgencySnapshot>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        // In one order, those within bounds of the other are looked for.
        let scans = match filter.order {
            AgencyOrder::Newest => filter.min_delta.is_some() || filter.max_delta.is_some(),
            AgencyOrder::Score => filter.from.is_some() || filter.to.is_some(),
        };
        let reading = Reading::of("listing agency snapshots").scan(scans);
        self.0
            .read(reading, move |connection| {
                let statement = match filter.order {
                    AgencyOrder::Newest => newest(&tenant, filter, limit),
                    AgencyOrder::Score => by_score(&tenant, filter, limit),
                };
                entities(statement.load::<AgencySnapshotRow>(connection)?)
            })
            .await
    }
}

fn record(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewAgencySnapshot,
    at: Timestamp,
) -> Result<AgencySnapshot, Failure> {
    if let Some(stands) = one(connection, &tenant, new.id)? {
        if new.is_same_write(&stands) {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "agency snapshot",
            id: new.id.to_string(),
        }));
    }
    touch(connection, &tenant, at)?;
    let snapshot = new.into_snapshot(tenant, at);
    diesel::insert_into(agency_snapshots::table)
        .values(AgencySnapshotRow::from(snapshot.clone()))
        .execute(connection)?;
    Ok(snapshot)
}

fn one(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: AgencySnapshotId,
) -> Result<Option<AgencySnapshot>, Failure> {
    let row: Option<AgencySnapshotRow> = agency_snapshots::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(AgencySnapshotRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(AgencySnapshot::try_from).transpose()?)
}

fn newest(tenant: &TenantId, filter: AgencyFilter, limit: Limit) -> Statement<'_> {
    let mut statement = Statement::new(
        "select * from agency_snapshots indexed by agency_snapshots_by_time where tenant_id = ?",
    )
    .text(tenant.as_str());
    if let Some(least) = filter.min_delta {
        statement = statement.then(" and delta_agency >= ?").double(least);
    }
    if let Some(most) = filter.max_delta {
        statement = statement.then(" and delta_agency <= ?").double(most);
    }
    let newest = Newest {
        by: "taken_at",
        from: filter.from,
        to: filter.to,
        after: filter.after.map(|place| (place.taken_at, place.id.uuid())),
        limit,
    };
    newest.of(statement)
}

fn by_score(tenant: &TenantId, filter: AgencyFilter, limit: Limit) -> Statement<'_> {
    let mut statement = Statement::new(
        "select * from agency_snapshots indexed by agency_snapshots_by_score where tenant_id = ?",
    )
    .text(tenant.as_str());
    // One upper bound only, so that the index begins at the right one.
    statement = match (filter.after, filter.max_delta) {
        (Some(place), most) if most.is_none_or(|most| place.delta_agency <= most) => statement
            .then(" and (delta_agency, taken_at, id) < (?, ?, ?)")
            .double(place.delta_agency)
            .at(place.taken_at)
            .id(place.id.uuid()),
        (_, Some(most)) => statement.then(" and delta_agency <= ?").double(most),
        (_, None) => statement,
    };
    if let Some(least) = filter.min_delta {
        statement = statement.then(" and delta_agency >= ?").double(least);
    }
    if let Some(from) = filter.from {
        statement = statement.then(" and taken_at >= ?").at(from);
    }
    if let Some(to) = filter.to {
        statement = statement.then(" and taken_at <= ?").at(to);
    }
    statement
        .then(" order by delta_agency desc, taken_at desc, id desc limit ?")
        .number(limit.rows().into())
}
