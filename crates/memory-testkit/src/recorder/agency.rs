use async_trait::async_trait;
use memory_domain::{AgencyFilter, AgencySnapshot, Limit, NewAgencySnapshot, TenantId, Timestamp};
use memory_storage::{AgencyStore, StorageError};

use super::Recorder;
use crate::Verb;

#[async_trait]
impl AgencyStore for Recorder<'_> {
    async fn record_agency_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewAgencySnapshot,
        at: Timestamp,
    ) -> Result<AgencySnapshot, StorageError> {
        self.note(Verb::RecordAgencySnapshot);
        self.store
            .record_agency_snapshot(tenant, snapshot, at)
            .await
    }

    async fn latest_agency_snapshot(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<AgencySnapshot>, StorageError> {
        self.note(Verb::LatestAgencySnapshot);
        self.store.latest_agency_snapshot(tenant).await
    }

    async fn agency_snapshots(
        &self,
        tenant: &TenantId,
        filter: AgencyFilter,
        limit: Limit,
    ) -> Result<Vec<AgencySnapshot>, StorageError> {
        self.note(Verb::AgencySnapshots);
        self.store.agency_snapshots(tenant, filter, limit).await
    }
}
