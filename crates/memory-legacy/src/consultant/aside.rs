use memory_domain::{InvalidInput, Record, TenantId, Timestamp};
use memory_storage::{Conversion, RawRow, RawValue, SourceError};
use rusqlite::{OptionalExtension, params};

use super::node::Nodes;
use crate::catalog::Place;
use crate::cells::{refuse, value};
use crate::reading::{Reading, Stop, raw_values};
use crate::sqlite_file::Step;

/// What was found out about rows, in temporary tables, so that memory stays bounded.
pub(super) struct Aside<'a> {
    reading: &'a Reading<'a>,
}

/// The row of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thread {
    /// It became a tenant.
    Carried,
    /// It is quarantined.
    Refused,
    /// There is none.
    Absent,
}

const TABLES: &str = "
    create temp table consultant_thread (id text primary key, is_carried integer not null);
    create temp table consultant_tenant (
        -- of a thread that only nodes name; gone once it was handed out
        id text primary key,
        created_at integer not null,
        last_active_at integer not null
    );
    create temp table consultant_node (
        id text primary key,
        -- NULL for a node that is not carried
        uuid blob unique,
        tenant text
    );";

const STEP: &str = "setting rows aside";

impl<'a> Aside<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Result<Self, SourceError> {
        reading.execute(TABLES)?;
        Ok(Aside { reading })
    }

    /// Notes a thread's row; says whether it is the first of its id.
    pub(super) fn add_thread(&self, id: &RawValue, is_carried: bool) -> Result<bool, SourceError> {
        let Some(id) = sound(id) else {
            return Ok(true);
        };
        let sql = "insert or ignore into temp.consultant_thread values (?1, ?2)";
        self.reading.note(sql, params![id, is_carried])
    }

    /// What became of the row of a thread.
    pub(super) fn thread(&self, id: &RawValue) -> Result<Thread, SourceError> {
        let Some(id) = sound(id) else {
            return Ok(Thread::Absent);
        };
        let is_carried = self
            .reading
            .file
            .connection
            .prepare_cached("select is_carried from temp.consultant_thread where id = ?1")
            .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
            .step(&self.reading.file.location, STEP)?;
        Ok(match is_carried {
            Some(true) => Thread::Carried,
            Some(false) => Thread::Refused,
            None => Thread::Absent,
        })
    }

    /// Notes the first and last moment of every thread that only nodes name, counting the nodes
    /// whose two times can be read.
    pub(super) fn note_tenants(&self, nodes: &Nodes<'_>) -> Result<(), Stop> {
        let reading = self.reading;
        let at = |place: Place, at| Place {
            name: place.name,
            at: Some(at),
        };
        let (created_at, accessed) = (at(nodes.created_at, 1), at(nodes.last_accessed, 2));
        let sql = format!(
            "select t.{tenant}, t.created_at, t.last_accessed from {} t
            where not exists (select 1 from temp.consultant_thread h where h.id = t.{tenant})",
            nodes.table.sql(),
            tenant = nodes.tenant.name,
        );
        reading.each(&sql, |row| {
            let raw = raw_values(row, 3);
            let mut cells = reading.cells(&raw);
            let id = raw.first().and_then(sound);
            if let (Some(id), Ok(created), Ok(accessed)) =
                (id, cells.time(created_at), cells.time(accessed))
            {
                let (first, last) = (created.min(accessed), created.max(accessed));
                let sql = "insert into temp.consultant_tenant values (?1, ?2, ?3)
                    on conflict do update set created_at = min(created_at, excluded.created_at),
                        last_active_at = max(last_active_at, excluded.last_active_at)";
                reading.note(sql, params![id, first.micros(), last.micros()])?;
            }
            Ok(())
        })
    }

    /// The times of a tenant that only nodes name; `None` once they were taken.
    pub(super) fn take_tenant(
        &self,
        id: &TenantId,
    ) -> Result<Option<(Timestamp, Timestamp)>, SourceError> {
        let sql = "delete from temp.consultant_tenant where id = ?1
            returning created_at, last_active_at";
        let times: Option<(i64, i64)> = self
            .reading
            .file
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement
                    .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .step(&self.reading.file.location, STEP)?;
        let moment = |micros| Timestamp::from_micros(micros).ok();
        Ok(times.and_then(|(created, last)| moment(created).zip(moment(last))))
    }

    /// Notes a node; says whether it is the first of its id, and of its UUID if it is carried.
    pub(super) fn add_node(
        &self,
        id: &RawValue,
        conversion: &Conversion,
    ) -> Result<bool, SourceError> {
        let Some(id) = sound(id) else {
            return Ok(true);
        };
        let node = match conversion {
            Conversion::Record { record, .. } => match &**record {
                Record::Node(node) => Some(node),
                _ => None,
            },
            _ => None,
        };
        let uuid = node.map(|node| *node.id.uuid().as_bytes());
        let tenant = node.map(|node| node.tenant_id.as_str());
        let sql = "insert or ignore into temp.consultant_node values (?1, ?2, ?3)";
        self.reading.note(sql, params![id, uuid, tenant])
    }
}

/// A text, if it is one and sound; what is not is quarantined anyway.
fn sound(value: &RawValue) -> Option<&str> {
    match value {
        RawValue::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// What becomes of a row whose id a row before it has.
pub(super) fn repeated(id: Place, raw: &RawRow) -> Conversion {
    let problem = "a row before it has the same id, or the same UUID in another spelling; keep one";
    let error: InvalidInput = refuse(id, value(raw, id), problem);
    Conversion::Quarantined {
        reason: error.to_string(),
    }
}
