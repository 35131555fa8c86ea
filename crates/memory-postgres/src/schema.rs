//! The schema: what is applied, up and down, once however many processes start.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::MigrationHarness;
use memory_storage::{BoxError, MigrationState, SchemaAdmin, StorageError};

use crate::error::{Failure, migrate};
use crate::executor::read;
use crate::pool::{Lease, Pool};
use crate::reindex;
use crate::statement::Statement;

/// The administration of a store's schema.
pub(crate) struct Schema {
    pool: Arc<Pool>,
    name: String,
}

/// How long to wait before asking for the lock again.
const POLL: Duration = Duration::from_millis(50);

const HAS_TABLE: &str = "select to_regclass($1) is not null";

const APPLIED: &str = "select version from __diesel_schema_migrations order by version";

// Waiting in pg_advisory_lock itself would keep a snapshot that CREATE INDEX CONCURRENTLY, run by
// the one that has the lock, waits for in turn.
const LOCK: &str = "select pg_try_advisory_lock(hashtextextended('memory schema ' || $1, 0))";

const HAS_SCHEMA: &str = "select to_regnamespace($1) is not null";

// What a failed CREATE INDEX CONCURRENTLY leaves behind: it costs at each write and serves no read.
// One that is under way looks the same; on which table another role's is, is hidden.
const INVALID_INDEXES: &str = "select c.relname::text
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = $1 and not i.indisvalid and not exists (
        select from pg_stat_progress_create_index as p
        where p.datname = current_database() and coalesce(p.relid, i.indrelid) = i.indrelid
    )
    order by 1";

type Step = Box<dyn Migration<Pg>>;

