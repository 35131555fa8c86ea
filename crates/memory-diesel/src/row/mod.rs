//! Rows, and how they become what the domain speaks of.

mod graph;
mod message;
mod session;
mod tenant;
mod transfer;

use std::fmt::Display;

pub use graph::{NodeRow, RelationshipRow};
pub use message::MessageRow;
pub use session::SessionRow;
pub use tenant::TenantRow;
pub use transfer::{LedgerRow, TransferRunRow};

use memory_domain::TenantId;
use memory_storage::StorageError;

/// Which row a value was read from, for the error when the domain does not allow it.
struct Place<'a> {
    table: &'static str,
    id: &'a dyn Display,
}

impl Place<'_> {
    fn check<T, E: Display>(
        &self,
        column: &'static str,
        value: Result<T, E>,
    ) -> Result<T, StorageError> {
        value.map_err(|problem| StorageError::Inconsistent {
            table: self.table,
            column,
            id: self.id.to_string(),
            problem: problem.to_string(),
        })
    }

    fn tenant(&self, column: &'static str, text: &str) -> Result<TenantId, StorageError> {
        self.check(column, TenantId::new(text))
    }
}
