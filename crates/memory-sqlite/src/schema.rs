//! The schema's migrations.

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::MigrationHarness;
use memory_migrations::SQLITE;
use memory_storage::{BoxError, MigrationState, SchemaAdmin, StorageError};

use crate::connection::{APPLICATION_ID, Place, Role};
use crate::error::{Failure, storage_error};
use crate::executor::{Executor, Reading};
use crate::owner::{Owner, owner};
use crate::pool::Pool;
use crate::reindex;

#[async_trait]
impl SchemaAdmin for Pool {
    async fn status(&self) -> Result<Vec<MigrationState>, StorageError> {
        let reading = Reading::of("reading the schema's version").snapshot();
        self.read(reading, |connection| Ok(states(connection)?))
            .await
    }

    async fn up(&self) -> Result<Vec<String>, StorageError> {
        self.change(up).await
    }

    async fn down(&self, steps: u32) -> Result<Vec<String>, StorageError> {
        self.change(move |place| down(place, steps)).await
    }

    async fn unindexed(&self) -> Result<u64, StorageError> {
        let reading = Reading::of("counting what is to be indexed");
        self.read(reading.snapshot().scan(true), reindex::left)
            .await
    }

    async fn reindex(&self) -> Result<u64, StorageError> {
        self.change(reindex::anew).await
    }
}

impl Pool {
    /// Changes the schema in the writer's turn, so that no write of this process is in the way.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Place) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let _pass = self.gate.enter()?;
        let place = self.place.clone();
        self.writer()?
            .alone("changing the schema", move |_| Ok(change(&place)?))
            .await
    }
}

