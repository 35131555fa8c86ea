//! Which store is meant, and opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use memory_core::legacy::{self, LegacyKind, Recognised, SourceTimezone};
use memory_core::migrate::{Quarantined, RecordSource, ReplayedRecords, StoreSource};
use memory_core::{
    Config, ConfigSource, DEFAULT_URL, PoolOptions, SchemaPolicy, SqliteLocation, Storage, Target,
    TenantId, UrlSource, is_same_file, memory_variables, url_from_env,
};

use crate::failure::Failure;

/// How long closing waits for what is under way; at the end of a command nothing is.
const CLOSING: Duration = Duration::from_secs(5);

/// The store that a command acts on, with the options of the environment, and what the user should
/// know about the choice.
pub(crate) fn chosen(url: Option<&str>) -> Result<(Config, Vec<String>), Failure> {
    if let Some(url) = url {
        return Ok((configured(url)?, Vec::new()));
    }
    match url_from_env() {
        (url, UrlSource::MemoryUrl | UrlSource::Default) => Ok((configured(&url)?, Vec::new())),
        (_, UrlSource::DatabaseUrl) => {
            let note = format!(
                "DATABASE_URL is set, but may belong to another program, so memory does not act \
                 on it: this is {DEFAULT_URL}. Set MEMORY_URL or give --url to choose another store"
            );
            Ok((configured(DEFAULT_URL)?, vec![note]))
        }
    }
}

fn configured(url: &str) -> Result<Config, Failure> {
    let source = ConfigSource::new(url).with_variables(memory_variables()?);
    Ok(source.with_pool(PoolOptions::light()).read()?)
}

/// What a user should know about variables that are no option.
pub(crate) fn ignored_variables() -> Result<Option<String>, Failure> {
    let source = ConfigSource::new(DEFAULT_URL).with_variables(memory_variables()?);
    let ignored = source.ignored_variables();
    let ignored = (!ignored.is_empty()).then(|| ignored.join(", "));
    Ok(ignored.map(|names| format!("{names}: no option of memory, so ignored")))
}

/// What the environment says of any server, so that a password need not stand in an argument.
const OF_ANY_SERVER: [&str; 5] = [
    "MEMORY_PASSWORD",
    "MEMORY_SSLMODE",
    "MEMORY_SSLROOTCERT",
    "MEMORY_SSLCERT",
    "MEMORY_SSLKEY",
];

/// Reads the URL of one of two stores, with the pool that one command needs. What else the
/// environment says of a store is not said of either of them.
pub(crate) fn config(url: &str) -> Result<Config, Failure> {
    one_of_two(url, memory_variables()?)
}

fn one_of_two(url: &str, variables: Vec<(String, String)>) -> Result<Config, Failure> {
    let source = ConfigSource::new(url).with_pool(PoolOptions::light());
    let config = source.clone().read()?;
    if matches!(config.target, Target::Sqlite(_)) {
        return Ok(config);
    }
    let theirs = variables
        .into_iter()
        .filter(|(name, _)| OF_ANY_SERVER.contains(&name.as_str()));
    Ok(source.with_variables(theirs).read()?)
}

/// The store's file, if it is one.
pub(crate) fn file(config: &Config) -> Option<&Path> {
    match &config.target {
        Target::Sqlite(sqlite) => match &sqlite.location {
            SqliteLocation::File(path) => Some(path),
            SqliteLocation::Memory => None,
        },
        Target::Postgres(_) => None,
    }
}

/// Opens a store.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Storage>, Failure> {
    Ok(memory_core::connect(config).await?)
}

/// Opens a store for reading only; it must be there, with the newest schema.
pub(crate) async fn open_for_reading(url: &str) -> Result<Arc<dyn Storage>, Failure> {
    open_to_read(config(url)?).await
}

/// As [`open_for_reading`], where the URL is read already.
pub(crate) async fn open_to_read(config: Config) -> Result<Arc<dyn Storage>, Failure> {
    let mut config = config.with_schema(SchemaPolicy::Require);
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

impl SourceOptions {
    /// The same for a reader of another system.
    fn legacy(self, kind: Option<LegacyKind>) -> legacy::Options {
        legacy::Options {
            kind,
            name: self.name,
            timezone: self.timezone,
            tenant: self.default_tenant,
            batch_size: self.batch_size as usize,
        }
    }
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
        (None, None) => return open_server(url, None, options).await,
        (None, Some(path)) => {
            must_be_there(path)?;
            match legacy::recognise(path)? {
                Recognised::Store => None,
                Recognised::Legacy(kind) => Some(kind),
                other => return Err(other_command(path, other)),
            }
        }
        (Some(word), _) if word == memory_core::migrate::STORE_KIND => None,
        (Some(word), Some(path)) => {
            must_be_there(path)?;
            Some(word.parse::<LegacyKind>()?)
        }
        (Some(word), None) => {
            let kind = word.parse::<LegacyKind>()?;
            return open_server(url, Some(kind), options).await;
        }
    };
    match (kind, path) {
        (Some(kind), Some(path)) => open_legacy(&path, kind, options),
        _ => open_store_source(url, &options).await,
    }
}

