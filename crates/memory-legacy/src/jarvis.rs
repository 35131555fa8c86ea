//! JARVIS: a knowledge graph, in the tables `entities` and `relationships`, with the missions that
//! worked on it (`mission_history`) and what files were like then (`file_snapshots`).
//!
//! An entity becomes a node with the key (type, name): its metadata is the content, and NULL is
//! told from `{}` by `metadata.source_null = true`. It counts as accessed once, when it was last
//! updated. A relationship is directed and of full strength; its metadata stays metadata, and NULL
//! is `{"source_null": true}` there too. Where several rows have the same ends and type, each has
//! its source id as label. The system writes every time with a `Z`.
//!
//! A mission keeps its `mission_id` as key, by which it is one with the entity of type `mission` and
//! that name. A snapshot names its mission, which need not be there. The NULL metadata of both is
//! `{"source_null": true}` too. Files without these two tables exist.

mod entity;
mod mission;
mod relationship;
mod snapshot;

use memory_domain::{InvalidInput, JsonObject, Record, Tenant, TenantId, Timestamp};
use memory_storage::{Conversion, RawRow, SourceError};
use rusqlite::params;
use serde_json::Value;

use crate::catalog::Place;
use crate::cells::{Cells, Metadata};
use crate::converting::Converted;
use crate::format::{Format, MappedColumn, MappedTable};
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading, Sink, Stop, raw_values};
use crate::rules;

use entity::Entities;
use mission::Missions;
use relationship::{Ends, Relationships};
use snapshot::Snapshots;

/// The reader of JARVIS's files.
pub(crate) struct Jarvis;

const ENTITIES: usize = 0;
const RELATIONSHIPS: usize = 1;
const MISSIONS: usize = 2;
const SNAPSHOTS: usize = 3;

static TABLES: [MappedTable; 4] = [
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
    MappedTable {
        name: "mission_history",
        columns: &[
            MappedColumn::optional("id", "missions.id"),
            MappedColumn::optional("mission_id", "missions.key"),
            MappedColumn::optional("status", "missions.status"),
            MappedColumn::optional("domain", "missions.domain"),
            MappedColumn::optional("cost_usd", "missions.cost_usd"),
            MappedColumn::optional("iterations", "missions.iterations"),
            MappedColumn::optional("duration_seconds", "missions.duration_seconds"),
            MappedColumn::optional("files_modified", "missions.files_modified"),
            MappedColumn::optional("metadata", "missions.metadata"),
            MappedColumn::optional("created_at", "missions.created_at"),
        ],
    },
    MappedTable {
        name: "file_snapshots",
        columns: &[
            MappedColumn::optional("id", "file_snapshots.id"),
            MappedColumn::optional("file_path", "file_snapshots.path"),
            MappedColumn::optional("mission_id", "file_snapshots.mission_key"),
            MappedColumn::optional("size_bytes", "file_snapshots.size_bytes"),
            MappedColumn::optional("lines_of_code", "file_snapshots.lines_of_code"),
            MappedColumn::optional("hash", "file_snapshots.hash"),
            MappedColumn::optional("created_at", "file_snapshots.taken_at"),
            MappedColumn::optional("metadata", "file_snapshots.metadata"),
        ],
    },
];

/// What was found out about rows, in temporary tables, so that memory stays bounded.
const ASIDE: &str = "
    create temp table jarvis_entity (id integer primary key, is_carried integer not null);
    create temp table jarvis_relationship (id integer primary key);
    create temp table jarvis_other (
        of_table integer not null, id integer not null, primary key (of_table, id)
    ) without rowid;
    create temp table jarvis_parallel (
        from_id integer not null, to_id integer not null, type text not null,
        primary key (from_id, to_id, type)
    ) without rowid;";

impl Format for Jarvis {
    fn tables(&self) -> &'static [MappedTable] {
        &TABLES
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let entities = Entities::new(reading, reading.table(ENTITIES)?);
        let relationships = Relationships::new(reading, reading.table(RELATIONSHIPS)?);
        reading.execute(ASIDE)?;
        let missions = reading.optional_table(MISSIONS)?;
        let snapshots = reading.optional_table(SNAPSHOTS)?;
        let mut tenant = tenant(&entities, [missions, snapshots])?;
        read_entities(&entities, &mut tenant, sink)?;
        find_parallels(&relationships)?;
        read_relationships(&relationships, sink)?;
        if let Some(mapped) = missions {
            read_rows(&Missions::new(reading, mapped), &mut tenant, sink)?;
        }
        if let Some(mapped) = snapshots {
            read_rows(&Snapshots::new(reading, mapped), &mut tenant, sink)?;
        }
        Ok(())
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        _unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        match record {
            Record::Node(node) => entity::inverse(node),
            Record::Relationship(relationship) => relationship::inverse(relationship),
            Record::Mission(mission) => mission::inverse(mission),
            Record::FileSnapshot(snapshot) => snapshot::inverse(snapshot),
            _ => Vec::new(),
        }
    }
}

/// Says that a relationship is one of several with the same ends and type.
const PARALLEL: &str = "parallel";

/// The key of the metadata that stands for NULL.
const SOURCE_NULL: &str = "source_null";

/// Metadata that stands for NULL.
fn null_metadata() -> JsonObject {
    JsonObject::from_iter([(SOURCE_NULL.to_owned(), Value::Bool(true))])
}

fn is_null_metadata(metadata: &JsonObject) -> bool {
    metadata.len() == 1 && metadata.get(SOURCE_NULL) == Some(&Value::Bool(true))
}

