//! A private server that cannot outlive the run that needs it.
//!
//! The server is made and kept by a second process, `xtask pg-hold`, which waits for its standard
//! input to end. That happens when the first process closes it, and as well when it dies, however
//! it dies: by a failed assertion, by Ctrl-C, by `kill -9`. Should the second be killed too, the
//! next start finds the record and clears up.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};

use super::programs;
use super::record::{Records, sweep};
use crate::failure::{During, Failure, Result};
use crate::process;

/// A private server, stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    holder: Child,
    lifeline: Option<ChildStdin>,
    url: String,
    version: String,
}

impl Held {
    /// Starts a server and waits until it accepts connections.
    pub(crate) fn start() -> Result<Self> {
        let ourselves = process::ourselves()?;
        let mut holder = Command::new(ourselves)
            .arg("pg-hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own, or Ctrl-C would end it before it has cleared up.
            .process_group(0)
            .spawn()
            .during(|| format!("cannot run {} again", ourselves.display()))?;
        let lifeline = holder.stdin.take();
        let mut said = BufReader::new(holder.stdout.take().expect("stdout is piped")).lines();
        // The holder closes its output without a word if it fails, having said why on stderr.
        let mut line = || said.next().and_then(io::Result::ok);
        match (line(), line()) {
            (Some(url), Some(version)) => Ok(Self {
                holder,
                lifeline,
                url,
                version,
            }),
            _ => Err(Failure::new(format!(
                "no PostgreSQL server for this run ({})",
                holder
                    .wait()
                    .during(|| "cannot wait for the holder".to_owned())?
            ))),
        }
    }

    /// Returns the URL of the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the version of the server.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Stops the server and waits until everything is removed.
    pub(crate) fn stop(mut self) -> Result<()> {
        if self.end()? {
            return Ok(());
        }
        Err(Failure::new(
            "the PostgreSQL server was not cleared up: `cargo xtask test` tries again",
        ))
    }

    fn end(&mut self) -> Result<bool> {
        self.lifeline = None;
        let status = self.holder.wait();
        status
            .map(|status| status.success())
            .during(|| "cannot wait for the holder of PostgreSQL".to_owned())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // After `stop` both are done already; otherwise a failure is under way, and is reported.
        let _ = self.end();
    }
}

/// Holds a private server until standard input ends.
pub(crate) fn hold() -> Result<ExitCode> {
    let programs = programs::find_or_install()?;
    let records = Records::open()?;
    let lock = records.lock()?;
    sweep(&records, &programs)?;
    let (record, _alive) = records.create_run()?;
    drop(lock);
    let url = record.start(&programs)?;
    // Nobody may be listening any more; then the input has ended too.
    let _ = writeln!(io::stdout(), "{url}\n{}", programs.version());
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    let _lock = records.lock()?;
    record.remove(&programs)?;
    Ok(ExitCode::SUCCESS)
}
