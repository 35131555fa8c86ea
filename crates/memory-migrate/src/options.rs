use std::collections::BTreeSet;
use std::path::PathBuf;

use memory_domain::{SessionId, TenantId, Timestamp};
use memory_storage::RunId;
use serde::{Deserialize, Serialize};

use crate::MigrateError;
use crate::quarantine::partial;

/// How many rows are written at once unless said otherwise.
pub const BATCH_SIZE_DEFAULT: u32 = 1_000;

/// The most rows that may be written at once; beyond it a batch only costs memory.
pub const BATCH_SIZE_MAX: u32 = 10_000;

/// How a transfer is done.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and none excludes another"
)]
pub struct TransferOptions {
    /// The id under which the target remembers the run.
    pub run: RunId,
    /// When the run begins.
    pub at: Timestamp,
    /// What is done about a row whose id or key stands with other content.
    pub on_conflict: OnConflict,
    /// Carries only rows of this tenant.
    pub tenant: Option<TenantId>,
    /// Carries only these tables of the source; all where empty.
    pub tables: BTreeSet<String>,
    /// How many rows are written at once.
    pub batch_size: u32,
    /// Does everything and then undoes it.
    pub dry_run: bool,
    /// Makes what was carried last batch by batch, with a checkpoint each time, and goes on with an
    /// unfinished run from the same source.
    pub resumable: bool,
    /// The unfinished run to go on with, wherever its source was then; only with `resumable`.
    pub resume: Option<RunId>,
    /// Reads what was written back and compares it, before it is made to last.
    pub verify: bool,
    /// Applies the target's pending migrations first; without it they are an error.
    pub create_schema: bool,
    /// Tables, as `table`, and columns, as `table.column`, that may stay behind.
    pub allow_unmapped: BTreeSet<String>,
    /// Whether rows in quarantine leave the exit status at 0.
    pub allow_quarantine: bool,
    /// Where rows go that cannot be carried; by default `memory-quarantine-<run>.jsonl` in the
    /// current folder. Made only when there is such a row.
    pub quarantine_file: Option<PathBuf>,
}

/// What is done about a row whose id or key stands in the target with other content. What stands is
/// never changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The row goes to the quarantine file, and the exit status is not 0.
    #[default]
    Quarantine,
    /// What stands is accepted; the row is only counted.
    Keep,
}

impl TransferOptions {
    /// A transfer that begins at `at`, with a new run id and every default.
    pub fn new(at: Timestamp) -> TransferOptions {
        TransferOptions {
            // Ids are made in one place of the workspace, the domain; a run's id is one of them.
            run: RunId(SessionId::generate().uuid()),
            at,
            on_conflict: OnConflict::default(),
            tenant: None,
            tables: BTreeSet::new(),
            batch_size: BATCH_SIZE_DEFAULT,
            dry_run: false,
            resumable: false,
            resume: None,
            verify: true,
            create_schema: false,
            allow_unmapped: BTreeSet::new(),
            allow_quarantine: false,
            quarantine_file: None,
        }
    }

    /// Checks what can be checked before anything is opened.
    ///
    /// # Errors
    /// `InvalidOption` for a batch size of 0 or beyond [`BATCH_SIZE_MAX`], and for a dry run that is to
    /// be resumable; `Quarantine` for a quarantine file that exists already.
    pub fn check(&self) -> Result<(), MigrateError> {
        if !(1..=BATCH_SIZE_MAX).contains(&self.batch_size) {
            return Err(MigrateError::InvalidOption {
                option: "batch-size",
                value: self.batch_size.to_string(),
                problem: format!("give 1 to {BATCH_SIZE_MAX}"),
            });
        }
        if self.resumable && self.dry_run {
            return Err(MigrateError::InvalidOption {
                option: "resumable",
                value: "with a dry run".to_owned(),
                problem: "a dry run is undone as a whole: leave one of them out".to_owned(),
            });
        }
        if self.resumable {
            // The file may be the run's own; that is seen when the run is known.
            return Ok(());
        }
        self.check_quarantine()
    }

    /// Holds that no file is in the quarantine's way.
    pub(crate) fn check_quarantine(&self) -> Result<(), MigrateError> {
        let path = self.quarantine_path();
        if path.exists() {
            return Err(MigrateError::Quarantine {
                path,
                problem: "it exists already; name another or move it away",
                source: None,
            });
        }
        let partial = partial(&path);
        if partial.exists() {
            return Err(MigrateError::Quarantine {
                path: partial,
                problem: "an earlier run was cut off and left it; look into it and remove it",
                source: None,
            });
        }
        Ok(())
    }

    /// Where rows go that cannot be carried.
    pub(crate) fn quarantine_path(&self) -> PathBuf {
        self.quarantine_file
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("memory-quarantine-{}.jsonl", self.run)))
    }
}

#[cfg(test)]
mod tests {
    use memory_domain::Timestamp;

    use super::TransferOptions;

    #[test]
    fn a_batch_holds_1_to_10_000_rows() {
        let mut options = TransferOptions::new(Timestamp::UNIX_EPOCH);
        for (batch_size, accepted) in [(0, false), (1, true), (10_000, true), (10_001, false)] {
            options.batch_size = batch_size;
            assert_eq!(options.check().is_ok(), accepted, "{batch_size}");
        }
    }

    #[test]
    fn a_quarantine_file_is_never_overwritten() {
        let mut options = TransferOptions::new(Timestamp::UNIX_EPOCH);
        options.quarantine_file = Some("Cargo.toml".into());
        let error = options.check().unwrap_err().to_string();
        assert!(
            error.contains("Cargo.toml") && error.contains("exists"),
            "{error}"
        );
    }
}
