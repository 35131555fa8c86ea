//! Opening a store: whose file it is, whether it can be used, whether its schema fits.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_storage::{
    BoxError, Config, OpenError, SchemaPolicy, SqliteLocation, SqliteTarget, StatementLog,
    StorageError, Target,
};
use tempfile::TempDir;

use crate::connection::{Access, ConnectError, Connection, Place, Role};
use crate::error::Trouble;
use crate::meter::Meter;
use crate::owner::{self, Owner};
use crate::{reindex, schema};

/// A file that is ours and can be used, with the writer's connection if it may be written.
pub(crate) struct Opened {
    pub(crate) place: Arc<Place>,
    pub(crate) writer: Option<Connection>,
}

/// Opens the file, and creates or upgrades its schema where that is wanted. Blocks.
pub(crate) fn open(config: &Config, target: &SqliteTarget) -> Result<Opened, OpenError> {
    let opening = Opening { config };
    let (path, temporary) = opening.locate(target)?;
    let access = match (target.read_only, target.create) {
        (true, _) => opening.read_access(&path)?,
        (false, true) => Access::Create,
        (false, false) => Access::Write,
    };
    let mut place = Place {
        path,
        access,
        synchronous: target.synchronous,
        busy_timeout: target.busy_timeout.unwrap_or(config.pool.acquire_timeout),
        meter: Arc::<Meter>::default(),
        log: StatementLog::new("sqlite", config),
        temporary: Mutex::new(temporary),
    };
    if access.writes() {
        let writer = opening.writable(&place)?;
        let place = Arc::new(place);
        opening.bring_up(&place)?;
        Ok(Opened {
            place,
            writer: Some(writer),
        })
    } else {
        opening.readable(&mut place)?;
        let place = Arc::new(place);
        opening.bring_up(&place)?;
        Ok(Opened {
            place,
            writer: None,
        })
    }
}

struct Opening<'a> {
    config: &'a Config,
}

