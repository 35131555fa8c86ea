use memory_domain::{Decision, DecisionId, InvalidInput, Record, free_text, key_text};
use memory_storage::RawRow;

use super::aside::Aside;
use super::row::Rows;
use crate::catalog::Place;
use crate::converting::Converted;
use crate::inverse::SourceValue;
use crate::reading::{Sink, Stop};

/// Makes decisions of rows.
pub(super) struct Decisions<'a> {
    rows: Rows<'a>,
    instance_id: Place,
    timestamp: Place,
    text: Place,
    context: Place,
    extracted_from: Place,
}

impl<'a> Decisions<'a> {
    pub(super) fn new(rows: Rows<'a>) -> Self {
        Decisions {
            instance_id: rows.place("instance_id"),
            timestamp: rows.place("timestamp"),
            text: rows.place("decision_text"),
            context: rows.place("context"),
            extracted_from: rows.place("extracted_from"),
            rows,
        }
    }

    pub(super) fn judge(&self, aside: &Aside<'_>) -> Result<(), Stop> {
        self.rows.each("", "", |_, rowid, raw| {
            self.rows.note_times(aside, &raw, |cells| {
                let at = cells.epoch(self.timestamp)?;
                Ok((at, at))
            })?;
            // Which of two rows with one id is the first is settled here.
            self.rows.judge(aside, rowid, &raw, self.convert(&raw))?;
            Ok(())
        })
    }

    pub(super) fn read(&self, aside: &Aside<'_>, sink: &mut Sink) -> Result<(), Stop> {
        self.rows.each("", "", |_, rowid, raw| {
            let converted = self.convert(&raw);
            let conversion = self.rows.conclude(aside, rowid, &raw, converted)?;
            sink.push(self.rows.mapped.source_row(rowid, raw, conversion))
        })
    }

    fn convert(&self, raw: &RawRow) -> Result<Converted, InvalidInput> {
        let mut cells = self.rows.reading.cells(raw);
        let id = DecisionId::from_uuid(self.rows.uuid(&cells)?);
        let session_id = cells.text(self.instance_id)?;
        key_text(self.instance_id.name, session_id)?;
        let text = cells.text(self.text)?;
        free_text(self.text.name, text)?;
        let said = |place: Place| -> Result<Option<String>, InvalidInput> {
            let text = cells.optional_text(place)?;
            free_text(place.name, text.unwrap_or_default())?;
            Ok(text.map(str::to_owned))
        };
        let (context, extracted_from) = (said(self.context)?, said(self.extracted_from)?);
        let decision = Decision {
            tenant_id: self.rows.tenant(&mut cells)?,
            id,
            session_id: Some(session_id.to_owned()),
            text: text.to_owned(),
            context,
            extracted_from,
            decided_at: cells.epoch(self.timestamp)?,
        };
        Ok(Converted {
            record: Record::Decision(decision),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

pub(super) fn inverse(decision: &Decision) -> Vec<(&'static str, SourceValue<'_>)> {
    vec![
        ("id", SourceValue::Integer("decisions", decision.id.uuid())),
        ("instance_id", optional(decision.session_id.as_deref())),
        ("timestamp", SourceValue::Epoch(decision.decided_at)),
        ("decision_text", SourceValue::Text(&decision.text)),
        ("context", optional(decision.context.as_deref())),
        (
            "extracted_from",
            optional(decision.extracted_from.as_deref()),
        ),
        ("tenant_id", SourceValue::Text(decision.tenant_id.as_str())),
    ]
}

pub(super) fn optional(text: Option<&str>) -> SourceValue<'_> {
    text.map_or(SourceValue::Null, SourceValue::Text)
}
