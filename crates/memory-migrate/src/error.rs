use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;

use memory_domain::TenantId;
use memory_storage::{RunId, SourceError, StorageError};
use serde::Serialize;

/// Why a migration could not be carried through. Nothing was changed in the target, but by a
/// [`Stopped`](MigrateError::Stopped) run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// An option has a value that does not fit.
    #[error("option {option} has the value {value:?}: {problem}")]
    InvalidOption {
        /// The option: `batch-size`, `table`.
        option: &'static str,
        /// What was given.
        value: String,
        /// What would be accepted.
        problem: String,
    },

    /// The target lacks migrations.
    #[error(
        "the schema of {target} lacks {}; apply it first (`memory migrate up --url {target}`), or give --create-schema",
        pending.join(", ")
    )]
    SchemaPending {
        /// The store.
        target: String,
        /// The migrations that are not applied, oldest first.
        pending: Vec<String>,
    },

    /// Reverting would delete rows, and that was not asked for.
    #[error("reverting {} would delete {held}; give --force to delete them", migrations.join(", "))]
    WouldDelete {
        /// The migrations, newest first.
        migrations: Vec<String>,
        /// What would go: `66 sessions, 30 messages`.
        held: String,
    },

    /// The source could not be read.
    #[error("reading the source failed")]
    Source(#[from] SourceError),

    /// A store failed.
    #[error("{step} failed")]
    Store {
        /// What was being done.
        step: &'static str,
        /// What the store said.
        #[source]
        source: StorageError,
    },

    /// A table's classes do not add up to its rows.
    #[error("table {table} of the source counted {rows} rows, but {classed} were accounted for")]
    Accounting {
        /// The table of the source.
        table: String,
        /// Its `count(*)`.
        rows: u64,
        /// How many rows got a class.
        classed: u64,
    },

    /// What was read back from the target is not what the source held.
    #[error(
        "verification found {total} differences, the first being {}",
        first(findings)
    )]
    Verification {
        /// How many there are.
        total: u64,
        /// The first of them.
        findings: Vec<Mismatch>,
    },

    /// A source or a store broke its contract.
    #[error("{party} broke its contract: {problem}")]
    Contract {
        /// `the source` or `the target`.
        party: &'static str,
        /// How.
        problem: String,
    },

    /// A resumable run failed after a checkpoint, up to which everything lasts.
    #[error("run {run} stopped; what it carried up to its last checkpoint stands")]
    Stopped {
        /// The run, which can be gone on with or taken back.
        run: RunId,
        /// What it failed of.
        #[source]
        source: Box<MigrateError>,
    },

    /// An unfinished run from the same source is in the way of another transfer.
    #[error("run {run} from the same source is unfinished")]
    RunUnfinished {
        /// The run, which can be gone on with or taken back.
        run: RunId,
    },

    /// A run cannot be gone on with.
    #[error("run {run} cannot be gone on with: {problem}")]
    NotResumable {
        /// The run.
        run: RunId,
        /// Why not.
        problem: String,
    },

    /// What a run carried is no longer in its source as it was, so that the whole would be no one
    /// state of it.
    #[error(
        "rows of the source's table {table} that run {run} had carried are not there any more as \
         they were"
    )]
    SourceChanged {
        /// The run, which can only be taken back.
        run: RunId,
        /// The table.
        table: String,
    },

    /// Somebody else has carried a resumable run on, or taken it back, while it ran.
    #[error("run {run} was carried on or taken back by somebody else meanwhile")]
    TakenOver {
        /// The run.
        run: RunId,
    },

    /// Another command has the quarantine file of a run, and so is carrying the run on.
    #[error("run {run} is being carried on by another command")]
    UnderWay {
        /// The run.
        run: RunId,
    },

    /// The quarantine file could not be written.
    #[error("the quarantine file {} cannot be written: {problem}", path.display())]
    Quarantine {
        /// The file.
        path: PathBuf,
        /// What is in the way and what to do.
        problem: &'static str,
        /// What the system said.
        #[source]
        source: Option<io::Error>,
    },

    /// The tenant that was asked for is not there.
    #[error("tenant {tenant} is not in {stores}")]
    UnknownTenant {
        /// Who was asked for.
        tenant: TenantId,
        /// Where nothing of it was found.
        stores: String,
    },

    /// What is exported cannot be written.
    #[error("the export cannot be written")]
    Output {
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// No such run.
    #[error("run {run} is not there; `memory migrate runs` lists them")]
    UnknownRun {
        /// What was given.
        run: RunId,
    },

    /// The run was taken back before.
    #[error("run {run} was rolled back before")]
    AlreadyRolledBack {
        /// The run.
        run: RunId,
    },
}

impl MigrateError {
    /// Says that an export cannot be written.
    pub(crate) fn output(source: io::Error) -> MigrateError {
        MigrateError::Output { source }
    }

    /// Says of a run of which a checkpoint lasts that it stopped; not where the error says itself what
    /// becomes of the run.
    pub(crate) fn stopped(self, run: RunId) -> MigrateError {
        match self {
            MigrateError::InvalidOption { .. }
            | MigrateError::NotResumable { .. }
            | MigrateError::SourceChanged { .. }
            | MigrateError::TakenOver { .. }
            | MigrateError::UnderWay { .. } => self,
            error => MigrateError::Stopped {
                run,
                source: Box::new(error),
            },
        }
    }

    /// Says what was being done when a store failed.
    pub(crate) fn store(step: &'static str) -> impl FnOnce(StorageError) -> MigrateError {
        move |source| MigrateError::Store { step, source }
    }
}

/// One record that is not in the target as the source had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Which record, or which table where it cannot be told.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

fn first(findings: &[Mismatch]) -> String {
    findings
        .first()
        .map(Mismatch::to_string)
        .unwrap_or_default()
}
