//! Reading a store's URL: what it names, and the options that it sets.

use percent_encoding::percent_decode_str;
use url::Url;

use super::options::Setting;
use super::{PostgresTarget, SqliteTarget, Target, bare_path};
use crate::OpenError;

/// What a URL says.
pub(super) struct Parts {
    /// The store, with every default.
    pub(super) target: Target,
    /// What the URL sets, in its order.
    pub(super) settings: Vec<Setting>,
}

pub(super) fn parse(text: &str) -> Result<Parts, OpenError> {
    if text.is_empty() {
        return Err(invalid("url", text, "give a path or a URL"));
    }
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    if matches!(place, "sqlite::memory:" | "sqlite://:memory:" | ":memory:") {
        return with_options(Target::Sqlite(SqliteTarget::memory()), query);
    }
    let Some((scheme, rest)) = text
        .split_once("://")
        .filter(|(scheme, _)| is_scheme(scheme))
    else {
        return bare_path::read(text);
    };
    match backend(scheme).as_str() {
        "sqlite" => sqlite(rest),
        "postgres" | "postgresql" => postgres(rest),
        _ => Err(unknown_scheme(scheme)),
    }
}

/// Whether a word can be a scheme at all; what cannot may be a password, and is not shown as one.
fn is_scheme(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// The scheme without SQLAlchemy's way to name a driver: `postgresql+asyncpg`, `sqlite+aiosqlite`.
pub(super) fn backend(scheme: &str) -> String {
    let word = scheme.split('+').next().unwrap_or(scheme);
    word.to_ascii_lowercase()
}

fn sqlite(rest: &str) -> Result<Parts, OpenError> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() {
        return Err(invalid(
            "url",
            "sqlite://",
            "name a file, as in sqlite://memory.db",
        ));
    }
    let target = SqliteTarget::file(decode("path", path)?);
    with_options(Target::Sqlite(target), query)
}

fn postgres(rest: &str) -> Result<Parts, OpenError> {
    // `user@/database` leaves the host out, as libpq allows and the parser does not.
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let without_host = authority.ends_with('@');
    let filled = if without_host { "localhost" } else { "" };
    // The password must not get into the error, so the text itself does not either.
    let url = Url::parse(&format!("postgres://{authority}{filled}{path}")).map_err(|error| {
        let problem = format!("{error}; write postgres://user:password@host:port/database, with %40 for @ and %2F for / in the password");
        invalid("url", "postgres://…", &problem)
    })?;
    // A password whose / or # is not encoded ends the host early, and its rest lands where it would
    // be shown.
    let stray = |part: &str| part.contains('@');
    if url.fragment().is_some() || stray(url.path()) || url.query().is_some_and(stray) {
        let problem = "percent-encode the password: %40 for @, %2F for /, %23 for #, %3F for ?";
        return Err(invalid("url", "postgres://…", problem));
    }
    // Brackets belong to the URL, not to the address.
    let host = url.host_str().filter(|_| !without_host);
    let host = host.map(|host| host.trim_matches(['[', ']']));
    let port = url.port().map(|port| port.to_string());
    let parts = [
        ("host", host),
        ("port", port.as_deref()),
        ("user", Some(url.username())),
        ("password", url.password()),
        ("database", Some(url.path().trim_start_matches('/'))),
    ];
    // The database is that of the user unless it is said.
    let target = Target::Postgres(PostgresTarget::new("localhost", "postgres", ""));
    let mut settings = Vec::new();
    for (name, value) in parts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            settings.push(Setting::of_url(name, decode(name, value)?, &target)?);
        }
    }
    let Parts {
        target,
        settings: options,
    } = with_options(target, url.query().unwrap_or(""))?;
    settings.extend(options);
    Ok(Parts { target, settings })
}

/// Splits `a=1&b=2` and decodes both sides.
pub(super) fn with_options(target: Target, query: &str) -> Result<Parts, OpenError> {
    let settings = query
        .split('&')
        .filter(|option| !option.is_empty())
        .map(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let (name, value) = (decode("option", name)?, decode(name, value)?);
            Setting::of_url(&name, value, &target)
        })
        .collect::<Result<_, _>>()?;
    Ok(Parts { target, settings })
}

fn decode(part: &str, text: &str) -> Result<String, OpenError> {
    let shown = if part == "password" { "…" } else { text };
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| invalid(part, shown, "percent-encode it as UTF-8"))?;
    if decoded.contains('\0') {
        return Err(invalid(part, shown, "remove the character U+0000"));
    }
    Ok(decoded.into_owned())
}

/// A schema's name goes into SQL text, so it is held to what needs no quoting.
pub(super) fn schema(value: &str) -> Result<String, String> {
    let plain = value.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && value
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && value.len() <= 63
        && !value.starts_with("pg_");
    if plain {
        Ok(value.to_owned())
    } else {
        let problem = "give up to 63 of a-z, 0-9 and _, starting with a letter, not with pg_";
        Err(problem.to_owned())
    }
}

