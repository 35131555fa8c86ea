use std::collections::BTreeSet;

use memory_domain::{
    Compound, CompoundId, InvalidInput, Record, RecordKey, RecordKind, TenantId, key_text,
};
use memory_storage::{Conversion, RawRow, RuleUse, SourceError};
use rusqlite::params;
use uuid::Uuid;

use super::aside::Aside;
use super::concept::Concept;
use super::row::Rows;
use crate::catalog::Place;
use crate::cells::{Cells, refuse};
use crate::converting::Converted;
use crate::inverse::SourceValue;
use crate::reading::{Sink, Stop};
use crate::rules;

/// Makes compounds of rows.
pub(super) struct Compounds<'a> {
    rows: Rows<'a>,
    name: Place,
    components: Place,
    count: Place,
    last_seen: Place,
}

/// What the system counts where nothing is said.
const COUNT: i64 = 1;

impl<'a> Compounds<'a> {
    pub(super) fn new(rows: Rows<'a>) -> Self {
        Compounds {
            name: rows.place("compound_name"),
            components: rows.place("component_concepts"),
            count: rows.place("co_occurrence_count"),
            last_seen: rows.place("last_seen"),
            rows,
        }
    }

    /// Finds out which concepts are to be made, and which rows are one compound.
    pub(super) fn judge(&self, aside: &Aside<'_>) -> Result<(), Stop> {
        self.rows.each("", "", |_, rowid, raw| {
            self.rows.note_times(aside, &raw, |cells| {
                let at = cells.time(self.last_seen)?;
                Ok((at, at))
            })?;
            let Some((tenant, names)) = self.named(&raw) else {
                return Ok(());
            };
            aside.recall_concepts(&self.rows.mapped, rowid, &tenant)?;
            let concepts = aside.concepts(&tenant, &names)?;
            let converted = self.convert(aside, &raw, &concepts);
            if let Conversion::Record { record, .. } =
                self.rows.judge(aside, rowid, &raw, converted)?
                && let Record::Compound(compound) = &*record
            {
                aside.make_concepts(&tenant, &names, compound.last_seen_at)?;
                if let Some((into, uuid)) = aside.add_compound(compound, rowid)? {
                    aside.merge(self.rows.of_table, rowid, into, uuid)?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn read(&self, aside: &Aside<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let Rows {
            reading, mapped, ..
        } = self.rows;
        let (more, joins) = self.rows.merging();
        let at = self.rows.more_at();
        self.rows.each(&more, &joins, |row, rowid, raw| {
            let into: Option<[u8; 16]> = reading.get(row, at)?;
            let has_merged = reading.get(row, at + 1)?;
            let mut context = Vec::new();
            if let Some((tenant, names)) = self.named(&raw) {
                context.extend(aside.concepts_context(&tenant, &names)?);
            }
            let mut converted = self.found(aside, &raw)?;
            if has_merged && let Ok(converted) = &mut converted {
                self.join(aside, rowid, converted)?;
            }
            let mut conversion = self.rows.conclude(aside, rowid, &raw, converted)?;
            if let (Some(into), Conversion::Record { record, .. }) = (into, &conversion) {
                conversion = self.merged(Uuid::from_bytes(into), record);
            }
            let mut row = mapped.source_row(rowid, raw, conversion);
            row.context = context;
            sink.push(row)
        })
    }

    fn named(&self, raw: &RawRow) -> Option<(TenantId, Vec<String>)> {
        let mut cells = self.rows.reading.cells(raw);
        let names = self.components(&cells).ok()?;
        Some((self.rows.tenant(&mut cells).ok()?, names))
    }

    /// What a row becomes with the concepts that were found.
    fn found(
        &self,
        aside: &Aside<'_>,
        raw: &RawRow,
    ) -> Result<Result<Converted, InvalidInput>, SourceError> {
        let concepts = match self.named(raw) {
            Some((tenant, names)) => aside.concepts(&tenant, &names)?,
            None => Vec::new(),
        };
        Ok(self.convert(aside, raw, &concepts))
    }

    fn convert(
        &self,
        aside: &Aside<'_>,
        raw: &RawRow,
        concepts: &[Option<Concept>],
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.rows.reading.cells(raw);
        let id = CompoundId::from_uuid(self.rows.uuid(&cells)?);
        let name = cells.text(self.name)?;
        key_text(self.name.name, name)?;
        let tenant_id = self.rows.tenant(&mut cells)?;
        let last_seen_at = cells.time(self.last_seen)?;
        let names = self.components(&cells)?;
        let mut members = BTreeSet::new();
        let mut beyond = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let component = (name.as_str(), concepts.get(at).and_then(Option::as_ref));
            let (node, made) = aside.end(
                &mut cells,
                self.components,
                &tenant_id,
                component,
                last_seen_at,
            )?;
            beyond.extend(made);
            if !members.insert(node) {
                cells.rule(rules::COMPONENT_REPEATED, self.components, name, "");
            }
        }
        if members.len() < 2 {
            let problem = "it joins fewer than two concepts; name another, or drop the row";
            return Err(refuse(
                self.components,
                cells.value(self.components),
                problem,
            ));
        }
        let occurrences = self.count(&mut cells)?;
        let compound = Compound {
            tenant_id,
            id,
            name: name.to_owned(),
            members,
            occurrences,
            last_seen_at,
        };
        Ok(Converted {
            record: Record::Compound(compound),
            rules: cells.rules,
            beyond,
        })
    }

    /// The names in a JSON array.
    fn components(&self, cells: &Cells<'_>) -> Result<Vec<String>, InvalidInput> {
        let text = cells.text(self.components)?;
        serde_json::from_str(text).map_err(|_| {
            InvalidInput::new(self.components.name, text, "give a JSON array of names")
        })
    }

    fn count(&self, cells: &mut Cells<'_>) -> Result<i64, InvalidInput> {
        match cells.optional_integer(self.count)? {
            Some(count) if count >= 1 => Ok(count),
            Some(count) => {
                let problem = "a compound occurred at least once";
                Err(InvalidInput::new(self.count.name, count, problem))
            }
            None => {
                cells.rule(rules::NULL_DEFAULT, self.count, "NULL", COUNT.to_string());
                Ok(COUNT)
            }
        }
    }

    /// Adds to a compound what the later rows of its name say.
    fn join(&self, aside: &Aside<'_>, rowid: i64, converted: &mut Converted) -> Result<(), Stop> {
        let Record::Compound(compound) = &mut converted.record else {
            return Ok(());
        };
        let before = compound.clone();
        self.rows.each_merged(rowid, |raw| {
            if let Ok(other) = self.found(aside, &raw)?
                && let Record::Compound(other) = other.record
            {
                compound.members.extend(other.members);
                compound.occurrences = compound.occurrences.saturating_add(other.occurrences);
                compound.last_seen_at = compound.last_seen_at.max(other.last_seen_at);
            }
            Ok(())
        })?;
        let told = |compound: &Compound| {
            [
                (self.count, compound.occurrences.to_string()),
                (
                    self.components,
                    format!("{} concepts", compound.members.len()),
                ),
                (self.last_seen, compound.last_seen_at.to_string()),
            ]
        };
        for ((place, from), (_, to)) in told(&before).into_iter().zip(told(compound)) {
            if from != to {
                converted.rules.push(RuleUse {
                    rule: rules::COMPOUND_MERGED,
                    column: place.name.to_owned(),
                    from,
                    to,
                });
            }
        }
        Ok(())
    }

    /// What becomes of a row whose name an earlier row has.
    fn merged(&self, into: Uuid, record: &Record) -> Conversion {
        let name = match record {
            Record::Compound(compound) => compound.name.clone(),
            _ => String::new(),
        };
        Conversion::Merged {
            into: RecordKey {
                kind: RecordKind::Compound,
                tenant_id: record.tenant_id().clone(),
                id: Some(into),
            },
            rule: RuleUse {
                rule: rules::COMPOUND_MERGED,
                column: self.name.name.to_owned(),
                from: name,
                to: format!("compound {into}"),
            },
        }
    }
}

impl Aside<'_> {
    /// Notes a sound compound; says what the row before it of the same name is.
    fn add_compound(
        &self,
        compound: &Compound,
        row: i64,
    ) -> Result<Option<(i64, Uuid)>, SourceError> {
        let (tenant, name) = (compound.tenant_id.as_str(), &compound.name);
        let uuid = compound.id.uuid();
        let sql = "insert or ignore into temp.continuum_compound values (?1, ?2, ?3, ?4)";
        if self
            .reading
            .note(sql, params![tenant, name, row, uuid.as_bytes()])?
        {
            return Ok(None);
        }
        let sql = "select row, uuid from temp.continuum_compound where tenant = ?1 and name = ?2";
        self.ask(sql, params![tenant, name], |row| {
            let uuid: [u8; 16] = row.get(1)?;
            Ok((row.get(0)?, Uuid::from_bytes(uuid)))
        })
    }
}

/// Without the components, which are told by the names of their nodes and not by the compound.
pub(super) fn inverse(compound: &Compound) -> Vec<(&'static str, SourceValue<'_>)> {
    vec![
        (
            "id",
            SourceValue::Integer("compound_concepts", compound.id.uuid()),
        ),
        ("compound_name", SourceValue::Text(&compound.name)),
        (
            "co_occurrence_count",
            SourceValue::Number(compound.occurrences),
        ),
        ("last_seen", SourceValue::Time(compound.last_seen_at)),
        ("tenant_id", SourceValue::Text(compound.tenant_id.as_str())),
    ]
}