impl Schema {
    pub(crate) fn new(pool: Arc<Pool>, name: String) -> Schema {
        Schema { pool, name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A connection of its own, beside the pool.
    pub(crate) async fn dedicated(&self) -> Result<Lease, StorageError> {
        self.pool.dedicated().await
    }

    /// Accepts a schema that is the program's, and no other.
    pub(crate) async fn require(&self) -> Result<(), StorageError> {
        let states = self.status().await?;
        refuse_unknown(&states)?;
        let how = migrate(&self.pool.config().target);
        let pending: Vec<&str> = states
            .iter()
            .filter(|state| !state.applied)
            .map(|state| state.name.as_str())
            .collect();
        if !pending.is_empty() {
            let names = pending.join(", ");
            return Err(mismatch(format!("not applied yet: {names}; {how}")));
        }
        let mut lease = self.pool.lend().await?;
        self.refuse_invalid_indexes(&mut lease).await
    }

    async fn refuse_invalid_indexes(&self, lease: &mut Lease) -> Result<(), StorageError> {
        let statement = Statement::reading("looking for invalid indexes", INVALID_INDEXES);
        let rows = self.run(lease, statement.text(&self.name)).await?;
        let names = read::<(Text,), (String,)>("looking for invalid indexes", &rows)?;
        if names.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = names
            .into_iter()
            .map(|(name,)| format!("{}.{name}", self.name))
            .collect();
        let names = names.join(", ");
        let how = migrate(&self.pool.config().target);
        let problem = format!(
            "invalid, because building failed: {names}; drop what is named with `drop index`, then {how}"
        );
        Err(mismatch(problem))
    }

    /// The versions that are applied; none if there is no schema of ours yet.
    async fn applied(&self, lease: &mut Lease) -> Result<Vec<String>, StorageError> {
        let table = format!("{}.__diesel_schema_migrations", self.name);
        let statement = Statement::reading("looking for the list of migrations", HAS_TABLE);
        if !self.holds(lease, statement.text(&table)).await? {
            return Ok(Vec::new());
        }
        let statement = Statement::reading("reading the list of migrations", APPLIED);
        let rows = self.run(lease, statement).await?;
        let versions = read::<(Text,), (String,)>("reading the list of migrations", &rows)?;
        Ok(versions.into_iter().map(|(version,)| version).collect())
    }

    async fn holds(
        &self,
        lease: &mut Lease,
        statement: Statement<'_>,
    ) -> Result<bool, StorageError> {
        let rows = self.run(lease, statement).await?;
        let rows = read::<(Bool,), (bool,)>("looking at the schema", &rows)?;
        Ok(rows.into_iter().any(|(holds,)| holds))
    }

    pub(crate) async fn run(
        &self,
        lease: &mut Lease,
        statement: Statement<'_>,
    ) -> Result<Vec<crate::connection::Row>, StorageError> {
        lease
            .run(&statement)
            .await
            .map_err(|failure| failure.of_statement(&statement, self.pool.config()))
    }

    pub(crate) async fn batch(&self, lease: &mut Lease, sql: &str) -> Result<(), StorageError> {
        let batch = lease.connection().batch(sql).await;
        batch.map_err(|failure| failure.in_work("changing the schema", self.pool.config()))
    }

    pub(crate) async fn lift_limits(&self, lease: &mut Lease) -> Result<(), StorageError> {
        let lifted = lease.connection().lift_limits().await;
        lifted.map_err(|failure| failure.in_work("lifting the limits", self.pool.config()))
    }

    /// A connection of its own that holds the lock until it closes.
    pub(crate) async fn locked(&self) -> Result<Lease, StorageError> {
        let mut lease = self.pool.dedicated().await?;
        let started = Instant::now();
        let limit = self.pool.config().pool.acquire_timeout;
        loop {
            let statement = Statement::reading("waiting for another migration", LOCK);
            if self.holds(&mut lease, statement.text(&self.name)).await? {
                break;
            }
            let waited = started.elapsed();
            if waited >= limit {
                return Err(StorageError::Busy { waited });
            }
            tokio::time::sleep(POLL).await;
        }
        // A migration takes as long as it takes; who waits for its locks is bounded still.
        self.lift_limits(&mut lease).await?;
        Ok(lease)
    }

    /// Runs migrations one after the other, each in its transaction with its entry in the list.
    async fn migrate(
        &self,
        lease: Lease,
        versions: Vec<String>,
        run: fn(&mut Harness, &Step) -> Result<(), BoxError>,
    ) -> Result<Vec<String>, StorageError> {
        let config = Arc::clone(self.pool.config());
        let running = tokio::task::spawn_blocking(move || {
            // Diesel's migrations stay on the thread where they were made.
            let steps = steps()?;
            let mut harness = Harness::from(Migrating(lease));
            let mut names = Vec::with_capacity(versions.len());
            for step in versions.iter().filter_map(|version| steps.get(version)) {
                let name = step.name().to_string();
                tracing::info!(migration = name, "changing the schema");
                run(&mut harness, step).map_err(|error| {
                    let code = harness.0.connection().last_code();
                    let source = format!("{name}: {}", crate::error::chain(error.as_ref()));
                    Failure::of_migration(source.into(), code)
                        .in_work("changing the schema", &config)
                })?;
                names.push(name);
            }
            Ok(names)
        });
        match running.await {
            Ok(result) => result,
            Err(panic) => Err(StorageError::Backend {
                step: "changing the schema",
                source: panic.into(),
            }),
        }
    }
}

#[async_trait]
impl SchemaAdmin for Schema {
    async fn status(&self) -> Result<Vec<MigrationState>, StorageError> {
        let mut lease = self.pool.lend().await?;
        let applied = self.applied(&mut lease).await?;
        Ok(states(&known()?, &applied))
    }

    async fn up(&self) -> Result<Vec<String>, StorageError> {
        let mut lease = self.locked().await?;
        self.refuse_invalid_indexes(&mut lease).await?;
        let applied = self.applied(&mut lease).await?;
        let known = known()?;
        refuse_unknown(&states(&known, &applied))?;
        let pending: Vec<String> = known
            .into_keys()
            .filter(|version| !applied.contains(version))
            .collect();
        if pending.is_empty() {
            drop(lease);
            reindex::resume(&self.pool).await?;
            return Ok(Vec::new());
        }
        // Asked first, because creating needs a right even where it has nothing to do.
        let statement = Statement::reading("looking for the schema", HAS_SCHEMA);
        if !self.holds(&mut lease, statement.text(&self.name)).await? {
            let create = format!("create schema \"{}\"", self.name);
            self.batch(&mut lease, &create).await?;
        }
        self.batch(&mut lease, diesel::migration::CREATE_MIGRATIONS_TABLE)
            .await?;
        let run = |harness: &mut Harness, step: &Step| harness.run_migration(step).map(drop);
        let done = self.migrate(lease, pending, run).await?;
        reindex::resume(&self.pool).await?;
        Ok(done)
    }

    async fn down(&self, steps: u32) -> Result<Vec<String>, StorageError> {
        let mut lease = self.locked().await?;
        let applied = self.applied(&mut lease).await?;
        let known = known()?;
        refuse_unknown(&states(&known, &applied))?;
        let newest: Vec<String> = known
            .into_keys()
            .rev()
            .filter(|version| applied.contains(version))
            .take(steps as usize)
            .collect();
        self.migrate(lease, newest, |harness, step| {
            harness.revert_migration(step).map(drop)
        })
        .await
    }

    async fn unindexed(&self) -> Result<u64, StorageError> {
        const STEP: &str = "counting what is to be indexed";
        let mut lease = self.unbounded().await?;
        let table = format!("{}.search_backlog", self.name);
        let is_there = Statement::reading(STEP, HAS_TABLE).text(&table);
        if !self.holds(&mut lease, is_there).await? {
            return Ok(0);
        }
        let statement = Statement::reading(STEP, reindex::LEFT);
        let rows = self.run(&mut lease, statement).await?;
        let left = read::<(BigInt,), (i64,)>(STEP, &rows)?;
        Ok(left.iter().map(|(rows,)| rows.unsigned_abs()).sum())
    }

    async fn reindex(&self) -> Result<u64, StorageError> {
        reindex::anew(&self.pool).await
    }
}

/// Diesel's migrations are synchronous; on a thread of their own, over our connection.
type Harness = AsyncConnectionWrapper<Migrating>;

/// Lends a connection to diesel's migrations.
struct Migrating(Lease);

impl Deref for Migrating {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        self.0.diesel()
    }
}

impl DerefMut for Migrating {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.0.connection().diesel_mut()
    }
}

