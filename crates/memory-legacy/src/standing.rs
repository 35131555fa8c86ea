//! Tables whose rows stand by themselves, each of the tenant that it names.

use std::collections::HashMap;

use memory_domain::{InvalidInput, JsonObject, Record, Tenant, TenantId, Timestamp};
use memory_storage::{Conversion, RawRow, SourceError};
use rusqlite::params;

use crate::catalog::Place;
use crate::cells::{show, value};
use crate::converting::Converted;
use crate::lines::LineRow;
use crate::reading::{Mapped, Reading, Sink, Stop};

/// A table whose rows stand by themselves.
pub(crate) trait Rows<'a> {
    fn reading(&self) -> &'a Reading<'a>;
    fn mapped(&self) -> Mapped<'a>;
    /// The column that tells its rows apart.
    fn id(&self) -> Place;
    /// An expression over the row `t` whose value `convert` needs, or `null`.
    fn further(&self) -> String;
    fn convert(&self, raw: &RawRow, further: Option<i64>) -> Result<Converted, InvalidInput>;
}

/// Hands out the rows of such tables, one table after the other. Each tenant goes with the first of
/// its rows that is carried, and is from the first to the last moment that any of its rows names.
pub(crate) fn read<'a>(
    reading: &Reading<'_>,
    tables: &[Box<dyn Rows<'a> + 'a>],
    sink: &mut Sink,
) -> Result<(), Stop> {
    reading.execute("create temp table standing_key (key text primary key) without rowid")?;
    let mut tenants = Tenants::new();
    for rows in tables {
        judge(&**rows, &mut tenants)?;
    }
    for rows in tables {
        hand_out(&**rows, &mut tenants, sink)?;
    }
    Ok(())
}

/// When each tenant was there first and last.
type Tenants = HashMap<TenantId, (Timestamp, Timestamp)>;

fn judge<'a>(rows: &(dyn Rows<'a> + 'a), tenants: &mut Tenants) -> Result<(), Stop> {
    each(rows, |_, raw, further| {
        let mapped = rows.mapped();
        let converted = rows.convert(&raw, further);
        if let Conversion::Record { record, .. } = rows.reading().conclude(&mapped, &raw, converted)
        {
            for moment in moments(&record) {
                let known = tenants
                    .entry(record.tenant_id().clone())
                    .or_insert((moment, moment));
                *known = (known.0.min(moment), known.1.max(moment));
            }
        }
        Ok(())
    })
}

fn hand_out<'a>(
    rows: &(dyn Rows<'a> + 'a),
    tenants: &mut Tenants,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let (reading, mapped) = (rows.reading(), rows.mapped());
    each(rows, |rowid, raw, further| {
        let line = LineRow::of(reading, &mapped, &raw, rowid)?;
        let problem = line.as_ref().and_then(|line| line.problem.clone());
        let mut conversion = match problem {
            Some(reason) => Conversion::Quarantined { reason },
            None => reading.conclude(&mapped, &raw, rows.convert(&raw, further)),
        };
        if let Conversion::Record { record, .. } = &conversion
            && !is_new(reading, record)?
        {
            let id = rows.id();
            let problem = "a row before it has the same id; keep one";
            let shown = show(value(&raw, id));
            conversion = Conversion::Quarantined {
                reason: InvalidInput::new(id.name, shown, problem).to_string(),
            };
        }
        if let Conversion::Record { record, beyond, .. } = &mut conversion {
            let tenant = tenants.remove_entry(record.tenant_id());
            beyond.extend(tenant.map(|(id, (created_at, last_active_at))| {
                Record::Tenant(Tenant {
                    id,
                    created_at,
                    last_active_at,
                    metadata: JsonObject::new(),
                })
            }));
        }
        let mut row = mapped.source_row(rowid, raw, conversion);
        if let Some(line) = line {
            row.key = line.key();
            row.context.push(line.context());
        }
        sink.push(row)
    })
}

/// Notes a record's key, and says whether no row before had it.
fn is_new(reading: &Reading<'_>, record: &Record) -> Result<bool, SourceError> {
    let sql = "insert or ignore into temp.standing_key values (?1)";
    reading.note(sql, params![record.key().to_string()])
}

fn each<'a>(
    rows: &(dyn Rows<'a> + 'a),
    mut each: impl FnMut(i64, RawRow, Option<i64>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (reading, mapped) = (rows.reading(), rows.mapped());
    let sql = format!(
        "select {}, {} from {} t order by t.{}",
        mapped.select_list("t"),
        rows.further(),
        mapped.table.sql(),
        mapped.rowid
    );
    reading.each(&sql, |row| {
        let rowid = reading.get(row, mapped.rowid_at())?;
        let further = reading.get(row, mapped.rowid_at() + 1)?;
        each(rowid, mapped.raw(row), further)
    })
}

/// The moments that a record names.
fn moments(record: &Record) -> impl Iterator<Item = Timestamp> {
    let moments = match record {
        Record::Feedback(feedback) => [Some(feedback.created_at), None, None],
        Record::AuditEvent(event) => [Some(event.at), None, None],
        Record::AgencySnapshot(snapshot) => [Some(snapshot.taken_at), None, None],
        // A deadline is yet to come.
        Record::Goal(goal) => [Some(goal.created_at), goal.completed_at, None],
        Record::Task(task) => [Some(task.created_at), task.started_at, task.completed_at],
        Record::PatchRequest(patch) => {
            [Some(patch.created_at), patch.reviewed_at, patch.applied_at]
        }
        _ => [None; 3],
    };
    moments.into_iter().flatten()
}
