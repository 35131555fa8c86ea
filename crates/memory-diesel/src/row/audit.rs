use diesel::prelude::*;
use memory_domain::{AuditEvent, AuditEventId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::audit_events;
use crate::sql_types::{IdValue, InstantValue, JsonValue};

/// A row of `audit_events`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = audit_events)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct AuditEventRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub event_type: String,
    pub severity: String,
    pub session_id: Option<String>,
    pub actor: Option<String>,
    pub component: Option<String>,
    pub action: Option<String>,
    pub details: JsonValue,
    pub result: Option<String>,
    pub ip_address: Option<String>,
    pub resource: Option<String>,
    pub at: InstantValue,
}

impl From<AuditEvent> for AuditEventRow {
    fn from(event: AuditEvent) -> AuditEventRow {
        AuditEventRow {
            tenant_id: event.tenant_id.into(),
            id: IdValue(event.id.uuid()),
            event_type: event.event_type,
            severity: event.severity.as_str().to_owned(),
            session_id: event.session_id,
            actor: event.actor,
            component: event.component,
            action: event.action,
            details: JsonValue(event.details),
            result: event.result,
            ip_address: event.ip_address,
            resource: event.resource,
            at: InstantValue(event.at),
        }
    }
}

impl TryFrom<AuditEventRow> for AuditEvent {
    type Error = StorageError;

    fn try_from(row: AuditEventRow) -> Result<AuditEvent, StorageError> {
        let place = Place {
            table: "audit_events",
            id: &row.id.0,
        };
        Ok(AuditEvent {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: AuditEventId::from_uuid(row.id.0),
            event_type: row.event_type,
            severity: place.check("severity", row.severity.parse())?,
            session_id: row.session_id,
            actor: row.actor,
            component: row.component,
            action: row.action,
            details: row.details.0,
            result: row.result,
            ip_address: row.ip_address,
            resource: row.resource,
            at: row.at.0,
        })
    }
}
