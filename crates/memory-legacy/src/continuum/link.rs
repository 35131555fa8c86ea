use memory_domain::{
    InvalidInput, JsonObject, Record, Relationship, RelationshipId, RelationshipKind, TenantId,
    Timestamp, free_text, key_text,
};
use memory_storage::{Conversion, RawRow, RawValue, SourceError};
use rusqlite::params;
use serde_json::Value;

use super::aside::Aside;
use super::concept::Concept;
use super::row::Rows;
use crate::catalog::Place;
use crate::cells::Cells;
use crate::consultant::node::share;
use crate::converting::Converted;
use crate::inverse::SourceValue;
use crate::reading::{Sink, Stop};
use crate::rules;

/// Makes relationships of rows.
pub(super) struct Links<'a> {
    rows: Rows<'a>,
    ends: [Place; 2],
    kind: Place,
    strength: Place,
    created_at: Place,
    timestamp: Place,
    last_accessed: Place,
    context: Place,
    instance_id: Place,
}

/// What the system puts where no strength is said.
const STRENGTH: f64 = 0.5;

/// Says that a link is one of several with the same ends and type.
const PARALLEL: &str = "parallel";

/// A row's tenant, the names of its two ends and its type, where they can be read.
struct Named {
    tenant: TenantId,
    names: Vec<String>,
    kind: String,
}

impl<'a> Links<'a> {
    pub(super) fn new(rows: Rows<'a>) -> Self {
        Links {
            ends: [rows.place("concept_a"), rows.place("concept_b")],
            kind: rows.place("link_type"),
            strength: rows.place("strength"),
            created_at: rows.place("created_at"),
            timestamp: rows.place("timestamp"),
            last_accessed: rows.place("last_accessed"),
            context: rows.place("context"),
            instance_id: rows.place("instance_id"),
            rows,
        }
    }

    /// Finds out which concepts are to be made, and which links are parallel.
    pub(super) fn judge(&self, aside: &Aside<'_>) -> Result<(), Stop> {
        self.rows.each("", "", |_, rowid, raw| {
            self.rows
                .note_times(aside, &raw, |cells| self.times(cells))?;
            let Some(named) = self.named(&raw) else {
                return Ok(());
            };
            let Named {
                tenant,
                names,
                kind,
            } = &named;
            let [a, b] = named.key();
            let sql = "insert into temp.continuum_link values (?1, ?2, ?3, ?4, 1)
                on conflict do update set count = count + 1";
            let values = params![tenant.as_str(), a, b, kind];
            self.rows.reading.note(sql, values)?;
            aside.recall_concepts(&self.rows.mapped, rowid, tenant)?;
            let concepts = aside.concepts(tenant, names)?;
            let converted = self.convert(aside, &raw, &concepts, false);
            if let Conversion::Record { record, .. } =
                self.rows.judge(aside, rowid, &raw, converted)?
                && let Record::Relationship(link) = &*record
            {
                aside.make_concepts(tenant, names, link.created_at)?;
            }
            Ok(())
        })
    }

    pub(super) fn read(&self, aside: &Aside<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let Rows {
            reading, mapped, ..
        } = self.rows;
        self.rows.each("", "", |_, rowid, raw| {
            let mut context = Vec::new();
            let (mut concepts, mut is_parallel) = (Vec::new(), false);
            if let Some(named) = self.named(&raw) {
                concepts = aside.concepts(&named.tenant, &named.names)?;
                let known = aside.concepts_context(&named.tenant, &named.names)?;
                context.extend(known);
                is_parallel = named.is_parallel(aside)?
                    || reading.context(&mapped, rowid, PARALLEL)?.is_some();
                context.extend(is_parallel.then(|| (PARALLEL, "true".to_owned())));
            }
            let converted = self.convert(aside, &raw, &concepts, is_parallel);
            let conversion = self.rows.conclude(aside, rowid, &raw, converted)?;
            let mut row = mapped.source_row(rowid, raw, conversion);
            row.context = context;
            sink.push(row)
        })
    }

    fn named(&self, raw: &RawRow) -> Option<Named> {
        let mut cells = self.rows.reading.cells(raw);
        let names = self.ends.iter().map(|end| cells.text(*end));
        Some(Named {
            names: names
                .map(|name| name.ok().map(str::to_owned))
                .collect::<Option<_>>()?,
            kind: cells.text(self.kind).ok()?.to_owned(),
            tenant: self.rows.tenant(&mut cells).ok()?,
        })
    }

