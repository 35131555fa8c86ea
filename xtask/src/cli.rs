//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

/// Tasks of memory's developers.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, PartialEq, Subcommand)]
pub(crate) enum Task {
    /// Shows what memory does, on an embedded store in a temporary folder
    Demo {
        /// Arguments of the example `demo` of memory-core
        args: Vec<OsString>,
    },
    /// Runs `memory migrate` from this checkout
    Migrate {
        /// Arguments of `memory migrate`
        args: Vec<OsString>,
    },
    /// Runs `memory verify` from this checkout
    Verify {
        /// Arguments of `memory verify`
        args: Vec<OsString>,
    },
    /// Runs `memory check` from this checkout
    Check {
        /// Arguments of `memory check`
        args: Vec<OsString>,
    },
    /// Runs `memory search` from this checkout
    Search {
        /// Arguments of `memory search`
        args: Vec<OsString>,
    },
    /// Runs `memory stats` from this checkout
    Stats {
        /// Arguments of `memory stats`
        args: Vec<OsString>,
    },
    /// Runs `memory optimize` from this checkout
    Optimize {
        /// Arguments of `memory optimize`
        args: Vec<OsString>,
    },
    /// Runs `memory backup` from this checkout
    Backup {
        /// Arguments of `memory backup`
        args: Vec<OsString>,
    },
    /// Runs `memory restore` from this checkout
    Restore {
        /// Arguments of `memory restore`
        args: Vec<OsString>,
    },
    /// Runs `memory export` from this checkout
    Export {
        /// Arguments of `memory export`
        args: Vec<OsString>,
    },
    /// Runs `memory import` from this checkout
    Import {
        /// Arguments of `memory import`
        args: Vec<OsString>,
    },
    /// Runs all tests, against a PostgreSQL server of their own
    Test {
        /// Further arguments of `cargo test`, such as `-p memory-core -- --nocapture`
        args: Vec<OsString>,
    },
    /// Kills resumable transfers at 50 random moments on each backend, which takes minutes
    KillLoop,
    /// Runs the benchmarks, against a PostgreSQL server of their own
    Bench {
        /// Further arguments of `cargo bench`, such as `-- --quick`
        args: Vec<OsString>,
    },
    /// Moves a large file into PostgreSQL, by us and by pgloader in turns, and compares
    TransferBench {
        /// Arguments of the comparison, such as `--percent 200`; `--help` lists them
        args: Vec<OsString>,
    },
    /// Runs every check that a change must pass
    Ci,
    /// Keeps a throwaway PostgreSQL server for trying things
    Pg {
        #[command(subcommand)]
        action: PgAction,
    },
    /// Holds a server until standard input closes: the other half of `test`
    #[command(hide = true)]
    PgHold,
}

#[derive(Debug, PartialEq, Subcommand)]
pub(crate) enum PgAction {
    /// Starts the server unless it runs, and prints its URL
    Start,
    /// Stops the server and removes its data
    Stop,
    /// Prints the URL of the running server
    Url,
    /// Tells whether the server runs (exit status 1: it does not)
    Status,
}

/// Marks what follows a task that hands its arguments on as literal.
///
/// Without it clap would take `--help` and the first `--` for itself, and
/// `cargo xtask test -- --nocapture` would reach cargo without its separator.
pub(crate) fn literal(mut args: Vec<OsString>) -> Vec<OsString> {
    let wants_help = || {
        args.get(2)
            .is_some_and(|arg| arg == "-h" || arg == "--help")
    };
    let hands_on = match args.get(1).and_then(|task| task.to_str()) {
        // Their own help is the useful one.
        Some(
            "migrate" | "verify" | "check" | "search" | "stats" | "optimize" | "backup" | "restore"
            | "export" | "import" | "transfer-bench",
        ) => true,
        Some("demo" | "test" | "bench") => !wants_help(),
        _ => false,
    };
    if hands_on {
        args.insert(2, "--".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(args: &[&str]) -> Result<Task, clap::Error> {
        let args = ["xtask"].iter().chain(args).map(OsString::from).collect();
        Cli::try_parse_from(literal(args)).map(|cli| cli.task)
    }

    fn os(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_of_migrate_are_passed_on_untouched() {
        let args = ["--from", "a.db", "--help", "--", "-x", "--"];
        let task = parse(&[&["migrate"], &args[..]].concat()).unwrap();
        assert_eq!(task, Task::Migrate { args: os(&args) });
    }

    #[test]
    fn a_leading_separator_reaches_cargo_test() {
        let task = parse(&["test", "--", "--nocapture"]).unwrap();
        let args = os(&["--", "--nocapture"]);
        assert_eq!(task, Task::Test { args });
    }

    #[test]
    fn help_of_test_is_ours() {
        let error = parse(&["test", "--help"]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp);
    }

    #[test]
    fn ci_takes_no_arguments() {
        assert!(parse(&["ci", "--fast"]).is_err());
    }
}
