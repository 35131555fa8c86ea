use memory_domain::InvalidInput;
use memory_storage::{Conversion, RawRow, RawValue, SourceError, SourceRow};
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, ToSql, params};
use tokio::sync::mpsc::Sender;

use crate::catalog::{Catalog, Place, Table};
use crate::cells::{Cells, value};
use crate::converting::{Converted, Converting};
use crate::format::MappedTable;
use crate::source::Event;
use crate::sqlite_file::{SqliteFile, Step};

/// The most bytes of source values that a batch holds, unless one row has more: a thousand rows of
/// 60 MB each must not be in memory at once.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

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
    /// Whether these are only the rows that an earlier run could not carry: then what a row refers
    /// to may stand in the target already.
    pub(crate) is_replay: bool,
    pub(crate) converting: Converting<'a>,
}

impl Reading<'_> {
    /// The mapped table at `index` of the format's list.
    pub(crate) fn table(&self, index: usize) -> Result<Mapped<'_>, SourceError> {
        let name = self.converting.format.tables()[index].name;
        self.optional_table(index)?
            .ok_or_else(|| self.file.unusable(format!("it lacks the table {name}")))
    }

    /// The mapped table at `index` of the format's list, if the file has it.
    pub(crate) fn optional_table(&self, index: usize) -> Result<Option<Mapped<'_>>, SourceError> {
        let mapped = &self.converting.format.tables()[index];
        let Some(table) = self.catalog.table(mapped.name) else {
            return Ok(None);
        };
        let rowid = table.rowid().ok_or_else(|| {
            self.file.unusable(format!(
                "the rows of the table {} have no number of their own (`rowid`), as those of \
                {} have; copy it into a table that is not WITHOUT ROWID",
                mapped.name, self.converting.kind
            ))
        })?;
        Ok(Some(Mapped {
            index: self.position(index),
            table,
            rowid,
            key: table.place(mapped.key()),
        }))
    }

    /// The place among the source's tables of the mapped table at `index` of the format's list:
    /// tables that the file does not have are not among them.
    pub(crate) fn position(&self, index: usize) -> usize {
        let before = &self.converting.format.tables()[..index];
        let is_there = |mapped: &&MappedTable| self.catalog.table(mapped.name).is_some();
        before.iter().filter(is_there).count()
    }

    pub(crate) fn cells<'r>(&self, row: &'r RawRow) -> Cells<'r> {
        self.converting.cells(row)
    }

    /// What a row became; see [`Converting::conclude`].
    pub(crate) fn conclude(
        &self,
        mapped: &Mapped<'_>,
        raw: &RawRow,
        converted: Result<Converted, InvalidInput>,
    ) -> Conversion {
        self.converting.conclude(mapped.table, raw, converted)
    }

    /// Runs a statement on rows set aside.
    pub(crate) fn execute(&self, sql: &str) -> Result<(), SourceError> {
        self.file
            .connection
            .execute_batch(sql)
            .step(&self.file.location, "setting rows aside")
    }

    /// What an earlier run knew of a row from other rows.
    pub(crate) fn context(
        &self,
        mapped: &Mapped<'_>,
        rowid: i64,
        name: &str,
    ) -> Result<Option<String>, SourceError> {
        if !self.is_replay {
            return Ok(None);
        }
        self.noted(mapped, rowid, name)
    }

    /// What was noted of a row on a [`Shelf`](crate::shelf::Shelf).
    pub(crate) fn noted(
        &self,
        mapped: &Mapped<'_>,
        rowid: i64,
        name: &str,
    ) -> Result<Option<String>, SourceError> {
        let sql = "select value from temp.replay_context
            where table_name = ?1 and row = ?2 and name = ?3";
        self.file
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement
                    .query_row(params![mapped.table.name, rowid, name], |row| row.get(0))
                    .optional()
            })
            .step(&self.file.location, "reading what was known of a row")
    }

    /// Sets something aside, and says whether it is new.
    pub(crate) fn note(&self, sql: &str, values: &[&dyn ToSql]) -> Result<bool, SourceError> {
        self.file
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(|rows| rows > 0)
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

    /// Calls `each` with every row of a table in its order: what the query gives, the row's number and
    /// its values. `more` are columns beyond the table's own, and `joins` what they are from.
    pub(crate) fn each_row(
        &self,
        mapped: &Mapped<'_>,
        more: &str,
        joins: &str,
        mut each: impl FnMut(&Row<'_>, i64, RawRow) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let sql = format!(
            "select {}{more} from {} t {joins} order by t.{}",
            mapped.select_list("t"),
            mapped.table.sql(),
            mapped.rowid
        );
        self.each(&sql, |row| {
            let rowid = self.get(row, mapped.rowid_at())?;
            each(row, rowid, mapped.raw(row))
        })
    }

    /// A value that a query gives.
    pub(crate) fn get<T: rusqlite::types::FromSql>(
        &self,
        row: &Row<'_>,
        index: usize,
    ) -> Result<T, SourceError> {
        row.get(index).step(&self.file.location, "reading a value")
    }
}

/// A table that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Mapped<'a> {
    /// Its place in the list of tables.
    pub(crate) index: usize,
    pub(crate) table: &'a Table,
    /// The name of the row's number.
    pub(crate) rowid: &'static str,
    key: Place,
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
        key(self.key, raw).unwrap_or_else(|| format!("rowid={rowid}"))
    }

    /// A row that is done.
    pub(crate) fn source_row(&self, rowid: i64, raw: RawRow, conversion: Conversion) -> SourceRow {
        SourceRow {
            table: self.index,
            key: self.key(&raw, rowid),
            conversion,
            raw,
            context: Vec::new(),
        }
    }
}

/// A row's key for people: `id=42`; `None` where the id is neither a number nor a text.
pub(crate) fn key(place: Place, raw: &RawRow) -> Option<String> {
    match value(raw, place) {
        RawValue::Integer(id) => Some(format!("{}={id}", place.name)),
        RawValue::Text(id) => Some(format!("{}={}", place.name, String::from_utf8_lossy(id))),
        RawValue::Null | RawValue::Real(_) | RawValue::Blob(_) => None,
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

    /// Waits until nobody wants the rest.
    #[cfg(feature = "postgres")]
    pub(crate) async fn closed(&self) {
        self.events.closed().await;
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
