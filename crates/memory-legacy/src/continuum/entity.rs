use std::collections::BTreeSet;

use memory_domain::limits::BASE_RELEVANCE_DEFAULT;
use memory_domain::{
    ContextType, EntityKey, EntityType, InvalidInput, JsonObject, Node, NodeId, Record, RecordKey,
    RecordKind, Timestamp, free_text, key_text,
};
use memory_storage::{Conversion, RawRow, RawValue, RuleUse};
use serde_json::Value;
use uuid::Uuid;

use super::aside::Aside;
use super::decision::optional;
use super::row::Rows;
use crate::catalog::Place;
use crate::cells::{Cells, refuse, value};
use crate::converting::Converted;
use crate::inverse::SourceValue;
use crate::reading::{Sink, Stop};
use crate::rules;

/// Makes nodes of rows.
pub(super) struct Entities<'a> {
    rows: Rows<'a>,
    name: Place,
    kind: Place,
    description: Place,
    created: Place,
    last_seen: Place,
    mention_count: Place,
    metadata: Place,
}

/// The key of a node's content under which rows are kept that were merged into it.
const MERGED: &str = "merged";
/// The key of a node's content that says how often it was mentioned.
const MENTION_COUNT: &str = "mention_count";

impl<'a> Entities<'a> {
    pub(super) fn new(rows: Rows<'a>) -> Self {
        let created = rows.place("created_at");
        Entities {
            name: rows.place("name"),
            kind: rows.place("entity_type"),
            description: rows.place("description"),
            created: created.at.map_or(rows.place("first_seen"), |_| created),
            last_seen: rows.place("last_seen"),
            mention_count: rows.place("mention_count"),
            metadata: rows.place("metadata"),
            rows,
        }
    }

