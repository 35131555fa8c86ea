use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::AuditEventRow;
use memory_diesel::schema::audit_events;
use memory_diesel::sql_types::IdValue;
use memory_domain::limits::BATCH_MAX;
use memory_domain::{
    AuditEvent, AuditFilter, InvalidInput, Limit, NewAuditEvent, TenantId, Timestamp,
};
use memory_storage::{AuditStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::listing::Newest;
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> AuditStore for Sqlite<E> {
    async fn record_events(
        &self,
        tenant: &TenantId,
        events: Vec<NewAuditEvent>,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        if events.len() > BATCH_MAX {
            let problem = format!("record at most {BATCH_MAX} events at once");
            return Err(InvalidInput::new("events", events.len(), problem).into());
        }
        let events = events
            .into_iter()
            .map(|event| Ok(event.validated()?.into_event(tenant.clone())))
            .collect::<Result<Vec<AuditEvent>, InvalidInput>>()?;
        let tenant = tenant.clone();
        self.0
            .write("recording audit events", move |connection| {
                record(connection, &tenant, events, at)
            })
            .await
    }

    async fn audit_events(
        &self,
        tenant: &TenantId,
        filter: AuditFilter,
        limit: Limit,
    ) -> Result<Vec<AuditEvent>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("listing audit events"), move |connection| {
                list(connection, &tenant, &filter, limit)
            })
            .await
    }
}

fn record(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    events: Vec<AuditEvent>,
    at: Timestamp,
) -> Result<u64, Failure> {
    let mut added = 0;
    for event in events {
        let id = IdValue(event.id.uuid());
        let stands: Option<AuditEventRow> = audit_events::table
            .find((tenant.as_str(), id))
            .select(AuditEventRow::as_select())
            .first(connection)
            .optional()?;
        match stands.map(AuditEvent::try_from).transpose()? {
            Some(stands) if stands == event => continue,
            Some(_) => {
                return Err(Failure::Refused(StorageError::Conflict {
                    what: "audit event",
                    id: event.id.to_string(),
                }));
            }
            None => {}
        }
        if added == 0 {
            touch(connection, tenant, at)?;
        }
        diesel::insert_into(audit_events::table)
            .values(AuditEventRow::from(event))
            .execute(connection)?;
        added += 1;
    }
    Ok(added)
}

fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: &AuditFilter,
    limit: Limit,
) -> Result<Vec<AuditEvent>, Failure> {
    // Named, because without statistics SQLite may take the narrower index by time. Of several
    // conditions, the one that leaves the least.
    let index = match filter {
        _ if filter.session.is_some() => "audit_events_by_session",
        _ if filter.event_type.is_some() => "audit_events_by_type",
        _ if filter.severity.is_some() => "audit_events_by_severity",
        _ => "audit_events_by_time",
    };
    let sql = format!("select * from audit_events indexed by {index} where tenant_id = ?");
    let mut statement = Statement::new(sql).text(tenant.as_str());
    if let Some(session) = &filter.session {
        statement = statement.then(" and session_id = ?").text(session);
    }
    if let Some(event_type) = &filter.event_type {
        statement = statement.then(" and event_type = ?").text(event_type);
    }
    if let Some(severity) = filter.severity {
        statement = statement.then(" and severity = ?").text(severity.as_str());
    }
    let newest = Newest {
        by: "at",
        from: filter.from,
        to: filter.to,
        after: filter.after.map(|place| (place.at, place.id.uuid())),
        limit,
    };
    entities(newest.of(statement).load::<AuditEventRow>(connection)?)
}
