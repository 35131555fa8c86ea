use async_trait::async_trait;
use memory_domain::{AuditEvent, AuditFilter, Limit, NewAuditEvent, TenantId, Timestamp};
use memory_storage::{AuditStore, StorageError};

use super::Recorder;
use crate::Verb;

#[async_trait]
impl AuditStore for Recorder<'_> {
    async fn record_events(
        &self,
        tenant: &TenantId,
        events: Vec<NewAuditEvent>,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        self.note(Verb::RecordEvents);
        self.store.record_events(tenant, events, at).await
    }

    async fn audit_events(
        &self,
        tenant: &TenantId,
        filter: AuditFilter,
        limit: Limit,
    ) -> Result<Vec<AuditEvent>, StorageError> {
        self.note(Verb::AuditEvents);
        self.store.audit_events(tenant, filter, limit).await
    }
}
