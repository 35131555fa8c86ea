//! `memory migrate`: one file per thing that it does.

mod rollback;
mod runs;
mod schema;
mod transfer;

use clap::{Args, Subcommand};

use self::rollback::RollbackArgs;
use self::runs::RunsArgs;
use self::schema::{DownArgs, Steps};
pub(crate) use self::schema::{remedy, to_index};
use self::transfer::TransferArgs;
pub(crate) use self::transfer::{OnConflict, open_target, report_outcome};
use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Said at the end of `memory migrate --help`.
const EXAMPLES: &str = "\
Without a command and without --from, the store is brought to the newest schema. The store is --url,
else MEMORY_URL, else sqlite://memory.db.

Examples:
  memory migrate
  memory migrate status --url postgres://ada@localhost/mind
  memory migrate --from knowledge-graph.db --to memory.db
  memory migrate --from memory.db --to postgres://ada@localhost/mind --create-schema
  memory migrate --from memory.db --to postgres://ada@localhost/mind --resumable
  memory migrate --replay memory-quarantine-0198c1a2-7b3c-7d4e-8f50-123456789abc.jsonl --to memory.db
  memory migrate rollback 0198c1a2-7b3c-7d4e-8f50-123456789abc
";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{EXIT_STATUS}"))]
pub(crate) struct MigrateArgs {
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,

    #[command(flatten)]
    transfer: TransferArgs,

    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Applies pending migrations
    #[command(after_help = EXIT_STATUS)]
    Up,
    /// Reverts the newest migrations, with what their tables hold
    #[command(after_help = EXIT_STATUS)]
    Down(DownArgs),
    /// Reverts the newest migrations and applies them again
    #[command(after_help = EXIT_STATUS)]
    Redo(DownArgs),
    /// Lists the migrations and whether they are applied
    #[command(after_help = EXIT_STATUS)]
    Status,
    /// Lists the transfers into a store, newest first
    #[command(after_help = EXIT_STATUS)]
    Runs(RunsArgs),
    /// Takes back what a transfer inserted
    #[command(after_help = EXIT_STATUS)]
    Rollback(RollbackArgs),
}

pub(crate) async fn run(args: &MigrateArgs, json: bool) -> Result<Outcome, Failure> {
    let url = args.url.as_deref();
    if args.action.is_some() && args.transfer.is_asked_for() {
        let problem = "--from, --replay and --to stand alone: they go with no command of migrate";
        return Err(Failure::usage(problem).with_remedy("see `memory migrate --help`"));
    }
    match &args.action {
        None if args.transfer.is_asked_for() => transfer::run(&args.transfer, json).await,
        None | Some(Action::Up) => schema::up(url).await,
        Some(Action::Down(args)) => schema::down(url, Steps::Down, args).await,
        Some(Action::Redo(args)) => schema::down(url, Steps::Redo, args).await,
        Some(Action::Status) => schema::status(url).await,
        Some(Action::Runs(args)) => runs::run(url, args).await,
        Some(Action::Rollback(args)) => rollback::run(url, args).await,
    }
}
