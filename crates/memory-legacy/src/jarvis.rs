//! JARVIS: a knowledge graph, in the tables `entities` and `relationships`.
//!
//! An entity becomes a node with the key (type, name): its metadata is the content, and NULL is
//! told from `{}` by `metadata.source_null = true`. It counts as accessed once, when it was last
//! updated. A relationship is directed and of full strength; its metadata stays metadata, and NULL
//! is `{"source_null": true}` there too. Where several rows have the same ends and type, each has
//! its source id as label. The system writes every time with a `Z`.
//!
//! Missions and file snapshots have no place yet, and are reported as unmapped.

mod entity;
mod relationship;

use memory_domain::{InvalidInput, JsonObject, Record, Tenant, TenantId, Timestamp};
use memory_storage::{Conversion, RawRow, SourceError, SourceRow};
use rusqlite::params;
use serde_json::Value;

use crate::SourceTimezone;
use crate::catalog::Place;
use crate::cells::{Cells, Metadata};
use crate::format::{Format, MappedColumn, MappedTable};
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading, Sink, Stop, raw_values};
use crate::sqlite_file::Step;

use entity::Entities;
use relationship::{Ends, Relationships};

/// The reader of JARVIS's files.
pub(crate) struct Jarvis;

const ENTITIES: usize = 0;
const RELATIONSHIPS: usize = 1;

static TABLES: [MappedTable; 2] = [
    MappedTable {
        name: "entities",
        columns: &[
            MappedColumn::required("id", "nodes.id"),
            MappedColumn::required("type", "nodes.key.system, nodes.entity_type"),
            MappedColumn::required("name", "nodes.key.id, nodes.name"),
            MappedColumn::required("metadata", "nodes.content"),
            MappedColumn::required("created_at", "nodes.created_at"),
            MappedColumn::required("updated_at", "nodes.updated_at"),
        ],
    },
    MappedTable {
        name: "relationships",
        columns: &[
            MappedColumn::required("id", "relationships.id"),
            MappedColumn::required("from_id", "relationships.from"),
            MappedColumn::required("to_id", "relationships.to"),
            MappedColumn::required("type", "relationships.kind"),
            MappedColumn::required("metadata", "relationships.metadata"),
            MappedColumn::required("created_at", "relationships.created_at"),
        ],
    },
];

/// What was found out about rows, in temporary tables, so that memory stays bounded.
const ASIDE: &str = "
    create temp table jarvis_entity (id integer primary key, is_carried integer not null);
    create temp table jarvis_relationship (id integer primary key);
    create temp table jarvis_parallel (
        from_id integer not null, to_id integer not null, type text not null,
        primary key (from_id, to_id, type)
    ) without rowid;";

impl Format for Jarvis {
    fn tables(&self) -> &'static [MappedTable] {
        &TABLES
    }

    fn documented_zone(&self) -> Option<SourceTimezone> {
        None
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let entities = Entities::new(reading, reading.table(ENTITIES)?);
        let relationships = Relationships::new(reading, reading.table(RELATIONSHIPS)?);
        reading.execute(ASIDE)?;
        let tenant = tenant(&entities)?;
        read_entities(&entities, tenant, sink)?;
        find_parallels(&relationships)?;
        read_relationships(&relationships, sink)
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        _unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        match record {
            Record::Node(node) => entity::inverse(node),
            Record::Relationship(relationship) => relationship::inverse(relationship),
            _ => Vec::new(),
        }
    }
}

/// The key of the metadata that stands for NULL.
const SOURCE_NULL: &str = "source_null";

/// Metadata that stands for NULL.
fn null_metadata() -> JsonObject {
    JsonObject::from_iter([(SOURCE_NULL.to_owned(), Value::Bool(true))])
}

fn is_null_metadata(metadata: &JsonObject) -> bool {
    metadata.len() == 1 && metadata.get(SOURCE_NULL) == Some(&Value::Bool(true))
}

/// The tenant of everything: from the first entity's creation to the last one's change, counting
/// every row whose two times can be read.
fn tenant(entities: &Entities<'_>) -> Result<Option<Tenant>, Stop> {
    let reading = entities.reading;
    let mapped = entities.mapped;
    let sql = format!(
        "select t.created_at, t.updated_at from {} t",
        mapped.table.sql()
    );
    let at = |name, at| Place { name, at: Some(at) };
    let (created_at, updated_at) = (at("created_at", 0), at("updated_at", 1));
    let mut times: Option<(Timestamp, Timestamp)> = None;
    reading.each(&sql, |row| {
        let raw = raw_values(row, 2);
        let mut cells = reading.cells(&raw);
        if let (Ok(created), Ok(updated)) = (cells.time(created_at), cells.time(updated_at)) {
            let known = times.unwrap_or((created, updated));
            times = Some((known.0.min(created), known.1.max(updated)));
        }
        Ok(())
    })?;
    Ok(times.map(|(created_at, last_active_at)| Tenant {
        id: reading.unnamed.clone(),
        created_at,
        last_active_at,
        metadata: JsonObject::new(),
    }))
}

