use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{
    AuditEvent, AuditFilter, InvalidInput, Limit, NewAuditEvent, TenantId, Timestamp,
};
use memory_storage::{AuditStore, StorageError};

use super::{Model, check_batch, conflict, page, within};

#[async_trait]
impl AuditStore for Model {
    async fn record_events(
        &self,
        tenant: &TenantId,
        events: Vec<NewAuditEvent>,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        check_batch("events", events.len())?;
        let events: Vec<NewAuditEvent> = events
            .into_iter()
            .map(NewAuditEvent::validated)
            .collect::<Result<_, InvalidInput>>()?;
        self.write(tenant, at, |own| {
            let before = own.audit_events.len();
            for event in events {
                let event = event.into_event(tenant.clone());
                let first = || event.clone();
                if *own.audit_events.entry(event.id).or_insert_with(first) != event {
                    return Err(conflict("audit event", event.id));
                }
            }
            Ok((own.audit_events.len() - before) as u64)
        })
    }

    async fn audit_events(
        &self,
        tenant: &TenantId,
        filter: AuditFilter,
        limit: Limit,
    ) -> Result<Vec<AuditEvent>, StorageError> {
        let filter = filter.validated()?;
        let meets = |event: &&AuditEvent| {
            within(event.at, filter.from, filter.to)
                && (filter.session.is_none() || filter.session == event.session_id)
                && filter
                    .severity
                    .is_none_or(|severity| severity == event.severity)
                && filter
                    .event_type
                    .as_ref()
                    .is_none_or(|word| *word == event.event_type)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.audit_events.values().filter(meets).cloned(),
                |event| (Reverse(event.at), Reverse(event.id)),
                filter
                    .after
                    .map(|after| (Reverse(after.at), Reverse(after.id))),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }
}
