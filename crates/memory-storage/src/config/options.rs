//! Every option: its names, its default, how it is read and shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::source::PREFIX;
use super::values::{count, duration, on_off, shown as time, switch, timeout};
use super::{
    Config, Password, PoolOptions, PostgresTarget, RootCertificates, SchemaPolicy, SqliteTarget,
    Synchronous, Target, TlsMode, typo, url,
};
use crate::OpenError;

/// One option of a [`Config`].
#[derive(Debug)]
pub struct ConfigOption {
    /// Its name in a URL, as in `?statement_timeout=10s`.
    pub name: &'static str,
    /// The method that sets it, from Rust.
    pub builder: &'static str,
    /// What holds if nothing is said; `none` where nothing is.
    pub default: &'static str,
    /// Which stores have it.
    pub backend: OptionBackend,
    set: Set,
    show: Show,
}

/// Which stores have an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionBackend {
    /// All.
    Both,
    /// Those in a SQLite file.
    Sqlite,
    /// Those on a PostgreSQL server.
    Postgres,
}

#[derive(Debug)]
enum Set {
    Any(fn(&mut Config, &str) -> Result<(), String>),
    Sqlite(fn(&mut SqliteTarget, &str) -> Result<(), String>),
    Postgres(fn(&mut PostgresTarget, &str) -> Result<(), String>),
}

#[derive(Debug)]
enum Show {
    Any(fn(&Config) -> Option<String>),
    Sqlite(fn(&SqliteTarget) -> Option<String>),
    Postgres(fn(&PostgresTarget) -> Option<String>),
}

impl ConfigOption {
    /// Its variable in the environment.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }

    /// Whether a variable, which is none of ours, seems to be a misspelling of this one.
    fn is_meant_by(&self, variable: &str) -> bool {
        let name = variable.trim_start_matches(PREFIX).to_ascii_lowercase();
        typo::is_near(&name, self.name)
    }

    fn is_secret(&self) -> bool {
        self.name == "password"
    }
}

impl OptionBackend {
    /// As the documentation names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            OptionBackend::Both => "both",
            OptionBackend::Sqlite => "SQLite",
            OptionBackend::Postgres => "PostgreSQL",
        }
    }

    fn has(self, target: &Target) -> bool {
        match target {
            Target::Sqlite(_) => self != OptionBackend::Postgres,
            Target::Postgres(_) => self != OptionBackend::Sqlite,
        }
    }
}

const fn both(
    name: &'static str,
    builder: &'static str,
    default: &'static str,
    set: fn(&mut Config, &str) -> Result<(), String>,
    show: fn(&Config) -> Option<String>,
) -> ConfigOption {
    ConfigOption {
        name,
        builder,
        default,
        backend: OptionBackend::Both,
        set: Set::Any(set),
        show: Show::Any(show),
    }
}

const fn sqlite(
    name: &'static str,
    builder: &'static str,
    default: &'static str,
    set: fn(&mut SqliteTarget, &str) -> Result<(), String>,
    show: fn(&SqliteTarget) -> Option<String>,
) -> ConfigOption {
    ConfigOption {
        name,
        builder,
        default,
        backend: OptionBackend::Sqlite,
        set: Set::Sqlite(set),
        show: Show::Sqlite(show),
    }
}

const fn postgres(
    name: &'static str,
    builder: &'static str,
    default: &'static str,
    set: fn(&mut PostgresTarget, &str) -> Result<(), String>,
    show: fn(&PostgresTarget) -> Option<String>,
) -> ConfigOption {
    ConfigOption {
        name,
        builder,
        default,
        backend: OptionBackend::Postgres,
        set: Set::Postgres(set),
        show: Show::Postgres(show),
    }
}

