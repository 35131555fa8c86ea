use std::env;

use memory_storage::{Config, ConfigSource, OpenError, SchemaPolicy, Target};

/// The store that is used when the environment names none: a file in the working directory.
pub const DEFAULT_URL: &str = "sqlite://memory.db";

/// Where a store's URL came from. What changes a schema must not act on
/// [`UrlSource::DatabaseUrl`] unasked: that variable often names another program's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlSource {
    /// The variable `MEMORY_URL`.
    MemoryUrl,
    /// The variable `DATABASE_URL`.
    DatabaseUrl,
    /// Neither is set: [`DEFAULT_URL`].
    Default,
}

/// The store that the environment names: `MEMORY_URL`, else `DATABASE_URL`, else [`DEFAULT_URL`].
/// An empty variable counts as not set.
pub fn url_from_env() -> (String, UrlSource) {
    choose(env::var("MEMORY_URL").ok(), env::var("DATABASE_URL").ok())
}

/// The configuration that the environment names: [`url_from_env`], with every `MEMORY_…` variable.
///
/// A store that only `DATABASE_URL` names is neither made nor changed, unless
/// `MEMORY_SCHEMA_POLICY` or the URL says so: it may belong to another program.
///
/// # Errors
/// `InvalidOption` naming the variable that does not fit, or is almost an option's name, and what would be
/// accepted.
pub fn config_from_env() -> Result<(Config, UrlSource), OpenError> {
    let (url, source) = url_from_env();
    let config = ConfigSource::new(url)
        .with_variables(memory_variables()?)
        .read()?;
    Ok((guarded(config, source), source))
}

/// Every variable of the environment whose name begins with `MEMORY_`, for a [`ConfigSource`].
///
/// # Errors
/// `InvalidOption` if the value of one is not UTF-8.
pub fn memory_variables() -> Result<Vec<(String, String)>, OpenError> {
    let ours = env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        name.starts_with("MEMORY_").then_some((name, value))
    });
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(OpenError::InvalidOption {
            option: name,
            value: "…".to_owned(),
            problem: "give UTF-8".to_owned(),
        }),
    })
    .collect()
}

/// Keeps opening from changing what may be another program's.
fn guarded(mut config: Config, source: UrlSource) -> Config {
    if source == UrlSource::DatabaseUrl && config.schema == SchemaPolicy::Backend {
        config.schema = SchemaPolicy::Require;
        if let Target::Sqlite(target) = &mut config.target {
            target.create = false;
        }
    }
    config
}

fn choose(memory_url: Option<String>, database_url: Option<String>) -> (String, UrlSource) {
    let set = |url: Option<String>| url.filter(|url| !url.is_empty());
    if let Some(url) = set(memory_url) {
        (url, UrlSource::MemoryUrl)
    } else if let Some(url) = set(database_url) {
        (url, UrlSource::DatabaseUrl)
    } else {
        (DEFAULT_URL.to_owned(), UrlSource::Default)
    }
}

#[cfg(test)]
mod tests {
    use memory_storage::{Config, SchemaPolicy, Target};

    use super::{UrlSource, choose, guarded};

    #[test]
    fn memory_url_comes_before_database_url_and_that_before_the_default() {
        let some = |url: &str| Some(url.to_owned());
        assert_eq!(
            choose(some("a"), some("b")),
            ("a".to_owned(), UrlSource::MemoryUrl)
        );
        assert_eq!(
            choose(some(""), some("b")),
            ("b".to_owned(), UrlSource::DatabaseUrl)
        );
        let default = ("sqlite://memory.db".to_owned(), UrlSource::Default);
        assert_eq!(choose(None, some("")), default);
    }

    #[test]
    fn a_store_of_database_url_is_neither_made_nor_changed_unasked() {
        let opened = |url: &str, source| {
            let config = guarded(Config::from_url(url).unwrap(), source);
            let creates = match &config.target {
                Target::Sqlite(target) => target.create,
                Target::Postgres(_) => false,
            };
            (config.schema, creates)
        };
        let asked = "sqlite://m.db?schema_policy=apply";
        let (require, backend) = (SchemaPolicy::Require, SchemaPolicy::Backend);
        assert_eq!(opened("m.db", UrlSource::DatabaseUrl), (require, false));
        assert_eq!(opened("m.db", UrlSource::MemoryUrl), (backend, true));
        assert_eq!(opened("m.db", UrlSource::Default), (backend, true));
        assert_eq!(
            opened(asked, UrlSource::DatabaseUrl),
            (SchemaPolicy::Apply, true)
        );
        assert_eq!(
            opened("postgres://h/d", UrlSource::DatabaseUrl),
            (require, false)
        );
    }
}
