use std::fmt::{self, Debug};

use super::options::{Setting, apply};
use super::{Config, PoolOptions, Target, url};
use crate::OpenError;

/// What a configuration is read from: a URL, the variables of the environment, and what the program
/// itself prefers where neither says anything.
///
/// What comes later counts: the program's defaults, a preset of the pool (the URL's, else the
/// variable's), the variables, the URL. What is then set on the [`Config`] itself counts most.
#[derive(Clone)]
pub struct ConfigSource {
    url: String,
    variables: Vec<(String, String)>,
    pool: PoolOptions,
}

/// What the names of our variables begin with.
pub(super) const PREFIX: &str = "MEMORY_";

/// Variables that name the store itself, or are the business of our own tests.
const OTHERS: [&str; 3] = ["MEMORY_URL", "MEMORY_TEST_", "MEMORY_PROPTEST_"];

impl ConfigSource {
    /// Reads this URL alone.
    pub fn new(url: impl Into<String>) -> ConfigSource {
        ConfigSource {
            url: url.into(),
            variables: Vec::new(),
            pool: PoolOptions::default(),
        }
    }

    /// Reads also those of these variables whose names begin with `MEMORY_`. An empty one counts as
    /// not set.
    pub fn with_variables(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> ConfigSource {
        let ours = |name: &str| {
            name.starts_with(PREFIX)
                && name != OTHERS[0]
                && !OTHERS[1..].iter().any(|other| name.starts_with(other))
        };
        self.variables = variables
            .into_iter()
            .filter(|(name, value)| ours(name) && !value.is_empty())
            .collect();
        self.variables.sort();
        self
    }

    /// Those of the variables that are no option, and resemble none: another program's.
    pub fn ignored_variables(&self) -> Vec<&str> {
        let names = self.variables.iter().map(|(name, value)| {
            let ignored = matches!(Setting::variable(name, value), Ok(None));
            ignored.then_some(name.as_str())
        });
        names.flatten().collect()
    }

    /// Takes what neither says about the pool from here.
    pub fn with_pool(mut self, pool: PoolOptions) -> ConfigSource {
        self.pool = pool;
        self
    }

    /// Puts the configuration together.
    ///
    /// # Errors
    /// `UnknownScheme`, or `InvalidOption` naming the part, option or variable that does not fit and
    /// what would.
    pub fn read(self) -> Result<Config, OpenError> {
        let url::Parts { target, settings } = url::parse(&self.url)?;
        let mut config = Config::new(target).with_pool(self.pool);
        let variables = self
            .variables
            .iter()
            .filter_map(|(name, value)| Setting::variable(name, value).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let settings: Vec<Setting> = variables.into_iter().chain(settings).collect();
        let (presets, others): (Vec<_>, Vec<_>) =
            settings.into_iter().partition(Setting::is_preset);
        for setting in presets.iter().chain(&others) {
            apply(&mut config, setting)?;
        }
        if let Target::Postgres(target) = &mut config.target
            && target.database.is_empty()
        {
            target.database.clone_from(&target.user);
        }
        Ok(config)
    }
}

impl Debug for ConfigSource {
    /// The store that is named, and the names of the variables: the URL and their values may hold a
    /// password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = ConfigSource::new(self.url.as_str()).read();
        let target = target.map_or_else(|_| "…".to_owned(), |config| config.to_string());
        let variables: Vec<&str> = self.variables.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("ConfigSource")
            .field("target", &target)
            .field("variables", &variables)
            .field("pool", &self.pool)
            .finish()
    }
}
