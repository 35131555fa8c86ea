use std::ops::Deref;

use memory_domain::{Limit, NewPatch, PatchFilter, PatchId, PatchRequest, PatchReview};
use memory_storage::{MemoryStore, PatchStore, StorageError};

use super::Scoped;

/// Patch requests: see [`PatchStore`](crate::PatchStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Requests a patch, which waits for a review; the same id with the same content again is the
    /// same write.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    pub async fn request_patch(&self, patch: NewPatch) -> Result<PatchRequest, StorageError> {
        self.store.request_patch(&self.id, patch, self.now()).await
    }

    /// Looks a patch request up.
    pub async fn patch(&self, id: PatchId) -> Result<Option<PatchRequest>, StorageError> {
        self.store.patch(&self.id, id).await
    }

    /// Lists patch requests: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn patches(
        &self,
        filter: PatchFilter,
        limit: u32,
    ) -> Result<Vec<PatchRequest>, StorageError> {
        self.store
            .patches(&self.id, filter, Limit::new(limit)?)
            .await
    }

    /// Approves or denies a patch.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it was reviewed otherwise before.
    pub async fn review_patch(
        &self,
        id: PatchId,
        review: PatchReview,
    ) -> Result<PatchRequest, StorageError> {
        self.store
            .review_patch(&self.id, id, review, self.now())
            .await
    }

    /// Notes that a patch was applied.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not approved.
    pub async fn apply_patch(&self, id: PatchId) -> Result<PatchRequest, StorageError> {
        self.store.apply_patch(&self.id, id, self.now()).await
    }

    /// Notes why a patch could not be applied.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not approved.
    pub async fn fail_patch(&self, id: PatchId, error: &str) -> Result<PatchRequest, StorageError> {
        self.store.fail_patch(&self.id, id, error, self.now()).await
    }
}
