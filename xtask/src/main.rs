//! The tasks of memory's developers: `cargo xtask help` lists them.
//!
//! Light on purpose: it starts other programs and compiles in seconds, so the first command on a
//! fresh clone answers quickly. Linux and macOS.

mod ci;
mod cli;
mod failure;
mod pg;
mod process;
mod steps;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Task};

fn main() -> ExitCode {
    let cli = Cli::parse_from(cli::literal(std::env::args_os().collect()));
    let ourselves = process::ourselves().map(|_| ());
    let outcome = ourselves.and_then(|()| match cli.task {
        Task::Demo { args } => workspace::run_example("memory-core", "demo", &args),
        Task::Migrate { args } => workspace::run_memory("migrate", &args),
        Task::Verify { args } => workspace::run_memory("verify", &args),
        Task::Check { args } => workspace::run_memory("check", &args),
        Task::Search { args } => workspace::run_memory("search", &args),
        Task::Stats { args } => workspace::run_memory("stats", &args),
        Task::Optimize { args } => workspace::run_memory("optimize", &args),
        Task::Backup { args } => workspace::run_memory("backup", &args),
        Task::Restore { args } => workspace::run_memory("restore", &args),
        Task::Export { args } => workspace::run_memory("export", &args),
        Task::Import { args } => workspace::run_memory("import", &args),
        Task::Test { args } => test::test(&args),
        Task::KillLoop => test::kill_loop(),
        Task::Bench { args } => test::bench(&args),
        Task::TransferBench { args } => test::transfer_bench(&args),
        Task::Ci => ci::ci(),
        Task::Pg { action } => pg::run(&action),
        Task::PgHold => pg::hold(),
    });
    outcome.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        ExitCode::FAILURE
    })
}