/// Every option, in the order of the page that documents them.
pub(super) const ALL: &[ConfigOption] = &[
    postgres(
        "host",
        "PostgresTarget::new",
        "localhost",
        |target, value| {
            if value.is_empty() || value.contains(',') {
                return Err("give one host".to_owned());
            }
            value.clone_into(&mut target.host);
            Ok(())
        },
        |target| Some(target.host.clone()),
    ),
    postgres(
        "port",
        "PostgresTarget::with_port",
        "5432",
        |target, value| match value.parse() {
            Ok(port @ 1..) => {
                target.port = port;
                Ok(())
            }
            _ => Err("give a number from 1 to 65535".to_owned()),
        },
        |target| Some(target.port.to_string()),
    ),
    postgres(
        "database",
        "PostgresTarget::new",
        "the user's name",
        |target, value| text(value).map(|value| target.database = value),
        |target| Some(target.database.clone()),
    ),
    postgres(
        "user",
        "PostgresTarget::new",
        "postgres",
        |target, value| text(value).map(|value| target.user = value),
        |target| Some(target.user.clone()),
    ),
    postgres(
        "password",
        "PostgresTarget::with_password",
        "none",
        |target, value| {
            target.password = Some(Password::new(value));
            Ok(())
        },
        |_| None,
    ),
    postgres(
        "sslmode",
        "TlsOptions::new",
        "prefer",
        |target, value| {
            let mode = TlsMode::ALL.into_iter().find(|mode| mode.as_str() == value);
            target.tls.mode =
                mode.ok_or("give disable, allow, prefer, require, verify-ca or verify-full")?;
            Ok(())
        },
        |target| Some(target.tls.mode.as_str().to_owned()),
    ),
    postgres(
        "sslrootcert",
        "TlsOptions::with_root",
        "none",
        |target, value| {
            target.tls.root = Some(match value {
                "system" => RootCertificates::System,
                path => RootCertificates::File(file(path)?),
            });
            Ok(())
        },
        |target| {
            target.tls.root.as_ref().map(|root| match root {
                RootCertificates::System => "system".to_owned(),
                RootCertificates::File(path) => path.display().to_string(),
            })
        },
    ),
    postgres(
        "sslcert",
        "TlsOptions::with_client",
        "none",
        |target, value| file(value).map(|path| target.tls.certificate = Some(path)),
        |target| Some(target.tls.certificate.as_ref()?.display().to_string()),
    ),
    postgres(
        "sslkey",
        "TlsOptions::with_client",
        "none",
        |target, value| file(value).map(|path| target.tls.key = Some(path)),
        |target| Some(target.tls.key.as_ref()?.display().to_string()),
    ),
    postgres(
        "connect_timeout",
        "PostgresTarget::with_connect_timeout",
        "10s",
        |target, value| timeout(value).map(|value| target.connect_timeout = value),
        |target| Some(time(target.connect_timeout)),
    ),
    postgres(
        "application_name",
        "PostgresTarget::with_application_name",
        "memory",
        |target, value| {
            value.clone_into(&mut target.application_name);
            Ok(())
        },
        |target| Some(target.application_name.clone()),
    ),
    postgres(
        "schema",
        "PostgresTarget::with_schema",
        "memory",
        |target, value| url::schema(value).map(|value| target.schema = value),
        |target| Some(target.schema.clone()),
    ),
    sqlite(
        "mode",
        "SqliteTarget::read_only, SqliteTarget::existing",
        "rwc",
        |target, value| {
            (target.read_only, target.create) = match value {
                "ro" => (true, false),
                "rw" => (false, false),
                "rwc" => (false, true),
                _ => return Err("give ro, rw or rwc".to_owned()),
            };
            Ok(())
        },
        |target| {
            let mode = match (target.read_only, target.create) {
                (true, _) => "ro",
                (false, false) => "rw",
                (false, true) => "rwc",
            };
            Some(mode.to_owned())
        },
    ),
    sqlite(
        "synchronous",
        "SqliteTarget::with_synchronous",
        "normal",
        |target, value| {
            target.synchronous = match value {
                "normal" => Synchronous::Normal,
                "full" => Synchronous::Full,
                _ => return Err("give normal or full".to_owned()),
            };
            Ok(())
        },
        |target| {
            let synchronous = match target.synchronous {
                Synchronous::Normal => "normal",
                Synchronous::Full => "full",
            };
            Some(synchronous.to_owned())
        },
    ),
    sqlite(
        "busy_timeout",
        "SqliteTarget::with_busy_timeout",
        "pool_acquire_timeout",
        |target, value| timeout(value).map(|value| target.busy_timeout = Some(value)),
        |target| target.busy_timeout.map(time),
    ),
    both(
        "pool",
        "Config::with_pool",
        "standard",
        |config, value| {
            config.pool = match value {
                "light" => PoolOptions::light(),
                "standard" => PoolOptions::standard(),
                "heavy" => PoolOptions::heavy(),
                _ => return Err("give light, standard or heavy".to_owned()),
            };
            Ok(())
        },
        // What it stands for is shown.
        |_| None,
    ),
    both(
        "pool_min_idle",
        "PoolOptions::with_min_idle",
        "2",
        |config, value| count(value).map(|value| config.pool.min_idle = value),
        |config| Some(config.pool.min_idle.to_string()),
    ),
    both(
        "pool_max_size",
        "PoolOptions::with_max_size",
        "10",
        |config, value| count(value).map(|value| config.pool.max_size = value),
        |config| Some(config.pool.max_size.to_string()),
    ),
    both(
        "pool_acquire_timeout",
        "PoolOptions::with_acquire_timeout",
        "30s",
        |config, value| timeout(value).map(|value| config.pool.acquire_timeout = value),
        |config| Some(time(config.pool.acquire_timeout)),
    ),
    both(
        "pool_max_lifetime",
        "PoolOptions::with_max_lifetime",
        "1h",
        |config, value| timeout(value).map(|value| config.pool.max_lifetime = value),
        |config| Some(time(config.pool.max_lifetime)),
    ),
    both(
        "pool_idle_timeout",
        "PoolOptions::with_idle_timeout",
        "10m",
        |config, value| timeout(value).map(|value| config.pool.idle_timeout = value),
        |config| Some(time(config.pool.idle_timeout)),
    ),
    both(
        "statement_timeout",
        "Config::with_statement_timeout",
        "1m",
        |config, value| timeout(value).map(|value| config.statement_timeout = value),
        |config| Some(time(config.statement_timeout)),
    ),
    both(
        "idle_work_timeout",
        "Config::with_idle_work_timeout",
        "30s",
        |config, value| timeout(value).map(|value| config.idle_work_timeout = value),
        |config| Some(time(config.idle_work_timeout)),
    ),
    both(
        "schema_policy",
        "Config::with_schema",
        "backend",
        |config, value| {
            config.schema = match value {
                "backend" => SchemaPolicy::Backend,
                "apply" => SchemaPolicy::Apply,
                "require" => SchemaPolicy::Require,
                "ignore" => SchemaPolicy::Ignore,
                _ => return Err("give backend, apply, require or ignore".to_owned()),
            };
            Ok(())
        },
        |config| {
            let policy = match config.schema {
                SchemaPolicy::Backend => "backend",
                SchemaPolicy::Apply => "apply",
                SchemaPolicy::Require => "require",
                SchemaPolicy::Ignore => "ignore",
            };
            Some(policy.to_owned())
        },
    ),
    both(
        "slow_statement",
        "Config::with_slow_statement",
        "1s",
        |config, value| {
            config.slow_statement = match value {
                "off" => None,
                time => Some(timeout(time).map_err(|problem| format!("{problem}, or off"))?),
            };
            Ok(())
        },
        |config| Some(config.slow_statement.map_or("off".to_owned(), time)),
    ),
    both(
        "echo",
        "Config::with_echo",
        "off",
        |config, value| switch(value).map(|value| config.echo = value),
        |config| Some(on_off(config.echo)),
    ),
    ConfigOption {
        backend: OptionBackend::Postgres,
        ..both(
            "pool_check_after_idle",
            "PoolOptions::with_check_after_idle",
            "30s",
            |config, value| duration(value).map(|value| config.pool.check_after_idle = value),
            |config| Some(time(config.pool.check_after_idle)),
        )
    },
];

