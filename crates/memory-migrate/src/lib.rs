//! The migration engine of memory: the schema of any store up and down, transfer from any source of
//! records into any store with every row accounted for, verification by content, and rollback.
//!
//! It sees stores only as [`Storage`](memory_storage::Storage) and sources only as
//! [`RecordSource`], so every pair of them goes through the same code.
//! Nothing here reads the clock or prints: moments are arguments, progress is a callback, and what
//! came of it is a report that [`Display`](std::fmt::Display)s as text and serialises as JSON.

mod error;
mod export;
mod options;
mod progress;
mod quarantine;
mod replay;
mod report;
mod rollback;
pub mod schema;
mod store_source;
mod text;
mod transfer;
mod verify;

pub use transfer::transfer;

pub use options::{BATCH_SIZE_DEFAULT, BATCH_SIZE_MAX, OnConflict, TransferOptions};
pub use progress::{OnProgress, Phase, Progress, silent};
pub use report::{
    Classes, Finding, Findings, Outcome, Problem, Report, RuleExample, RuleReport, TableReport,
    TenantDigest, Timings, UnmappedColumn, Verification,
};

pub use export::{EXPORT_KIND, ExportReport, ExportSource, Sum, export};
pub use replay::{Quarantined, ReplayedRecords};
pub use rollback::{KeyList, RollbackReport, rollback, runs};
pub use store_source::{STORE_KIND, StoreSource};
pub use verify::{Difference, FieldDifference, TableComparison, VerifyReport, verify};

pub use error::{MigrateError, Mismatch};

/// What a source of records is made of, for whoever writes one.
pub use memory_storage::{
    Conversion, QuarantinedRow, RawRow, RawValue, RecordSource, RowContext, RuleUse, SourceColumn,
    SourceDescription, SourceError, SourceRow, SourceTable,
};
