//! Transfers that are cut off by SIGKILL, each proved to have been at work.

use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::postgres::Postgres;
use crate::sandbox::{Said, Sandbox, ask};

/// How many rows a batch of these transfers has.
pub(crate) const BATCH: &str = "20";

/// Longer than any of these transfers takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// A store that transfers write to.
pub(crate) enum Target<'a> {
    Sqlite(&'a Sandbox, String),
    Postgres(Postgres),
}

impl<'a> Target<'a> {
    /// A file with the newest schema and nothing else.
    pub(crate) fn sqlite(sandbox: &'a Sandbox, name: &str) -> Target<'a> {
        let target = Target::Sqlite(sandbox, name.to_owned());
        let said = sandbox.run(&["migrate", "up", "--url", name]);
        assert_eq!(said.status, 0, "{said:?}");
        target
    }

    /// The same, by a name that nobody has yet.
    pub(crate) fn new_sqlite(sandbox: &'a Sandbox) -> Target<'a> {
        Target::sqlite(sandbox, &format!("target-{:x}.db", random(u64::MAX)))
    }

    /// A schema with the newest migrations and nothing else.
    pub(crate) fn postgres(sandbox: &'a Sandbox) -> Target<'a> {
        Target::Postgres(Postgres::migrated(sandbox))
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Target::Sqlite(_, name) => name.clone(),
            Target::Postgres(postgres) => postgres.url(),
        }
    }

    pub(crate) fn ask(&self, sql: &str) -> String {
        match self {
            Target::Sqlite(sandbox, name) => ask(&sandbox.path(name), sql),
            Target::Postgres(postgres) => postgres.ask(sql),
        }
    }

    /// How many rows the unfinished run has done as far as it lasts, if there is one.
    pub(crate) fn done(&self) -> Option<u64> {
        let done = self.ask(
            "select coalesce(max(cast(report->'checkpoint'->>'done' as integer)), -1)
             from transfer_runs where status = 'running'",
        );
        done.parse().ok()
    }
}

/// The arguments of a resumable transfer.
pub(crate) fn resumable<'a>(from: &'a str, to: &'a str) -> Vec<&'a str> {
    let args = ["migrate", "--from", from, "--to", to, "--resumable"];
    [
        &args[..],
        &["--batch-size", BATCH, "--allow-quarantine", "--json"],
    ]
    .concat()
}

/// Starts a resumable transfer and kills it once so many rows are done as far as it lasts, and a
/// moment has passed. Returns how many were done by then; `None` if the transfer ended before.
pub(crate) fn kill(
    sandbox: &Sandbox,
    target: &Target<'_>,
    args: &[&str],
    rows: u64,
    moment: Duration,
) -> Option<u64> {
    let mut child = started(sandbox, target, args, rows)?;
    sleep(moment);
    if !cut_off(&mut child) {
        return None;
    }
    // It had begun; and it had not ended, or there is no unfinished run any more.
    let done = target.done()?;
    assert!(done >= rows, "{done} of {rows}");
    Some(done)
}

/// Starts a resumable transfer, and returns once so many rows are done as far as it lasts; `None` if
/// it ended before.
pub(crate) fn started(
    sandbox: &Sandbox,
    target: &Target<'_>,
    args: &[&str],
    rows: u64,
) -> Option<Child> {
    let mut child = sandbox.start(args);
    let begun = Instant::now();
    while target.done().is_none_or(|done| done < rows) {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{:?}", Said::of(child));
            return None;
        }
        assert!(begun.elapsed() < PATIENCE, "no {rows} rows were done");
        sleep(Duration::from_millis(2));
    }
    Some(child)
}

/// Starts a transfer that is not resumable, and returns once it carries rows.
pub(crate) fn started_atomic(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut child = sandbox.start(args);
    let said = child.stderr.as_mut().unwrap();
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        said.read_exact(&mut byte).unwrap();
        line.extend(byte);
    }
    let progress: Value = serde_json::from_slice(&line).unwrap();
    assert!(progress["done"].as_u64().unwrap() > 0, "{progress}");
    child
}

/// Starts a transfer that is not resumable, and kills it while it carries rows.
pub(crate) fn kill_atomic(sandbox: &Sandbox, args: &[&str], moment: Duration) {
    let mut child = started_atomic(sandbox, args);
    sleep(moment);
    assert!(cut_off(&mut child), "it had ended before");
}

/// Kills a program, and says whether that was what ended it.
fn cut_off(child: &mut Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().signal() == Some(9)
}

/// A number below `bound` that nobody can foretell.
pub(crate) fn random(bound: u64) -> u64 {
    RandomState::new().hash_one(0) % bound
}

/// A short time that nobody can foretell.
pub(crate) fn any_moment() -> Duration {
    Duration::from_millis(random(40))
}
