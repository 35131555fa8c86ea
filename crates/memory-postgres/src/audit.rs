use std::collections::HashMap;

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Nullable, Text};
use memory_diesel::AuditEventRow;
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue, Json, JsonValue};
use memory_domain::limits::BATCH_MAX;
use memory_domain::{
    AuditEvent, AuditEventId, AuditFilter, InvalidInput, Limit, NewAuditEvent, TenantId, Timestamp,
};
use memory_storage::{AuditStore, StorageError};

use crate::columns::{AuditEvents, audit_columns};
use crate::executor::{Executor, Postgres};
use crate::listing::Newest;
use crate::statement::Statement;

const RECORD: &str = "select outcome, culprit, added from record_audit_events(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
    )";

const ALL: &str = concat!(
    "select ",
    audit_columns!("x"),
    " from audit_events as x where x.tenant_id = $1"
);

#[async_trait]
impl<E: Executor> AuditStore for Postgres<E> {
    async fn record_events(
        &self,
        tenant: &TenantId,
        events: Vec<NewAuditEvent>,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let events = distinct(events)?;
        macro_rules! optional {
            ($field:ident) => {
                events.iter().map(|event| event.$field.as_deref()).collect()
            };
        }
        let statement = Statement::writing("recording audit events", RECORD)
            .text(tenant.as_str())
            .at(at)
            .array::<Id, _>(
                events
                    .iter()
                    .map(|event| IdValue(event.id.uuid()))
                    .collect(),
            )
            .array::<Text, _>(
                events
                    .iter()
                    .map(|event| event.event_type.as_str())
                    .collect(),
            )
            .array::<Text, _>(events.iter().map(|event| event.severity.as_str()).collect())
            .optional_texts::<&str>(optional!(session_id))
            .optional_texts::<&str>(optional!(actor))
            .optional_texts::<&str>(optional!(component))
            .optional_texts::<&str>(optional!(action))
            .array::<Json, _>(
                events
                    .iter()
                    .map(|event| JsonValue(event.details.clone()))
                    .collect(),
            )
            .optional_texts::<&str>(optional!(result))
            .optional_texts::<&str>(optional!(ip_address))
            .optional_texts::<&str>(optional!(resource))
            .array::<Instant, _>(events.iter().map(|event| InstantValue(event.at)).collect());
        match self.first::<RecordedSql, Recorded>(statement).await? {
            Some((_, None, added)) => Ok(added.unsigned_abs()),
            Some((_, Some(culprit), _)) => Err(conflict(AuditEventId::from_uuid(culprit.0))),
            None => Ok(0),
        }
    }

    async fn audit_events(
        &self,
        tenant: &TenantId,
        filter: AuditFilter,
        limit: Limit,
    ) -> Result<Vec<AuditEvent>, StorageError> {
        let filter = filter.validated()?;
        let mut statement = Statement::reading("listing audit events", ALL).text(tenant.as_str());
        if let Some(session) = &filter.session {
            statement = statement.then(" and x.session_id = ").parameter();
            statement = statement.text(session);
        }
        if let Some(event_type) = &filter.event_type {
            statement = statement.then(" and x.event_type = ").parameter();
            statement = statement.text(event_type);
        }
        if let Some(severity) = filter.severity {
            statement = statement.then(" and x.severity = ").parameter();
            statement = statement.text(severity.as_str());
        }
        let newest = Newest {
            by: "at",
            from: filter.from,
            to: filter.to,
            after: filter.after.map(|place| (place.at, place.id.uuid())),
            limit,
        };
        self.entities::<AuditEvents, AuditEventRow, _>(newest.of(statement))
            .await
    }
}

type RecordedSql = (Text, Nullable<Id>, BigInt);
type Recorded = (String, Option<IdValue>, i64);

fn conflict(id: AuditEventId) -> StorageError {
    StorageError::Conflict {
        what: "audit event",
        id: id.to_string(),
    }
}

/// Checks a batch and takes each event once.
fn distinct(batch: Vec<NewAuditEvent>) -> Result<Vec<NewAuditEvent>, StorageError> {
    if batch.len() > BATCH_MAX {
        let problem = format!("record at most {BATCH_MAX} events at once");
        return Err(InvalidInput::new("events", batch.len(), problem).into());
    }
    let mut events: Vec<NewAuditEvent> = Vec::with_capacity(batch.len());
    let mut places = HashMap::with_capacity(batch.len());
    let batch: Result<Vec<_>, _> = batch.into_iter().map(NewAuditEvent::validated).collect();
    for event in batch? {
        let place = *places.entry(event.id).or_insert(events.len());
        match events.get(place) {
            None => events.push(event),
            Some(first) if *first == event => {}
            Some(_) => return Err(conflict(event.id)),
        }
    }
    Ok(events)
}
