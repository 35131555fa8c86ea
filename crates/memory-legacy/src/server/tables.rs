use std::error::Error;

use memory_storage::{RawRow, RawValue, SourceColumn, SourceError, SourceTable};
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, Row};

use super::session::{Session, failed};
use crate::catalog::{Catalog, Table, quote};
use crate::format::MappedTable;
use crate::reading::{Sink, Stop};

/// The tables of a schema, with how their columns are read. Views, also materialised ones, hold
/// nothing of their own and are left out.
pub(super) struct ServerTables {
    pub(super) catalog: Catalog,
    /// The expression of each column, by the table's place in the catalog; `t` is the table.
    expressions: Vec<Vec<String>>,
    schema: String,
}

/// Tables and the parts of none, with their columns in order.
const COLUMNS: &str = "
    select c.relname::text, a.attname::text, y.typname::text
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_attribute a
        on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_catalog.pg_type y on y.oid = a.atttypid
    where n.nspname = $1 and c.relkind in ('r', 'p', 'f') and not c.relispartition
    order by c.relname collate \"C\", a.attnum";

impl ServerTables {
    pub(super) async fn read(
        client: &Client,
        location: &str,
        schema: &str,
    ) -> Result<ServerTables, SourceError> {
        let step = "reading the names of tables and columns";
        let rows = client
            .query(COLUMNS, &[&schema])
            .await
            .map_err(|error| failed(location, step, error))?;
        let mut found: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
        for row in rows {
            let get = |at| -> Result<Option<String>, SourceError> {
                row.try_get(at)
                    .map_err(|error| failed(location, step, error))
            };
            let table = get(0)?.unwrap_or_default();
            if found.last().is_none_or(|(name, ..)| *name != table) {
                found.push((table, Vec::new(), Vec::new()));
            }
            if let (Some((_, columns, expressions)), Some(column), Some(kind)) =
                (found.last_mut(), get(1)?, get(2)?)
            {
                expressions.push(expression(&column, &kind));
                columns.push(column);
            }
        }
        let mut tables = Vec::with_capacity(found.len());
        let mut all = Vec::with_capacity(found.len());
        for (name, columns, expressions) in found {
            tables.push(Table::of_server(name, columns));
            all.push(expressions);
        }
        Ok(ServerTables {
            catalog: Catalog { tables },
            expressions: all,
            schema: quote(schema),
        })
    }

    /// The name of a table for a statement.
    pub(super) fn sql(&self, table: &str) -> String {
        format!("{}.{}", self.schema, quote(table))
    }

    /// The columns of a table as a select list, where the table is `t`.
    pub(super) fn select_list(&self, table: &str) -> String {
        let at = self.catalog.tables.iter().position(|own| own.name == table);
        at.and_then(|at| self.expressions.get(at))
            .map(|expressions| expressions.join(", "))
            .unwrap_or_default()
    }

    /// Counts rows and values; the mapped tables come first, in the order of the format.
    pub(super) fn account(
        &self,
        session: &Session,
        mapped: &[MappedTable],
        sink: &Sink,
    ) -> Result<Vec<SourceTable>, Stop> {
        let mut tables = Vec::with_capacity(self.catalog.tables.len());
        for mapped in mapped {
            if let Some(table) = self.catalog.table(mapped.name) {
                tables.push(self.count(session, table, Some(mapped), sink)?);
            }
        }
        for table in &self.catalog.tables {
            if !mapped.iter().any(|mapped| mapped.name == table.name) {
                tables.push(self.count(session, table, None, sink)?);
            }
        }
        Ok(tables)
    }

    fn count(
        &self,
        session: &Session,
        table: &Table,
        mapped: Option<&MappedTable>,
        sink: &Sink,
    ) -> Result<SourceTable, Stop> {
        let step = "counting rows and values";
        let columns = table.columns.iter().map(|column| &column.name);
        let counts: Vec<String> = columns
            .map(|column| format!("count({})", quote(column)))
            .collect();
        let sql = format!(
            "select count(*), array[{}]::int8[] from {}",
            counts.join(", "),
            self.sql(&table.name)
        );
        let row = session.wait(sink, step, session.client.query_one(&sql, &[]))?;
        let fail = |error| Stop::from(failed(&session.location, step, error));
        let rows: i64 = row.try_get(0).map_err(fail)?;
        let non_null: Vec<i64> = row.try_get(1).map_err(fail)?;
        Ok(SourceTable {
            name: table.name.clone(),
            rows: rows.unsigned_abs(),
            mapped: mapped.is_some(),
            columns: table
                .columns
                .iter()
                .zip(non_null)
                .map(|(column, non_null)| SourceColumn {
                    name: column.name.clone(),
                    target: mapped.and_then(|mapped| mapped.target(&column.name)),
                    non_null: non_null.unsigned_abs(),
                })
                .collect(),
        })
    }
}

/// How a column is read, by its type: numbers as numbers, arrays as JSON, all else as its text.
fn expression(column: &str, kind: &str) -> String {
    let column = format!("t.{}", quote(column));
    match kind {
        "int2" | "int4" | "int8" => format!("{column}::int8"),
        // Every 4-byte number is an 8-byte one too.
        "float4" | "float8" => format!("{column}::float8"),
        "bytea" => column,
        array if array.starts_with('_') => format!("to_json({column})::text"),
        _ => format!("{column}::text"),
    }
}

/// The first values of a row.
pub(super) fn raw_values(row: &Row, count: usize, location: &str) -> Result<RawRow, SourceError> {
    let value = |at| {
        row.try_get::<_, Raw>(at)
            .map(|raw| raw.0)
            .map_err(|error| failed(location, "reading a value", error))
    };
    (0..count).map(value).collect()
}

/// A value as it came; a text need not be sound UTF-8 where the server does not check.
struct Raw(RawValue);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(kind: &Type, bytes: &'a [u8]) -> Result<Raw, Box<dyn Error + Sync + Send>> {
        Ok(Raw(match *kind {
            Type::INT8 => RawValue::Integer(i64::from_sql(kind, bytes)?),
            Type::FLOAT8 => RawValue::Real(f64::from_sql(kind, bytes)?),
            Type::BYTEA => RawValue::Blob(bytes.to_vec()),
            _ => RawValue::Text(bytes.to_vec()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Raw, Box<dyn Error + Sync + Send>> {
        Ok(Raw(RawValue::Null))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::FLOAT8 | Type::BYTEA | Type::TEXT)
    }
}
