use async_trait::async_trait;
use memory_domain::{
    JsonObject, Limit, Tenant, TenantCursor, TenantErasure, TenantId, TenantStats, TenantUsage,
    Timestamp,
};

use crate::StorageError;

/// Who has a memory here.
///
/// A tenant comes into being with its first successful write; creating it is optional. Every write
/// also moves `last_active_at`, at most once a minute.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// Makes a tenant that has not written yet, and returns it.
    ///
    /// # Errors
    /// `Conflict` if it is there with other metadata; with the same, it is the same write.
    async fn create_tenant(
        &self,
        tenant: &TenantId,
        metadata: JsonObject,
        at: Timestamp,
    ) -> Result<Tenant, StorageError>;

    /// Looks a tenant up.
    async fn tenant(&self, tenant: &TenantId) -> Result<Option<Tenant>, StorageError>;

    /// Lists tenants: last active first, then by id. For the operator: it sees every tenant.
    async fn tenants(
        &self,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<Tenant>, StorageError>;

    /// Replaces a tenant's metadata.
    ///
    /// # Errors
    /// `NotFound` if the tenant is not there.
    async fn set_tenant_metadata(
        &self,
        tenant: &TenantId,
        metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Counts what a tenant has stored; zeros for a tenant that is not there.
    async fn tenant_stats(&self, tenant: &TenantId) -> Result<TenantStats, StorageError>;

    /// Counts what each tenant has, and what of it was active at or after `since`; in the order of
    /// [`TenantStore::tenants`], so that a page that ends before `since` is the last of the active
    /// ones. For the operator: it sees every tenant.
    async fn tenant_usage(
        &self,
        since: Timestamp,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<TenantUsage>, StorageError>;

    /// Deletes everything of a tenant, the tenant itself included: every record, what is kept
    /// beside them, and its entries in the ledgers of transfers. The report of a transfer that
    /// brought something of it, or names it, is emptied, because it may quote values.
    ///
    /// The database may keep what was deleted in free pages and in its log until they are cleaned
    /// up, which is an operator's step of its own.
    ///
    /// # Errors
    /// `NotFound` if the tenant is not there.
    async fn erase_tenant(&self, tenant: &TenantId) -> Result<TenantErasure, StorageError>;
}
