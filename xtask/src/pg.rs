//! A throwaway PostgreSQL: `pg start|stop|url|status`, and the private servers of `test`.
//!
//! Everything is remembered under `target/pg`: one folder `shared` for `pg start`, one folder
//! `run-…` for each run of the tests.

mod account;
mod cluster;
mod hold;
mod install;
mod programs;
mod record;

use std::process::ExitCode;

use self::cluster::Cluster;
pub(crate) use self::cluster::LOCALE_VARIABLE;
pub(crate) use self::hold::{Held, hold};
use self::programs::Programs;
use self::record::{Record, Records};
use crate::cli::PgAction;
use crate::failure::{Failure, Result};

/// Runs one of the commands of `pg`.
pub(crate) fn run(action: &PgAction) -> Result<ExitCode> {
    match action {
        PgAction::Start => start(),
        PgAction::Stop => stop(),
        PgAction::Url => url(),
        PgAction::Status => status(),
    }
}

fn start() -> Result<ExitCode> {
    let programs = programs::find_or_install()?;
    let records = Records::open()?;
    // Held until the server runs, so that two starts at once make one server.
    let _lock = records.lock()?;
    record::sweep(&records, &programs)?;
    let record = records.shared();
    if let Some(url) = running(&record, &programs)? {
        eprintln!("PostgreSQL runs already");
        println!("{url}");
        return Ok(ExitCode::SUCCESS);
    }
    if record.exists() {
        eprintln!("the earlier server is gone; starting with an empty one");
        record.remove(&programs)?;
    }
    record.create()?;
    let url = record.start(&programs)?;
    eprintln!("PostgreSQL {} runs", programs.version());
    println!("{url}");
    Ok(ExitCode::SUCCESS)
}

fn stop() -> Result<ExitCode> {
    let records = Records::open()?;
    let _lock = records.lock()?;
    let record = records.shared();
    if record.exists() {
        record.remove(&Programs::find()?)?;
        eprintln!("PostgreSQL is stopped and its data removed");
    } else {
        eprintln!("no server is running");
    }
    Ok(ExitCode::SUCCESS)
}

fn url() -> Result<ExitCode> {
    let record = Records::open()?.shared();
    if record.exists()
        && let Some(url) = running(&record, &Programs::find()?)?
    {
        println!("{url}");
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(
        "no server is running: `cargo xtask pg start` starts one",
    ))
}

fn status() -> Result<ExitCode> {
    let record = Records::open()?.shared();
    if record.exists() {
        let programs = Programs::find()?;
        if running(&record, &programs)?.is_some() {
            let place = record.place()?;
            println!("running, with its data and log in {}", place.display());
            return Ok(ExitCode::SUCCESS);
        }
    }
    println!("not running");
    Ok(ExitCode::FAILURE)
}

/// Returns the URL of a record's server if it runs.
fn running(record: &Record, programs: &Programs) -> Result<Option<String>> {
    // The URL is written last: without one the start was cut short.
    let Some(url) = record.url()? else {
        return Ok(None);
    };
    let cluster = Cluster::at(record.place()?)?;
    Ok(cluster.is_running(programs)?.then_some(url))
}