fn text(value: &str) -> Result<String, String> {
    if value.is_empty() {
        return Err("give a name".to_owned());
    }
    Ok(value.to_owned())
}

fn file(path: &str) -> Result<PathBuf, String> {
    if path.is_empty() {
        return Err("give a file".to_owned());
    }
    Ok(PathBuf::from(path))
}

/// The value of an option, and where it was said.
#[derive(Debug)]
pub(super) struct Setting {
    option: &'static ConfigOption,
    value: String,
    /// As an error names it: the URL's option or the variable.
    said_as: String,
}

impl Setting {
    /// Finds the option of a URL.
    pub(super) fn of_url(name: &str, value: String, target: &Target) -> Result<Setting, OpenError> {
        let Some(option) = ALL.iter().find(|option| option.name == name) else {
            let known: Vec<&str> = ALL
                .iter()
                .filter(|option| option.backend.has(target))
                .map(|option| option.name)
                .collect();
            let problem = format!("unknown option; known are {}", known.join(", "));
            // Not the value: it may be a secret that another driver takes there.
            return Err(url::invalid(name, "…", &problem));
        };
        Ok(Setting {
            option,
            value,
            said_as: name.to_owned(),
        })
    }

    /// Finds the option of a variable; `None` if it is that of another program.
    pub(super) fn variable(name: &str, value: &str) -> Result<Option<Setting>, OpenError> {
        if name == "MEMORY_PORT" && value.starts_with("tcp://") {
            let problem = "Kubernetes sets this for a service that is called memory; give the pod \
                           enableServiceLinks: false, or the variable a value of its own";
            return Err(url::invalid(name, value, problem));
        }
        if let Some(option) = ALL.iter().find(|option| option.variable() == name) {
            return Ok(Some(Setting {
                option,
                value: value.to_owned(),
                said_as: name.to_owned(),
            }));
        }
        match ALL.iter().find(|option| option.is_meant_by(name)) {
            Some(option) => {
                let problem = format!("unknown variable; is it {}?", option.variable());
                Err(url::invalid(name, "…", &problem))
            }
            None => Ok(None),
        }
    }