impl Opening<'_> {
    /// The file's absolute path; for `sqlite::memory:` one in a new private folder.
    fn locate(&self, target: &SqliteTarget) -> Result<(PathBuf, Option<TempDir>), OpenError> {
        match &target.location {
            SqliteLocation::Memory => {
                let folder = tempfile::Builder::new()
                    .prefix("memory-")
                    .tempdir()
                    .map_err(|error| self.failed("making a temporary folder", error))?;
                Ok((folder.path().join("memory.db"), Some(folder)))
            }
            SqliteLocation::File(path) => {
                let path = std::path::absolute(path)
                    .map_err(|error| self.failed("making the path absolute", error))?;
                let must_exist = target.read_only || !target.create;
                self.check_file(&path, must_exist)?;
                Ok((path, None))
            }
        }
    }

    /// Finds what SQLite would say no more of than that it cannot open the file.
    fn check_file(&self, path: &Path, must_exist: bool) -> Result<(), OpenError> {
        match path.metadata() {
            Ok(data) if data.is_dir() => {
                return Err(self.inaccessible("it is a folder; name a file in it", None));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let parent = path.parent().unwrap_or(path);
                if !parent.exists() {
                    let problem = format!("create the folder {} first", parent.display());
                    return Err(self.inaccessible(problem, Some(error.into())));
                }
                if must_exist {
                    let problem = "it does not exist; check the path, or leave out the mode to \
                                   have it made";
                    return Err(self.inaccessible(problem, Some(error.into())));
                }
                return Ok(());
            }
            Err(error) => {
                let problem = "check the rights of the folders above it";
                return Err(self.inaccessible(problem, Some(error.into())));
            }
        }
        self.check_magic(path)
    }

    /// Refuses a file that does not begin as a database does. An empty one is a new database.
    fn check_magic(&self, path: &Path) -> Result<(), OpenError> {
        const MAGIC: &[u8; 16] = b"SQLite format 3\0";
        let mut start = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
            .map_err(|error| {
                self.inaccessible("give this user the right to read it", Some(error.into()))
            })?;
        if start.is_empty() || start == MAGIC {
            Ok(())
        } else {
            Err(self.not_a_database())
        }
    }

    /// Whether the file can be read beside writers, or only as it lies there.
    fn read_access(&self, path: &Path) -> Result<Access, OpenError> {
        let probe = Place {
            path: path.to_owned(),
            access: Access::Read,
            synchronous: memory_storage::Synchronous::default(),
            busy_timeout: self.config.pool.acquire_timeout,
            meter: Arc::default(),
            log: StatementLog::new("sqlite", self.config),
            temporary: Mutex::new(None),
        };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log_is_empty = Path::new(&log)
            .metadata()
            .map_or(true, |log| log.len() == 0);
        match probe.connect(Role::Reader).and_then(|mut connection| {
            connection.batch_execute("select 1 from sqlite_schema limit 1")?;
            Ok(())
        }) {
            // SQLite cannot make the side files in which it would see writers, so there are none.
            Err(error)
                if matches!(error.trouble(), Trouble::CannotOpen | Trouble::ReadOnly)
                    && log_is_empty =>
            {
                Ok(Access::Immutable)
            }
            Err(error) => Err(self.explain(error)),
            Ok(()) => Ok(Access::Read),
        }
    }

    fn readable(&self, place: &mut Place) -> Result<(), OpenError> {
        let mut connection = self.connect(place, Role::Reader)?;
        self.check_owner(&mut connection).map(drop)
    }

    /// The writer's connection, on a file that is ours or empty, in WAL mode, and not only open for
    /// reading, which SQLite falls back to in silence.
    fn writable(&self, place: &Place) -> Result<Connection, OpenError> {
        let mut connection = self.connect(place, Role::Writer)?;
        self.check_owner(&mut connection)?;
        self.use_wal(&mut connection)?;
        // Only writing tells; it is taken back before it reaches the disk. A lock that somebody
        // else holds is as good an answer, so it is not waited for.
        let probe = connection
            .batch_execute(
                "pragma busy_timeout = 0;
                 begin immediate; pragma user_version = 1; rollback",
            )
            .map_err(ConnectError::from);
        match probe {
            Err(error) if error.trouble() != Trouble::Locked => return Err(self.explain(error)),
            _ => {}
        }
        let restore = format!("pragma busy_timeout = {}", place.busy_timeout.as_millis());
        connection
            .batch_execute(&restore)
            .map_err(|error| self.failed("setting the busy timeout", error))?;
        Ok(connection)
    }

    fn connect(&self, place: &Place, role: Role) -> Result<Connection, OpenError> {
        place.connect(role).map_err(|error| self.explain(error))
    }

    /// Refuses a file of somebody else's: ours says so in its header, a new one has no tables.
    fn check_owner(&self, connection: &mut SqliteConnection) -> Result<(), OpenError> {
        let owner = owner::owner(connection).map_err(|error| self.explain(error.into()))?;
        match owner {
            Owner::Us | Owner::Nobody => Ok(()),
            Owner::Other(tables) => Err(OpenError::ForeignFile {
                path: self.shown(),
                hint: owner::hint(&tables, &self.shown()),
            }),
        }
    }

    /// Switches to write-ahead logging, once in the file's life.
    fn use_wal(&self, connection: &mut SqliteConnection) -> Result<(), OpenError> {
        let begun = Instant::now();
        loop {
            match journal_mode(connection) {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(mode) => {
                    let problem = format!(
                        "the file system does not support SQLite's shared memory (journal mode \
                         {mode}); put the file on a local disk"
                    );
                    return Err(self.inaccessible(problem, None));
                }
                // The switch needs the file for itself and does not wait for the busy timeout.
                Err(error)
                    if Trouble::of_error(&error) == Trouble::Locked
                        && begun.elapsed() < self.config.pool.acquire_timeout =>
                {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(self.explain(error.into())),
            }
        }
    }

    /// Does about the schema what the policy says.
    fn bring_up(&self, place: &Place) -> Result<(), OpenError> {
        let policy = self.config.schema;
        if policy == SchemaPolicy::Ignore {
            return Ok(());
        }
        let mut connection = self.connect(place, Role::Reader)?;
        let state = schema::states(&mut connection)
            .map_err(|error| self.failed("reading the schema's version", error))?;
        if let Some(problem) = schema::newer(&state) {
            return Err(self.schema_mismatch(problem));
        }
        let Some(pending) = state.iter().find(|migration| !migration.applied) else {
            return self.go_on_indexing(place, &mut connection);
        };
        drop(connection);
        if policy == SchemaPolicy::Require || !place.access.writes() {
            let problem = format!(
                "migration {} is pending; run `memory migrate up --url {}`",
                pending.name, self.config
            );
            return Err(self.schema_mismatch(problem));
        }
        match schema::up(place) {
            Ok(_) => Ok(()),
            Err(StorageError::SchemaMismatch { problem }) => Err(self.schema_mismatch(problem)),
            Err(error) => Err(self.failed("applying migrations", error)),
        }
    }

    /// Ends what a program that was cut off has begun.
    fn go_on_indexing(&self, place: &Place, connection: &mut Connection) -> Result<(), OpenError> {
        if self.config.schema == SchemaPolicy::Require || !place.access.writes() {
            return Ok(());
        }
        let step = "indexing for search";
        let due = reindex::is_due(connection).map_err(|error| self.failed(step, error))?;
        if due {
            reindex::resume(place).map_err(|error| self.failed(step, error))?;
        }
        Ok(())
    }

    fn explain(&self, error: ConnectError) -> OpenError {
        match error.trouble() {
            Trouble::NotADatabase => self.not_a_database(),
            Trouble::ReadOnly => self.inaccessible(
                "it may only be read; give this user the right to write it and its folder, or \
                 open it with mode=ro",
                Some(error.into()),
            ),
            Trouble::CannotOpen => self.inaccessible(
                "SQLite needs the right to read the file and to make files beside it",
                Some(error.into()),
            ),
            Trouble::Locked => self.inaccessible(
                "another process holds it; try again when that has ended",
                Some(error.into()),
            ),
            Trouble::Full | Trouble::Schema | Trouble::Other => {
                self.failed("reading the file", error)
            }
        }
    }

    fn not_a_database(&self) -> OpenError {
        OpenError::NotADatabase { path: self.shown() }
    }

    fn inaccessible(&self, problem: impl Into<String>, source: Option<BoxError>) -> OpenError {
        OpenError::Inaccessible {
            path: self.shown(),
            problem: problem.into(),
            source,
        }
    }

    fn schema_mismatch(&self, problem: String) -> OpenError {
        OpenError::SchemaMismatch {
            target: self.config.to_string(),
            problem,
        }
    }

    fn failed(
        &self,
        step: &'static str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> OpenError {
        OpenError::Failed {
            target: self.config.to_string(),
            step,
            source: Box::new(error),
        }
    }

    /// The file as the caller named it.
    fn shown(&self) -> String {
        match &self.config.target {
            Target::Sqlite(SqliteTarget {
                location: SqliteLocation::File(path),
                ..
            }) => path.display().to_string(),
            target => target.to_string(),
        }
    }
}

fn journal_mode(connection: &mut SqliteConnection) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = diesel::sql_types::Text)]
        journal_mode: String,
    }
    diesel::sql_query("pragma journal_mode = wal")
        .get_result::<Mode>(connection)
        .map(|mode| mode.journal_mode)
}