    /// Finds out which concepts there are, and which rows are one.
    pub(super) fn judge(&self, aside: &Aside<'_>) -> Result<(), Stop> {
        self.rows.each("", "", |_, rowid, raw| {
            self.rows
                .note_times(aside, &raw, |cells| self.times(cells))?;
            let conversion = self.rows.judge(aside, rowid, &raw, self.convert(&raw))?;
            let node = match &conversion {
                Conversion::Record { record, .. } => match &**record {
                    Record::Node(node) => Some(node.id.uuid()),
                    _ => None,
                },
                _ => None,
            };
            let mut cells = self.rows.reading.cells(&raw);
            if let Ok(tenant) = self.rows.tenant(&mut cells)
                && let Ok(name) = cells.text(self.name)
                && let Ok(kind) = cells.text(self.kind)
            {
                let known = aside.add_concept(&tenant, [kind, name], node, rowid)?;
                if let (Some((into_row, uuid)), Some(_)) = (known, node) {
                    aside.merge(self.rows.of_table, rowid, into_row, uuid)?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn read(&self, aside: &Aside<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let (more, joins) = self.rows.merging();
        let at = self.rows.more_at();
        let reading = self.rows.reading;
        self.rows.each(&more, &joins, |row, rowid, raw| {
            let into: Option<[u8; 16]> = reading.get(row, at)?;
            let has_merged = reading.get(row, at + 1)?;
            let mut converted = self.convert(&raw);
            if has_merged && let Ok(converted) = &mut converted {
                self.keep_merged(rowid, converted)?;
            }
            let mut conversion = self.rows.conclude(aside, rowid, &raw, converted)?;
            if let (Some(into), Conversion::Record { record, .. }) = (into, &conversion) {
                conversion = self.merged(Uuid::from_bytes(into), record, &raw);
            }
            sink.push(self.rows.mapped.source_row(rowid, raw, conversion))
        })
    }

    fn convert(&self, raw: &RawRow) -> Result<Converted, InvalidInput> {
        let mut cells = self.rows.reading.cells(raw);
        let id = NodeId::from_uuid(self.rows.uuid(&cells)?);
        let kind = cells.text(self.kind)?;
        key_text(self.kind.name, kind)?;
        let name = cells.text(self.name)?;
        key_text(self.name.name, name)?;
        let lowered = name.to_lowercase();
        key_text(self.name.name, &lowered)?;
        let (created_at, updated_at) = self.times(&mut cells)?;
        let mut content = JsonObject::new();
        if let Some(count) = cells.optional_integer(self.mention_count)? {
            content.insert(MENTION_COUNT.to_owned(), count.into());
        }
        let node = Node {
            tenant_id: self.rows.tenant(&mut cells)?,
            id,
            context_type: ContextType::DomainEntity,
            key: Some(EntityKey::new(kind, lowered)?),
            entity_type: Some(EntityType::new(kind)?),
            name: Some(name.to_owned()),
            content,
            summary: self.summary(&mut cells)?,
            tags: BTreeSet::new(),
            metadata: cells.metadata_or_empty(self.metadata)?,
            base_relevance: BASE_RELEVANCE_DEFAULT,
            created_at,
            updated_at,
            last_accessed_at: updated_at,
            access_count: 1,
            update_count: 0,
        };
        Ok(Converted {
            record: Record::Node(node),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }

    fn summary(&self, cells: &mut Cells<'_>) -> Result<String, InvalidInput> {
        let Some(summary) = cells.optional_text(self.description)? else {
            cells.rule(rules::NULL_SUMMARY, self.description, "NULL", "");
            return Ok(String::new());
        };
        free_text(self.description.name, summary)?;
        Ok(summary.to_owned())
    }

    /// When it was created and last seen; a shape that does not say the latter says the former.
    fn times(&self, cells: &mut Cells<'_>) -> Result<(Timestamp, Timestamp), InvalidInput> {
        let created = cells.optional_time(self.created)?;
        let seen = cells.optional_time(self.last_seen)?;
        let (null, other) = match (created, seen) {
            (Some(created), Some(seen)) => return Ok((created, seen)),
            (Some(created), None) => (self.last_seen, created),
            (None, Some(seen)) => (self.created, seen),
            (None, None) => {
                let problem = "give a moment such as 2026-02-05T15:17:45.407069+00:00";
                return Err(refuse(self.created, &RawValue::Null, problem));
            }
        };
        if null.at.is_some() {
            cells.rule(rules::NULL_TIME, null, "NULL", other.to_string());
        }
        Ok((other, other))
    }

    /// Keeps the rows that were merged into a row: their values, as they are.
    fn keep_merged(&self, rowid: i64, converted: &mut Converted) -> Result<(), Stop> {
        let reading = self.rows.reading;
        let mut merged = Vec::new();
        self.rows.each_merged(rowid, |raw| {
            let cells = reading.cells(&raw);
            let places = [
                self.rows.id,
                self.name,
                self.description,
                self.created,
                self.last_seen,
                self.mention_count,
                self.metadata,
            ];
            let kept = places.into_iter().filter_map(|place| {
                let value: Value = match value(&raw, place) {
                    RawValue::Integer(integer) => (*integer).into(),
                    _ => cells.optional_text(place).ok()??.into(),
                };
                Some((place.name.to_owned(), value))
            });
            merged.push(Value::Object(kept.collect()));
            Ok(())
        })?;
        if let Record::Node(node) = &mut converted.record {
            node.content.insert(MERGED.to_owned(), merged.into());
        }
        Ok(())
    }

    /// What becomes of a row whose concept an earlier row is.
    fn merged(&self, into: Uuid, record: &Record, raw: &RawRow) -> Conversion {
        let name = self.rows.reading.cells(raw).text(self.name);
        Conversion::Merged {
            into: RecordKey {
                kind: RecordKind::Node,
                tenant_id: record.tenant_id().clone(),
                id: Some(into),
            },
            rule: RuleUse {
                rule: rules::CONCEPT_MERGED,
                column: self.name.name.to_owned(),
                from: name.unwrap_or_default().to_owned(),
                to: format!("node {into}"),
            },
        }
    }
}

pub(super) fn inverse(node: &Node) -> Vec<(&'static str, SourceValue<'_>)> {
    let count = node.content.get(MENTION_COUNT).and_then(Value::as_i64);
    vec![
        ("id", SourceValue::Integer("entities", node.id.uuid())),
        ("name", optional(node.name.as_deref())),
        (
            "entity_type",
            optional(node.entity_type.as_ref().map(EntityType::as_str)),
        ),
        ("description", SourceValue::Text(&node.summary)),
        ("created_at", SourceValue::Time(node.created_at)),
        ("first_seen", SourceValue::Time(node.created_at)),
        ("last_seen", SourceValue::Time(node.updated_at)),
        (
            "mention_count",
            count.map_or(SourceValue::Null, SourceValue::Number),
        ),
        ("metadata", SourceValue::Json(&node.metadata)),
        ("tenant_id", SourceValue::Text(node.tenant_id.as_str())),
    ]
}
