//! Running other programs.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Output, Stdio};
use std::sync::LazyLock;

use crate::failure::{During, Failure, Result};

/// Returns the path of this program as it was when it started.
///
/// `main` calls it first. A task may build the workspace and with it this very program anew; from
/// then on the system would answer with the path of a file that is gone.
pub(crate) fn ourselves() -> Result<&'static Path> {
    static AT_START: LazyLock<io::Result<PathBuf>> = LazyLock::new(std::env::current_exe);
    AT_START
        .as_deref()
        .map_err(|error| Failure::new(format!("cannot find our own program: {error}")))
}

/// Runs a program in the foreground, on our terminal.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().during(|| cannot_run(command))
}

/// Runs a program quietly and returns what it wrote, whatever its exit status.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .during(|| cannot_run(command))
}

/// Runs a program quietly; a failure carries everything that it wrote.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let output = output(command)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` failed ({}):\n{}{}",
        line(command),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )))
}

/// Returns the trimmed standard output of a program, or nothing where it is missing or fails.
pub(crate) fn answer(program: &str, args: &[&str]) -> Option<String> {
    let output = output(Command::new(program).args(args)).ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns the exit code that a shell would see: 128 plus the signal for a killed program.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Spells a command as it would be typed, without its environment: that may hold a password.
pub(crate) fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

fn cannot_run(command: &Command) -> String {
    format!("cannot run `{}`", line(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_passed_through() {
        let status = Command::new("sh").args(["-c", "exit 42"]).status().unwrap();
        assert_eq!(exit_code(status), ExitCode::from(42));
    }

    #[test]
    fn a_signal_becomes_the_code_that_a_shell_reports() {
        let status = Command::new("sh").args(["-c", "kill -9 $$"]).status();
        assert_eq!(exit_code(status.unwrap()), ExitCode::from(137));
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_wrote() {
        let mut command = Command::new("sh");
        let failure = succeed(command.args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("sh -c") && text.contains("why"), "{text}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = status(&mut Command::new("no-such-program-anywhere")).unwrap_err();
        assert!(failure.to_string().contains("no-such-program-anywhere"));
    }
}
