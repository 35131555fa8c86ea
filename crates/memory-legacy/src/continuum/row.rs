use std::rc::Rc;

use memory_domain::{InvalidInput, TenantId, Timestamp};
use memory_storage::{Conversion, RawRow, SourceError};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::aside::Aside;
use crate::catalog::Place;
use crate::cells::{Cells, refuse, value};
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::reading::{Mapped, Reading, Stop};
use crate::rules;

/// A table that is being read, with what all tables have: ids that are numbers, and a tenant.
pub(super) struct Rows<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) mapped: Mapped<'a>,
    pub(super) id: Place,
    pub(super) ids: Rc<TableIds>,
    tenant: Place,
    /// The place of the table in the format's list.
    pub(super) of_table: i64,
    /// Whether an id need not be the row's own number, which cannot repeat.
    may_repeat: bool,
}

impl<'a> Rows<'a> {
    /// The mapped table at `index` of the format's list, if the file has it.
    pub(super) fn new(reading: &'a Reading<'a>, index: usize) -> Result<Option<Self>, Stop> {
        let Some(mapped) = reading.optional_table(index)? else {
            return Ok(None);
        };
        let id = mapped.table.place("id");
        let mut may_repeat = id.at.is_some();
        if may_repeat {
            let sql = format!(
                "select exists (select 1 from {} t where t.id is not t.{})",
                mapped.table.sql(),
                mapped.rowid
            );
            reading.each(&sql, |row| {
                may_repeat = reading.get(row, 0)?;
                Ok(())
            })?;
        }
        Ok(Some(Rows {
            reading,
            mapped,
            id,
            ids: reading
                .converting
                .ids
                .table(reading.converting.format.tables()[index].name),
            tenant: mapped.table.place("tenant_id"),
            of_table: i64::try_from(index).unwrap_or_default(),
            may_repeat,
        }))
    }

    pub(super) fn place(&self, name: &'static str) -> Place {
        self.mapped.table.place(name)
    }

    /// Calls `each` with every row in its order; `more` are columns beyond the table's own, which
    /// begin at [`Rows::more_at`], and `joins` what they are from.
    pub(super) fn each(
        &self,
        more: &str,
        joins: &str,
        each: impl FnMut(&Row<'_>, i64, RawRow) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.reading.each_row(&self.mapped, more, joins, each)
    }

    /// Calls `each` with every row that became part of the record of another one.
    pub(super) fn each_merged(
        &self,
        into_row: i64,
        mut each: impl FnMut(RawRow) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        // In this order of tables, or the whole table would be looked through for each row.
        let sql = format!(
            "select {} from temp.continuum_merged m cross join {} t on t.{} = m.row
            where m.of_table = {} and m.into_row = {into_row} order by m.row",
            self.mapped.select_list("t"),
            self.mapped.table.sql(),
            self.mapped.rowid,
            self.of_table,
        );
        self.reading.each(&sql, |row| each(self.mapped.raw(row)))
    }

    /// The columns that say whether a row is merged into another, and whether others are merged into
    /// it, with what they are from; for [`Rows::each`].
    pub(super) fn merging(&self) -> (String, String) {
        let (of_table, rowid) = (self.of_table, self.mapped.rowid);
        let more = format!(
            ", m.uuid, exists (select 1 from temp.continuum_merged o
                where o.of_table = {of_table} and o.into_row = t.{rowid})"
        );
        let joins = format!(
            "left join temp.continuum_merged m on m.of_table = {of_table} and m.row = t.{rowid}"
        );
        (more, joins)
    }

    pub(super) fn more_at(&self) -> usize {
        self.mapped.rowid_at() + 1
    }

    pub(super) fn uuid(&self, cells: &Cells<'_>) -> Result<Uuid, InvalidInput> {
        Ok(self.ids.integer(cells.integer(self.id)?))
    }