/// Says which command reads a file that is no source of `memory migrate --from`, or of
/// `memory import`.
pub(crate) fn other_command(path: &Path, recognised: Recognised) -> Failure {
    let file = path.display();
    let (is, remedy) = match recognised {
        Recognised::Export => (
            "a file of `memory export`",
            format!("`memory import {file}`"),
        ),
        Recognised::Quarantine => (
            "the quarantine of a transfer",
            format!("mend it, then `memory migrate --replay {file} --to …`"),
        ),
        Recognised::Store => ("a store", format!("`memory migrate --from {file} --to …`")),
        Recognised::Legacy(kind) => {
            let is = format!("{file} is a file of {kind}");
            let remedy = format!("`memory migrate --from {file} --to …`");
            return Failure::could_not_run(is).with_remedy(remedy);
        }
        other => {
            let problem = format!("{file} is {other:?}, which cannot be read");
            return Failure::could_not_run(problem);
        }
    };
    Failure::could_not_run(format!("{file} is {is}")).with_remedy(remedy)
}

fn open_legacy(
    path: &Path,
    kind: LegacyKind,
    options: SourceOptions,
) -> Result<OpenSource, Failure> {
    Ok(OpenSource {
        source: legacy::open(path, options.legacy(Some(kind)))?,
        storage: None,
    })
}

/// Opens a server: one of another system if it is recognised or was asked for, else a store of ours.
async fn open_server(
    url: &str,
    kind: Option<LegacyKind>,
    options: SourceOptions,
) -> Result<OpenSource, Failure> {
    let config = config(url)?;
    let Target::Postgres(target) = &config.target else {
        return open_store_source(url, &options).await;
    };
    let location = config.target.to_string();
    let client = memory_core::connect_bare(&config).await?;
    let kind = match kind {
        Some(kind) => Some(kind),
        None => legacy::recognise_server(&client, &location, &target.schema).await?,
    };
    if kind.is_none() {
        return open_store_source(url, &options).await;
    }
    let options = options.legacy(kind);
    Ok(OpenSource {
        source: legacy::open_server(client, location, &target.schema, options).await?,
        storage: None,
    })
}

/// Opens a quarantine file, to be read as its run read its source.
pub(crate) fn open_replay(path: &Path, batch_size: u32) -> Result<OpenSource, Failure> {
    let quarantined = Quarantined::open(path)?;
    let source: Box<dyn RecordSource> = if quarantined.holds_records() {
        Box::new(ReplayedRecords::new(quarantined, batch_size)?)
    } else {
        let source = quarantined.source().clone();
        let location = path.display().to_string();
        legacy::replay(&source, location, quarantined, batch_size as usize)?
    };
    Ok(OpenSource {
        source,
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
        let remedy = format!("`memory migrate --url {config}` makes it, with the newest schema");
        return Err(Failure::could_not_run(problem).with_remedy(remedy));
    }
    if let Target::Sqlite(sqlite) = &mut config.target {
        sqlite.create = false;
    }
    Ok(config)
}

pub(crate) fn must_be_there(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let problem = format!("{} is not there", path.display());
    Err(Failure::could_not_run(problem).with_remedy("check the path; a source is never created"))
}

#[cfg(test)]
mod tests {
    use memory_core::{Target, TlsMode};

    use super::one_of_two;

    #[test]
    fn a_server_is_reached_as_the_environment_says_where_its_url_does_not() {
        let read = |url: &str| {
            let variables = [
                ("MEMORY_PASSWORD", "secret"),
                ("MEMORY_SSLMODE", "require"),
                ("MEMORY_HOST", "elsewhere"),
                ("MEMORY_SCHEMA", "other"),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            one_of_two(url, variables.to_vec()).unwrap()
        };
        let server = |url: &str| match read(url).target {
            Target::Postgres(target) => target,
            other @ Target::Sqlite(_) => panic!("{other}"),
        };
        let silent = server("postgres://u@h/d");
        assert_eq!(silent.password.unwrap().reveal(), "secret");
        assert_eq!(silent.tls.mode, TlsMode::Require);
        assert_eq!(
            (silent.host.as_str(), silent.schema.as_str()),
            ("h", "memory")
        );
        let own = server("postgres://u:own@h/d?sslmode=disable");
        assert_eq!(own.password.unwrap().reveal(), "own");
        assert_eq!(own.tls.mode, TlsMode::Disable);
        assert_eq!(read("a.db").to_string(), "sqlite://a.db");
    }
}
