//! Where PostgreSQL's programs are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::install;
use crate::failure::{Failure, Result};
use crate::process;

/// The oldest version that memory works with.
const OLDEST: u32 = 14;

const NEEDED: [&str; 4] = ["postgres", "initdb", "pg_ctl", "createdb"];

/// A folder that holds all programs of one supported version.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    version: String,
}

impl Programs {
    /// Finds the programs that are installed.
    pub(super) fn find() -> Result<Self> {
        let candidates = candidates();
        if let Some((folder, version)) = first_usable(&candidates, version_in) {
            return Ok(Self { folder, version });
        }
        let too_old: Vec<String> = candidates
            .iter()
            .filter_map(|folder| Some((folder, version_in(folder)?)))
            .map(|(folder, version)| format!("\n{} has {version}: too old", folder.display()))
            .collect();
        Err(Failure::new(format!(
            "PostgreSQL {OLDEST} or newer is needed and was not found{}\n{}",
            too_old.concat(),
            install::HOW_TO
        )))
    }

    /// Returns the path of one of the programs.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Returns the version, such as `15.14`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

/// Finds the programs, and installs them where nobody has to be asked.
pub(super) fn find_or_install() -> Result<Programs> {
    let missing = match Programs::find() {
        Ok(programs) => return Ok(programs),
        Err(missing) => missing,
    };
    if !install::possible()? {
        return Err(missing);
    }
    install::install()?;
    Programs::find()
}

/// Returns the folders to look into, the preferred first.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        // A link in PATH leads to the folder where the other programs are.
        if let Ok(real) = folder.join("postgres").canonicalize() {
            folders.extend(real.parent().map(Path::to_owned));
        }
        folders.push(folder);
    }
    folders.extend(process::answer("pg_config", &["--bindir"]).map(PathBuf::from));
    // Debian; the PostgreSQL project's packages for Fedora; Homebrew on both kinds of Mac.
    folders.extend(numbered("/usr/lib/postgresql", ""));
    folders.extend(numbered("/usr", "pgsql-"));
    folders.extend(numbered("/opt/homebrew/opt", "postgresql@"));
    folders.extend(numbered("/usr/local/opt", "postgresql@"));
    folders.push("/Applications/Postgres.app/Contents/Versions/latest/bin".into());
    folders
}

/// Returns `<parent>/<prefix><number>/bin` for every number that is there, newest first.
fn numbered(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((number, entry.path().join("bin")))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

fn first_usable(
    candidates: &[PathBuf],
    version_in: impl Fn(&Path) -> Option<String>,
) -> Option<(PathBuf, String)> {
    candidates.iter().find_map(|folder| {
        let version = version_in(folder)?;
        (major(&version)? >= OLDEST).then(|| (folder.clone(), version))
    })
}

/// Returns the version of a folder that has every program.
fn version_in(folder: &Path) -> Option<String> {
    if !NEEDED.iter().all(|program| folder.join(program).is_file()) {
        return None;
    }
    let postgres = folder.join("postgres");
    let answer = process::answer(postgres.to_str()?, &["--version"])?;
    version(&answer).map(str::to_owned)
}

/// Reads `15.14` out of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn version(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once("(PostgreSQL) ")?;
    rest.split_whitespace().next()
}

/// Reads the leading digits: a beta calls itself `19beta1`.
fn major(version: &str) -> Option<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit());
    version[..end.unwrap_or(version.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_answers() {
        let debian = "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)";
        assert_eq!(version(debian), Some("15.14"));
        assert_eq!(version("postgres (PostgreSQL) 19beta1"), Some("19beta1"));
        assert_eq!(version("something else"), None);
        assert_eq!(major("15.14"), Some(15));
        assert_eq!(major("19beta1"), Some(19));
        assert_eq!(major("devel"), None);
    }

    #[test]
    fn the_first_supported_version_wins() {
        let candidates = ["none", "13.4", "14.1", "17.2"].map(PathBuf::from);
        let found = first_usable(&candidates, |folder| {
            let name = folder.to_str()?;
            (name != "none").then(|| name.to_owned())
        });
        assert_eq!(found, Some(("14.1".into(), "14.1".to_owned())));
    }

    #[test]
    fn the_newest_numbered_folder_comes_first() {
        let parent = std::env::temp_dir().join(format!("xtask-numbered-{}", std::process::id()));
        for name in ["pg@9", "pg@16", "pg@15", "pg@", "other"] {
            fs::create_dir_all(parent.join(name)).unwrap();
        }
        let found = numbered(parent.to_str().unwrap(), "pg@");
        fs::remove_dir_all(&parent).unwrap();
        let expected = ["pg@16/bin", "pg@15/bin", "pg@9/bin"].map(|name| parent.join(name));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_folder_without_all_programs_has_no_version() {
        assert_eq!(version_in(Path::new("/nowhere")), None);
    }
}
