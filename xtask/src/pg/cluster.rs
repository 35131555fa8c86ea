//! One PostgreSQL cluster in a folder: made, started, stopped, removed.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::programs::Programs;
use crate::failure::{During, Failure, Result};
use crate::process;

/// Both the superuser and the database.
const NAME: &str = "memory";

/// Names an ICU locale for new clusters, such as `tr`; without it they have the locale C.
pub(crate) const LOCALE_VARIABLE: &str = "MEMORY_TEST_LOCALE";

/// Fast and unsafe: what a power failure would destroy is thrown away anyhow.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''  # a long checkout path would not fit a socket's 107 bytes
max_connections = 200         # many test programs, each with a pool
fsync = off
synchronous_commit = off
full_page_writes = off
";

/// Another program may take the free port that we found before the server does.
const PORTS_TO_TRY: usize = 5;

/// A cluster: the folder `place` with `data` and `log` in it, owned by the account it runs as.
#[derive(Debug)]
pub(super) struct Cluster {
    place: PathBuf,
    account: Option<Account>,
}

impl Cluster {
    /// Makes an empty folder for a cluster, if the server's account can work there.
    pub(super) fn claim(place: &Path, account: Option<Account>) -> Result<Option<Self>> {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(place)
            .during(|| format!("cannot make the folder {}", place.display()))?;
        if let Some(account) = account {
            account.own(place)?;
            if !account.can_enter(place) {
                fs::remove_dir(place).during(|| format!("cannot remove {}", place.display()))?;
                return Ok(None);
            }
        }
        let place = place.to_owned();
        Ok(Some(Self { place, account }))
    }

    /// Returns the cluster that was made in a folder.
    pub(super) fn at(place: PathBuf) -> Result<Self> {
        let account = if place.exists() {
            Account::of_owner(&place)?
        } else {
            None
        };
        Ok(Self { place, account })
    }

    /// Initialises the cluster, starts it and returns its URL.
    pub(super) fn start(&self, programs: &Programs) -> Result<String> {
        let password = random_hex()?;
        self.initialise(programs, &password)?;
        let port = self.listen(programs)?;
        let mut createdb = self.program(programs, "createdb");
        createdb
            .args(["--host=127.0.0.1", "--username", NAME])
            .args([&format!("--port={port}"), NAME])
            .env("PGPASSWORD", &password);
        process::succeed(&mut createdb)?;
        Ok(format!(
            "postgres://{NAME}:{password}@127.0.0.1:{port}/{NAME}"
        ))
    }

    /// Tells whether the server runs.
    pub(super) fn is_running(&self, programs: &Programs) -> Result<bool> {
        if !self.data().join("postmaster.pid").exists() {
            return Ok(false);
        }
        let mut status = self.pg_ctl(programs, "status");
        Ok(process::output(&mut status)?.status.success())
    }

    /// Stops the server if it runs, and removes everything.
    pub(super) fn remove(&self, programs: &Programs) -> Result<()> {
        if self.is_running(programs)? {
            // Immediate: a checkpoint of data that is thrown away helps nobody.
            let mut stop = self.pg_ctl(programs, "stop");
            stop.args(["--mode=immediate", "--timeout=30"]);
            if let Err(failure) = process::succeed(&mut stop) {
                // A killed server may seem to run, where nobody reaps it. One that does run ends
                // itself within a minute of losing its data.
                eprintln!("warning: removing the data of a server that did not stop: {failure}");
            }
        }
        remove_folder(&self.place)
    }

