use std::fmt::{self, Display, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::{Password, TlsOptions};

/// The schema in which our tables live on a server, unless another is named.
const SCHEMA_DEFAULT: &str = "memory";

/// The port of a server unless another is named.
const PORT_DEFAULT: u16 = 5432;

/// Which store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file, inside the process.
    Sqlite(SqliteTarget),
    /// A server.
    Postgres(PostgresTarget),
}

/// A SQLite store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteTarget {
    /// Where it is.
    pub location: SqliteLocation,
    /// When a commit counts as stored.
    pub synchronous: Synchronous,
    /// Whether the file is only read.
    pub read_only: bool,
    /// Whether a file that is missing is made; by default it is.
    pub create: bool,
    /// How long to wait for a lock that another process holds; by default as long as a caller waits
    /// for the writer.
    pub busy_timeout: Option<Duration>,
}

/// Where a SQLite store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqliteLocation {
    /// A file.
    File(PathBuf),
    /// A private temporary file, deleted at close.
    Memory,
}

/// When SQLite waits for the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// At checkpoints: a power cut may undo the last commits, never corrupt. The default.
    #[default]
    Normal,
    /// At every commit.
    Full,
}

/// A PostgreSQL store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresTarget {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The password, as it is typed.
    pub password: Option<Password>,
    /// The database.
    pub database: String,
    /// The schema in which our tables live; by default `memory`.
    pub schema: String,
    /// What the server's list of connections shows; by default `memory`.
    pub application_name: String,
    /// How long connecting may take; by default 10 s.
    pub connect_timeout: Duration,
    /// Whether the connection is encrypted, and whom it trusts; by default if the server offers it.
    pub tls: TlsOptions,
}

impl SqliteTarget {
    /// A file that is made if it is missing.
    pub fn file(path: impl Into<PathBuf>) -> SqliteTarget {
        SqliteTarget {
            location: SqliteLocation::File(path.into()),
            synchronous: Synchronous::default(),
            read_only: false,
            create: true,
            busy_timeout: None,
        }
    }

    /// A private temporary store, deleted at close.
    pub fn memory() -> SqliteTarget {
        SqliteTarget {
            location: SqliteLocation::Memory,
            ..SqliteTarget::file("")
        }
    }

    /// Sets when a commit counts as stored.
    pub fn with_synchronous(mut self, synchronous: Synchronous) -> SqliteTarget {
        self.synchronous = synchronous;
        self
    }

    /// Only reads the file, which must be there.
    pub fn read_only(mut self) -> SqliteTarget {
        self.read_only = true;
        self
    }

    /// Refuses a file that is missing, instead of making it.
    pub fn existing(mut self) -> SqliteTarget {
        self.create = false;
        self
    }

    /// Sets how long to wait for a lock that another process holds.
    pub fn with_busy_timeout(mut self, timeout: Duration) -> SqliteTarget {
        self.busy_timeout = Some(timeout);
        self
    }
}

impl PostgresTarget {
    /// A server's database with every other default.
    pub fn new(
        host: impl Into<String>,
        user: impl Into<String>,
        database: impl Into<String>,
    ) -> PostgresTarget {
        PostgresTarget {
            host: host.into(),
            port: PORT_DEFAULT,
            user: user.into(),
            password: None,
            database: database.into(),
            schema: SCHEMA_DEFAULT.to_owned(),
            application_name: "memory".to_owned(),
            connect_timeout: Duration::from_secs(10),
            tls: TlsOptions::default(),
        }
    }

    /// Sets the port.
    pub fn with_port(mut self, port: u16) -> PostgresTarget {
        self.port = port;
        self
    }

    /// Sets the password, as it is typed: nothing in it is encoded.
    pub fn with_password(mut self, password: impl Into<String>) -> PostgresTarget {
        self.password = Some(Password::new(password));
        self
    }

    /// Sets the schema in which our tables live.
    pub fn with_schema(mut self, schema: impl Into<String>) -> PostgresTarget {
        self.schema = schema.into();
        self
    }

    /// Sets what the server's list of connections shows.
    pub fn with_application_name(mut self, name: impl Into<String>) -> PostgresTarget {
        self.application_name = name.into();
        self
    }

    /// Sets how long connecting may take.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> PostgresTarget {
        self.connect_timeout = timeout;
        self
    }

    /// Sets whether the connection is encrypted, and whom it trusts.
    pub fn with_tls(mut self, tls: TlsOptions) -> PostgresTarget {
        self.tls = tls;
        self
    }
}

impl Display for Target {
    /// The URL without password and options, but with a schema that is not the default one. Read
    /// again, it names the same store.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Sqlite(sqlite) => match &sqlite.location {
                SqliteLocation::File(path) => {
                    write!(f, "sqlite://{}", encoded(&path.to_string_lossy(), ""))
                }
                SqliteLocation::Memory => f.write_str("sqlite::memory:"),
            },
            Target::Postgres(postgres) => postgres.fmt_url(f),
        }
    }
}

impl PostgresTarget {
    fn fmt_url(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, database) = (encoded(&self.user, "@:/"), encoded(&self.database, "@:/"));
        let mut options = Vec::new();
        // The folder of a Unix socket has no place between `@` and the database.
        if self.host.starts_with('/') {
            write!(f, "postgres://{user}@/{database}")?;
            options.push(format!("host={}", encoded(&self.host, "@")));
            if self.port != PORT_DEFAULT {
                options.push(format!("port={}", self.port));
            }
        } else {
            let host = if self.host.contains(':') {
                format!("[{}]", self.host)
            } else {
                encoded(&self.host, "@/")
            };
            write!(f, "postgres://{user}@{host}:{}/{database}", self.port)?;
        }
        if self.schema != SCHEMA_DEFAULT {
            options.push(format!("schema={}", self.schema));
        }
        if options.is_empty() {
            return Ok(());
        }
        write!(f, "?{}", options.join("&"))
    }
}

/// A part of a URL, of which only that is percent-encoded that a URL, or a shell, reads otherwise.
fn encoded(part: &str, more: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for c in part.chars() {
        if c.is_ascii_control() || " !\"#$%&'()*;<>?[]^`{|}".contains(c) || more.contains(c) {
            // Only ASCII comes here.
            let _ = write!(text, "%{:02X}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{Config, PostgresTarget, SqliteTarget, Target};

    #[test]
    fn what_is_shown_is_a_url_of_the_same_store() {
        let postgres = |host: &str, user: &str, database: &str| {
            Target::Postgres(PostgresTarget::new(host, user, database))
        };
        let socket = PostgresTarget::new("/run/post gres", "u", "d").with_port(5433);
        for (target, shown) in [
            (
                Target::Sqlite(SqliteTarget::file("notes/한 a%20b?c.db")),
                "sqlite://notes/한%20a%2520b%3Fc.db",
            ),
            (Target::Sqlite(SqliteTarget::memory()), "sqlite::memory:"),
            (
                postgres("db.example", "al@ice", "a/b c"),
                "postgres://al%40ice@db.example:5432/a%2Fb%20c",
            ),
            (postgres("::1", "u", "d"), "postgres://u@[::1]:5432/d"),
            (
                Target::Postgres(socket.clone()),
                "postgres://u@/d?host=/run/post%20gres&port=5433",
            ),
            (
                Target::Postgres(socket.with_schema("brain").with_port(5432)),
                "postgres://u@/d?host=/run/post%20gres&schema=brain",
            ),
        ] {
            assert_eq!(target.to_string(), shown);
            assert_eq!(Config::from_url(shown).unwrap().target, target);
        }
    }
}
