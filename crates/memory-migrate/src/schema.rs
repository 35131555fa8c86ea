//! The schema of any store: what is applied, up, down and redo.

use std::fmt::{self, Display};

use memory_domain::RecordKind;
use memory_storage::{MigrationState, Storage};
use serde::Serialize;

use crate::MigrateError;
use crate::text::counted;

/// How many runs are counted before reverting their table; beyond it the exact number says no more.
const COUNTED_RUNS: u32 = 1_000;

/// What is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaReport {
    /// Every migration, oldest first.
    pub migrations: Vec<MigrationState>,
    /// Messages and nodes that are still to be indexed for search, because that was cut off or is
    /// under way.
    pub unindexed: u64,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaChange {
    /// The migrations that were reverted, newest first.
    pub reverted: Vec<String>,
    /// The migrations that were applied, oldest first.
    pub applied: Vec<String>,
    /// What is applied now.
    pub schema: SchemaReport,
}

impl SchemaReport {
    /// Migrations that are still to be applied, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &MigrationState> {
        self.migrations
            .iter()
            .filter(|migration| !migration.applied)
    }

    /// Migrations that this program does not know: they are newer than it.
    pub fn unknown(&self) -> impl Iterator<Item = &MigrationState> {
        self.migrations.iter().filter(|migration| !migration.known)
    }

    /// 0 if the schema is the program's and everything is indexed for search, 1 if not.
    pub fn exit_status(&self) -> u8 {
        let is_ours = self.pending().next().is_none() && self.unknown().next().is_none();
        u8::from(!is_ours || self.unindexed > 0)
    }
}

/// Says which migrations are applied, and what is still to be indexed for search, which is counted row
/// by row; of a schema that is newer than the program that is not looked at.
///
/// # Errors
/// `Store` if the store cannot be asked.
pub async fn status(storage: &dyn Storage) -> Result<SchemaReport, MigrateError> {
    let mut report = SchemaReport {
        migrations: migrations(storage).await?,
        unindexed: 0,
    };
    if report.unknown().next().is_none() {
        let unindexed = storage.schema().unindexed().await;
        report.unindexed = unindexed.map_err(MigrateError::store(READING_STATE))?;
    }
    Ok(report)
}

const READING_STATE: &str = "reading the state of the schema";

/// Says which migrations are applied, oldest first, and looks at no row.
pub(crate) async fn migrations(storage: &dyn Storage) -> Result<Vec<MigrationState>, MigrateError> {
    let states = storage.schema().status().await;
    states.map_err(MigrateError::store(READING_STATE))
}

/// Applies what is pending.
///
/// # Errors
/// `Store` if a migration fails, or the store has migrations that this program does not know.
pub async fn up(storage: &dyn Storage) -> Result<SchemaChange, MigrateError> {
    let applied = storage.schema().up().await;
    Ok(SchemaChange {
        reverted: Vec::new(),
        applied: applied.map_err(MigrateError::store("applying migrations"))?,
        schema: status(storage).await?,
    })
}

/// Reverts the newest `steps` migrations, with what their tables hold.
///
/// # Errors
/// `WouldDelete` if they hold rows, unless `force`; `Store` if a migration fails.
pub async fn down(
    storage: &dyn Storage,
    steps: u32,
    force: bool,
) -> Result<SchemaChange, MigrateError> {
    if !force {
        refuse_to_delete(storage, steps).await?;
    }
    let reverted = storage.schema().down(steps).await;
    Ok(SchemaChange {
        reverted: reverted.map_err(MigrateError::store("reverting migrations"))?,
        applied: Vec::new(),
        schema: status(storage).await?,
    })
}

/// Reverts the newest `steps` migrations and applies them again: their tables are empty after it.
///
/// # Errors
/// As [`down`] and [`up`].
pub async fn redo(
    storage: &dyn Storage,
    steps: u32,
    force: bool,
) -> Result<SchemaChange, MigrateError> {
    let reverted = down(storage, steps, force).await?.reverted;
    let change = up(storage).await?;
    Ok(SchemaChange { reverted, ..change })
}

async fn refuse_to_delete(storage: &dyn Storage, steps: u32) -> Result<(), MigrateError> {
    let states = migrations(storage).await?;
    let applied = states.into_iter().filter(|migration| migration.applied);
    let mut migrations: Vec<String> = applied.map(|migration| migration.name).collect();
    migrations.reverse();
    migrations.truncate(steps as usize);

    let mut held = Vec::new();
    for name in &migrations {
        held.extend(rows_held(storage, name).await?);
    }
    if held.is_empty() {
        return Ok(());
    }
    Err(MigrateError::WouldDelete {
        migrations,
        held: held.join(", "),
    })
}