    fn initialise(&self, programs: &Programs, password: &str) -> Result<()> {
        let file = self.place.join("password");
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut open| open.write_all(password.as_bytes()))
            .during(|| format!("cannot write {}", file.display()))?;
        if let Some(account) = self.account {
            account.own(&file)?;
        }
        let mut initdb = self.program(programs, "initdb");
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&file)
            .args(["--username", NAME, "--auth=scram-sha-256"])
            .args(["--encoding=UTF8", "--locale=C"])
            .args(icu_locale())
            .args(["--no-sync", "--no-instructions"]);
        process::succeed(&mut initdb)?;
        fs::remove_file(&file).during(|| format!("cannot remove {}", file.display()))?;
        let settings = self.data().join("postgresql.conf");
        OpenOptions::new()
            .append(true)
            .open(&settings)
            .and_then(|mut open| open.write_all(SETTINGS.as_bytes()))
            .during(|| format!("cannot write {}", settings.display()))
    }

    /// Starts the server on a free port, and returns the port when it accepts connections.
    fn listen(&self, programs: &Programs) -> Result<u16> {
        let log = self.place.join("log");
        for _ in 0..PORTS_TO_TRY {
            let port = free_port()?;
            remove_file_if_any(&log)?;
            let mut start = self.pg_ctl(programs, "start");
            start.arg("--log").arg(&log);
            start.args(["--wait", "--timeout=60", "--options"]);
            start.arg(format!("-p {port}"));
            if process::output(&mut start)?.status.success() {
                return Ok(port);
            }
            let text = fs::read_to_string(&log).unwrap_or_default();
            if !text.contains("could not bind") {
                return Err(Failure::new(format!(
                    "PostgreSQL {} did not start in {}; the end of its log:\n{}",
                    programs.version(),
                    self.place.display(),
                    tail(&text)
                )));
            }
        }
        Err(Failure::new(format!(
            "PostgreSQL found {PORTS_TO_TRY} ports of 127.0.0.1 taken one after the other, though \
             each was free a moment before: try again"
        )))
    }

    fn data(&self) -> PathBuf {
        self.place.join("data")
    }

    fn pg_ctl(&self, programs: &Programs, verb: &str) -> Command {
        let mut command = self.program(programs, "pg_ctl");
        command.arg(verb).arg("--pgdata").arg(self.data());
        command
    }

    /// Starts a command line that will run as the server's account.
    fn program(&self, programs: &Programs, name: &str) -> Command {
        let mut command = Command::new(programs.path(name));
        // A caller's PGPORT or PGOPTIONS must not reach this server.
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("PG") {
                command.env_remove(variable);
            }
        }
        // Ours may be closed to that account, and the programs refuse to start then.
        command.current_dir(&self.place);
        if let Some(account) = self.account {
            account.become_for(&mut command);
        }
        command
    }
}

/// Returns the arguments of `initdb` for a cluster that orders and folds text as [`LOCALE_VARIABLE`]
/// says. ICU brings its own locales, so the machine needs none; `initdb` knows it from 15 on.
fn icu_locale() -> Vec<String> {
    env::var(LOCALE_VARIABLE).map_or_else(
        |_| Vec::new(),
        |locale| {
            vec![
                "--locale-provider=icu".to_owned(),
                format!("--icu-locale={locale}"),
            ]
        },
    )
}

/// Removes a folder with what is in it; one that is missing is removed already.
pub(super) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome.during(|| format!("cannot remove {}", folder.display())),
    }
}

/// Returns 128 random bits.
pub(super) fn random_hex() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .during(|| "cannot read /dev/urandom".to_owned())?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

fn remove_file_if_any(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome.during(|| format!("cannot remove {}", file.display())),
    }
}

fn free_port() -> Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .during(|| "cannot find a free port on 127.0.0.1".to_owned())
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_twenty_lines() {
        let log = (1..=30).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(tail(&log.join("\n")), log[10..].join("\n"));
        assert_eq!(tail("one"), "one");
    }

    #[test]
    fn passwords_differ_and_need_no_escaping() {
        let (one, two) = (random_hex().unwrap(), random_hex().unwrap());
        assert_ne!(one, two);
        assert!(one.len() == 32 && one.chars().all(|c| c.is_ascii_hexdigit()));
    }
}
