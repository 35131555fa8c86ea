//! Getting PostgreSQL onto this machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::account;
use crate::failure::{During, Failure, Result};
use crate::process;

/// What a person has to type.
pub(super) const HOW_TO: &str = "\
Install it and try again; nothing needs to be set up or started:
  Debian, Ubuntu  sudo apt-get install --no-install-recommends postgresql
  Fedora          sudo dnf install postgresql-server
  macOS           brew install postgresql@17
Elsewhere: put the folder of `postgres` and `initdb` into PATH.";

/// Where the packages' scripts read settings for new clusters.
const SETTINGS: &str = "/etc/postgresql-common/createcluster.d";

/// Tells whether we can install it without asking anybody: as root with apt, as in a container.
pub(super) fn possible() -> Result<bool> {
    let apt = process::answer("apt-get", &["--version"]).is_some();
    Ok(apt && account::is_root()?)
}

/// Installs the distribution's PostgreSQL, without a server of its own.
pub(super) fn install() -> Result<()> {
    eprintln!("PostgreSQL is not installed; installing the package `postgresql`");
    let settings = Path::new(SETTINGS);
    let existed = settings.is_dir();
    let file = settings.join("memory-xtask.conf");
    fs::create_dir_all(settings)
        .and_then(|()| fs::write(&file, "create_main_cluster = false\n"))
        .during(|| format!("cannot write {}", file.display()))?;
    let outcome = apt_get(&["update"])
        .and_then(|()| apt_get(&["install", "--yes", "--no-install-recommends", "postgresql"]));
    // Whoever wants the distribution's own server later shall get it as usual.
    fs::remove_file(&file).during(|| format!("cannot remove {}", file.display()))?;
    if !existed {
        // Refused where the packages have put something into it meanwhile, and that is right.
        let _ = fs::remove_dir(settings);
    }
    outcome
}

fn apt_get(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    process::succeed(&mut command)
        .map_err(|failure| Failure::new(format!("cannot install PostgreSQL: {failure}\n{HOW_TO}")))
}
