use std::env;

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
    use super::{UrlSource, choose};

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
}