/// What the tables of a migration hold, such as `66 sessions`. A migration that this list does not
/// know is taken to hold everything.
async fn rows_held(storage: &dyn Storage, migration: &str) -> Result<Vec<String>, MigrateError> {
    let noun = migration.split_once('_').map_or("", |(_, noun)| noun);
    let kinds: &[RecordKind] = match noun {
        "conversations" => &[RecordKind::Tenant, RecordKind::Session, RecordKind::Message],
        "graph" => &[RecordKind::Node, RecordKind::Relationship],
        "compounds" => &[RecordKind::Compound],
        "turns" => &[RecordKind::LearnedTurn],
        "tasks" => &[RecordKind::Task],
        "missions" => &[RecordKind::Mission, RecordKind::FileSnapshot],
        "patch_requests" => &[RecordKind::PatchRequest],
        "decisions" => &[RecordKind::Decision],
        "goals" => &[RecordKind::Goal],
        "agency" => &[RecordKind::AgencySnapshot],
        "feedback" => &[RecordKind::Feedback],
        "audit" => &[RecordKind::AuditEvent],
        // A function, and indexes.
        "erasure" | "recall" | "search" => &[],
        "transfers" => return runs_held(storage).await,
        _ => &RecordKind::ALL,
    };
    let step = "counting what would be deleted";
    let mut reader = storage.reader().await.map_err(MigrateError::store(step))?;
    let mut held = Vec::new();
    for kind in kinds {
        let rows = reader
            .count(*kind, None)
            .await
            .map_err(MigrateError::store(step))?;
        if rows > 0 {
            held.push(counted(rows, kind.noun()));
        }
    }
    Ok(held)
}

async fn runs_held(storage: &dyn Storage) -> Result<Vec<String>, MigrateError> {
    let runs = crate::runs(storage, COUNTED_RUNS).await?.len() as u64;
    Ok(match runs {
        0 => Vec::new(),
        runs => vec![format!(
            "{} with what a rollback needs",
            counted(runs, "transfer run")
        )],
    })
}

impl Display for SchemaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for migration in &self.migrations {
            let state = match (migration.applied, migration.known) {
                (true, true) => "applied",
                (false, _) => "pending",
                (true, false) => "applied, and newer than this program",
            };
            writeln!(f, "  {}  {state}", migration.name)?;
        }
        if self.unindexed > 0 {
            let count = self.unindexed;
            writeln!(
                f,
                "messages and nodes still to be indexed for search: {count}"
            )?;
        }
        match (self.pending().count(), self.unknown().count()) {
            (0, 0) => writeln!(f, "the schema is up to date"),
            (pending, 0) => writeln!(f, "{} pending", verb(pending)),
            (_, unknown) => writeln!(f, "{} newer than this program", verb(unknown)),
        }
    }
}

fn verb(migrations: usize) -> String {
    match migrations {
        1 => "1 migration is".to_owned(),
        many => format!("{many} migrations are"),
    }
}

impl Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.reverted {
            writeln!(f, "reverted  {name}")?;
        }
        for name in &self.applied {
            writeln!(f, "applied   {name}")?;
        }
        if self.reverted.is_empty() && self.applied.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        self.schema.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use memory_storage::MigrationState;

    use super::SchemaReport;

    fn report(states: &[(bool, bool)]) -> SchemaReport {
        let state = |(applied, known): &(bool, bool)| MigrationState {
            name: "2026-01-01-000001_x".to_owned(),
            applied: *applied,
            known: *known,
        };
        SchemaReport {
            migrations: states.iter().map(state).collect(),
            unindexed: 0,
        }
    }

    #[test]
    fn the_exit_status_says_whether_the_schema_is_the_programs() {
        assert_eq!(report(&[(true, true)]).exit_status(), 0);
        assert_eq!(report(&[(true, true), (false, true)]).exit_status(), 1);
        assert_eq!(report(&[(true, true), (true, false)]).exit_status(), 1);
    }

    #[test]
    fn the_text_ends_with_what_is_to_be_known_first() {
        let text = report(&[(true, true), (false, true)]).to_string();
        assert!(text.ends_with("\n1 migration is pending\n"), "{text}");
        let text = report(&[(false, true), (true, false)]).to_string();
        assert!(
            text.ends_with("\n1 migration is newer than this program\n"),
            "{text}"
        );
    }
}
