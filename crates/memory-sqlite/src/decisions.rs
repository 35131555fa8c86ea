use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::DecisionRow;
use memory_diesel::schema::decisions;
use memory_diesel::sql_types::IdValue;
use memory_domain::{
    Decision, DecisionFilter, DecisionId, Limit, NewDecision, TenantId, Timestamp,
};
use memory_storage::{DecisionStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::listing::Newest;
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> DecisionStore for Sqlite<E> {
    async fn record_decision(
        &self,
        tenant: &TenantId,
        decision: NewDecision,
        at: Timestamp,
    ) -> Result<Decision, StorageError> {
        let new = decision.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("recording a decision", move |connection| {
                record(connection, tenant, new, at)
            })
            .await
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        id: DecisionId,
    ) -> Result<Option<Decision>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a decision up"), move |connection| {
                one(connection, &tenant, id)
            })
            .await
    }

    async fn decisions(
        &self,
        tenant: &TenantId,
        filter: DecisionFilter,
        limit: Limit,
    ) -> Result<Vec<Decision>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("listing decisions"), move |connection| {
                list(connection, &tenant, &filter, limit)
            })
            .await
    }
}

/// Records a decision within what is being written.
pub(crate) fn record(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewDecision,
    at: Timestamp,
) -> Result<Decision, Failure> {
    if let Some(stands) = one(connection, &tenant, new.id)? {
        if new.is_same_write(&stands) {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "decision",
            id: new.id.to_string(),
        }));
    }
    touch(connection, &tenant, at)?;
    let decision = new.into_decision(tenant, at);
    diesel::insert_into(decisions::table)
        .values(DecisionRow::from(decision.clone()))
        .execute(connection)?;
    Ok(decision)
}

fn one(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: DecisionId,
) -> Result<Option<Decision>, Failure> {
    let row: Option<DecisionRow> = decisions::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(DecisionRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Decision::try_from).transpose()?)
}

fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: &DecisionFilter,
    limit: Limit,
) -> Result<Vec<Decision>, Failure> {
    // Named, because without statistics SQLite may take the narrower index by time, and read past
    // the decisions of every other session.
    let statement = match &filter.session {
        None => Statement::new("select * from decisions where tenant_id = ?").text(tenant.as_str()),
        Some(session) => Statement::new(
            "select * from decisions indexed by decisions_by_session
             where tenant_id = ? and session_id = ?",
        )
        .text(tenant.as_str())
        .text(session),
    };
    let newest = Newest {
        by: "decided_at",
        from: filter.from,
        to: filter.to,
        after: filter
            .after
            .map(|place| (place.decided_at, place.id.uuid())),
        limit,
    };
    entities(newest.of(statement).load::<DecisionRow>(connection)?)
}
