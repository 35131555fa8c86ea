use memory_domain::{Limit, PatchFilter, PatchId, PatchReview, TenantId, Timestamp};
use memory_storage::{MemoryStore, StorageError};

use super::{Given, SECRET, Verb, shown};
use crate::support::{at, new_patch, patch_id};

/// The patch requests with which verbs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenPatches {
    /// One that waits for a review.
    pub pending: PatchId,
    /// One that was approved.
    pub approved: PatchId,
    /// The one to be requested.
    pub new: PatchId,
}

impl Default for GivenPatches {
    fn default() -> Self {
        GivenPatches {
            pending: patch_id(1),
            approved: patch_id(2),
            new: patch_id(11),
        }
    }
}

impl GivenPatches {
    pub(super) fn taken(self) -> GivenPatches {
        GivenPatches {
            new: self.pending,
            ..self
        }
    }

    pub(super) async fn write(&self, store: &dyn MemoryStore, tenant: &TenantId) {
        for id in [self.pending, self.approved] {
            let patch = new_patch(0, SECRET).with_id(id).with_reasoning(SECRET);
            store.request_patch(tenant, patch, at(0)).await.unwrap();
        }
        let review = PatchReview::approval("reviewer").with_comment(SECRET);
        let approve = store.review_patch(tenant, self.approved, review, at(0));
        approve.await.unwrap();
    }
}

impl Verb {
    pub(super) async fn call_of_patches(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let GivenPatches {
            pending,
            approved,
            new,
        } = given.patches;
        Ok(match self {
            Verb::RequestPatch => {
                let patch = new_patch(0, "new").with_id(new);
                shown(store.request_patch(tenant, patch, at).await?)
            }
            Verb::Patches => {
                let any = PatchFilter::default();
                shown(store.patches(tenant, any, Limit::MAX).await?)
            }
            Verb::ReviewPatch => {
                let review = PatchReview::denial("new");
                shown(store.review_patch(tenant, pending, review, at).await?)
            }
            Verb::ApplyPatch => shown(store.apply_patch(tenant, approved, at).await?),
            Verb::FailPatch => shown(store.fail_patch(tenant, approved, "new", at).await?),
            _ => shown(store.patch(tenant, pending).await?),
        })
    }
}