/// The names of this program's migrations by version, oldest first.
fn known() -> Result<BTreeMap<String, String>, StorageError> {
    let steps = steps()?.into_iter();
    Ok(steps
        .map(|(version, step)| (version, step.name().to_string()))
        .collect())
}

/// The migrations of this program by version, oldest first.
fn steps() -> Result<BTreeMap<String, Step>, StorageError> {
    let steps = MigrationSource::<Pg>::migrations(&memory_migrations::POSTGRES);
    let steps = steps.map_err(|source| StorageError::Backend {
        step: "reading the program's own migrations",
        source,
    })?;
    let version = |step: &Step| step.name().version().to_string();
    Ok(steps
        .into_iter()
        .map(|step| (version(&step), step))
        .collect())
}

fn states(known: &BTreeMap<String, String>, applied: &[String]) -> Vec<MigrationState> {
    let mut states: BTreeMap<&str, MigrationState> = known
        .iter()
        .map(|(version, name)| {
            let state = MigrationState {
                name: name.clone(),
                applied: applied.contains(version),
                known: true,
            };
            (version.as_str(), state)
        })
        .collect();
    for version in applied {
        states.entry(version).or_insert_with(|| MigrationState {
            name: version.clone(),
            applied: true,
            known: false,
        });
    }
    states.into_values().collect()
}

fn refuse_unknown(states: &[MigrationState]) -> Result<(), StorageError> {
    let unknown: Vec<&str> = states
        .iter()
        .filter(|state| !state.known)
        .map(|state| state.name.as_str())
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let names = unknown.join(", ");
    Err(mismatch(format!(
        "it is newer than this program, which does not know {names}; use a newer version of the program"
    )))
}

fn mismatch(problem: String) -> StorageError {
    StorageError::SchemaMismatch { problem }
}
