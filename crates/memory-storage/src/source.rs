use std::collections::BTreeMap;

use async_trait::async_trait;
use memory_domain::{Record, RecordKey};
use serde::{Deserialize, Serialize};

use crate::{BoxError, StorageError};

/// Where records come from: a legacy file, or a store of ours.
///
/// It reads one frozen state and never changes the source. Every row of every mapped table comes
/// out of [`RecordSource::next`] exactly once, in an order in which what is referred to comes first.
#[async_trait]
pub trait RecordSource: Send {
    /// What the source is.
    fn description(&self) -> &SourceDescription;

    /// Every table of the source with its row count and columns, taken in the frozen state.
    async fn tables(&mut self) -> Result<Vec<SourceTable>, SourceError>;

    /// The next rows, or `None` at the end. The records of one batch are of one kind.
    async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, SourceError>;
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDescription {
    /// The system that wrote it: `flux-rag`, `jarvis`, `memory`.
    pub kind: String,
    /// The name that went into ids made from it.
    pub name: String,
    /// Where it is, without a password.
    pub location: String,
    /// How it is read, such as the zone of times that name none: what a replay of its quarantine
    /// must know to convert alike.
    pub settings: BTreeMap<String, String>,
}

/// A table of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceTable {
    /// Its name there.
    pub name: String,
    /// `count(*)` in the frozen state, of what the run is to carry.
    pub rows: u64,
    /// Whether it has a place here.
    pub mapped: bool,
    /// Its columns.
    pub columns: Vec<SourceColumn>,
}

/// A column of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceColumn {
    /// Its name there.
    pub name: String,
    /// Where its values go, such as `messages.content`; `None` if they have no place.
    pub target: Option<String>,
    /// How many rows have a value in it.
    pub non_null: u64,
}

/// One row of the source and what it became.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRow {
    /// The table, by its place in [`RecordSource::tables`].
    pub table: usize,
    /// The row's key there, for people: `id=42`.
    pub key: String,
    /// What it became.
    pub conversion: Conversion,
    /// The values as they stand in the source, for the quarantine; empty for a store of ours.
    pub raw: RawRow,
    /// What the reader knew of the row from other rows, by name, such as the tenant of a message's
    /// session: the quarantine keeps it, so that a replay of the row alone converts it alike.
    pub context: RowContext,
}

/// What a row of the source became.
#[derive(Debug, Clone, PartialEq)]
pub enum Conversion {
    /// A record. Without rules the source's values can be had back from it.
    Record {
        /// The record.
        record: Box<Record>,
        /// The named rules that changed a value.
        rules: Vec<RuleUse>,
        /// Records beyond the row that must be written before it, such as its tenant; inserted
        /// where they are missing, and counted apart.
        beyond: Vec<Record>,
    },
    /// Part of a record that another row became.
    Merged {
        /// That record.
        into: RecordKey,
        /// By which named rule.
        rule: RuleUse,
    },
    /// Not carried, because a value cannot be: for a person to mend.
    Quarantined {
        /// What is wrong with which column.
        reason: String,
    },
}

/// A named rule that changed a value, with what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleUse {
    /// The rule: `time-rounded-to-microseconds`.
    pub rule: &'static str,
    /// The column.
    pub column: String,
    /// The value before.
    pub from: String,
    /// The value after.
    pub to: String,
}

/// The values of a row, in the order of the table's columns.
pub type RawRow = Vec<RawValue>;

/// What a reader knew of a row from other rows.
pub type RowContext = Vec<(&'static str, String)>;

/// A value by its storage class in the source.
#[derive(Debug, Clone, PartialEq)]
pub enum RawValue {
    /// No value.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text, as its bytes: it need not be sound UTF-8.
    Text(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A row that an earlier run could not carry, as its quarantine file holds it, mended or not.
#[derive(Debug, Clone, PartialEq)]
pub struct QuarantinedRow {
    /// Where it stands in the file, counted from 1.
    pub line: u64,
    /// Its table in the source.
    pub table: String,
    /// Its values by column.
    pub values: Vec<(String, RawValue)>,
    /// What the reader knew of it from other rows.
    pub context: BTreeMap<String, String>,
}

/// Why a source could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The source is not what was expected, and cannot be carried.
    #[error("{location} cannot be read: {problem}")]
    Unusable {
        /// The source.
        location: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Reading failed.
    #[error("reading {location} failed while {step}")]
    Failed {
        /// The source.
        location: String,
        /// What was being done.
        step: &'static str,
        /// What the driver said.
        #[source]
        source: BoxError,
    },
    /// The source is a store of ours, and that failed.
    #[error(transparent)]
    Store(#[from] StorageError),
}
