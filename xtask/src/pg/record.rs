//! What is remembered about servers, in `target/pg`.

use std::env;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::cluster::{Cluster, random_hex, remove_folder};
use super::programs::Programs;
use crate::failure::{During, Failure, Result};
use crate::workspace;

/// The folder `target/pg`.
#[derive(Debug)]
pub(super) struct Records(PathBuf);

/// One server: a folder with the files `place`, `url` (written last) and, of a run, `lock`.
#[derive(Debug)]
pub(super) struct Record(PathBuf);

/// Folders outside `target` are called so, followed by random digits.
const OUTSIDE: &str = "memory-pg-";

impl Records {
    pub(super) fn open() -> Result<Self> {
        let folder = workspace::target_dir()?.join("pg");
        fs::create_dir_all(&folder).during(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Waits until no other process makes or removes records. Ends when dropped, or by our death.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.0.join("lock");
        let file = open_lock(&path)?;
        file.lock()
            .during(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    /// The record of `pg start`.
    pub(super) fn shared(&self) -> Record {
        Record(self.0.join("shared"))
    }

    /// Makes the record of a private server, alive as long as the returned file is open.
    ///
    /// To be called with the records locked, or a sweep takes it for dead.
    pub(super) fn create_run(&self) -> Result<(Record, File)> {
        let record = Record(self.0.join(format!("run-{}", random_hex()?)));
        record.create()?;
        let path = record.0.join("lock");
        let alive = open_lock(&path)?;
        alive
            .lock()
            .during(|| format!("cannot lock {}", path.display()))?;
        Ok((record, alive))
    }

    /// Returns the records of private servers whose holder is dead.
    fn dead_runs(&self) -> Result<Vec<Record>> {
        let entries =
            fs::read_dir(&self.0).during(|| format!("cannot list {}", self.0.display()))?;
        let mut dead = Vec::new();
        for entry in entries.flatten() {
            let folder = entry.path();
            if !entry.file_name().to_string_lossy().starts_with("run-") {
                continue;
            }
            match open_lock(&folder.join("lock"))?.try_lock() {
                Ok(()) => dead.push(Record(folder)),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(error).during(|| format!("cannot lock {}", folder.display()));
                }
            }
        }
        Ok(dead)
    }
}

impl Record {
    pub(super) fn exists(&self) -> bool {
        self.0.exists()
    }

    pub(super) fn create(&self) -> Result<()> {
        fs::create_dir(&self.0).during(|| format!("cannot make {}", self.0.display()))
    }

    /// Makes the server, starts it and returns its URL; a failure leaves nothing behind.
    pub(super) fn start(&self, programs: &Programs) -> Result<String> {
        let outcome = self.make_cluster().and_then(|cluster| {
            let url = cluster.start(programs)?;
            self.write("url", &url)?;
            Ok(url)
        });
        if outcome.is_err()
            && let Err(failure) = self.remove(programs)
        {
            eprintln!("warning: after a failed start: {failure}");
        }
        outcome
    }

    /// Stops the server and forgets it.
    pub(super) fn remove(&self, programs: &Programs) -> Result<()> {
        if self.0.join("place").exists() {
            Cluster::at(self.place()?)?.remove(programs)?;
        }
        remove_folder(&self.0)
    }

    /// Returns the folder of the cluster.
    pub(super) fn place(&self) -> Result<PathBuf> {
        self.read("place").map(PathBuf::from)
    }

    /// Returns the URL, if the server was ever ready.
    pub(super) fn url(&self) -> Result<Option<String>> {
        if !self.0.join("url").exists() {
            return Ok(None);
        }
        self.read("url").map(Some)
    }

    /// Finds a place where the server's account can work.
    ///
    /// Beside this record if possible. Under a home that is closed to others it is not, and the
    /// folder for temporary files serves.
    fn make_cluster(&self) -> Result<Cluster> {
        let account = Account::for_server()?;
        let outside = format!("{OUTSIDE}{}", random_hex()?);
        let places = [
            self.0.join("cluster"),
            env::temp_dir().join(&outside),
            Path::new("/tmp").join(&outside),
        ];
        for place in &places {
            // Written first: a start that is cut short must be found again.
            self.write("place", &place.to_string_lossy())?;
            if let Some(cluster) = Cluster::claim(place, account)? {
                if !place.starts_with(&self.0) {
                    let home = place.join("home");
                    fs::write(&home, self.0.as_os_str().as_encoded_bytes())
                        .during(|| format!("cannot write {}", home.display()))?;
                }
                return Ok(cluster);
            }
        }
        Err(Failure::new(format!(
            "PostgreSQL refuses to run as root, and the account that would run it can enter none \
             of {places:?}: set TMPDIR to a folder that everybody may enter"
        )))
    }

    fn read(&self, name: &str) -> Result<String> {
        let file = self.0.join(name);
        fs::read_to_string(&file).during(|| format!("cannot read {}", file.display()))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.0.join(name);
        // Private: the URL holds the password.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut open| open.write_all(text.as_bytes()))
            .during(|| format!("cannot write {}", file.display()))
    }
}

/// Removes what killed runs and removed target folders have left behind.
///
/// To be called with the records locked.
pub(super) fn sweep(records: &Records, programs: &Programs) -> Result<()> {
    for record in records.dead_runs()? {
        eprintln!("removing the server of a run that was killed");
        record.remove(programs)?;
    }
    for cluster in homeless()? {
        eprintln!("removing a server whose target folder is gone");
        cluster.remove(programs)?;
    }
    Ok(())
}

/// Returns the clusters outside `target` whose record is gone, as after `cargo clean`.
fn homeless() -> Result<Vec<Cluster>> {
    let Some(account) = Account::for_server()? else {
        return Ok(Vec::new()); // Only as root are servers placed outside.
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let place = entry.path();
        // Anybody may make such a folder in /tmp, but not one that belongs to the server's account.
        let ours = entry.file_name().to_string_lossy().starts_with(OUTSIDE)
            && Account::of_owner(&place)? == Some(account);
        if ours
            && fs::read_to_string(place.join("home")).is_ok_and(|home| !Path::new(&home).exists())
        {
            found.push(Cluster::at(place)?);
        }
    }
    Ok(found)
}

fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .during(|| format!("cannot open {}", path.display()))
}
