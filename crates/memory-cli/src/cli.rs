//! The command line.

use clap::{Parser, Subcommand};

use crate::export::ExportArgs;
use crate::import::ImportArgs;
use crate::migrate::MigrateArgs;
use crate::operations::backup::BackupArgs;
use crate::operations::check::CheckArgs;
use crate::operations::optimize::OptimizeArgs;
use crate::operations::restore::RestoreArgs;
use crate::operations::search::SearchArgs;
use crate::operations::stats::StatsArgs;
use crate::verify::VerifyArgs;

/// Said at the end of every command's help.
pub(crate) const EXIT_STATUS: &str = "\
Exit status:
  0  everything is fine
  1  there are findings: conflicts, rows in quarantine, tables or columns without a place,
     differences, pending migrations, or something refused until --force
  2  the command line is wrong
  3  the command could not run, and no record was changed; or its report cannot be written";

/// Durable memory for AI assistants: the operator's command
#[derive(Debug, Parser)]
#[command(name = "memory", version, after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    /// Prints one JSON document on standard output, and progress as JSON lines on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Brings a store to the newest schema, or moves memory from one store to another
    Migrate(Box<MigrateArgs>),
    /// Compares two stores, record by record
    Verify(VerifyArgs),
    /// Writes a store, or one tenant of it, to a file of JSON Lines
    Export(ExportArgs),
    /// Carries a file of `memory export` into a store, every line accounted for
    Import(Box<ImportArgs>),
    /// Checks whether a store answers and its schema is the newest, or a whole round through it
    Check(CheckArgs),
    /// Searches the messages and nodes of a tenant
    Search(SearchArgs),
    /// Measures the tables of a store, and what its tenants have
    Stats(StatsArgs),
    /// Makes and mends indexes, gives back room, and counts for the planner
    Optimize(OptimizeArgs),
    /// Copies a store to a file while others write, and verifies the copy
    Backup(BackupArgs),
    /// Puts a backup in the place of a store
    Restore(RestoreArgs),
}

impl Command {
    /// Whether standard output is for data, so that what there is to say goes elsewhere.
    pub(crate) fn writes_data_to_stdout(&self) -> bool {
        matches!(self, Command::Export(args) if args.is_to_stdout())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_documents_the_exit_status() {
        for path in [
            &[][..],
            &["migrate"],
            &["migrate", "up"],
            &["verify"],
            &["export"],
            &["import"],
            &["check"],
            &["search"],
            &["stats"],
            &["optimize"],
            &["backup"],
            &["restore"],
        ] {
            let args = [&["memory"], path, &["--help"]].concat();
            let help = Cli::try_parse_from(args).unwrap_err().to_string();
            assert!(help.contains("Exit status:"), "{path:?}: {help}");
        }
    }

    #[test]
    fn json_may_stand_anywhere() {
        for args in [
            &["memory", "--json", "migrate", "up"][..],
            &["memory", "migrate", "--json", "up"],
            &["memory", "migrate", "up", "--json"],
        ] {
            assert!(Cli::try_parse_from(args).unwrap().json, "{args:?}");
        }
    }

    #[test]
    fn a_typo_gets_a_suggestion() {
        for (args, suggestion) in [
            (&["memory", "migrte"][..], "migrate"),
            (&["memory", "migrate", "statsu"], "status"),
            (&["memory", "migrate", "--form", "a", "--to", "b"], "--from"),
            (&["memory", "verfy", "a", "b"], "verify"),
            (&["memory", "chek"], "check"),
            (&["memory", "optimise"], "optimize"),
            (&["memory", "serach"], "search"),
        ] {
            let error = Cli::try_parse_from(args).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let error = error.to_string();
            assert!(
                error.contains("similar") && error.contains(suggestion),
                "{error}"
            );
        }
    }

    #[test]
    fn options_of_a_transfer_need_a_transfer() {
        for args in [
            &["memory", "migrate", "--from", "a"][..],
            &["memory", "migrate", "--to", "a"],
            &["memory", "migrate", "--dry-run"],
            &[
                "memory", "migrate", "--from", "a", "--to", "b", "--url", "c",
            ],
            &[
                "memory",
                "migrate",
                "--from",
                "a",
                "--to",
                "b",
                "--on-conflict",
                "overwrite",
            ],
        ] {
            assert_eq!(
                Cli::try_parse_from(args).unwrap_err().exit_code(),
                2,
                "{args:?}"
            );
        }
    }
}
