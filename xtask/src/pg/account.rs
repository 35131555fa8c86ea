//! The system account that a server runs as.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::failure::{During, Failure, Result};
use crate::process;

/// An account other than ours: PostgreSQL refuses to run as root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Returns the account for a new server: none of its own unless we are root.
    pub(super) fn for_server() -> Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(Self::named)
            .map(Some)
            .ok_or_else(|| {
                Failure::new(
                    "PostgreSQL refuses to run as root, and there is no account `postgres` or \
                     `nobody` to run it as: create one (`useradd --system postgres`), or call this \
                     as another user",
                )
            })
    }

    /// Returns the account that owns a folder, if we have to become it.
    pub(super) fn of_owner(folder: &Path) -> Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        // Not the target of a symbolic link: that could be the data of somebody's real server.
        let owner = fs::symlink_metadata(folder)
            .during(|| format!("cannot read the owner of {}", folder.display()))?;
        Ok(Some(Self {
            uid: owner.uid(),
            gid: owner.gid(),
        }))
    }

    /// Makes a command run as this account.
    pub(super) fn become_for(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Makes this account the owner of a file or folder.
    pub(super) fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .during(|| format!("cannot give {} to uid {}", path.display(), self.uid))
    }

    /// Tells whether this account can work in a folder, that is, pass every parent.
    pub(super) fn can_enter(self, folder: &Path) -> bool {
        // Tried, not computed: modes are not all there is (ACLs, mount options).
        let mut command = Command::new("sh");
        command.args(["-c", "test -w ."]).current_dir(folder);
        self.become_for(&mut command);
        process::output(&mut command).is_ok_and(|output| output.status.success())
    }

    fn named(name: &str) -> Option<Self> {
        let uid = id(&["-u", name])?;
        let gid = id(&["-g", name])?;
        (uid != 0).then_some(Self { uid, gid })
    }
}

/// Tells whether we are root.
pub(super) fn is_root() -> Result<bool> {
    match id(&["-u"]) {
        Some(uid) => Ok(uid == 0),
        None => Err(Failure::new(
            "cannot find out whether this is root: `id -u` gave no number",
        )),
    }
}

fn id(args: &[&str]) -> Option<u32> {
    process::answer("id", args)?.parse().ok()
}
