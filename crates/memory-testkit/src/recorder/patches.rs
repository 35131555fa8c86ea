use async_trait::async_trait;
use memory_domain::{
    Limit, NewPatch, PatchFilter, PatchId, PatchRequest, PatchReview, TenantId, Timestamp,
};
use memory_storage::{PatchStore, StorageError};

use super::Recorder;
use crate::Verb;

#[async_trait]
impl PatchStore for Recorder<'_> {
    async fn request_patch(
        &self,
        tenant: &TenantId,
        patch: NewPatch,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        self.note(Verb::RequestPatch);
        self.store.request_patch(tenant, patch, at).await
    }

    async fn patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
    ) -> Result<Option<PatchRequest>, StorageError> {
        self.note(Verb::Patch);
        self.store.patch(tenant, id).await
    }

    async fn patches(
        &self,
        tenant: &TenantId,
        filter: PatchFilter,
        limit: Limit,
    ) -> Result<Vec<PatchRequest>, StorageError> {
        self.note(Verb::Patches);
        self.store.patches(tenant, filter, limit).await
    }

    async fn review_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        review: PatchReview,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        self.note(Verb::ReviewPatch);
        self.store.review_patch(tenant, id, review, at).await
    }

    async fn apply_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        self.note(Verb::ApplyPatch);
        self.store.apply_patch(tenant, id, at).await
    }

    async fn fail_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        error: &str,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        self.note(Verb::FailPatch);
        self.store.fail_patch(tenant, id, error, at).await
    }
}
