//! A store that is named by a path alone.

use super::url::{Parts, backend, invalid, with_options};
use super::{SqliteTarget, Target};
use crate::OpenError;

/// A path, unless it was meant as something else. What was may hold a password, so it is neither
/// shown nor made a file of.
pub(super) fn read(text: &str) -> Result<Parts, OpenError> {
    match meant_otherwise(text) {
        Some((shown, problem)) => Err(invalid("url", shown, problem)),
        None => with_options(Target::Sqlite(SqliteTarget::file(text)), ""),
    }
}

/// What of a text that seems to be no path can be shown, and what is wrong with it.
fn meant_otherwise(text: &str) -> Option<(&str, &'static str)> {
    // `sqlite:memory.db`, `postgres:db`, `postgres//host/db`.
    let word = &text[..text.find([':', '/']).unwrap_or(0)];
    let is_known = [
        "sqlite",
        "postgres",
        "postgresql",
        "mysql",
        "http",
        "https",
        "file",
    ]
    .contains(&backend(word).as_str());
    let rest = &text[word.len()..];
    if is_known && (rest.starts_with(':') || rest.starts_with("//")) {
        let shown = &text[..word.len() + usize::from(rest.starts_with(':'))];
        return Some((
            shown,
            "write :// after the scheme, or ./ before a file of that name",
        ));
    }
    let names_a_user = text
        .split_once(':')
        .is_some_and(|(_, rest)| rest.contains('@'));
    if !is_plainly_a_path(text) && (names_a_user || has_setting(text) || text.contains("://")) {
        let problem = "it is no path; write a server as postgres://user:password@host/database, \
                       and ./ before a file of that name";
        return Some(("…", problem));
    }
    let has_options = text.split_once('?').is_some_and(|(_, query)| {
        query.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
        })
    });
    let problem =
        "write sqlite:// before a path with options, and there %3F for a ? of the file's name";
    has_options.then_some(("…", problem))
}

/// `/memory.db`, `./memory.db`, `C:\memory.db`.
fn is_plainly_a_path(text: &str) -> bool {
    let drive = text.as_bytes();
    text.starts_with(['/', '\\'])
        || text.starts_with("./")
        || text.starts_with("../")
        || (drive.len() > 2
            && drive[0].is_ascii_alphabetic()
            && drive[1] == b':'
            && matches!(drive[2], b'/' | b'\\'))
}

/// Whether a text has a setting of another driver's connection string: `host=db password=…`,
/// `Server=db;Password=…`.
fn has_setting(text: &str) -> bool {
    const NAMES: [&str; 14] = [
        "host", "hostaddr", "port", "dbname", "database", "user", "username", "uid", "password",
        "passwd", "pwd", "server", "service", "sslmode",
    ];
    let mut parts: Vec<&str> = text.split('=').collect();
    parts.pop();
    parts.into_iter().any(|part| {
        let name = part.trim_end();
        let name = name.rsplit([' ', '\t', '\n', ';', '&']).next();
        name.is_some_and(|name| NAMES.contains(&name.to_ascii_lowercase().as_str()))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Config, SqliteLocation, SqliteTarget, Target};

    #[test]
    fn what_was_meant_otherwise_is_no_file_and_not_shown() {
        for (url, said) in [
            (
                "host=db user=ada password=secret dbname=mind",
                "postgres://user",
            ),
            ("dbname = secret host = db", "postgres://user"),
            (
                "Server=h;Port=5432;User Id=ada;Password=secret",
                "postgres://user",
            ),
            ("ada:secret@h/d", "postgres://user"),
            ("notes/ada:secret@h/d", "postgres://user"),
            ("postgres//u:secret@h/d", "write :// after the scheme"),
            ("postgres//secret", "write :// after the scheme"),
            ("Postgres:u:secret@h/d", "write :// after the scheme"),
            ("ada:secret@h/d://", "postgres://user"),
            ("jdbc:secret://h", "postgres://user"),
            ("secret.db?mode=ro", "sqlite://"),
            ("/var/lib/secret.db?synchronous=full", "sqlite://"),
        ] {
            let error = Config::from_url(url).unwrap_err();
            let told = format!("{error:?} {error}");
            assert!(!told.contains("secret"), "{url}: {error}");
            assert!(told.contains(said), "{url}: {error}");
        }
    }

    #[test]
    fn a_file_may_have_any_name() {
        for path in [
            "./ada:secret@h",
            "/home/a@b/notes: me@home.db",
            "../host=db",
            "C:/me@home/m.db",
            "me@home/memory.db",
            "postgres/memory.db",
            "what?.db",
        ] {
            let file = SqliteLocation::File(PathBuf::from(path));
            let target = Target::Sqlite(SqliteTarget {
                location: file,
                ..SqliteTarget::memory()
            });
            assert_eq!(Config::from_url(path).unwrap().target, target);
        }
    }
}
