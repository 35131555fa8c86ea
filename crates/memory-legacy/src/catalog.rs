use memory_storage::{SourceColumn, SourceError, SourceTable};
use rusqlite::{Connection, Row};

use crate::format::MappedTable;
use crate::sqlite_file::{SqliteFile, Step};

/// The tables of a file, by name; without SQLite's own and without those that a virtual table
/// (such as a full-text index) keeps its data in.
pub(crate) struct Catalog {
    pub(crate) tables: Vec<Table>,
}

/// A table of the file.
pub(crate) struct Table {
    /// Its name as it is spelled there.
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// Whether a module of SQLite computes it.
    pub(crate) is_virtual: bool,
    without_rowid: bool,
}

/// A column of a table.
pub(crate) struct Column {
    pub(crate) name: String,
    /// Whether it is computed when it is read.
    is_generated: bool,
    /// Whether its values can be had; a generated one may need a function that is not here.
    pub(crate) is_readable: bool,
}

/// A column by its place; one that the file does not have gives NULL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The name by which the reader knows it.
    pub(crate) name: &'static str,
    pub(crate) at: Option<usize>,
}

impl Catalog {
    pub(crate) fn read(file: &SqliteFile) -> Result<Catalog, SourceError> {
        read_tables(&file.connection)
            .map(|tables| Catalog { tables })
            .step(&file.location, "reading the names of tables and columns")
    }

    /// A table by name; case does not matter, as in SQLite.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

impl Table {
    /// A table of a server, whose columns can all be read.
    #[cfg(feature = "postgres")]
    pub(crate) fn of_server(name: String, columns: Vec<String>) -> Table {
        let column = |name| Column {
            name,
            is_generated: false,
            is_readable: true,
        };
        Table {
            name,
            columns: columns.into_iter().map(column).collect(),
            is_virtual: false,
            without_rowid: true,
        }
    }

    /// The name for a statement. It names the database too, because a temporary table of the same
    /// name would come first.
    pub(crate) fn sql(&self) -> String {
        format!("main.{}", quote(&self.name))
    }

    pub(crate) fn place(&self, name: &'static str) -> Place {
        let at = self
            .columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name));
        Place { name, at }
    }

    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.place(name).at.is_some()
    }

    /// The columns of `alias` as a select list, in their order, those that cannot be read as NULL.
    pub(crate) fn select_list(&self, alias: &str) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                if column.is_readable {
                    format!("{alias}.{}", quote(&column.name))
                } else {
                    "null".to_owned()
                }
            })
            .collect();
        columns.join(", ")
    }

    /// The name under which the row's number can be had, if it has one.
    pub(crate) fn rowid(&self) -> Option<&'static str> {
        let is_free = |name: &&str| {
            !self
                .columns
                .iter()
                .any(|column| column.name.eq_ignore_ascii_case(name))
        };
        let mut names = ["rowid", "_rowid_", "oid"].into_iter();
        names
            .find(is_free)
            .filter(|_| !self.without_rowid && !self.is_virtual)
    }

    /// Counts rows and values; `mapped` says where they go, if they have a place.
    pub(crate) fn account(
        &self,
        file: &SqliteFile,
        mapped: Option<&MappedTable>,
    ) -> Result<SourceTable, SourceError> {
        let account = |rows, non_null: Vec<u64>| SourceTable {
            name: self.name.clone(),
            rows,
            mapped: mapped.is_some(),
            columns: self
                .columns
                .iter()
                .zip(non_null)
                .map(|(column, non_null)| SourceColumn {
                    name: column.name.clone(),
                    target: mapped.and_then(|mapped| mapped.target(&column.name)),
                    non_null,
                })
                .collect(),
        };
        match self.count(&file.connection) {
            Ok((rows, non_null)) => Ok(account(rows, non_null)),
            // Its module is not in this SQLite. What it keeps in tables of its own is counted
            // there: SQLite cannot know that they belong to it.
            Err(_) if self.is_virtual => Ok(account(0, Vec::new())),
            Err(error) => Err(error).step(&file.location, "counting rows and values"),
        }
    }

    fn count(&self, connection: &Connection) -> rusqlite::Result<(u64, Vec<u64>)> {
        let table = self.sql();
        let count = |what: &str| format!("count({what})");
        let mut non_null = Vec::with_capacity(self.columns.len());
        let sql = format!("select count(*) from {table}");
        let rows = connection.query_row(&sql, [], |row| count_at(row, 0))?;
        for columns in self.columns.chunks(COLUMNS_PER_COUNT) {
            let counts: Vec<String> = columns
                .iter()
                .map(|column| {
                    if column.is_readable {
                        count(&quote(&column.name))
                    } else {
                        // As many values as there may be.
                        count("*")
                    }
                })
                .collect();
            let sql = format!("select {} from {table}", counts.join(", "));
            connection.query_row(&sql, [], |row| {
                for index in 0..columns.len() {
                    non_null.push(count_at(row, index)?);
                }
                Ok(())
            })?;
        }
        Ok((rows, non_null))
    }
}

/// SQLite gives back at most 2,000 columns at once.
const COLUMNS_PER_COUNT: usize = 500;

/// A count, which SQLite gives as a signed integer.
fn count_at(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get(index).map(i64::unsigned_abs)
}

/// A name for a statement.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn read_tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let sql = "select name, type = 'virtual', wr from pragma_table_list \
        where schema = 'main' and type in ('table', 'virtual') and name not like 'sqlite\\_%' escape '\\' \
        order by name";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut tables = Vec::new();
    while let Some(row) = rows.next()? {
        let mut table = Table {
            name: row.get(0)?,
            columns: Vec::new(),
            is_virtual: row.get(1)?,
            without_rowid: row.get(2)?,
        };
        table.columns = match read_columns(connection, &table) {
            Ok(columns) => columns,
            Err(_) if table.is_virtual => Vec::new(),
            Err(error) => return Err(error),
        };
        tables.push(table);
    }
    Ok(tables)
}

fn read_columns(connection: &Connection, table: &Table) -> rusqlite::Result<Vec<Column>> {
    // 1 is a hidden column of a virtual table, 2 and 3 are generated ones.
    let sql = "select name, hidden in (2, 3) from pragma_table_xinfo(?1, 'main') where hidden <> 1";
    let mut statement = connection.prepare(sql)?;
    let mut columns: Vec<Column> = statement
        .query_map([&table.name], |row| {
            Ok(Column {
                name: row.get(0)?,
                is_generated: row.get(1)?,
                is_readable: true,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    for column in columns.iter_mut().filter(|column| column.is_generated) {
        let sql = format!("select count({}) from {}", quote(&column.name), table.sql());
        column.is_readable = connection.query_row(&sql, [], |_| Ok(())).is_ok();
    }
    Ok(columns)
}
