//! `test`, `kill-loop`, `bench` and `transfer-bench`: cargo with a PostgreSQL server of its own.

use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::failure::Result;
use crate::pg::Held;
use crate::{process, workspace};

/// Where the tests and benchmarks look for their server. Without it they fail.
pub(crate) const URL_VARIABLE: &str = "MEMORY_TEST_POSTGRES_URL";

/// Runs the test suite, with further arguments of `cargo test`.
pub(crate) fn test(args: &[OsString]) -> Result<ExitCode> {
    if args.is_empty() {
        return with_server("tests", &mut [suite(), without_features()]);
    }
    // Cargo would ignore `-p` beside `--workspace`.
    let mut command = if selects_packages(args) {
        workspace::cargo(["test", "--all-features"])
    } else {
        suite()
    };
    command.args(args);
    with_server("tests", &mut [command])
}

/// Runs the test that kills resumable transfers, in its long form.
pub(crate) fn kill_loop() -> Result<ExitCode> {
    let mut command = workspace::cargo(["test", "--all-features", "--package", "memory-cli"]);
    command.args([
        "--test",
        "memory",
        "--",
        "--ignored",
        "--nocapture",
        "fifty_kills",
    ]);
    with_server("kills", &mut [command])
}

/// Runs the benchmarks, with further arguments of `cargo bench`.
pub(crate) fn bench(args: &[OsString]) -> Result<ExitCode> {
    let mut command = workspace::cargo(["bench", "--package", "memory-benches"]);
    command.args(args);
    with_server("benchmarks", &mut [command])
}

/// Compares transfers with pgloader's, both as they are installed.
pub(crate) fn transfer_bench(args: &[OsString]) -> Result<ExitCode> {
    let build = workspace::cargo(["build", "--release", "--package", "memory-cli"]);
    let mut compare = workspace::cargo([
        "run",
        "--release",
        "--package",
        "memory-benches",
        "--bin",
        "transfer",
        "--",
        "--memory",
    ]);
    compare.arg(workspace::target_dir()?.join("release/memory"));
    compare.args(args);
    with_server("transfers", &mut [build, compare])
}

/// Returns the command that runs every test.
pub(crate) fn suite() -> Command {
    workspace::cargo(["test", "--workspace", "--all-features"])
}

/// What can only be seen in a build without any backend.
fn without_features() -> Command {
    let args = [
        "test",
        "--package",
        "memory-core",
        "--no-default-features",
        "--test",
        "feature_off",
    ];
    workspace::cargo(args)
}

fn selects_packages(args: &[OsString]) -> bool {
    let ours = args.iter().take_while(|arg| *arg != "--");
    ours.map(|arg| arg.to_string_lossy())
        .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
}

/// Runs the commands one after the other, up to the first that fails.
fn with_server(what: &str, commands: &mut [Command]) -> Result<ExitCode> {
    let server = Held::start()?;
    let started = Instant::now();
    let mut failure = None;
    for command in commands {
        let status = process::status(command.env(URL_VARIABLE, server.url()))?;
        if !status.success() {
            failure = Some((status, process::line(command)));
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let version = server.version().to_owned();
    server.stop()?;
    Ok(match failure {
        None => {
            eprintln!("{what} passed in {seconds:.0} s, with PostgreSQL {version}");
            ExitCode::SUCCESS
        }
        Some((status, line)) => {
            eprintln!("{what} FAILED after {seconds:.0} s ({status}): `{line}`");
            process::exit_code(status)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_selected_by_cargos_arguments_only() {
        let selects = |line: &str| {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            selects_packages(&args)
        };
        assert!(selects("-p xtask"));
        assert!(selects("--package=xtask some_test"));
        assert!(!selects("some_test"));
        assert!(!selects("-- -p"));
    }
}
