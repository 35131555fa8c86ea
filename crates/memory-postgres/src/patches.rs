use async_trait::async_trait;
use memory_diesel::PatchRow;
use memory_diesel::sql_types::{AnyJson, AnyJsonValue};
use memory_domain::{
    Limit, NewPatch, PatchFilter, PatchId, PatchRequest, PatchReview, TenantId, Timestamp,
    free_text,
};
use memory_storage::{PatchStore, StorageError};

use crate::columns::{Patches, patch_columns};
use crate::executor::{Executor, Postgres};
use crate::moving::{Moving, moved, moving};
use crate::statement::Statement;

// See the creation of a session.
const REQUEST: &str = concat!(
    "with written as (
        insert into patch_requests as p (
            tenant_id, id, target_file, reasoning, diff, new_code, component, improvement_type,
            confidence, status, feedback_ids, metrics, created_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending_approval', $10, $11, $12)
        on conflict (tenant_id, id) do nothing
        returning ",
    patch_columns!("p"),
    ")
    select ",
    patch_columns!("w"),
    ", touch_tenant($1, $12) from written as w
    union all
    select ",
    patch_columns!("p"),
    ", true from patch_requests as p where p.tenant_id = $1 and p.id = $2"
);

const ONE: &str = concat!(
    "select ",
    patch_columns!("p"),
    " from patch_requests as p where p.tenant_id = $1 and p.id = $2"
);

const LIST: &str = concat!(
    "select ",
    patch_columns!("p"),
    " from patch_requests as p where p.tenant_id = $1"
);

// See the transitions of tasks.
macro_rules! transition {
    ($set:literal, $from:literal) => {
        concat!(
            "with old as (
                select * from patch_requests
                where tenant_id = $1 and id = $2 for no key update
            ), written as (
                update patch_requests as p set ",
            $set,
            " from old where p.tenant_id = $1 and p.id = old.id and old.status = '",
            $from,
            "'
                returning ",
            patch_columns!("p"),
            ")
            select true, ",
            patch_columns!("w"),
            ", touch_tenant($1, $3) from written as w
            union all
            select false, ",
            patch_columns!("o"),
            ", true from old as o where not exists (select from written)"
        )
    };
}

const REVIEW: &str = transition!(
    "reviewed_at = $3, status = $4, reviewed_by = $5, review_comment = $6",
    "pending_approval"
);

const APPLY: &str = transition!("applied_at = $3, status = 'applied'", "approved");

// $3 is for the tenant's time alone.
const FAIL: &str = transition!(
    "status = case when $3 is not null then 'failed' end, application_error = $4",
    "approved"
);

#[async_trait]
impl<E: Executor> PatchStore for Postgres<E> {
    async fn request_patch(
        &self,
        tenant: &TenantId,
        patch: NewPatch,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let new = patch.validated()?;
        let stands: PatchRequest = self
            .standing(|| {
                let feedback_ids = AnyJsonValue(new.feedback_ids.clone().into());
                let statement = Statement::writing("requesting a patch", REQUEST)
                    .text(tenant.as_str())
                    .id(new.id.uuid())
                    .text(&new.target_file)
                    .text(&new.reasoning)
                    .text(&new.diff)
                    .text(&new.new_code)
                    .text(&new.component)
                    .text(&new.improvement_type)
                    .double(new.confidence)
                    .bind::<AnyJson, _>(feedback_ids)
                    .json(&new.metrics)
                    .at(at);
                self.entities::<Patches, PatchRow, _>(statement)
            })
            .await?;
        if new.is_same_write(&stands) {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "patch request",
                id: new.id.to_string(),
            })
        }
    }

    async fn patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
    ) -> Result<Option<PatchRequest>, StorageError> {
        let statement = Statement::reading("looking a patch request up", ONE)
            .text(tenant.as_str())
            .id(id.uuid());
        let patches = self.entities::<Patches, PatchRow, _>(statement).await?;
        Ok(patches.into_iter().next())
    }

    async fn patches(
        &self,
        tenant: &TenantId,
        filter: PatchFilter,
        limit: Limit,
    ) -> Result<Vec<PatchRequest>, StorageError> {
        let filter = filter.validated()?;
        let mut statement =
            Statement::reading("listing patch requests", LIST).text(tenant.as_str());
        if let Some(component) = &filter.component {
            statement = statement.then(" and p.component = ").parameter();
            statement = statement.text(component);
        }
        if let Some(status) = filter.status {
            statement = statement.then(" and p.status = ").parameter();
            statement = statement.text(status.as_str());
        }
        if let Some(after) = filter.after {
            statement = statement.then(" and (p.created_at, p.id) < (").parameter();
            statement = statement.at(after.created_at).then(", ").parameter();
            statement = statement.id(after.id.uuid()).then(")");
        }
        let statement = statement
            .then(" order by p.created_at desc, p.id desc limit ")
            .parameter()
            .limit(limit);
        self.entities::<Patches, PatchRow, _>(statement).await
    }

    async fn review_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        review: PatchReview,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let review = review.validated()?;
        let statement = moving("reviewing a patch", REVIEW, tenant, id.uuid(), at)
            .text(review.verdict().as_str())
            .text(&review.reviewer)
            .optional_text(review.comment.as_deref());
        moved(self, statement, id, |patch: &mut PatchRequest| {
            patch.review(&review, at)
        })
        .await
    }

    async fn apply_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let statement = moving("applying a patch", APPLY, tenant, id.uuid(), at);
        moved(self, statement, id, |patch: &mut PatchRequest| {
            patch.apply(at)
        })
        .await
    }

    async fn fail_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        error: &str,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        free_text("error", error)?;
        let statement = moving("failing a patch", FAIL, tenant, id.uuid(), at).text(error);
        moved(self, statement, id, |patch: &mut PatchRequest| {
            patch.fail(error)
        })
        .await
    }
}

impl Moving for PatchRequest {
    const WHAT: &'static str = "patch request";

    type Columns = Patches;

    type Row = PatchRow;
}
