use async_trait::async_trait;
use memory_domain::{
    Limit, NewPatch, PatchFilter, PatchId, PatchRequest, PatchReview, TenantId, Timestamp,
};

use crate::StorageError;

/// Patch requests: changes that an assistant proposes to its own code, which a person reviews.
#[async_trait]
pub trait PatchStore: Send + Sync {
    /// Requests a patch, which waits for a review. The same id with the same content is the same
    /// write and returns the request as it stands, however far it is.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    async fn request_patch(
        &self,
        tenant: &TenantId,
        patch: NewPatch,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError>;

    /// Looks a patch request up.
    async fn patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
    ) -> Result<Option<PatchRequest>, StorageError>;

    /// Lists patch requests: newest first, then the greater id.
    async fn patches(
        &self,
        tenant: &TenantId,
        filter: PatchFilter,
        limit: Limit,
    ) -> Result<Vec<PatchRequest>, StorageError>;

    /// Approves or denies a patch. The same review again is the same write.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it was reviewed otherwise before.
    async fn review_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        review: PatchReview,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError>;

    /// Notes that a patch was applied. One that was stays as it is.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not approved.
    async fn apply_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError>;

    /// Notes why a patch could not be applied. The same error again is the same write.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not approved.
    async fn fail_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        error: &str,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError>;
}
