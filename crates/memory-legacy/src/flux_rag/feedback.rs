//! flux-rag: what people thought of answers, in `feedback.jsonl`.

use std::rc::Rc;

use memory_domain::{Feedback, FeedbackId, InvalidInput, MessageId, Record, SessionId, TenantId};
use memory_storage::{RawRow, RawValue};

use crate::SourceTimezone;
use crate::catalog::Place;
use crate::cells::Cells;
use crate::converting::Converted;
use crate::format::{Format, MappedColumn, MappedTable};
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::lines::{IN_QUARANTINE, Lines, WHOLE};
use crate::reading::{Mapped, Reading, Sink, Stop};
use crate::standing::{self, Rows};

/// The lines of a feedback file.
pub(crate) static LINES: Lines = Lines {
    format: &FeedbackFile,
    marks: &["message_id", "rating", "created_at"],
    objects: &[],
};

/// The reader of feedback files. A message or session that is no UUID becomes the id that the
/// reader of the conversations makes of it.
struct FeedbackFile;

static TABLES: [MappedTable; 1] = [MappedTable {
    name: "feedback",
    columns: &[
        MappedColumn::required("id", "feedback.id"),
        MappedColumn::required("message_id", "feedback.message_id"),
        MappedColumn::required("session_id", "feedback.session_id"),
        MappedColumn::required("rating", "feedback.rating"),
        MappedColumn::required("comment", "feedback.comment"),
        MappedColumn::required("corrected_answer", "feedback.correction"),
        MappedColumn::required("created_at", "feedback.created_at"),
        MappedColumn::optional(WHOLE, IN_QUARANTINE),
    ],
}];

impl Format for FeedbackFile {
    fn tables(&self) -> &'static [MappedTable] {
        &TABLES
    }

    fn documented_zone(&self) -> Option<SourceTimezone> {
        Some(SourceTimezone::UTC)
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let rows = FeedbackRows::new(reading, reading.table(0)?);
        standing::read(reading, &[Box::new(rows)], sink)
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        _unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        let Record::Feedback(feedback) = record else {
            return Vec::new();
        };
        let text = |text: Option<&'r str>| text.map_or(SourceValue::Null, SourceValue::Text);
        let message = feedback.message_id.map(MessageId::uuid);
        let session = feedback.session_id.map(SessionId::uuid);
        vec![
            ("id", SourceValue::Uuid(feedback.id.uuid())),
            (
                "message_id",
                message.map_or(SourceValue::Null, SourceValue::Uuid),
            ),
            (
                "session_id",
                session.map_or(SourceValue::Null, SourceValue::Uuid),
            ),
            ("rating", SourceValue::Number(feedback.rating)),
            ("comment", text(feedback.comment.as_deref())),
            ("corrected_answer", text(feedback.correction.as_deref())),
            ("created_at", SourceValue::Time(feedback.created_at)),
        ]
    }
}

struct FeedbackRows<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    id: Place,
    message_id: Place,
    session_id: Place,
    rating: Place,
    comment: Place,
    corrected_answer: Place,
    created_at: Place,
    ids: Rc<TableIds>,
    message_ids: Rc<TableIds>,
    session_ids: Rc<TableIds>,
}

impl<'a> FeedbackRows<'a> {
    fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        FeedbackRows {
            reading,
            mapped,
            id: place("id"),
            message_id: place("message_id"),
            session_id: place("session_id"),
            rating: place("rating"),
            comment: place("comment"),
            corrected_answer: place("corrected_answer"),
            created_at: place("created_at"),
            ids: reading.converting.ids.table("feedback"),
            message_ids: reading.converting.ids.table("messages"),
            session_ids: reading.converting.ids.table("sessions"),
        }
    }
}

impl<'a> Rows<'a> for FeedbackRows<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.id
    }

    fn further(&self) -> String {
        "null".to_owned()
    }

    fn convert(&self, raw: &RawRow, _: Option<i64>) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let feedback = Feedback {
            tenant_id: self.reading.converting.unnamed.clone(),
            id: FeedbackId::from_uuid(cells.uuid(self.id, &self.ids)?),
            session_id: named(&mut cells, self.session_id, &self.session_ids)?
                .map(SessionId::from_uuid),
            message_id: named(&mut cells, self.message_id, &self.message_ids)?
                .map(MessageId::from_uuid),
            rating: cells.integer(self.rating)?,
            comment: cells.optional_free_text(self.comment)?,
            correction: cells.optional_free_text(self.corrected_answer)?,
            created_at: cells.time(self.created_at)?,
        };
        Ok(Converted {
            record: Record::Feedback(feedback),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

/// What a feedback is about, if it says so.
fn named(
    cells: &mut Cells<'_>,
    place: Place,
    ids: &TableIds,
) -> Result<Option<uuid::Uuid>, InvalidInput> {
    match cells.value(place) {
        RawValue::Null => Ok(None),
        _ => cells.uuid(place, ids).map(Some),
    }
}
