//! AI-PAL's audit log: a file of JSON Lines per day, `audit_YYYYMMDD.jsonl`.
//!
//! A line names no id, so an event's id is made of what the line says, and of how many lines before
//! it say the same: the files of all days go into one store, in any order, and one that has grown is
//! carried again without doubling anything.

use std::rc::Rc;

use memory_domain::{
    AuditEvent, AuditEventId, AuditSeverity, Digest, InvalidInput, Record, TenantId,
};
use memory_storage::{RawRow, RawValue};
use uuid::Uuid;

use super::{tenant, text, user};
use crate::catalog::{Place, quote};
use crate::cells::{Cells, value};
use crate::converting::Converted;
use crate::format::{Format, MappedColumn, MappedTable};
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::lines::{IN_QUARANTINE, Lines, WHOLE};
use crate::reading::{Mapped, Reading, Sink, Stop};
use crate::rules;
use crate::standing::{self, Rows};

/// The lines of an audit log.
pub(crate) static LINES: Lines = Lines {
    format: &AuditFile,
    marks: &["event_type", "severity", "timestamp"],
    objects: &["details"],
};

/// The reader of audit logs.
struct AuditFile;

static TABLES: [MappedTable; 1] = [MappedTable {
    name: "audit",
    columns: &[
        MappedColumn::required("event_type", "audit_events.event_type"),
        MappedColumn::required("severity", "audit_events.severity"),
        MappedColumn::required("timestamp", "audit_events.at"),
        MappedColumn::required("user_id", "audit_events.tenant_id"),
        MappedColumn::required("session_id", "audit_events.session_id"),
        MappedColumn::required("component", "audit_events.component"),
        MappedColumn::required("action", "audit_events.action"),
        MappedColumn::required("details", "audit_events.details"),
        MappedColumn::required("result", "audit_events.result"),
        MappedColumn::required("ip_address", "audit_events.ip_address"),
        MappedColumn::required("resource", "audit_events.resource"),
        MappedColumn::optional(WHOLE, IN_QUARANTINE),
    ],
}];

impl Format for AuditFile {
    fn tables(&self) -> &'static [MappedTable] {
        &TABLES
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let mapped = reading.table(0)?;
        let told: Vec<String> = told().map(|name| format!("t.{}", quote(name))).collect();
        reading.execute(&format!(
            "create temp table audit_repeat (row integer primary key, before integer not null);
            insert into temp.audit_repeat select row, before from (
                select t.{rowid} as row, row_number() over (
                    partition by {told} order by t.{rowid}
                ) - 1 as before
                from {table} t
            ) where before > 0",
            rowid = mapped.rowid,
            told = told.join(", "),
            table = mapped.table.sql(),
        ))?;
        let rows = Events::new(reading, mapped);
        standing::read(reading, &[Box::new(rows)], sink)
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        let Record::AuditEvent(event) = record else {
            return Vec::new();
        };
        vec![
            ("event_type", SourceValue::Text(&event.event_type)),
            ("severity", SourceValue::Text(event.severity.as_str())),
            ("timestamp", SourceValue::Time(event.at)),
            ("user_id", user(&event.tenant_id, unnamed)),
            ("session_id", text(event.session_id.as_deref())),
            ("component", text(event.component.as_deref())),
            ("action", text(event.action.as_deref())),
            ("details", SourceValue::Json(&event.details)),
            ("result", text(event.result.as_deref())),
            ("ip_address", text(event.ip_address.as_deref())),
            ("resource", text(event.resource.as_deref())),
        ]
    }
}

/// The keys that say what happened: all but that of whole lines.
fn told() -> impl Iterator<Item = &'static str> {
    let columns = TABLES[0].columns.iter().filter(|column| column.required);
    columns.map(|column| column.name)
}

struct Events<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    told: Vec<Place>,
    event_type: Place,
    severity: Place,
    timestamp: Place,
    user_id: Place,
    session_id: Place,
    component: Place,
    action: Place,
    details: Place,
    result: Place,
    ip_address: Place,
    resource: Place,
    ids: Rc<TableIds>,
}

impl<'a> Events<'a> {
    fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Events {
            reading,
            mapped,
            told: told().map(place).collect(),
            event_type: place("event_type"),
            severity: place("severity"),
            timestamp: place("timestamp"),
            user_id: place("user_id"),
            session_id: place("session_id"),
            component: place("component"),
            action: place("action"),
            details: place("details"),
            result: place("result"),
            ip_address: place("ip_address"),
            resource: place("resource"),
            ids: reading.converting.ids.table("audit"),
        }
    }

    /// The id of what a line says, where `before` lines before it say the same.
    fn id_of(&self, raw: &RawRow, before: i64) -> Uuid {
        let mut said = Vec::new();
        for place in &self.told {
            let (class, bytes): (u8, Vec<u8>) = match value(raw, *place) {
                RawValue::Null => continue,
                RawValue::Integer(integer) => (b'i', integer.to_be_bytes().to_vec()),
                RawValue::Real(real) => (b'r', real.to_be_bytes().to_vec()),
                RawValue::Text(bytes) => (b't', bytes.clone()),
                RawValue::Blob(bytes) => (b'b', bytes.clone()),
            };
            // With its length, so that no two lines run together into the same bytes.
            said.extend(format!("{} {} ", place.name, bytes.len()).bytes());
            said.push(class);
            said.extend(bytes);
        }
        let digest = Digest::of(&said);
        match before {
            0 => self.ids.id(&digest.to_string()),
            before => self.ids.id(&format!("{digest} {before}")),
        }
    }
}

impl<'a> Rows<'a> for Events<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.event_type
    }

    fn further(&self) -> String {
        format!(
            "(select r.before from temp.audit_repeat r where r.row = t.{})",
            self.mapped.rowid
        )
    }

    fn convert(&self, raw: &RawRow, before: Option<i64>) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let event = AuditEvent {
            tenant_id: tenant(&mut cells, self.user_id, self.reading.converting.unnamed)?,
            id: AuditEventId::from_uuid(self.id_of(raw, before.unwrap_or_default())),
            event_type: cells.key_text(self.event_type)?,
            severity: severity(&mut cells, self.severity)?,
            session_id: cells.optional_key_text(self.session_id)?,
            actor: None,
            component: cells.optional_free_text(self.component)?,
            action: cells.optional_free_text(self.action)?,
            details: cells.metadata_or_empty(self.details)?,
            result: cells.optional_free_text(self.result)?,
            ip_address: cells.optional_free_text(self.ip_address)?,
            resource: cells.optional_free_text(self.resource)?,
            at: cells.time(self.timestamp)?,
        };
        Ok(Converted {
            record: Record::AuditEvent(event),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

fn severity(cells: &mut Cells<'_>, place: Place) -> Result<AuditSeverity, InvalidInput> {
    let word = cells.text(place)?;
    let lowered = word.to_lowercase();
    let severity = lowered.parse()?;
    if lowered != word {
        cells.rule(rules::SEVERITY_LOWERED, place, word, lowered);
    }
    Ok(severity)
}
