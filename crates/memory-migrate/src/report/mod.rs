//! What came of a transfer.

mod findings;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use memory_domain::{RecordKind, TenantId, Timestamp};
use memory_storage::{RunId, SourceDescription};
use serde::{Deserialize, Serialize};

pub use findings::{Finding, Findings};

use crate::OnConflict;
use crate::text::counted;

/// What came of a transfer: every row of the source in exactly one class.
///
/// `Display` prints it for a terminal; as JSON it is the same, whole.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The run. It is in the target's list only if the outcome is [`Outcome::Committed`].
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// What was read.
    pub source: SourceDescription,
    /// What was written, without a password.
    pub target: String,
    /// Rows that earlier commands of the run had done before this one went on with it, by the last
    /// checkpoint; `None` if the run was begun by this one.
    pub resumed: Option<u64>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How long it took.
    pub timings: Timings,
    /// The only tenant that was to be carried, if not all were.
    pub tenant: Option<TenantId>,
    /// The source's tables.
    pub tables: Vec<TableReport>,
    /// The named rules that changed or merged values, with examples.
    pub rules: Vec<RuleReport>,
    /// What was done about conflicts.
    pub on_conflict: OnConflict,
    /// Rows whose id or key stands with other content.
    pub conflicts: Findings,
    /// Rows that could not be carried.
    pub quarantined: Findings,
    /// The file that holds the rows that were not carried, if there are any.
    pub quarantine_file: Option<PathBuf>,
    /// Whether quarantine was allowed.
    pub quarantine_allowed: bool,
    /// What was read back; `None` if that was not asked for.
    pub verification: Option<Verification>,
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was carried lasts.
    Committed,
    /// There was nothing that was not there already: the target is as it was, without a new run.
    NothingToCarry,
    /// Everything was done, and undone as asked.
    DryRun,
}

impl Outcome {
    /// The outcome of a transfer whose books are closed.
    pub(crate) fn of(tables: &[TableReport], dry_run: bool) -> Outcome {
        if dry_run {
            Outcome::DryRun
        } else if tables.iter().any(|table| table.classes.inserted() > 0) {
            Outcome::Committed
        } else {
            Outcome::NothingToCarry
        }
    }
}

/// How long a transfer took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Timings {
    /// Reading, converting and writing, in seconds.
    pub carrying_seconds: f64,
    /// Reading back and comparing, in seconds.
    pub verifying_seconds: f64,
    /// Rows of the source that were read, converted and written per second.
    pub rows_per_second: f64,
}

/// One table of the source.
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    /// Its name.
    pub table: String,
    /// Its `count(*)`, which the classes add up to.
    pub rows: u64,
    /// Whether the run was to carry it.
    pub selected: bool,
    /// What became of its rows.
    pub classes: Classes,
    /// What was made beyond its rows, by our table.
    pub beyond: BTreeMap<&'static str, u64>,
    /// Whether the table, having no place, was allowed by name to stay behind.
    pub allowed: bool,
    /// The columns that have no place but hold values; of a table without a place, all its columns.
    pub unmapped_columns: Vec<UnmappedColumn>,
}

/// How many rows are in which class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// The source's values can be had back from what was inserted.
    pub carried: u64,
    /// Inserted, with values changed by named rules.
    pub changed: u64,
    /// Part of a record that another row became, by a named rule.
    pub merged: u64,
    /// Stands in the target with the same content.
    pub already_there: u64,
    /// Its id or key stands in the target with other content.
    pub conflict: u64,
    /// Not carried, and the reason said.
    pub quarantined: u64,
    /// The table has no place here.
    pub unmapped: u64,
    /// Of a tenant, or a table, that was not to be carried.
    pub not_selected: u64,
}

impl Classes {
    /// Rows of what was selected, unless they are in quarantine: those have no tenant.
    pub const fn came(&self) -> u64 {
        self.inserted() + self.merged + self.already_there + self.conflict
    }

    /// All rows that have a class.
    pub const fn total(&self) -> u64 {
        self.inserted()
            + self.merged
            + self.already_there
            + self.conflict
            + self.quarantined
            + self.unmapped
            + self.not_selected
    }

    /// Rows that became new records.
    pub const fn inserted(&self) -> u64 {
        self.carried + self.changed
    }
}

