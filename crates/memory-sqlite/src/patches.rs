use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use diesel::sqlite::SqliteConnection;
use memory_diesel::PatchRow;
use memory_diesel::schema::patch_requests;
use memory_diesel::sql_types::{IdValue, Instant, InstantValue};
use memory_domain::{
    Limit, NewPatch, PatchFilter, PatchId, PatchRequest, PatchReview, TenantId, Timestamp,
    free_text,
};
use memory_storage::{PatchStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::moving::{Moving, moved};
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> PatchStore for Sqlite<E> {
    async fn request_patch(
        &self,
        tenant: &TenantId,
        patch: NewPatch,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let new = patch.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("requesting a patch", move |connection| {
                request(connection, tenant, new, at)
            })
            .await
    }

    async fn patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
    ) -> Result<Option<PatchRequest>, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("looking a patch request up");
        self.0
            .read(reading, move |connection| {
                PatchRequest::find(connection, &tenant, id)
            })
            .await
    }

    async fn patches(
        &self,
        tenant: &TenantId,
        filter: PatchFilter,
        limit: Limit,
    ) -> Result<Vec<PatchRequest>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        let reading = Reading::of("listing patch requests");
        self.0
            .read(reading, move |connection| {
                list(connection, &tenant, &filter, limit)
            })
            .await
    }

    async fn review_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        review: PatchReview,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let review = review.validated()?;
        let change = move |patch: &mut PatchRequest| patch.review(&review, at);
        moved(self, "reviewing a patch", tenant, id, at, change).await
    }

    async fn apply_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        let change = move |patch: &mut PatchRequest| patch.apply(at);
        moved(self, "applying a patch", tenant, id, at, change).await
    }

    async fn fail_patch(
        &self,
        tenant: &TenantId,
        id: PatchId,
        error: &str,
        at: Timestamp,
    ) -> Result<PatchRequest, StorageError> {
        free_text("error", error)?;
        let error = error.to_owned();
        let change = move |patch: &mut PatchRequest| patch.fail(&error);
        moved(self, "failing a patch", tenant, id, at, change).await
    }
}

fn request(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewPatch,
    at: Timestamp,
) -> Result<PatchRequest, Failure> {
    if let Some(stands) = PatchRequest::find(connection, &tenant, new.id)? {
        if new.is_same_write(&stands) {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "patch request",
            id: new.id.to_string(),
        }));
    }
    touch(connection, &tenant, at)?;
    let patch = new.into_patch(tenant, at);
    diesel::insert_into(patch_requests::table)
        .values(PatchRow::from(patch.clone()))
        .execute(connection)?;
    Ok(patch)
}

impl Moving for PatchRequest {
    const WHAT: &'static str = "patch request";

    type Id = PatchId;

    fn find(
        connection: &mut SqliteConnection,
        tenant: &TenantId,
        id: PatchId,
    ) -> Result<Option<PatchRequest>, Failure> {
        let row: Option<PatchRow> = patch_requests::table
            .find((tenant.as_str(), IdValue(id.uuid())))
            .select(PatchRow::as_select())
            .first(connection)
            .optional()?;
        Ok(row.map(PatchRequest::try_from).transpose()?)
    }

    fn write(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        let moment = |at: Option<Timestamp>| at.map(InstantValue);
        Statement::new(
            "update patch_requests set status = ?, reviewed_by = ?, review_comment = ?,
                 application_error = ?, reviewed_at = ?, applied_at = ?
             where tenant_id = ? and id = ?",
        )
        .text(self.status.as_str())
        .optional_text(self.reviewed_by.as_deref())
        .optional_text(self.review_comment.as_deref())
        .optional_text(self.application_error.as_deref())
        .bind::<Nullable<Instant>, _>(moment(self.reviewed_at))
        .bind::<Nullable<Instant>, _>(moment(self.applied_at))
        .text(self.tenant_id.as_str())
        .id(self.id.uuid())
        .run(connection)?;
        Ok(())
    }
}

/// The index is named, because without statistics SQLite takes the narrowest one that fits,
/// whatever it has to read past.
fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: &PatchFilter,
    limit: Limit,
) -> Result<Vec<PatchRequest>, Failure> {
    let index = match (&filter.component, filter.status) {
        (Some(_), Some(_)) => "patch_requests_by_component_status",
        (Some(_), None) => "patch_requests_by_component",
        (None, Some(_)) => "patch_requests_by_status",
        (None, None) => "patch_requests_by_creation",
    };
    let sql = format!("select * from patch_requests indexed by {index} where tenant_id = ?");
    let mut statement = Statement::new(sql).text(tenant.as_str());
    if let Some(component) = &filter.component {
        statement = statement.then(" and component = ?").text(component);
    }
    if let Some(status) = filter.status {
        statement = statement.then(" and status = ?").text(status.as_str());
    }
    if let Some(place) = filter.after {
        statement = statement.then(" and (created_at, id) < (?, ?)");
        statement = statement.at(place.created_at).id(place.id.uuid());
    }
    let rows: Vec<PatchRow> = statement
        .then(" order by created_at desc, id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}
