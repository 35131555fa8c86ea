use std::collections::BTreeMap;

use memory_storage::{QuarantinedRow, RawValue, SourceError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params, params_from_iter};

use crate::catalog::quote;
use crate::format::{Format, MappedTable};
use crate::sqlite_file::{SqliteFile, Step};

/// The tables of a system in a temporary database, with rows that do not come from a SQLite file: a
/// reader of such tables reads them as it reads a file.
///
/// It is a file that SQLite deletes when it is closed, so memory stays bounded.
pub(crate) struct Shelf {
    pub(crate) file: SqliteFile,
    format: &'static dyn Format,
    /// The columns of the tables that were made, by the table's place in the format.
    columns: BTreeMap<usize, Vec<String>>,
}

const STEP: &str = "setting up the rows to be read";

/// What the reader knew of rows from others, beside the tables and not among them.
const CONTEXT: &str = "
    create temp table replay_context (
        table_name text not null, row integer not null, name text not null, value text not null,
        primary key (table_name, row, name)
    ) without rowid;";

impl Shelf {
    pub(crate) fn open(
        format: &'static dyn Format,
        location: String,
    ) -> Result<Shelf, SourceError> {
        // Without a name it is a file that is deleted when it is closed.
        let connection = Connection::open("")
            .and_then(|connection| {
                connection.execute_batch("pragma journal_mode = off; begin")?;
                connection.execute_batch(CONTEXT)?;
                Ok(connection)
            })
            .step(&location, STEP)?;
        let file = SqliteFile {
            connection,
            location,
        };
        Ok(Shelf::of(file, format))
    }

    /// A shelf on which nothing stands yet.
    pub(crate) fn of(file: SqliteFile, format: &'static dyn Format) -> Shelf {
        Shelf {
            file,
            format,
            columns: BTreeMap::new(),
        }
    }

    /// The database, with an empty table wherever one was needed and no row came.
    pub(crate) fn filled(mut self) -> Result<SqliteFile, SourceError> {
        for (index, mapped) in self.format.tables().iter().enumerate() {
            if mapped.is_required() && !self.columns.contains_key(&index) {
                self.make_table(index, mapped)?;
            }
        }
        Ok(self.file)
    }

    /// Adds a row of a quarantine.
    pub(crate) fn add(&mut self, row: &QuarantinedRow) -> Result<(), SourceError> {
        let is_it = |mapped: &MappedTable| mapped.name.eq_ignore_ascii_case(&row.table);
        let Some(index) = self.format.tables().iter().position(is_it) else {
            let problem = format!("line {}: the table {} has no place", row.line, row.table);
            return Err(self.file.unusable(problem));
        };
        let rowid = self.insert(index, None, &row.values)?;
        for (name, value) in &row.context {
            self.note(index, rowid, name, value)?;
        }
        Ok(())
    }

    /// Notes something that is known of a row beside its values.
    pub(crate) fn note(
        &self,
        index: usize,
        rowid: i64,
        name: &str,
        value: &str,
    ) -> Result<(), SourceError> {
        let table = self.format.tables()[index].name;
        self.file
            .connection
            .prepare_cached("insert into temp.replay_context values (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| statement.execute(params![table, rowid, name, value]))
            .map(|_| ())
            .step(&self.file.location, STEP)
    }

    /// Adds a row to the format's table at `index`; gives its number, which is the next one where
    /// none is given. With a number no column may be called `_rowid_`.
    pub(crate) fn insert(
        &mut self,
        index: usize,
        rowid: Option<i64>,
        values: &[(String, RawValue)],
    ) -> Result<i64, SourceError> {
        if !self.columns.contains_key(&index) {
            self.make_table(index, &self.format.tables()[index])?;
        }
        for (column, _) in values {
            self.make_column(index, column)?;
        }
        let table = quote(self.format.tables()[index].name);
        let number = rowid.map(RawValue::Integer);
        let number = number.iter().map(|number| ("_rowid_", number));
        let values = values
            .iter()
            .map(|(column, value)| (column.as_str(), value));
        let (columns, values): (Vec<&str>, Vec<&RawValue>) = number.chain(values).unzip();
        let columns: Vec<String> = columns.into_iter().map(quote).collect();
        let sql = if columns.is_empty() {
            format!("insert into main.{table} default values")
        } else {
            let marks = vec!["?"; columns.len()].join(", ");
            let columns = columns.join(", ");
            format!("insert into main.{table} ({columns}) values ({marks})")
        };
        let values = values.into_iter().map(Bound);
        self.file
            .connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.insert(params_from_iter(values)))
            .step(&self.file.location, STEP)
    }

    /// Makes a table with the columns without which it would not be recognised.
    fn make_table(&mut self, index: usize, mapped: &MappedTable) -> Result<(), SourceError> {
        let mut names: Vec<String> = mapped
            .columns
            .iter()
            .filter(|column| column.required)
            .map(|column| column.name.to_owned())
            .collect();
        if names.is_empty() {
            // A table needs one, and an optional table is known by its first.
            names.push(mapped.key().to_owned());
        }
        // Without types, so that every value keeps its storage class.
        let columns: Vec<String> = names.iter().map(|name| quote(name)).collect();
        let sql = format!(
            "create table main.{} ({})",
            quote(mapped.name),
            columns.join(", ")
        );
        self.execute(&sql)?;
        self.columns.insert(index, names);
        Ok(())
    }

    fn make_column(&mut self, index: usize, column: &str) -> Result<(), SourceError> {
        let known = self.columns.entry(index).or_default();
        if known.iter().any(|name| name.eq_ignore_ascii_case(column)) {
            return Ok(());
        }
        known.push(column.to_owned());
        let table = quote(self.format.tables()[index].name);
        self.execute(&format!(
            "alter table main.{table} add column {}",
            quote(column)
        ))
    }

    fn execute(&self, sql: &str) -> Result<(), SourceError> {
        self.file
            .connection
            .execute_batch(sql)
            .step(&self.file.location, STEP)
    }
}

/// A value that keeps its storage class.
struct Bound<'a>(&'a RawValue);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            RawValue::Null => ValueRef::Null,
            RawValue::Integer(integer) => ValueRef::Integer(*integer),
            RawValue::Real(real) => ValueRef::Real(*real),
            RawValue::Text(bytes) => ValueRef::Text(bytes),
            RawValue::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
