use async_trait::async_trait;
use memory_domain::{AuditEvent, AuditFilter, Limit, NewAuditEvent, TenantId, Timestamp};

use crate::StorageError;

/// Audit events: what was done. The database refuses to change or delete them; only erasure of the
/// tenant and the rollback of the transfer that brought them take them away.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Records up to 1,000 events, all or none, and returns how many of them are new; `at` is the
    /// moment of recording, which counts as the tenant's activity. An event whose id stands with
    /// the same content, its moment included, is the same write.
    ///
    /// # Errors
    /// `Conflict` if an id stands with other content (also twice in one batch with different
    /// content); `Invalid` for a batch over 1,000.
    async fn record_events(
        &self,
        tenant: &TenantId,
        events: Vec<NewAuditEvent>,
        at: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Lists events: newest first, then the greater id. Both ends of the time are included.
    async fn audit_events(
        &self,
        tenant: &TenantId,
        filter: AuditFilter,
        limit: Limit,
    ) -> Result<Vec<AuditEvent>, StorageError>;
}
