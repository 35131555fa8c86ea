//! The command `memory`: brings stores to the newest schema, moves memory between stores and files
//! with every row accounted for, compares stores, and keeps them in order.

mod cli;
mod export;
mod failure;
mod import;
mod migrate;
mod operations;
mod outcome;
mod progress;
mod scrub;
mod signals;
mod store;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::outcome::{Outcome, print_failure, print_outcome, say};
use crate::scrub::Scrubber;

fn main() -> ExitCode {
    // An argument that is no Unicode is clap's to refuse.
    let args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let scrubber = Scrubber::new(args);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &scrubber),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => match runtime.block_on(signals::unless_stopped(run(&cli))) {
            Ok(ended) => ended,
            Err(stopped) => {
                // What blocks still is let go with the process, and not waited for.
                runtime.shutdown_background();
                return stopped.exit_code();
            }
        },
        Err(error) => Err(Failure::could_not_run(error)),
    };
    match ended {
        Ok(outcome) => print_outcome(&outcome, cli.json),
        Err(failure) => {
            let aside = cli.command.writes_data_to_stdout();
            print_failure(&failure, cli.json, aside, &scrubber)
        }
    }
}

async fn run(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Command::Migrate(args) => migrate::run(args, cli.json).await,
        Command::Verify(args) => verify::run(args, cli.json).await,
        Command::Export(args) => export::run(args, cli.json).await,
        Command::Import(args) => import::run(args, cli.json).await,
        Command::Check(args) => operations::check::run(args).await,
        Command::Search(args) => operations::search::run(args).await,
        Command::Stats(args) => operations::stats::run(args).await,
        Command::Optimize(args) => operations::optimize::run(args).await,
        Command::Backup(args) => operations::backup::run(args, cli.json).await,
        Command::Restore(args) => operations::restore::run(args, cli.json).await,
    }
}

/// Prints what clap has to say, which quotes arguments and so might quote a password.
fn usage(error: &clap::Error, scrubber: &Scrubber) -> ExitCode {
    // clap exits with 2 for a wrong use, and with 0 for help and version.
    let exit_status = u8::try_from(error.exit_code()).unwrap_or(2);
    let text = error.render().to_string();
    if error.use_stderr() {
        return say(true, &scrubber.scrub(&text), exit_status);
    }
    say(false, &text, exit_status)
}
