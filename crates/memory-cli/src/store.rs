//! Which store is meant, and opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use memory_core::legacy::{self, LegacyKind, Recognised, SourceTimezone};
use memory_core::migrate::{RecordSource, StoreSource};
use memory_core::{
    Config, DEFAULT_URL, PoolOptions, SchemaPolicy, SqliteLocation, Storage, Target, TenantId,
    UrlSource, url_from_env,
};

use crate::failure::Failure;

/// How long closing waits for what is under way; at the end of a command nothing is.
const CLOSING: Duration = Duration::from_secs(5);

/// The store that a command acts on, and what the user should know about the choice.
pub(crate) fn chosen(url: Option<&str>) -> Result<(Config, Vec<String>), Failure> {
    if let Some(url) = url {
        return Ok((config(url)?, Vec::new()));
    }
    match url_from_env() {
        (url, UrlSource::MemoryUrl | UrlSource::Default) => Ok((config(&url)?, Vec::new())),
        (_, UrlSource::DatabaseUrl) => {
            let note = format!(
                "DATABASE_URL is set, but may belong to another program, so migrate does not act \
                 on it: this is {DEFAULT_URL}. Set MEMORY_URL or give --url to choose another store"
            );
            Ok((config(DEFAULT_URL)?, vec![note]))
        }
    }
}

/// Reads a store's URL, with the pool that one command needs.
pub(crate) fn config(url: &str) -> Result<Config, Failure> {
    let pool = PoolOptions {
        min_idle: 0,
        max_size: 4,
        ..PoolOptions::default()
    };
    Ok(Config::from_url(url)?.with_pool(pool))
}

/// Opens a store.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Storage>, Failure> {
    Ok(memory_core::connect(config).await?)
}

/// Opens a store for reading only; it must be there, with the newest schema.
pub(crate) async fn open_for_reading(url: &str) -> Result<Arc<dyn Storage>, Failure> {
    let mut config = config(url)?.with_schema(SchemaPolicy::Require);
    if let Target::Sqlite(sqlite) = &mut config.target {
        sqlite.create = false;
        sqlite.read_only = true;
        if let SqliteLocation::File(path) = &sqlite.location {
            must_be_there(path)?;
        }
    }
    open(&config).await
}

/// Closes a store. What it has to say comes too late to matter: the command's work is done.
pub(crate) async fn close(storage: &dyn Storage) {
    let _ = storage.close(CLOSING).await;
}

/// How a source is to be read.
#[derive(Debug)]
pub(crate) struct SourceOptions {
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) timezone: Option<SourceTimezone>,
    pub(crate) default_tenant: Option<TenantId>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) batch_size: u32,
}

/// Where rows come from, and the store to be closed after, if it is one.
pub(crate) struct OpenSource {
    pub(crate) source: Box<dyn RecordSource>,
    pub(crate) storage: Option<Arc<dyn Storage>>,
}

/// Opens a source: a store of ours by its URL, or a file by its content.
pub(crate) async fn open_source(url: &str, options: SourceOptions) -> Result<OpenSource, Failure> {
    let path = match &config(url)?.target {
        Target::Postgres(_) => None,
        Target::Sqlite(sqlite) => match &sqlite.location {
            SqliteLocation::Memory => {
                let problem = "--from sqlite::memory: is a new, empty store: name a file or a URL";
                return Err(Failure::usage(problem));
            }
            SqliteLocation::File(path) => Some(path.clone()),
        },
    };
    let kind = match (&options.kind, &path) {
        (None, None) => None,
        (None, Some(path)) => {
            must_be_there(path)?;
            match legacy::recognise(path)? {
                Recognised::Store => None,
                Recognised::Legacy(kind) => Some(kind),
                other => {
                    let problem = format!("{} is {other:?}, which cannot be read", path.display());
                    return Err(Failure::could_not_run(problem));
                }
            }
        }
        (Some(word), _) if word == memory_core::migrate::STORE_KIND => None,
        (Some(word), Some(path)) => {
            must_be_there(path)?;
            Some(word.parse::<LegacyKind>()?)
        }
        (Some(word), None) => {
            let problem = format!("--source-kind {word} is read from a file, not from a server");
            return Err(Failure::usage(problem));
        }
    };
    match (kind, path) {
        (Some(kind), Some(path)) => open_legacy(&path, kind, options),
        _ => open_store_source(url, &options).await,
    }
}

fn open_legacy(
    path: &Path,
    kind: LegacyKind,
    options: SourceOptions,
) -> Result<OpenSource, Failure> {
    let options = legacy::Options {
        kind: Some(kind),
        name: options.name,
        timezone: options.timezone,
        tenant: options.default_tenant,
        batch_size: options.batch_size as usize,
    };
    Ok(OpenSource {
        source: legacy::open(path, options)?,
        storage: None,
    })
}

async fn open_store_source(url: &str, options: &SourceOptions) -> Result<OpenSource, Failure> {
    for (option, given) in [
        ("--source-name", options.name.is_some()),
        ("--source-timezone", options.timezone.is_some()),
        ("--default-tenant", options.default_tenant.is_some()),
    ] {
        if given {
            let problem = format!("{option} is for files of other systems; the source is a store");
            return Err(Failure::usage(problem));
        }
    }
    let storage = open_for_reading(url).await?;
    let tenant = options.tenant.clone();
    let source = StoreSource::open(storage.as_ref(), tenant, options.batch_size).await?;
    Ok(OpenSource {
        source: Box::new(source),
        storage: Some(storage),
    })
}

/// Refuses a transfer from a store into itself, by whatever two names.
pub(crate) fn must_differ(from: &str, to: &str) -> Result<(), Failure> {
    let same = match (config(from)?.target, config(to)?.target) {
        (Target::Sqlite(a), Target::Sqlite(b)) => match (a.location, b.location) {
            (SqliteLocation::File(a), SqliteLocation::File(b)) => is_same_file(&a, &b),
            _ => false,
        },
        (Target::Postgres(a), Target::Postgres(b)) => {
            (a.host, a.port, a.database, a.schema) == (b.host, b.port, b.database, b.schema)
        }
        _ => false,
    };
    if same {
        let problem = "--from and --to are the same store";
        return Err(Failure::usage(problem).with_remedy("name another target"));
    }
    Ok(())
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (a.canonicalize(), b.canonicalize()) else {
        // One of them is not there, and what is not there is no other's file.
        return false;
    };
    a == b || identity(&a).is_some_and(|identity_a| identity(&b) == Some(identity_a))
}

/// What two hard links of one file have in common.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<PathBuf> {
    None
}

/// The file of a SQLite store that is not there yet.
pub(crate) fn missing_file(config: &Config) -> Option<PathBuf> {
    match &config.target {
        Target::Sqlite(sqlite) => match &sqlite.location {
            SqliteLocation::File(path) if !path.exists() => Some(path.clone()),
            _ => None,
        },
        Target::Postgres(_) => None,
    }
}

/// A store that is looked at, or from which something is taken, is never created by that.
pub(crate) fn existing(mut config: Config) -> Result<Config, Failure> {
    if let Some(path) = missing_file(&config) {
        let problem = format!("{} is not there", path.display());
        let remedy = "`memory migrate` makes it, with the newest schema";
        return Err(Failure::could_not_run(problem).with_remedy(remedy));
    }
    if let Target::Sqlite(sqlite) = &mut config.target {
        sqlite.create = false;
    }
    Ok(config)
}

fn must_be_there(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let problem = format!("{} is not there", path.display());
    Err(Failure::could_not_run(problem).with_remedy("check the path; a source is never created"))
}
