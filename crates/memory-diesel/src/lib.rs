//! What the SQLite and PostgreSQL adapters share: SQL types that name both databases, `table!`,
//! row structs and their conversions.
//!
//! One SQL type, such as [`sql_types::Instant`], is an integer in SQLite and a `timestamptz` in
//! PostgreSQL, so one `table!` and one row struct serve both. A row becomes its entity in one place,
//! and that can fail, naming table, column and id.

mod row;
pub mod schema;
pub mod sql_types;

pub use row::{
    AgencySnapshotRow, AuditEventRow, CompoundRow, DecisionRow, FeedbackRow, FileSnapshotRow,
    GoalRow, LearnedTurnRow, LedgerRow, MessageRow, MissionRow, NodeRow, PatchRow, RelationshipRow,
    SessionRow, TaskRow, TenantRow, TransferRunRow,
};
