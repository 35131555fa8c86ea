use std::rc::Rc;

use memory_domain::{
    InvalidInput, PatchId, PatchRequest, PatchStatus, Record, key_text, path_text,
};
use memory_storage::{RawRow, RawValue};

use super::{text, time};
use crate::catalog::Place;
use crate::cells::{Cells, refuse};
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};
use crate::rules;
use crate::standing::Rows;

/// Makes patch requests of rows, which name no user.
pub(super) struct Patches<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    request_id: Place,
    created_at: Place,
    target_file: Place,
    reasoning: Place,
    diff: Place,
    new_code_blob: Place,
    component: Place,
    improvement_type: Place,
    confidence: Place,
    status: Place,
    reviewed_at: Place,
    reviewed_by: Place,
    review_comment: Place,
    applied_at: Place,
    application_error: Place,
    feedback_ids: Place,
    metrics: Place,
    ids: Rc<TableIds>,
}

impl<'a> Patches<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Patches {
            reading,
            mapped,
            request_id: place("request_id"),
            created_at: place("created_at"),
            target_file: place("target_file"),
            reasoning: place("reasoning"),
            diff: place("diff"),
            new_code_blob: place("new_code_blob"),
            component: place("component"),
            improvement_type: place("improvement_type"),
            confidence: place("confidence"),
            status: place("status"),
            reviewed_at: place("reviewed_at"),
            reviewed_by: place("reviewed_by"),
            review_comment: place("review_comment"),
            applied_at: place("applied_at"),
            application_error: place("application_error"),
            feedback_ids: place("feedback_ids"),
            metrics: place("metrics"),
            ids: reading.converting.ids.table("patch_requests"),
        }
    }
}

impl<'a> Rows<'a> for Patches<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.request_id
    }

    fn further(&self) -> String {
        "null".to_owned()
    }

    fn convert(&self, raw: &RawRow, _: Option<i64>) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let target_file = cells.text(self.target_file)?;
        path_text(self.target_file.name, target_file)?;
        let status: PatchStatus = cells.text(self.status)?.parse()?;
        let patch = PatchRequest {
            tenant_id: self.reading.converting.unnamed.clone(),
            id: PatchId::from_uuid(cells.uuid(self.request_id, &self.ids)?),
            target_file: target_file.to_owned(),
            reasoning: cells.free_text(self.reasoning)?,
            diff: cells.free_text(self.diff)?,
            new_code: cells.free_text(self.new_code_blob)?,
            component: cells.key_text(self.component)?,
            improvement_type: cells.key_text(self.improvement_type)?,
            confidence: cells.real(self.confidence)?,
            status,
            reviewed_by: cells.optional_key_text(self.reviewed_by)?,
            review_comment: cells.optional_free_text(self.review_comment)?,
            application_error: cells.optional_free_text(self.application_error)?,
            feedback_ids: feedback_ids(&mut cells, self.feedback_ids)?,
            metrics: cells.metadata_or_empty(self.metrics)?,
            created_at: cells.time(self.created_at)?,
            reviewed_at: cells.optional_time(self.reviewed_at)?,
            applied_at: cells.optional_time(self.applied_at)?,
        };
        Ok(Converted {
            record: Record::PatchRequest(patch),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

/// The feedback that a patch answers: a JSON array of texts.
fn feedback_ids(cells: &mut Cells<'_>, place: Place) -> Result<Vec<String>, InvalidInput> {
    if matches!(cells.value(place), RawValue::Null) {
        cells.rule(rules::NULL_LIST, place, "NULL", "[]");
        return Ok(Vec::new());
    }
    // As any JSON first, which says what is wrong with it.
    let value = cells.json(place)?.unwrap_or_default();
    let ids: Vec<String> = serde_json::from_value(value)
        .map_err(|_| refuse(place, cells.value(place), "give a JSON array of texts"))?;
    for id in &ids {
        key_text(place.name, id)?;
    }
    Ok(ids)
}

pub(super) fn inverse(patch: &PatchRequest) -> Vec<(&'static str, SourceValue<'_>)> {
    vec![
        ("request_id", SourceValue::Uuid(patch.id.uuid())),
        ("created_at", SourceValue::Time(patch.created_at)),
        ("target_file", SourceValue::Text(&patch.target_file)),
        ("reasoning", SourceValue::Text(&patch.reasoning)),
        ("diff", SourceValue::Text(&patch.diff)),
        ("new_code_blob", SourceValue::Text(&patch.new_code)),
        ("component", SourceValue::Text(&patch.component)),
        (
            "improvement_type",
            SourceValue::Text(&patch.improvement_type),
        ),
        ("confidence", SourceValue::Real(patch.confidence)),
        ("status", SourceValue::Text(patch.status.as_str())),
        ("reviewed_at", time(patch.reviewed_at)),
        ("reviewed_by", text(patch.reviewed_by.as_deref())),
        ("review_comment", text(patch.review_comment.as_deref())),
        ("applied_at", time(patch.applied_at)),
        (
            "application_error",
            text(patch.application_error.as_deref()),
        ),
        ("feedback_ids", SourceValue::TextList(&patch.feedback_ids)),
        ("metrics", SourceValue::Json(&patch.metrics)),
    ]
}