/// A column that has no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmappedColumn {
    /// Its name.
    pub column: String,
    /// How many rows have a value in it.
    pub non_null: u64,
    /// Whether it was allowed by name to stay behind.
    pub allowed: bool,
}

/// What a named rule did to one column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuleReport {
    /// The rule.
    pub rule: Cow<'static, str>,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How many values it changed.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<RuleExample>,
}

/// One value that a rule changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleExample {
    /// The row.
    pub key: String,
    /// The value before, shortened.
    pub from: String,
    /// The value after, shortened.
    pub to: String,
}

/// What was read back from the target before it was made to last.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// Records that were read back and were as the source had them.
    pub records: u64,
    /// The digests of what was inserted, per table and tenant, in the order of the keys.
    pub digests: Vec<TenantDigest>,
    /// Tables of tenants that were verified too, but are too many to be listed.
    pub not_listed: u64,
}

/// What of one table of one tenant was inserted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantDigest {
    /// Our table.
    pub table: RecordKind,
    /// The tenant.
    pub tenant: String,
    /// How many records.
    pub records: u64,
    /// The digest over all of them in the order of their ids.
    pub digest: String,
}

/// Something that makes the exit status other than 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// A table has no place here.
    UnmappedTable {
        /// The table.
        table: String,
        /// Its rows.
        rows: u64,
    },
    /// A column has no place here.
    UnmappedColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Rows with a value in it.
        non_null: u64,
    },
    /// Rows stand with other content.
    Conflicts {
        /// How many.
        rows: u64,
    },
    /// Rows could not be carried.
    Quarantined {
        /// How many.
        rows: u64,
    },
    /// The source has nothing of the tenant that was asked for.
    NothingOfTenant {
        /// Who was asked for.
        tenant: TenantId,
    },
}

impl Report {
    /// Rows that became new records.
    pub fn inserted(&self) -> u64 {
        self.tables
            .iter()
            .map(|table| table.classes.inserted())
            .sum()
    }

    /// Everything that was not allowed by name; none means exit status 0.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for table in self.tables.iter().filter(|table| table.selected) {
            if table.classes.unmapped > 0 && !table.allowed {
                problems.push(Problem::UnmappedTable {
                    table: table.table.clone(),
                    rows: table.classes.unmapped,
                });
            }
            // The columns of a table without a place are not a problem beside that of the table.
            let columns = table.unmapped_columns.iter();
            for column in columns
                .filter(|_| table.classes.unmapped == 0)
                .filter(|column| column.non_null > 0 && !column.allowed)
            {
                problems.push(Problem::UnmappedColumn {
                    table: table.table.clone(),
                    column: column.column.clone(),
                    non_null: column.non_null,
                });
            }
        }
        if self.conflicts.count > 0 && self.on_conflict == OnConflict::Quarantine {
            let rows = self.conflicts.count;
            problems.push(Problem::Conflicts { rows });
        }
        if self.quarantined.count > 0 && !self.quarantine_allowed {
            let rows = self.quarantined.count;
            problems.push(Problem::Quarantined { rows });
        }
        if let Some(tenant) = &self.tenant
            && self.tables.iter().all(|table| table.classes.came() == 0)
        {
            let tenant = tenant.clone();
            problems.push(Problem::NothingOfTenant { tenant });
        }
        problems
    }

    /// 0 if there is no problem, else 1.
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.problems().is_empty())
    }
}

impl Problem {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Problem::UnmappedTable { table, rows } => format!(
                "table {table} ({}) has no place here; leave it behind with --allow-unmapped {table}",
                counted(*rows, "row")
            ),
            Problem::UnmappedColumn {
                table,
                column,
                non_null,
            } => format!(
                "column {table}.{column} ({}) has no place here; leave it behind with \
                 --allow-unmapped {table}.{column}",
                counted(*non_null, "value")
            ),
            Problem::Conflicts { rows } => format!(
                "{} with other content; look into the quarantine file, then accept what stands \
                 with --on-conflict keep",
                match rows {
                    1 => "1 row stands".to_owned(),
                    rows => format!("{rows} rows stand"),
                }
            ),
            Problem::NothingOfTenant { tenant } => {
                format!("the source has nothing of tenant {tenant}; check the name")
            }
            Problem::Quarantined { rows } => format!(
                "{} could not be carried; mend the quarantine file and carry it with `memory \
                 migrate --replay`, or accept that with --allow-quarantine",
                counted(*rows, "row")
            ),
        }
    }
}