    fn convert(
        &self,
        aside: &Aside<'_>,
        raw: &RawRow,
        concepts: &[Option<Concept>],
        is_parallel: bool,
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.rows.reading.cells(raw);
        let id = cells.integer(self.rows.id)?;
        let tenant_id = self.rows.tenant(&mut cells)?;
        let (created_at, last_reinforced_at) = self.times(&mut cells)?;
        let mut beyond = Vec::new();
        let mut end = |cells: &mut Cells<'_>, at: usize| {
            let place = self.ends[at];
            let concept = concepts.get(at).and_then(Option::as_ref);
            let named = (cells.text(place)?, concept);
            let (node, made) = aside.end(cells, place, &tenant_id, named, created_at)?;
            beyond.extend(made);
            Ok(node)
        };
        let (a, b) = (end(&mut cells, 0)?, end(&mut cells, 1)?);
        let kind = cells.text(self.kind)?;
        key_text(self.kind.name, kind)?;
        let strength = share(&mut cells, self.strength, STRENGTH)?;
        let metadata = self.metadata(&cells)?;
        let relationship = Relationship {
            id: RelationshipId::from_uuid(self.rows.ids.integer(id)),
            tenant_id,
            from: a.min(b),
            to: a.max(b),
            kind: RelationshipKind::new(kind)?,
            label: if is_parallel {
                id.to_string()
            } else {
                String::new()
            },
            directed: false,
            strength,
            metadata,
            created_at,
            last_reinforced_at,
        };
        Ok(Converted {
            record: Record::Relationship(relationship),
            rules: cells.rules,
            beyond,
        })
    }

    /// When it was made and last used; a shape that does not say the latter says the former.
    fn times(&self, cells: &mut Cells<'_>) -> Result<(Timestamp, Timestamp), InvalidInput> {
        // The separate writer has seconds instead of a text.
        let created =
            if *cells.value(self.created_at) == RawValue::Null && self.timestamp.at.is_some() {
                cells.epoch(self.timestamp)?
            } else {
                cells.time(self.created_at)?
            };
        let accessed = cells.optional_time(self.last_accessed)?;
        if accessed.is_none() && self.last_accessed.at.is_some() {
            let to = created.to_string();
            cells.rule(rules::NULL_TIME, self.last_accessed, "NULL", to);
        }
        Ok((created, accessed.unwrap_or(created)))
    }

    fn metadata(&self, cells: &Cells<'_>) -> Result<JsonObject, InvalidInput> {
        let mut metadata = JsonObject::new();
        for place in [self.context, self.instance_id] {
            if let Some(text) = cells.optional_text(place)? {
                free_text(place.name, text)?;
                metadata.insert(place.name.to_owned(), text.into());
            }
        }
        Ok(metadata)
    }
}

impl Named {
    /// The names in lower case and in order, because a link leads both ways.
    fn key(&self) -> [String; 2] {
        let lowered = |at: usize| self.names[at].to_lowercase();
        let (a, b) = (lowered(0), lowered(1));
        if b < a { [b, a] } else { [a, b] }
    }

    fn is_parallel(&self, aside: &Aside<'_>) -> Result<bool, SourceError> {
        let [a, b] = self.key();
        let sql = "select count > 1 from temp.continuum_link
            where tenant = ?1 and a = ?2 and b = ?3 and type = ?4";
        let values = params![self.tenant.as_str(), a, b, self.kind];
        Ok(aside.ask(sql, values, |row| row.get(0))?.unwrap_or(false))
    }
}

/// Without the ends, which are told by the names of their nodes and not by the relationship.
pub(super) fn inverse(link: &Relationship) -> Vec<(&'static str, SourceValue<'_>)> {
    let text = |key: &str| match link.metadata.get(key) {
        Some(Value::String(text)) => SourceValue::Text(text),
        _ => SourceValue::Null,
    };
    vec![
        (
            "id",
            SourceValue::Integer("attention_links", link.id.uuid()),
        ),
        ("link_type", SourceValue::Text(link.kind.as_str())),
        ("strength", SourceValue::Real(link.strength)),
        ("created_at", SourceValue::Time(link.created_at)),
        ("timestamp", SourceValue::Epoch(link.created_at)),
        ("last_accessed", SourceValue::Time(link.last_reinforced_at)),
        ("context", text("context")),
        ("instance_id", text("instance_id")),
        ("tenant_id", SourceValue::Text(link.tenant_id.as_str())),
    ]
}
