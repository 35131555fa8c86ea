use async_trait::async_trait;
use memory_domain::{AgencyFilter, AgencySnapshot, Limit, NewAgencySnapshot, TenantId, Timestamp};

use crate::StorageError;

/// Agency snapshots: how an assistant affects what somebody decides and can do without it.
#[async_trait]
pub trait AgencyStore: Send + Sync {
    /// Records a snapshot, taken at `at`. The same id with the same content, at whatever moment, is
    /// the same write and returns the snapshot that stands.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    async fn record_agency_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewAgencySnapshot,
        at: Timestamp,
    ) -> Result<AgencySnapshot, StorageError>;

    /// The snapshot that comes first in the listing by time: the newest, and of several the one
    /// with the greatest id.
    async fn latest_agency_snapshot(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<AgencySnapshot>, StorageError>;

    /// Lists snapshots in the order that the filter names. Both ends of the time and of the score
    /// are included.
    async fn agency_snapshots(
        &self,
        tenant: &TenantId,
        filter: AgencyFilter,
        limit: Limit,
    ) -> Result<Vec<AgencySnapshot>, StorageError>;
}
