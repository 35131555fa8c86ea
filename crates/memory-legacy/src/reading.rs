use memory_domain::{InvalidInput, Record, TenantId};
use memory_storage::{Conversion, RawRow, RawValue, RuleUse, SourceError, SourceRow};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use tokio::sync::mpsc::Sender;

use crate::LegacyKind;
use crate::catalog::{Catalog, Place, Table};
use crate::cells::{Cells, NaiveTimes, value};
use crate::ids::SourceIds;
use crate::source::Event;
use crate::sqlite_file::{SqliteFile, Step};

/// The most bytes of source values that a batch holds, unless one row has more: a thousand rows of
/// 60 MB each must not be in memory at once.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Why reading ends before the end.
pub(crate) enum Stop {
    /// It failed.
    Failed(SourceError),
    /// Nobody wants the rest.
    Unwanted,
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Stop {
        Stop::Failed(error)
    }
}

/// What a format needs to read a file.
pub(crate) struct Reading<'a> {
    pub(crate) file: &'a SqliteFile,
    pub(crate) catalog: &'a Catalog,
    pub(crate) kind: LegacyKind,
    pub(crate) ids: SourceIds,
    pub(crate) naive: NaiveTimes,
    /// The tenant of rows that name none.
    pub(crate) unnamed: &'a TenantId,
}

impl Reading<'_> {
    /// The mapped table at `index` of the format's list.
    pub(crate) fn table(&self, index: usize) -> Result<Mapped<'_>, SourceError> {
        let name = self.kind.format().tables()[index].name;
        let table = self
            .catalog
            .table(name)
            .ok_or_else(|| self.file.unusable(format!("it lacks the table {name}")))?;
        let rowid = table.rowid().ok_or_else(|| {
            self.file.unusable(format!(
                "the rows of the table {name} have no number of their own (`rowid`), as those of \
                {} have; copy it into a table that is not WITHOUT ROWID",
                self.kind
            ))
        })?;
        Ok(Mapped {
            index,
            table,
            rowid,
            id: table.place("id"),
        })
    }

    pub(crate) fn cells<'r>(&self, row: &'r RawRow) -> Cells<'r> {
        Cells::new(row, self.naive)
    }

    /// Runs a statement on rows set aside.
    pub(crate) fn execute(&self, sql: &str) -> Result<(), SourceError> {
        self.file
            .connection
            .execute_batch(sql)
            .step(&self.file.location, "setting rows aside")
    }

    /// Calls `each` with every row that a query gives.
    pub(crate) fn each(
        &self,
        sql: &str,
        mut each: impl FnMut(&Row<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let location = &self.file.location;
        let mut statement = self
            .file
            .connection
            .prepare(sql)
            .step(location, "preparing to read rows")?;
        let mut rows = statement.query([]).step(location, "reading rows")?;
        while let Some(row) = rows.next().step(location, "reading rows")? {
            each(row)?;
        }
        Ok(())
    }

    /// A value that a query gives.
    pub(crate) fn get<T: rusqlite::types::FromSql>(
        &self,
        row: &Row<'_>,
        index: usize,
    ) -> Result<T, SourceError> {
        row.get(index).step(&self.file.location, "reading a value")
    }

    /// What a row became, held against the source: a record that no rule touched must give back
    /// the very values of the row.
    pub(crate) fn conclude(
        &self,
        mapped: &Mapped<'_>,
        raw: &RawRow,
        converted: Result<Converted, InvalidInput>,
    ) -> Conversion {
        let quarantined = |error: InvalidInput| Conversion::Quarantined {
            reason: error.to_string(),
        };
        let converted = match converted {
            Ok(converted) => converted,
            Err(error) => return quarantined(error),
        };
        if let Some(column) = self.changed_column(mapped, raw, &converted) {
            let problem = "the value cannot be had back from the record made of it; this is a \
                defect of the reader, please report it";
            let shown = crate::cells::show(value(raw, mapped.table.place(column)));
            return quarantined(InvalidInput::new(column, shown, problem));
        }
        Conversion::Record {
            record: Box::new(converted.record),
            rules: converted.rules,
            beyond: converted.beyond,
        }
    }

    /// The first column that differs although no rule was named for it.
    fn changed_column(
        &self,
        mapped: &Mapped<'_>,
        raw: &RawRow,
        converted: &Converted,
    ) -> Option<&'static str> {
        let format = self.kind.format();
        let inverse = format.inverse(&converted.record, self.unnamed);
        let differs = |(column, own): &(&'static str, crate::SourceValue<'_>)| {
            let place = mapped.table.place(column);
            place.at.is_some()
                && !converted.rules.iter().any(|rule| rule.column == *column)
                && !own.is(value(raw, place), self.naive.zone, &self.ids)
        };
        inverse.into_iter().find(differs).map(|(column, _)| column)
    }
}

