use diesel::prelude::*;
use memory_domain::{PatchId, PatchRequest};
use memory_storage::StorageError;
use serde_json::Value;

use super::Place;
use crate::schema::patch_requests;
use crate::sql_types::{AnyJsonValue, IdValue, InstantValue, JsonValue};

/// A row of `patch_requests`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = patch_requests)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct PatchRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub target_file: String,
    pub reasoning: String,
    pub diff: String,
    pub new_code: String,
    pub component: String,
    pub improvement_type: String,
    pub confidence: f64,
    pub status: String,
    pub reviewed_by: Option<String>,
    pub review_comment: Option<String>,
    pub application_error: Option<String>,
    pub feedback_ids: AnyJsonValue,
    pub metrics: JsonValue,
    pub created_at: InstantValue,
    pub reviewed_at: Option<InstantValue>,
    pub applied_at: Option<InstantValue>,
}

impl From<PatchRequest> for PatchRow {
    fn from(patch: PatchRequest) -> PatchRow {
        PatchRow {
            tenant_id: patch.tenant_id.into(),
            id: IdValue(patch.id.uuid()),
            target_file: patch.target_file,
            reasoning: patch.reasoning,
            diff: patch.diff,
            new_code: patch.new_code,
            component: patch.component,
            improvement_type: patch.improvement_type,
            confidence: patch.confidence,
            status: patch.status.as_str().to_owned(),
            reviewed_by: patch.reviewed_by,
            review_comment: patch.review_comment,
            application_error: patch.application_error,
            feedback_ids: AnyJsonValue(patch.feedback_ids.into()),
            metrics: JsonValue(patch.metrics),
            created_at: InstantValue(patch.created_at),
            reviewed_at: patch.reviewed_at.map(InstantValue),
            applied_at: patch.applied_at.map(InstantValue),
        }
    }
}

impl TryFrom<PatchRow> for PatchRequest {
    type Error = StorageError;

    fn try_from(row: PatchRow) -> Result<PatchRequest, StorageError> {
        let place = Place {
            table: "patch_requests",
            id: &row.id.0,
        };
        Ok(PatchRequest {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: PatchId::from_uuid(row.id.0),
            target_file: row.target_file,
            reasoning: row.reasoning,
            diff: row.diff,
            new_code: row.new_code,
            component: row.component,
            improvement_type: row.improvement_type,
            confidence: row.confidence,
            status: place.check("status", row.status.parse())?,
            reviewed_by: row.reviewed_by,
            review_comment: row.review_comment,
            application_error: row.application_error,
            feedback_ids: place.check("feedback_ids", texts(row.feedback_ids.0))?,
            metrics: row.metrics.0,
            created_at: row.created_at.0,
            reviewed_at: row.reviewed_at.map(|value| value.0),
            applied_at: row.applied_at.map(|value| value.0),
        })
    }
}

/// The texts of an array that has no other values.
fn texts(value: Value) -> Result<Vec<String>, &'static str> {
    let Value::Array(values) = value else {
        return Err("it is no array");
    };
    values
        .into_iter()
        .map(|value| match value {
            Value::String(text) => Ok(text),
            _ => Err("it holds something that is no text"),
        })
        .collect()
}