/// Hands out the entities; the tenant goes with the first that is carried.
fn read_entities(
    entities: &Entities<'_>,
    mut tenant: Option<Tenant>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let Entities {
        reading, mapped, ..
    } = *entities;
    let sql = format!(
        "select {} from {} t order by t.{}",
        mapped.select_list("t"),
        mapped.table.sql(),
        mapped.rowid
    );
    reading.each(&sql, |row| {
        let raw = mapped.raw(row);
        let rowid = reading.get(row, mapped.rowid_at())?;
        let mut conversion = reading.conclude(&mapped, &raw, entities.convert(&raw));
        let is_carried = matches!(conversion, Conversion::Record { .. });
        if let Ok(id) = reading.cells(&raw).integer(entities.id) {
            let is_new = note(
                reading,
                "insert or ignore into temp.jarvis_entity values (?1, ?2)",
                params![id, is_carried],
            )?;
            if !is_new && is_carried {
                conversion = repeated(entities.id, id);
            }
        }
        if let Conversion::Record { beyond, .. } = &mut conversion {
            beyond.extend(tenant.take().map(Record::Tenant));
        }
        sink.push(source_row(&mapped, rowid, raw, conversion))
    })
}

/// Finds out which ends and type several relationships have, carried or not: so a label stays the
/// same when a row that was quarantined is mended and carried later.
fn find_parallels(relationships: &Relationships<'_>) -> Result<(), SourceError> {
    relationships.reading.execute(&format!(
        "insert into temp.jarvis_parallel
        select from_id, to_id, type from {} t
        where typeof(from_id) = 'integer' and typeof(to_id) = 'integer' and typeof(type) = 'text'
        group by from_id, to_id, type collate binary having count(*) > 1",
        relationships.mapped.table.sql()
    ))
}

/// Whether an id is not the row's own number, which cannot repeat.
fn ids_may_repeat(relationships: &Relationships<'_>) -> Result<bool, Stop> {
    let mapped = relationships.mapped;
    let sql = format!(
        "select exists (select 1 from {} t where t.id is not t.{})",
        mapped.table.sql(),
        mapped.rowid
    );
    let mut may_repeat = false;
    relationships.reading.each(&sql, |row| {
        may_repeat = relationships.reading.get(row, 0)?;
        Ok(())
    })?;
    Ok(may_repeat)
}

fn read_relationships(relationships: &Relationships<'_>, sink: &mut Sink) -> Result<(), Stop> {
    let Relationships {
        reading, mapped, ..
    } = *relationships;
    let sql = format!(
        "select {}, f.is_carried, e.is_carried, p.type is not null from {} t
        left join temp.jarvis_entity f on f.id = t.from_id
        left join temp.jarvis_entity e on e.id = t.to_id
        left join temp.jarvis_parallel p
            on p.from_id = t.from_id and p.to_id = t.to_id and p.type = t.type
        order by t.{}",
        mapped.select_list("t"),
        mapped.table.sql(),
        mapped.rowid
    );
    let at = mapped.rowid_at();
    let may_repeat = ids_may_repeat(relationships)?;
    reading.each(&sql, |row| {
        let raw = mapped.raw(row);
        let rowid = reading.get(row, at)?;
        let ends = Ends {
            from_is_carried: reading.get(row, at + 1)?,
            to_is_carried: reading.get(row, at + 2)?,
        };
        let is_parallel = reading.get(row, at + 3)?;
        let converted = relationships.convert(&raw, ends, is_parallel);
        let mut conversion = reading.conclude(&mapped, &raw, converted);
        if may_repeat && let Ok(id) = reading.cells(&raw).integer(relationships.id) {
            let sql = "insert or ignore into temp.jarvis_relationship values (?1)";
            let is_new = note(reading, sql, params![id])?;
            if !is_new && matches!(conversion, Conversion::Record { .. }) {
                conversion = repeated(relationships.id, id);
            }
        }
        sink.push(source_row(&mapped, rowid, raw, conversion))
    })
}

/// Sets something aside, and says whether it is new.
fn note(
    reading: &Reading<'_>,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<bool, SourceError> {
    reading
        .file
        .connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .map(|rows| rows > 0)
        .step(&reading.file.location, "setting rows aside")
}

fn repeated(id: Place, value: i64) -> Conversion {
    let problem = "a row before it has the same id; keep one";
    Conversion::Quarantined {
        reason: InvalidInput::new(id.name, value, problem).to_string(),
    }
}

/// Metadata, where NULL and `{}` are two different things.
fn metadata(cells: &mut Cells<'_>, place: Place) -> Result<Option<JsonObject>, InvalidInput> {
    Ok(match cells.metadata(place)? {
        Metadata::Null => None,
        Metadata::Object(object) => Some(object),
    })
}

fn source_row(mapped: &Mapped<'_>, rowid: i64, raw: RawRow, conversion: Conversion) -> SourceRow {
    SourceRow {
        table: mapped.index,
        key: mapped.key(&raw, rowid),
        conversion,
        raw,
    }
}