    /// The tenant, where need be that of rows that name none.
    pub(super) fn tenant(&self, cells: &mut Cells<'_>) -> Result<TenantId, InvalidInput> {
        let unnamed = self.reading.converting.unnamed;
        if self.tenant.at.is_none() {
            return Ok(unnamed.clone());
        }
        let Some(name) = cells.optional_text(self.tenant)? else {
            cells.rule(rules::NULL_TENANT, self.tenant, "NULL", unnamed.as_str());
            return Ok(unnamed.clone());
        };
        TenantId::new(name)
            .map_err(|error| InvalidInput::new(self.tenant.name, name, error.problem))
    }

    /// Notes how long the tenant of a row lasts at least, if the row says so, carried or not: so it
    /// stays the same when a row that was quarantined is mended and carried later.
    pub(super) fn note_times(
        &self,
        aside: &Aside<'_>,
        raw: &RawRow,
        times: impl FnOnce(&mut Cells<'_>) -> Result<(Timestamp, Timestamp), InvalidInput>,
    ) -> Result<(), SourceError> {
        let mut cells = self.reading.cells(raw);
        if let Ok(tenant) = self.tenant(&mut cells)
            && let Ok((first, last)) = times(&mut cells)
        {
            aside.note_tenant(&tenant, first.min(last), first.max(last))?;
        }
        Ok(())
    }

    /// What a row became, which is nothing where a row before it has its id, or the row of its tenant
    /// is refused.
    pub(super) fn judge(
        &self,
        aside: &Aside<'_>,
        rowid: i64,
        raw: &RawRow,
        converted: Result<Converted, InvalidInput>,
    ) -> Result<Conversion, SourceError> {
        let converted = match converted {
            Ok(converted) => self.accept(aside, rowid, raw, converted)?,
            Err(error) => Err(error),
        };
        Ok(self.reading.conclude(&self.mapped, raw, converted))
    }

    /// The same once every row was judged, with the tenant, which comes with every row so that it is
    /// there whichever tables are carried.
    pub(super) fn conclude(
        &self,
        aside: &Aside<'_>,
        rowid: i64,
        raw: &RawRow,
        converted: Result<Converted, InvalidInput>,
    ) -> Result<Conversion, SourceError> {
        let mut conversion = self.judge(aside, rowid, raw, converted)?;
        if let Conversion::Record { record, beyond, .. } = &mut conversion {
            beyond.extend(aside.tenant(record.tenant_id())?);
        }
        Ok(conversion)
    }

    fn accept(
        &self,
        aside: &Aside<'_>,
        rowid: i64,
        raw: &RawRow,
        converted: Converted,
    ) -> Result<Result<Converted, InvalidInput>, SourceError> {
        if !self.is_first(aside, rowid, raw)? {
            let problem = "a row before it has the same id; keep one";
            return Ok(Err(refuse(self.id, value(raw, self.id), problem)));
        }
        let tenant = converted.record.tenant_id();
        if aside.is_refused(tenant)? {
            let place = if self.tenant.at.is_some() {
                self.tenant
            } else {
                self.id
            };
            let problem = format!("the row of its tenant {tenant} is quarantined; mend that first");
            return Ok(Err(refuse(place, value(raw, place), problem)));
        }
        Ok(Ok(converted))
    }

    /// Whether a row is the first sound one of its id.
    fn is_first(&self, aside: &Aside<'_>, rowid: i64, raw: &RawRow) -> Result<bool, SourceError> {
        if !self.may_repeat {
            return Ok(true);
        }
        let Ok(id) = self.reading.cells(raw).integer(self.id) else {
            return Ok(true);
        };
        let sql = "insert or ignore into temp.continuum_id values (?1, ?2, ?3)";
        self.reading.note(sql, params![self.of_table, id, rowid])?;
        let sql = "select row = ?3 from temp.continuum_id where of_table = ?1 and id = ?2";
        let first = aside.ask(sql, params![self.of_table, id, rowid], |row| row.get(0))?;
        Ok(first.unwrap_or(true))
    }
}
