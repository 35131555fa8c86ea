//! Steps that are run in order, timed and summed up.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::process;

/// What has been run so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
    skipped: Vec<String>,
}

impl Steps {
    /// Runs a command as a step.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> Result<()> {
        self.step(name, || {
            println!("   {}", process::line(command));
            let status = process::status(command)?;
            if status.success() {
                return Ok(());
            }
            let line = process::line(command);
            Err(Failure::new(format!("`{line}` ended with {status}")))
        })
    }

    /// Runs a piece of work as a step.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let started = Instant::now();
        let result = work();
        let took = started.elapsed();
        match result {
            Ok(value) => {
                println!("== {name}: passed in {:.1} s", took.as_secs_f64());
                self.done.push((name.to_owned(), took));
                Ok(value)
            }
            Err(failure) => {
                let seconds = took.as_secs_f64();
                let text = format!("step `{name}` FAILED after {seconds:.1} s: {failure}");
                Err(Failure::new(text))
            }
        }
    }

    /// Notes a step that cannot be run here, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n== {name}: SKIPPED, {why}");
        self.skipped.push(format!("{name}: {why}"));
    }

    /// Prints how long each step took.
    pub(crate) fn print_summary(&self) {
        println!("\n== summary");
        for (name, took) in &self.done {
            println!("{:>8.1} s  {name}", took.as_secs_f64());
        }
        for skipped in &self.skipped {
            println!("   skipped  {skipped}");
        }
        let total: Duration = self.done.iter().map(|(_, took)| *took).sum();
        println!("{:>8.1} s  in all", total.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_not_counted_as_done() {
        let mut steps = Steps::default();
        steps.run("good", &mut Command::new("true")).unwrap();
        let failure = steps.run("bad", &mut Command::new("false")).unwrap_err();
        assert!(failure.to_string().contains("step `bad`"), "{failure}");
        assert_eq!(steps.done.len(), 1);
    }
}