/// A record made of a row.
pub(crate) struct Converted {
    pub(crate) record: Record,
    pub(crate) rules: Vec<RuleUse>,
    pub(crate) beyond: Vec<Record>,
}

/// A table that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Mapped<'a> {
    /// Its place in the list of tables.
    pub(crate) index: usize,
    pub(crate) table: &'a Table,
    /// The name of the row's number.
    pub(crate) rowid: &'static str,
    id: Place,
}

impl Mapped<'_> {
    /// The columns of `alias`, then the row's number.
    pub(crate) fn select_list(&self, alias: &str) -> String {
        let columns = self.table.select_list(alias);
        format!("{columns}, {alias}.{}", self.rowid)
    }

    /// The place of the row's number in a row of [`Mapped::select_list`]; the caller's own columns
    /// follow.
    pub(crate) fn rowid_at(&self) -> usize {
        self.table.columns.len()
    }

    /// The values of the columns, in their order.
    pub(crate) fn raw(&self, row: &Row<'_>) -> RawRow {
        raw_values(row, self.table.columns.len())
    }

    /// The row's key for people: its id, or its number where it has none.
    pub(crate) fn key(&self, raw: &RawRow, rowid: i64) -> String {
        match value(raw, self.id) {
            RawValue::Integer(id) => format!("id={id}"),
            RawValue::Text(id) => format!("id={}", String::from_utf8_lossy(id)),
            RawValue::Null | RawValue::Real(_) | RawValue::Blob(_) => format!("rowid={rowid}"),
        }
    }
}

/// The first values of a row, by storage class.
pub(crate) fn raw_values(row: &Row<'_>, count: usize) -> RawRow {
    let value = |index| match row.get_ref(index) {
        Ok(ValueRef::Integer(integer)) => RawValue::Integer(integer),
        Ok(ValueRef::Real(real)) => RawValue::Real(real),
        Ok(ValueRef::Text(bytes)) => RawValue::Text(bytes.to_vec()),
        Ok(ValueRef::Blob(bytes)) => RawValue::Blob(bytes.to_vec()),
        // The statement selects that many, so an error cannot be.
        Ok(ValueRef::Null) | Err(_) => RawValue::Null,
    };
    (0..count).map(value).collect()
}

/// Where the rows go, in batches of one table each.
pub(crate) struct Sink {
    events: Sender<Event>,
    batch: Vec<SourceRow>,
    bytes: usize,
    batch_size: usize,
}

impl Sink {
    pub(crate) fn new(events: Sender<Event>, batch_size: usize) -> Sink {
        Sink {
            events,
            batch: Vec::new(),
            bytes: 0,
            batch_size: batch_size.max(1),
        }
    }

    pub(crate) fn push(&mut self, row: SourceRow) -> Result<(), Stop> {
        if self
            .batch
            .first()
            .is_some_and(|first| first.table != row.table)
        {
            self.flush()?;
        }
        self.bytes += row.raw.iter().map(bytes).sum::<usize>();
        self.batch.push(row);
        if self.batch.len() >= self.batch_size || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands the batch on, waiting until there is room for it.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        self.send(Event::Batch(batch))
    }

    pub(crate) fn send(&self, event: Event) -> Result<(), Stop> {
        self.events.blocking_send(event).map_err(|_| Stop::Unwanted)
    }
}

fn bytes(value: &RawValue) -> usize {
    match value {
        RawValue::Text(bytes) | RawValue::Blob(bytes) => bytes.len(),
        RawValue::Null | RawValue::Integer(_) | RawValue::Real(_) => 0,
    }
}