diesel::table! {
    /// Diesel's own.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// Every migration, oldest first: those of this program and those that are applied. It writes
/// nothing, unlike diesel's own look, which makes the table.
pub(crate) fn states(connection: &mut SqliteConnection) -> QueryResult<Vec<MigrationState>> {
    let applied = applied(connection)?;
    let known = known();
    let mut states: Vec<MigrationState> = known
        .iter()
        .map(|migration| MigrationState {
            name: migration.name().to_string(),
            applied: applied.contains(&version(&**migration)),
            known: true,
        })
        .collect();
    let versions: Vec<String> = known
        .iter()
        .map(|migration| version(&**migration))
        .collect();
    let unknown = applied
        .into_iter()
        .filter(|version| !versions.contains(version));
    states.extend(unknown.map(|name| MigrationState {
        name,
        applied: true,
        known: false,
    }));
    Ok(states)
}

/// What to say if the store has migrations that this program does not know.
pub(crate) fn newer(states: &[MigrationState]) -> Option<String> {
    states.iter().find(|state| !state.known).map(|state| {
        format!(
            "migration {} is applied, which this program does not know; use a newer program",
            state.name
        )
    })
}

/// Applies what is pending, all or nothing, and indexes what was written before there was an index.
/// Whoever comes second finds nothing to do.
pub(crate) fn up(place: &Place) -> Result<Vec<String>, StorageError> {
    let done = change(place, |connection| {
        check_known(connection)?;
        let applied = applied(connection)?;
        let mut done = Vec::new();
        for migration in known() {
            if !applied.contains(&version(&*migration)) {
                connection
                    .run_migration(&*migration)
                    .map_err(|error| failed("applying a migration", error))?;
                done.push(migration.name().to_string());
            }
        }
        Ok(done)
    })?;
    reindex::resume(place)?;
    Ok(done)
}

/// Reverts the newest migrations, all or nothing.
fn down(place: &Place, steps: u32) -> Result<Vec<String>, StorageError> {
    change(place, |connection| {
        check_known(connection)?;
        let applied = applied(connection)?;
        let mut done = Vec::new();
        let newest_first = known().into_iter().rev();
        let to_revert = newest_first.filter(|migration| applied.contains(&version(&**migration)));
        for migration in to_revert.take(steps as usize) {
            connection
                .revert_migration(&*migration)
                .map_err(|error| failed("reverting a migration", error))?;
            done.push(migration.name().to_string());
        }
        Ok(done)
    })
}

/// Runs a change in one transaction on a connection with foreign keys off, and checks afterwards
/// that they hold: rebuilding a table with them on would delete the rows that refer to it.
fn change(
    place: &Place,
    change: impl FnOnce(&mut SqliteConnection) -> Result<Vec<String>, Failure>,
) -> Result<Vec<String>, StorageError> {
    const STEP: &str = "changing the schema";
    let mut connection = place.connect(Role::Migrator).map_err(|error| {
        let source = error.into();
        StorageError::Unavailable { step: STEP, source }
    })?;
    let begun = std::time::Instant::now();
    connection
        .immediate_transaction(|connection| {
            if let Owner::Other(_) = owner(connection)? {
                return Err(refuse("the file has become another program's".to_owned()));
            }
            connection.batch_execute(&format!("pragma application_id = {APPLICATION_ID}"))?;
            // Diesel's look at what is applied makes its table, which its bookkeeping needs.
            MigrationHarness::<Sqlite>::applied_migrations(connection)
                .map_err(|error| failed(STEP, error))?;
            let done = change(connection)?;
            check_foreign_keys(connection)?;
            Ok(done)
        })
        .map_err(|failure: Failure| failure.into_error(STEP, begun.elapsed()))
}

fn check_known(connection: &mut SqliteConnection) -> Result<(), Failure> {
    match newer(&states(connection)?) {
        None => Ok(()),
        Some(problem) => Err(refuse(problem)),
    }
}

fn check_foreign_keys(connection: &mut SqliteConnection) -> Result<(), Failure> {
    #[derive(QueryableByName)]
    struct Broken {
        #[diesel(sql_type = diesel::sql_types::Text)]
        table: String,
        #[diesel(sql_type = diesel::sql_types::Text)]
        parent: String,
    }
    let broken: Option<Broken> =
        diesel::sql_query("select \"table\", parent from pragma_foreign_key_check limit 1")
            .get_result(connection)
            .optional()?;
    match broken {
        None => Ok(()),
        Some(Broken { table, parent }) => {
            let problem = format!("a row of {table} would refer to nothing in {parent}");
            Err(failed("checking the foreign keys", problem.into()))
        }
    }
}

/// The versions that are applied, oldest first.
fn applied(connection: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    use __diesel_schema_migrations as migrations;
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        tables: i64,
    }
    let table = diesel::sql_query(
        "select count(*) as tables from sqlite_schema \
         where type = 'table' and name = '__diesel_schema_migrations'",
    )
    .get_result::<Count>(connection)?;
    if table.tables == 0 {
        return Ok(Vec::new());
    }
    migrations::table
        .select(migrations::version)
        .order(migrations::version)
        .load(connection)
}

/// The migrations of this program, oldest first.
fn known() -> Vec<Box<dyn Migration<Sqlite>>> {
    let mut migrations: Vec<Box<dyn Migration<Sqlite>>> = SQLITE
        .migrations()
        .expect("they are embedded, and were read when they were compiled");
    migrations.sort_unstable_by(|a, b| a.name().version().cmp(&b.name().version()));
    migrations
}

fn version(migration: &dyn Migration<Sqlite>) -> String {
    let name = migration.name();
    let version: MigrationVersion<'_> = name.version();
    version.to_string()
}

fn refuse(problem: String) -> Failure {
    Failure::Refused(StorageError::SchemaMismatch { problem })
}

fn failed(step: &'static str, source: BoxError) -> Failure {
    // A lock that another process holds is nothing that a migration did.
    match source.downcast::<diesel::result::Error>() {
        Ok(error) => Failure::Refused(storage_error(*error, step, std::time::Duration::default())),
        Err(source) => Failure::Refused(StorageError::Backend { step, source }),
    }
}
