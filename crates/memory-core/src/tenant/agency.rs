use std::ops::Deref;

use memory_domain::{AgencyFilter, AgencySnapshot, Limit, NewAgencySnapshot};
use memory_storage::{AgencyStore, MemoryStore, StorageError};

use super::Scoped;

/// Agency snapshots: see [`AgencyStore`](crate::AgencyStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Records an agency snapshot, taken now; the same id with the same content again is the same
    /// write.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    pub async fn record_agency_snapshot(
        &self,
        snapshot: NewAgencySnapshot,
    ) -> Result<AgencySnapshot, StorageError> {
        self.store
            .record_agency_snapshot(&self.id, snapshot, self.now())
            .await
    }

    /// The newest agency snapshot.
    pub async fn latest_agency_snapshot(&self) -> Result<Option<AgencySnapshot>, StorageError> {
        self.store.latest_agency_snapshot(&self.id).await
    }

    /// Lists agency snapshots: newest first, or the greatest score first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn agency_snapshots(
        &self,
        filter: AgencyFilter,
        limit: u32,
    ) -> Result<Vec<AgencySnapshot>, StorageError> {
        self.store
            .agency_snapshots(&self.id, filter, Limit::new(limit)?)
            .await
    }
}
