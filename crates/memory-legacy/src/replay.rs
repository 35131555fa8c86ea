use std::collections::BTreeMap;

use memory_domain::TenantId;
use memory_storage::{QuarantinedRow, RawValue, RecordSource, SourceDescription, SourceError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params, params_from_iter};

use crate::catalog::{Catalog, quote};
use crate::cells::NaiveTimes;
use crate::format::{Format, MappedTable};
use crate::source::{Job, LegacySource, settings};
use crate::sqlite_file::{SqliteFile, Step, unusable};
use crate::{LegacyKind, SourceTimezone};

/// Begins to read again what an earlier run of a legacy source put into quarantine, with the reader
/// and the options of that run.
///
/// `source` is what the quarantine says of its run's source, `location` where the quarantine is.
/// What a row refers to and the quarantine does not hold is taken to stand in the target, which says
/// itself if it does not.
///
/// # Errors
/// [`SourceError::Unusable`] if the source was of no known system, a row is of a table that has no
/// place, or `rows` says so; [`SourceError::Failed`] if the rows cannot be held for reading.
pub fn replay(
    source: &SourceDescription,
    location: String,
    rows: impl IntoIterator<Item = Result<QuarantinedRow, SourceError>>,
    batch_size: usize,
) -> Result<Box<dyn RecordSource>, SourceError> {
    let refuse = |problem: String| unusable(&location, problem);
    let kind: LegacyKind = source
        .kind
        .parse()
        .map_err(|error| refuse(format!("its rows are of no known system: {error}")))?;
    let setting = |name: &str| {
        let value = source.settings.get(name);
        value.ok_or_else(|| refuse(format!("its first line lacks the setting {name}")))
    };
    let timezone = setting(settings::TIMEZONE)?
        .parse::<SourceTimezone>()
        .map_err(|error| refuse(error.to_string()))?;
    let unnamed = TenantId::new(setting(settings::DEFAULT_TENANT)?)
        .map_err(|error| refuse(error.to_string()))?;
    let shape = source.settings.get(settings::SHAPE);
    let format = kind
        .format_of(shape.map(String::as_str))
        .ok_or_else(|| refuse("its first line names a shape that is not known".to_owned()))?;
    let shelf = Shelf::open(format, location)?;
    let file = shelf.fill(rows)?;
    let job = Job {
        catalog: Catalog::read(&file)?,
        file,
        kind,
        format,
        name: source.name.clone(),
        naive: NaiveTimes::new(Some(timezone), format.documented_zone()),
        unnamed,
        batch_size,
        is_replay: true,
    };
    Ok(Box::new(LegacySource::start(job)?))
}

/// The tables of a legacy file with only the rows of a quarantine, in a temporary database: so the
/// reader of that system reads them as it read the file.
struct Shelf {
    file: SqliteFile,
    format: &'static dyn Format,
    /// The columns of the tables that were made, by the table's place in the format.
    columns: BTreeMap<usize, Vec<String>>,
}

const STEP: &str = "setting up the rows of the quarantine";

/// What the reader knew of rows from others, beside the tables and not among them.
const CONTEXT: &str = "
    create temp table replay_context (
        table_name text not null, row integer not null, name text not null, value text not null,
        primary key (table_name, row, name)
    ) without rowid;";

impl Shelf {
    fn open(format: &'static dyn Format, location: String) -> Result<Shelf, SourceError> {
        // Without a name it is a file that is deleted when it is closed.
        let connection = Connection::open("")
            .and_then(|connection| {
                connection.execute_batch("pragma journal_mode = off; begin")?;
                connection.execute_batch(CONTEXT)?;
                Ok(connection)
            })
            .step(&location, STEP)?;
        Ok(Shelf {
            file: SqliteFile {
                connection,
                location,
            },
            format,
            columns: BTreeMap::new(),
        })
    }

    fn fill(
        mut self,
        rows: impl IntoIterator<Item = Result<QuarantinedRow, SourceError>>,
    ) -> Result<SqliteFile, SourceError> {
        for row in rows {
            self.add(&row?)?;
        }
        for (index, mapped) in self.format.tables().iter().enumerate() {
            if mapped.is_required() && !self.columns.contains_key(&index) {
                self.make_table(index, mapped)?;
            }
        }
        Ok(self.file)
    }

    fn add(&mut self, row: &QuarantinedRow) -> Result<(), SourceError> {
        let is_it = |mapped: &MappedTable| mapped.name.eq_ignore_ascii_case(&row.table);
        let Some(index) = self.format.tables().iter().position(is_it) else {
            let problem = format!("line {}: the table {} has no place", row.line, row.table);
            return Err(self.file.unusable(problem));
        };
        if !self.columns.contains_key(&index) {
            self.make_table(index, &self.format.tables()[index])?;
        }
        for (column, _) in &row.values {
            self.make_column(index, column)?;
        }
        let mapped = &self.format.tables()[index];
        let table = quote(mapped.name);
        let columns: Vec<String> = row.values.iter().map(|(column, _)| quote(column)).collect();
        let sql = if columns.is_empty() {
            format!("insert into main.{table} default values")
        } else {
            let marks = vec!["?"; columns.len()].join(", ");
            let columns = columns.join(", ");
            format!("insert into main.{table} ({columns}) values ({marks})")
        };
        let connection = &self.file.connection;
        let values = row.values.iter().map(|(_, value)| Bound(value));
        connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.insert(params_from_iter(values)))
            .and_then(|rowid| {
                let sql = "insert into temp.replay_context values (?1, ?2, ?3, ?4)";
                let mut statement = connection.prepare_cached(sql)?;
                for (name, value) in &row.context {
                    statement.execute(params![mapped.name, rowid, name, value])?;
                }
                Ok(())
            })
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
