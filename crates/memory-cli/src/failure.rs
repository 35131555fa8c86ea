use std::error::Error;
use std::fmt::Display;

use memory_core::migrate::{MigrateError, SourceError};
use memory_core::{InvalidInput, NewFileError, OpenError, RunId, StorageError};

/// Findings; also what is refused until a person insists.
const FINDINGS: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;
/// The command could not run.
pub(crate) const COULD_NOT_RUN: u8 = 3;

/// Why a command was not carried through, and what can be done about it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    error: Box<dyn Error + Send + Sync>,
    details: Vec<String>,
    remedy: Option<String>,
}

impl Failure {
    /// A wrong use of the command.
    pub(crate) fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::new(USAGE, error)
    }

    /// Something that keeps the command from running.
    pub(crate) fn could_not_run(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::new(COULD_NOT_RUN, error)
    }

    /// Something that is refused until a person insists.
    pub(crate) fn finding(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::new(FINDINGS, error)
    }

    /// A store that failed while something was done.
    pub(crate) fn store(step: &'static str, source: StorageError) -> Failure {
        Failure::from(MigrateError::Store { step, source })
    }

    fn new(status: u8, error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure {
            status,
            error: error.into(),
            details: Vec::new(),
            remedy: None,
        }
    }

    /// Says what to do.
    pub(crate) fn with_remedy(mut self, remedy: impl Display) -> Failure {
        self.remedy = Some(remedy.to_string());
        self
    }

    /// What the program exits with.
    pub(crate) fn exit_status(&self) -> u8 {
        self.status
    }

    /// The step that failed.
    pub(crate) fn message(&self) -> String {
        self.error.to_string()
    }

    /// Why, step by step down to the driver. A cause that its step has said already is left out.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut said = self.message();
        let mut next = self.error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !said.contains(&text) {
                causes.push(text.clone());
                said = text;
            }
            next = cause.source();
        }
        causes
    }

    /// What was found in particular.
    pub(crate) fn details(&self) -> &[String] {
        &self.details
    }

    /// What can be done about it, where the message does not say it itself.
    pub(crate) fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        let status = match error {
            OpenError::UnknownScheme { .. }
            | OpenError::InvalidOption { .. }
            | OpenError::FeatureOff { .. } => USAGE,
            _ => COULD_NOT_RUN,
        };
        Failure::new(status, error)
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Failure {
        let status = match error {
            MigrateError::InvalidOption { .. } | MigrateError::UnknownTenant { .. } => USAGE,
            MigrateError::WouldDelete { .. } => FINDINGS,
            _ => COULD_NOT_RUN,
        };
        let take_back = |run: &RunId| format!("`memory migrate rollback {run}`");
        let remedy = match &error {
            MigrateError::Store { source, .. }
            | MigrateError::Source(SourceError::Store(source)) => {
                remedy_for(source).map(str::to_owned)
            }
            MigrateError::Accounting { .. }
            | MigrateError::Verification { .. }
            | MigrateError::Contract { .. } => {
                Some("nothing was carried; this is a defect of memory: please report it".to_owned())
            }
            MigrateError::Stopped { run, source }
                if matches!(**source, MigrateError::Verification { .. }) =>
            {
                Some(format!(
                    "was it changed in the target meanwhile? Take the run back with {}, which names \
                     what was changed and removes it with --force, and begin anew",
                    take_back(run)
                ))
            }
            MigrateError::Stopped { run, .. } => Some(format!(
                "run the same command again to go on, or take the run back with {}",
                take_back(run)
            )),
            MigrateError::RunUnfinished { run } => Some(format!(
                "go on with it by --resumable, or take it back with {}",
                take_back(run)
            )),
            MigrateError::SourceChanged { run, .. } => Some(format!(
                "take the run back with {} and begin anew",
                take_back(run)
            )),
            MigrateError::NotResumable { run, .. } | MigrateError::TakenOver { run } => {
                Some(format!(
                    "look at it with `memory migrate runs`; {} takes it back",
                    take_back(run)
                ))
            }
            MigrateError::UnderWay { .. } => {
                Some("let it end; if it does not, run the same command again".to_owned())
            }
            _ => None,
        };
        let details = match &error {
            MigrateError::Stopped { source, .. } => findings(source),
            error => findings(error),
        };
        Failure {
            status,
            details,
            remedy,
            error: error.into(),
        }
    }
}

/// What a verification found.
fn findings(error: &MigrateError) -> Vec<String> {
    match error {
        MigrateError::Verification { findings, .. } => {
            findings.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Failure {
        Failure::could_not_run(error)
    }
}

impl From<NewFileError> for Failure {
    fn from(error: NewFileError) -> Failure {
        let remedy = match &error {
            NewFileError::Exists(_) => "name another file, or give --force to replace it",
            NewFileError::Refused { .. } => "name another file",
            NewFileError::Failed { .. } => "check the folder and the room on the disk",
        };
        Failure::could_not_run(error).with_remedy(remedy)
    }
}

impl From<InvalidInput> for Failure {
    fn from(error: InvalidInput) -> Failure {
        Failure::usage(error)
    }
}

fn remedy_for(error: &StorageError) -> Option<&'static str> {
    match error {
        StorageError::Timeout { .. } => {
            Some("run it again, where others work less or with a smaller --batch-size")
        }
        StorageError::OutcomeUnknown { .. } => Some(
            "look with `memory migrate runs --url` and the store whether the run stands; running again is safe",
        ),
        error if error.is_retryable() => Some("run it again; nothing was changed"),
        StorageError::ReadOnly => Some("make the file writable, or choose another target"),
        StorageError::SchemaMismatch { .. } => {
            Some("look at it with `memory migrate status --url` and the store")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use memory_core::StorageError;
    use memory_core::migrate::MigrateError;

    use super::Failure;

    #[test]
    fn a_failure_tells_its_step_its_causes_and_what_to_do() {
        let failure = Failure::from(MigrateError::Store {
            step: "committing the transfer",
            source: StorageError::Unavailable {
                step: "sending",
                source: "connection reset".into(),
            },
        });
        assert_eq!(failure.exit_status(), 3);
        assert_eq!(failure.message(), "committing the transfer failed");
        assert_eq!(
            failure.causes(),
            [
                "the database cannot be reached while sending",
                "connection reset"
            ]
        );
        assert_eq!(failure.remedy(), Some("run it again; nothing was changed"));
    }
}
