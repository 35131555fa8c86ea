use std::collections::BTreeMap;
use std::fmt::{self, Display};

use memory_domain::{JsonObject, RecordKey, RecordKind, Timestamp};
use memory_storage::{RecordWriter, RunId, RunStatus, Storage, TransferRun};
use serde::Serialize;
use serde_json::json;

use crate::text::{SHOWN_FINDINGS, counted};
use crate::{BATCH_SIZE_DEFAULT, MigrateError};

/// What came of taking a run back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollbackReport {
    /// The run.
    pub run: RunId,
    /// Whether it was taken back. If not, nothing was changed.
    pub rolled_back: bool,
    /// Whether what changed since, or was built upon the run, was to go too.
    pub forced: bool,
    /// Records that were removed, by table.
    pub removed: BTreeMap<&'static str, u64>,
    /// Records of the run that were changed since.
    pub changed: KeyList,
    /// Records of the run that were deleted since.
    pub gone: KeyList,
    /// Records that others built upon those of the run, or that a later run brought in their place.
    pub built_upon: KeyList,
}

/// Some records, of which the first are named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeyList {
    /// How many there are, or at least are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<String>,
}

impl RollbackReport {
    /// 0 if the run was taken back, 1 if that was refused.
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.rolled_back)
    }
}

/// Takes back what a transfer inserted, exactly, in one transaction.
///
/// If a record of the run was changed or deleted since, something was built upon one or a later run
/// brought it again, nothing is done and the report names what stands against it; with `force` all of
/// that goes too. Later is what began later.
///
/// # Errors
/// `UnknownRun`, `AlreadyRolledBack`, or `Store`; nothing was changed.
pub async fn rollback(
    storage: &dyn Storage,
    run: RunId,
    force: bool,
    at: Timestamp,
) -> Result<RollbackReport, MigrateError> {
    let step = "taking the run back";
    let mut writer = storage.writer().await.map_err(MigrateError::store(step))?;
    let standing = writer.run(run).await.map_err(MigrateError::store(step))?;
    let Some(standing) = standing else {
        return Err(MigrateError::UnknownRun { run });
    };
    if standing.status == RunStatus::RolledBack {
        return Err(MigrateError::AlreadyRolledBack { run });
    }

    let mut report = RollbackReport {
        run,
        rolled_back: false,
        forced: force,
        removed: BTreeMap::new(),
        changed: KeyList::default(),
        gone: KeyList::default(),
        built_upon: KeyList::default(),
    };
    let shown = u32::try_from(SHOWN_FINDINGS).unwrap_or(u32::MAX);
    // One more than is shown tells that there are more.
    let built_upon = writer
        .built_upon(run, shown + 1)
        .await
        .map_err(MigrateError::store(step))?;
    for key in built_upon {
        report.built_upon.add(&key);
    }
    // After that, because asking it keeps others from writing until the transaction ends.
    for kind in RecordKind::ALL {
        compare(writer.as_mut(), kind, &mut report).await?;
    }
    if report.is_blocked() && !force {
        // Nothing was written; dropping the writer ends its transaction.
        report.removed.clear();
        return Ok(report);
    }

    let removed = writer
        .delete_run(run)
        .await
        .map_err(MigrateError::store(step))?;
    let expected: u64 = report.removed.values().sum();
    if removed != expected {
        return Err(MigrateError::Contract {
            party: "the target",
            problem: format!("it removed {removed} records of the run where {expected} stood"),
        });
    }
    report.rolled_back = true;
    let told = with_rollback(standing, &report);
    writer
        .close_run(run, RunStatus::RolledBack, at, told)
        .await
        .map_err(MigrateError::store(step))?;
    writer.commit().await.map_err(MigrateError::store(step))?;
    Ok(report)
}

/// Lists the transfers into a store, newest first, at most `limit`.
///
/// # Errors
/// `Store` if the store cannot be asked.
pub async fn runs(storage: &dyn Storage, limit: u32) -> Result<Vec<TransferRun>, MigrateError> {
    let step = "listing the runs";
    // A store that is only read can be asked too.
    let mut reader = storage.reader().await.map_err(MigrateError::store(step))?;
    reader.runs(limit).await.map_err(MigrateError::store(step))
}

/// Compares the records of one kind with the run's ledger.
async fn compare(
    writer: &mut dyn RecordWriter,
    kind: RecordKind,
    report: &mut RollbackReport,
) -> Result<(), MigrateError> {
    let step = "comparing the run's records with what it inserted";
    let mut after: Option<RecordKey> = None;
    loop {
        let entries = writer
            .read_back(report.run, kind, after.as_ref(), BATCH_SIZE_DEFAULT)
            .await
            .map_err(MigrateError::store(step))?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        after = Some(last.key.clone());
        for (entry, record) in entries {
            match record {
                None => report.gone.add(&entry.key),
                Some(record) => {
                    *report.removed.entry(kind.table()).or_default() += 1;
                    if record.digest() != entry.digest {
                        report.changed.add(&entry.key);
                    }
                }
            }
        }
    }
}

/// The run's report, with what became of it.
fn with_rollback(run: TransferRun, report: &RollbackReport) -> JsonObject {
    let mut told = run.report;
    told.insert(
        "rollback".to_owned(),
        json!({ "forced": report.forced, "removed": report.removed }),
    );
    told
}

impl RollbackReport {
    fn is_blocked(&self) -> bool {
        [&self.changed, &self.gone, &self.built_upon]
            .iter()
            .any(|list| list.count > 0)
    }
}

impl KeyList {
    fn add(&mut self, key: &RecordKey) {
        self.count += 1;
        if self.first.len() < SHOWN_FINDINGS {
            self.first.push(key.to_string());
        }
    }
}

impl Display for RollbackReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, list) in [
            ("changed since", &self.changed),
            ("deleted since", &self.gone),
            (
                "built upon the run's records, or brought again by a later run",
                &self.built_upon,
            ),
        ] {
            if list.count == 0 {
                continue;
            }
            writeln!(f, "{what}:")?;
            for key in &list.first {
                writeln!(f, "  {key}")?;
            }
            if list.count > list.first.len() as u64 {
                writeln!(f, "  … and more")?;
            }
        }
        if self.rolled_back {
            let removed: u64 = self.removed.values().sum();
            let tables: Vec<String> = self
                .removed
                .iter()
                .map(|(table, count)| format!("{table}: {count}"))
                .collect();
            writeln!(
                f,
                "run {} is rolled back: {} removed ({})",
                self.run,
                counted(removed, "record"),
                tables.join(", ")
            )
        } else {
            writeln!(
                f,
                "run {} was not rolled back, and nothing was changed; --force removes its records \
                 with what changed, what was built upon them and what a later run brought again",
                self.run
            )
        }
    }
}