pub(super) fn invalid(option: &str, value: &str, problem: &str) -> OpenError {
    OpenError::InvalidOption {
        option: option.to_owned(),
        value: value.to_owned(),
        problem: problem.to_owned(),
    }
}

fn unknown_scheme(scheme: &str) -> OpenError {
    OpenError::UnknownScheme {
        scheme: scheme.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{
        Config, ConfigSource, PostgresTarget, SqliteLocation, SqliteTarget, Synchronous, Target,
    };
    use crate::OpenError;

    fn sqlite(url: &str) -> SqliteTarget {
        match Config::from_url(url).unwrap().target {
            Target::Sqlite(target) => target,
            other @ Target::Postgres(_) => panic!("{other}"),
        }
    }

    fn postgres(url: &str) -> PostgresTarget {
        match Config::from_url(url).unwrap().target {
            Target::Postgres(target) => target,
            other @ Target::Sqlite(_) => panic!("{other}"),
        }
    }

    fn error(url: &str) -> OpenError {
        Config::from_url(url).unwrap_err()
    }

    #[test]
    fn the_scheme_chooses_the_backend() {
        let file = |path: &str| SqliteLocation::File(PathBuf::from(path));
        assert_eq!(sqlite("sqlite://memory.db").location, file("memory.db"));
        assert_eq!(
            sqlite("sqlite:///var/lib/m.db").location,
            file("/var/lib/m.db")
        );
        assert_eq!(
            sqlite("sqlite+aiosqlite://a%20b.db").location,
            file("a b.db")
        );
        assert_eq!(sqlite("notes/memory.db").location, file("notes/memory.db"));
        assert_eq!(sqlite("sqlite::memory:").location, SqliteLocation::Memory);
        assert_eq!(
            sqlite("sqlite://m.db?synchronous=full").synchronous,
            Synchronous::Full
        );
        assert_eq!(postgres("postgres://h/d").host, "h");
        assert_eq!(postgres("postgresql+asyncpg://h/d").database, "d");
    }

    #[test]
    fn every_part_of_a_postgres_url_is_read() {
        let target = postgres(
            "postgres://al%40ice:p%40ss%2Fw%3A%25rd@db.example:5433/mem?application_name=x&connect_timeout=3&schema=brain",
        );
        assert_eq!(target.user, "al@ice");
        assert_eq!(target.password.unwrap().reveal(), "p@ss/w:%rd");
        assert_eq!((target.host.as_str(), target.port), ("db.example", 5433));
        assert_eq!(target.database, "mem");
        assert_eq!(target.application_name, "x");
        assert_eq!(target.connect_timeout.as_secs(), 3);
        assert_eq!(target.schema, "brain");
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(matches!(
            error("mysql://h/d"),
            OpenError::UnknownScheme { .. }
        ));
        assert!(error("sqlit://m.db").to_string().contains("sqlit"));
        assert!(error("").to_string().contains("url"));
        assert!(error("sqlite://").to_string().contains("memory.db"));
        assert!(error("sqlite:memory.db").to_string().contains("://"));
        assert!(error("sqlite://m.db?mode=x").to_string().contains("rwc"));
        assert!(
            error("postgres://h/d?colour=red")
                .to_string()
                .contains("colour")
        );
        assert!(
            error("postgres://h/d?schema=a;drop")
                .to_string()
                .contains("schema")
        );
        assert!(
            error("postgres://h/d?connect_timeout=0")
                .to_string()
                .contains("connect_timeout")
        );
    }

    #[test]
    fn no_password_is_printed() {
        let config = Config::from_url("postgres://u:secret@h/d").unwrap();
        assert!(!format!("{config:?} {config}").contains("secret"));
        let variables = [("MEMORY_PASSWORD".to_owned(), "secret".to_owned())];
        for url in ["postgres://u:secret@h/d", "postgres://u:12#secret@h/d"] {
            let source = ConfigSource::new(url).with_variables(variables.clone());
            let shown = format!("{source:?}");
            assert!(!shown.contains("secret"), "{shown}");
            assert!(shown.contains("MEMORY_PASSWORD"), "{shown}");
        }
        for url in [
            "postgres://u:secret@h:notaport/d",
            "postgres://h/d?passwd=secret",
            "postgres:u:secret@h/d",
            "postgresql+asyncpg:/u:secret@h/d",
            "postgres://u:12/secret@h/d",
            "postgres://u:12#secret@h/d",
            "postgres://u:12?secret@h/d",
        ] {
            let error = error(url);
            assert!(
                !format!("{error:?} {error}").contains("secret"),
                "{url}: {error}"
            );
        }
    }

    #[test]
    fn a_password_may_be_an_option() {
        let target = postgres("postgres://u@h/d?password=a%26b");
        assert_eq!(target.password.unwrap().reveal(), "a&b");
    }

    #[test]
    fn a_file_is_not_named_by_a_scheme_of_another_kind() {
        assert!(error("file:memory.db").to_string().contains("file:"));
        assert!(matches!(
            error("file:///m.db"),
            OpenError::UnknownScheme { .. }
        ));
    }
}
