use std::sync::Arc;

use memory_domain::InvalidInput;

use super::{FromSqlValue, SqlValue};
use crate::StorageError;

/// One row of an answer. Its columns have names.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlRow {
    columns: Arc<[String]>,
    values: Vec<SqlValue>,
}

impl SqlRow {
    /// Puts a row together; adapters do.
    pub fn new(columns: Arc<[String]>, values: Vec<SqlValue>) -> SqlRow {
        SqlRow { columns, values }
    }

    /// The names of the columns, in their order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values, in the order of the columns.
    pub fn values(&self) -> &[SqlValue] {
        &self.values
    }

    /// Reads a column.
    ///
    /// # Errors
    /// `Invalid` if no column, or more than one, has the name, or it holds something else.
    pub fn get<T: FromSqlValue>(&self, column: &str) -> Result<T, StorageError> {
        let refuse =
            |problem: String| StorageError::from(InvalidInput::new("column", column, problem));
        let mut found = (0..self.columns.len()).filter(|&at| self.columns[at] == column);
        let Some(at) = found.next() else {
            return Err(refuse(format!("there are {}", self.columns.join(", "))));
        };
        if found.next().is_some() {
            return Err(refuse(
                "several have this name; give them others with `as`".to_owned(),
            ));
        }
        T::from_sql_value(&self.values[at]).ok_or_else(|| {
            let kind = match &self.values[at] {
                SqlValue::Null => "null",
                SqlValue::Bool(_) => "a boolean",
                SqlValue::Int(_) => "a whole number",
                SqlValue::Float(_) => "a double",
                SqlValue::Text(_) => "a text",
                SqlValue::Bytes(_) => "bytes",
                SqlValue::Json(_) => "JSON",
                SqlValue::Time(_) => "a moment",
                SqlValue::Uuid(_) => "a UUID",
            };
            refuse(format!(
                "it holds {kind}, not {}",
                std::any::type_name::<T>()
            ))
        })
    }
}
