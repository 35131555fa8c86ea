use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{
    Limit, NewPatch, PatchFilter, PatchId, PatchRequest, PatchReview, TenantId, Timestamp,
    WrongState, free_text,
};
use memory_storage::{PatchStore, StorageError};

use super::{Model, conflict, not_found, page};

#[async_trait]
impl PatchStore for Model {
    async fn request_patch(
        &self,
        tenant: &TenantId,
        patch: NewPatch,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let new = patch.validated()?;
        self.write(tenant, at, |own| {
            let stands = own
                .patches
                .entry(new.id)
                .or_insert_with(|| new.clone().into_patch(tenant.clone(), at));
            if new.is_same_write(stands) {
                Ok(stands.clone())
            } else {
                Err(conflict("patch request", new.id))
            }
        })
    }

    async fn patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
    ) -> Result<Option<PatchRequest>, StorageError> {
        let found = self.read(tenant, |own| own.patches.get(&id).cloned());
        Ok(found.flatten())
    }

    async fn patches(
        &self,
        tenant: &TenantId,
        filter: PatchFilter,
        limit: Limit,
    ) -> Result<Vec<PatchRequest>, StorageError> {
        let filter = filter.validated()?;
        let meets = |patch: &&PatchRequest| {
            filter.status.is_none_or(|status| status == patch.status)
                && filter
                    .component
                    .as_ref()
                    .is_none_or(|component| *component == patch.component)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.patches.values().filter(meets).cloned(),
                |patch| (Reverse(patch.created_at), Reverse(patch.id)),
                filter
                    .after
                    .map(|after| (Reverse(after.created_at), Reverse(after.id))),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }

    async fn review_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        review: PatchReview,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let review = review.validated()?;
        self.move_patch(tenant, id, at, |patch| patch.review(&review, at))
    }

    async fn apply_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        self.move_patch(tenant, id, at, |patch| patch.apply(at))
    }

    async fn fail_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        error: &str,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        free_text("error", error)?;
        self.move_patch(tenant, id, at, |patch| patch.fail(error))
    }
}

impl Model {
    fn move_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        at: Timestamp,
        change: impl FnOnce(&mut PatchRequest) -> Result<bool, WrongState>,
    ) -> Result<PatchRequest, StorageError> {
        self.write(tenant, at, |own| {
            let patch = own.patches.get_mut(&id);
            let patch = patch.ok_or_else(|| not_found("patch request", id))?;
            change(patch)?;
            Ok(patch.clone())
        })
    }
}