    /// Whether it stands for others, and so comes before them.
    pub(super) fn is_preset(&self) -> bool {
        self.option.name == "pool"
    }
}

/// Sets an option.
pub(super) fn apply(config: &mut Config, setting: &Setting) -> Result<(), OpenError> {
    let Setting {
        option,
        value,
        said_as,
    } = setting;
    let applied = if option.backend.has(&config.target) {
        let has_zero = value.contains('\0');
        match (&option.set, &mut config.target) {
            _ if has_zero => Err("remove the character U+0000".to_owned()),
            (Set::Any(set), _) => set(config, value),
            (Set::Sqlite(set), Target::Sqlite(target)) => set(target, value),
            (Set::Postgres(set), Target::Postgres(target)) => set(target, value),
            _ => Ok(()),
        }
    } else {
        let backend = option.backend.as_str();
        Err(format!(
            "it is for {backend} only, and this store is {}",
            config.target
        ))
    };
    applied.map_err(|problem| {
        let value = if option.is_secret() { "…" } else { value };
        url::invalid(said_as, value, &problem)
    })
}

/// The options in force, by name, without secrets.
pub(super) fn shown(config: &Config) -> BTreeMap<&'static str, String> {
    let fitting = ALL
        .iter()
        .filter(|option| option.backend.has(&config.target));
    fitting
        .filter_map(|option| {
            let value = match (&option.show, &config.target) {
                (Show::Any(show), _) => show(config),
                (Show::Sqlite(show), Target::Sqlite(target)) => show(target),
                (Show::Postgres(show), Target::Postgres(target)) => show(target),
                _ => None,
            };
            Some((option.name, value?))
        })
        .collect()
}

#[cfg(test)]
mod tests;
