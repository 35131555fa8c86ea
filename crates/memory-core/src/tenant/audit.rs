use std::ops::Deref;

use memory_domain::{AuditEvent, AuditFilter, Limit, NewAuditEvent};
use memory_storage::{AuditStore, MemoryStore, StorageError};

use super::Scoped;

/// Audit events: see [`AuditStore`](crate::AuditStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Records up to 1,000 events, all or none, and returns how many of them are new.
    ///
    /// # Errors
    /// `Conflict` if an id stands with other content; `Invalid` for a batch over 1,000.
    pub async fn record_events(&self, events: Vec<NewAuditEvent>) -> Result<u64, StorageError> {
        self.store.record_events(&self.id, events, self.now()).await
    }

    /// Lists events: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn audit_events(
        &self,
        filter: AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StorageError> {
        self.store
            .audit_events(&self.id, filter, Limit::new(limit)?)
            .await
    }
}
