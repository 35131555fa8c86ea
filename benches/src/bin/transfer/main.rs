//! Moves one file in the shape of JARVIS into empty databases of a PostgreSQL server, by `memory
//! migrate` and by pgloader in turns, and prints what each took. `cargo xtask transfer-bench` builds
//! the command, starts a server and runs this.

mod file;
mod measure;

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use tokio_postgres::NoTls;

use self::file::Rows;
use self::measure::{Measured, measure, median};

/// The variable that names the server.
const URL_VARIABLE: &str = "MEMORY_TEST_POSTGRES_URL";

/// Compares `memory migrate` with pgloader.
#[derive(Debug, Parser)]
struct Args {
    /// The command `memory` that is measured
    #[arg(long, value_name = "PROGRAM")]
    memory: PathBuf,
    /// The size of the file: 100 is 100,000 entities, 250,000 relationships, 10,000 missions and
    /// 20,000 snapshots
    #[arg(long, value_name = "PERCENT", default_value_t = 100)]
    percent: i64,
    /// How many bytes of prose each entity and relationship has beside
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    text: usize,
    /// Moves into a file of SQLite, without pgloader
    #[arg(long)]
    sqlite: bool,
    /// How often each is run
    #[arg(long, value_name = "TIMES", default_value_t = 3)]
    rounds: usize,
    /// Leaves pgloader out
    #[arg(long)]
    alone: bool,
    /// Further arguments of `memory migrate`, such as `--no-verify`
    #[arg(last = true)]
    more: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let server = std::env::var(URL_VARIABLE)
        .map_err(|_| format!("{URL_VARIABLE} is not set; run `cargo xtask transfer-bench`"))?;
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("jarvis.db");
    let rows = Rows::percent(args.percent, args.text);
    file::make(&source, rows)?;
    let megabytes = source.metadata()?.len() / 1_000_000;
    println!("{} rows, {megabytes} MB", rows.total());

    let with_pgloader =
        !args.alone && !args.sqlite && Command::new("pgloader").arg("--version").output().is_ok();
    if !with_pgloader {
        println!("without pgloader");
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let url = if args.sqlite {
            fresh_file(folder.path())?
        } else {
            fresh(&server, "transfer_memory").await?
        };
        let mut command = Command::new(&args.memory);
        command
            .args(["migrate", "--create-schema", "--from"])
            .arg(&source)
            .args(["--to", &url])
            .args(&args.more)
            .current_dir(folder.path());
        ours.push(told("memory", rows, measure(&mut command)?));
        if with_pgloader {
            let url = fresh(&server, "transfer_pgloader").await?;
            let mut command = Command::new("pgloader");
            command.arg(&source).arg(url).current_dir(folder.path());
            theirs.push(told("pgloader", rows, measure(&mut command)?));
        }
    }
    let ours = median(&ours);
    if !theirs.is_empty() {
        let theirs = median(&theirs);
        println!(
            "medians: memory {ours:.2} s, pgloader {theirs:.2} s, ratio {:.2}",
            ours / theirs
        );
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
fn told(name: &str, rows: Rows, measured: Measured) -> Measured {
    let rate = rows.total() as f64 / measured.seconds;
    let peak = measured
        .peak_kilobytes
        .map_or_else(String::new, |peak| format!(", {} MB at most", peak / 1_000));
    println!(
        "{name:>9} {:.2} s, {rate:.0} rows/s{peak}",
        measured.seconds
    );
    measured
}

/// The URL of a file that is not there.
fn fresh_file(folder: &Path) -> Result<String, Box<dyn Error>> {
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::remove_file(folder.join(format!("memory.db{suffix}"))) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(format!("sqlite://{}", folder.join("memory.db").display()))
}

/// Makes an empty database in place of the one before, and returns its URL.
async fn fresh(server: &str, name: &str) -> Result<String, Box<dyn Error>> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    tokio::spawn(connection);
    let drop = format!("drop database if exists {name} with (force)");
    client.execute(&drop, &[]).await?;
    let create = format!("create database {name}");
    client.execute(&create, &[]).await?;
    // What the runs before left to do must not be counted here.
    client.execute("checkpoint", &[]).await?;
    let (server, _) = server.rsplit_once('/').ok_or("the URL names no database")?;
    Ok(format!("{server}/{name}"))
}
