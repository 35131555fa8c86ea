//! The checkout that we work on, and cargo in it.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::failure::{During, Failure, Result};

/// Returns the folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // Cargo sets it for a program that it runs; the compiled-in path serves a direct call.
    let ours = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    ours.parent().map_or_else(|| ours.clone(), Path::to_owned)
}

/// Returns the folder that cargo builds into.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let configured =
        env::var_os("CARGO_TARGET_DIR").or_else(|| env::var_os("CARGO_BUILD_TARGET_DIR"));
    match configured.filter(|dir| !dir.is_empty()) {
        // Relative to where cargo was called, as cargo itself reads it.
        Some(dir) => std::path::absolute(&dir)
            .during(|| format!("cannot make CARGO_TARGET_DIR `{}` absolute", dir.display())),
        None => Ok(root().join("target")),
    }
}

/// Starts a cargo command line in the workspace's folder.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = Command::new(cargo_program());
    command.args(args).current_dir(root());
    command
}

/// Becomes `memory <verb> <args>`, built from this checkout.
pub(crate) fn run_memory(verb: &str, args: &[OsString]) -> Result<ExitCode> {
    let mut command = cargo_run();
    command.args(["--package", "memory-cli", "--bin", "memory", "--", verb]);
    become_it(command.args(args))
}

/// Becomes the example program of that name.
pub(crate) fn run_example(package: &str, example: &str, args: &[OsString]) -> Result<ExitCode> {
    let mut command = cargo_run();
    command.args(["--package", package, "--example", example, "--"]);
    become_it(command.args(args))
}

/// `cargo run` in the caller's folder, so that relative paths in arguments mean what they say.
fn cargo_run() -> Command {
    let mut command = Command::new(cargo_program());
    command.args(["run", "--manifest-path"]);
    command.arg(root().join("Cargo.toml"));
    command
}

/// Replaces this process, so that signals and the exit status pass through unchanged.
fn become_it(command: &mut Command) -> Result<ExitCode> {
    let error = command.exec();
    let line = crate::process::line(command);
    Err(Failure::new(format!("cannot run `{line}`: {error}")))
}

fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_folder_of_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.starts_with("[workspace]"));
    }
}
