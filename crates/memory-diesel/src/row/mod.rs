//! Rows, and how they become what the domain speaks of.

mod agency;
mod audit;
mod decision;
mod feedback;
mod goal;
mod graph;
mod learning;
mod message;
mod mission;
mod patch;
mod session;
mod task;
mod tenant;
mod transfer;

use std::fmt::Display;

pub use agency::AgencySnapshotRow;
pub use audit::AuditEventRow;
pub use decision::DecisionRow;
pub use feedback::FeedbackRow;
pub use goal::GoalRow;
pub use graph::{NodeRow, RelationshipRow};
pub use learning::{CompoundRow, LearnedTurnRow};
pub use message::MessageRow;
pub use mission::{FileSnapshotRow, MissionRow};
pub use patch::PatchRow;
pub use session::SessionRow;
pub use task::TaskRow;
pub use tenant::TenantRow;
pub use transfer::{LedgerRow, TransferRunRow};

use memory_domain::{Digest, TenantId};
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

    fn digest(&self, column: &'static str, bytes: &[u8]) -> Result<Digest, StorageError> {
        self.check(column, <[u8; 32]>::try_from(bytes).map(Digest::from_bytes))
    }
}