/// The tenant of everything: from the first row's creation to the last entity's change, counting
/// every row whose times can be read.
fn tenant(
    entities: &Entities<'_>,
    others: [Option<Mapped<'_>>; 2],
) -> Result<Option<Tenant>, Stop> {
    let reading = entities.reading;
    let (first, last) = (
        Place {
            name: "created_at",
            at: Some(0),
        },
        Place {
            name: "updated_at",
            at: Some(1),
        },
    );
    let mut times: Option<(Timestamp, Timestamp)> = None;
    let mut look = |mapped: Mapped<'_>, last_column: &str| {
        let sql = format!(
            "select t.created_at, t.{last_column} from {} t",
            mapped.table.sql()
        );
        reading.each(&sql, |row| {
            let raw = raw_values(row, 2);
            let mut cells = reading.cells(&raw);
            if let (Ok(created), Ok(updated)) = (cells.time(first), cells.time(last)) {
                let known = times.unwrap_or((created, updated));
                times = Some((known.0.min(created), known.1.max(updated)));
            }
            Ok(())
        })
    };
    look(entities.mapped, "updated_at")?;
    for mapped in others.into_iter().flatten() {
        if mapped.table.has("created_at") {
            look(mapped, "created_at")?;
        }
    }
    Ok(times.map(|(created_at, last_active_at)| Tenant {
        id: reading.converting.unnamed.clone(),
        created_at,
        last_active_at,
        metadata: JsonObject::new(),
    }))
}

/// Hands out the entities; the tenant goes with the first row that is carried.
fn read_entities(
    entities: &Entities<'_>,
    tenant: &mut Option<Tenant>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let Entities {
        reading, mapped, ..
    } = *entities;
    reading.each_row(&mapped, "", "", |_, rowid, raw| {
        let mut conversion = reading.conclude(&mapped, &raw, entities.convert(&raw));
        let is_carried = matches!(conversion, Conversion::Record { .. });
        if let Ok(id) = reading.cells(&raw).integer(entities.id) {
            let is_new = reading.note(
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
        sink.push(mapped.source_row(rowid, raw, conversion))
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
    let more = ", f.is_carried, e.is_carried, p.type is not null";
    let joins = "
        left join temp.jarvis_entity f on f.id = t.from_id
        left join temp.jarvis_entity e on e.id = t.to_id
        left join temp.jarvis_parallel p
            on p.from_id = t.from_id and p.to_id = t.to_id and p.type = t.type";
    let at = mapped.rowid_at();
    let may_repeat = ids_may_repeat(relationships)?;
    reading.each_row(&mapped, more, joins, |row, rowid, raw| {
        let ends = Ends {
            from_is_carried: reading.get(row, at + 1)?,
            to_is_carried: reading.get(row, at + 2)?,
        };
        let was_parallel = reading.context(&mapped, rowid, PARALLEL)?.is_some();
        let is_parallel = was_parallel || reading.get(row, at + 3)?;
        let converted = relationships.convert(&raw, ends, is_parallel);
        let mut conversion = reading.conclude(&mapped, &raw, converted);
        if may_repeat && let Ok(id) = reading.cells(&raw).integer(relationships.id) {
            let sql = "insert or ignore into temp.jarvis_relationship values (?1)";
            let is_new = reading.note(sql, params![id])?;
            if !is_new && matches!(conversion, Conversion::Record { .. }) {
                conversion = repeated(relationships.id, id);
            }
        }
        let mut row = mapped.source_row(rowid, raw, conversion);
        if is_parallel {
            row.context.push((PARALLEL, "true".to_owned()));
        }
        sink.push(row)
    })
}

/// A table whose rows stand by themselves.
trait Rows<'a> {
    fn reading(&self) -> &'a Reading<'a>;
    fn mapped(&self) -> Mapped<'a>;
    fn id(&self) -> Place;
    fn convert(&self, raw: &RawRow) -> Result<Converted, InvalidInput>;
}

/// Hands out the rows of such a table; the tenant goes with the first that is carried, if no entity
/// was.
fn read_rows<'a>(
    rows: &impl Rows<'a>,
    tenant: &mut Option<Tenant>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let (reading, mapped) = (rows.reading(), rows.mapped());
    reading.each_row(&mapped, "", "", |_, rowid, raw| {
        let mut conversion = reading.conclude(&mapped, &raw, rows.convert(&raw));
        if let Ok(id) = reading.cells(&raw).integer(rows.id()) {
            let sql = "insert or ignore into temp.jarvis_other values (?1, ?2)";
            let of_table = i64::try_from(mapped.index).unwrap_or_default();
            let is_new = reading.note(sql, params![of_table, id])?;
            if !is_new && matches!(conversion, Conversion::Record { .. }) {
                conversion = repeated(rows.id(), id);
            }
        }
        if let Conversion::Record { beyond, .. } = &mut conversion {
            beyond.extend(tenant.take().map(Record::Tenant));
        }
        sink.push(mapped.source_row(rowid, raw, conversion))
    })
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

/// Metadata that stays metadata: NULL becomes what stands for it.
fn kept_metadata(cells: &mut Cells<'_>, place: Place) -> Result<JsonObject, InvalidInput> {
    let Some(object) = metadata(cells, place)? else {
        return Ok(null_metadata());
    };
    if is_null_metadata(&object) {
        let text = "{\"source_null\":true}";
        cells.rule(rules::NULL_MARKER_IN_SOURCE, place, text, text);
    }
    Ok(object)
}
