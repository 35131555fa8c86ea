use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::failure::{COULD_NOT_RUN, Failure};
use crate::scrub::Scrubber;

/// What a command has to say at its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// 0, or 1 if there are findings.
    pub(crate) exit_status: u8,
    /// For people.
    pub(crate) text: String,
    /// For programs.
    pub(crate) document: Map<String, Value>,
    /// What a user should know beside it.
    pub(crate) notes: Vec<String>,
    /// Whether standard output holds something else already.
    aside: bool,
}

impl Outcome {
    /// A command's end: its text, and its document under `name`.
    pub(crate) fn new(exit_status: u8, text: String, name: &str, document: Value) -> Outcome {
        Outcome {
            exit_status,
            text,
            document: Map::from_iter([(name.to_owned(), document)]),
            notes: Vec::new(),
            aside: false,
        }
    }

    /// Prints to standard error instead.
    pub(crate) fn on_standard_error(mut self) -> Outcome {
        self.aside = true;
        self
    }

    /// Adds notes.
    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Outcome {
        self.notes.extend(notes);
        self
    }
}

/// Prints a command's end, and says how the program is to exit.
pub(crate) fn print_outcome(outcome: &Outcome, as_json: bool) -> ExitCode {
    let text = if as_json {
        let mut document = outcome.document.clone();
        document.insert("notes".to_owned(), json!(outcome.notes));
        document.insert("exit_status".to_owned(), json!(outcome.exit_status));
        pretty(&Value::Object(document))
    } else {
        for note in &outcome.notes {
            tell(&format!("note: {note}\n"));
        }
        outcome.text.clone()
    };
    say(outcome.aside, &text, outcome.exit_status)
}

/// Prints why a command could not be carried through; as a document to standard output, unless that
/// holds something else (`aside`).
pub(crate) fn print_failure(
    failure: &Failure,
    as_json: bool,
    aside: bool,
    scrubber: &Scrubber,
) -> ExitCode {
    let scrub = |texts: &[String]| -> Vec<String> {
        texts.iter().map(|text| scrubber.scrub(text)).collect()
    };
    let error = scrubber.scrub(&failure.message());
    let (causes, details) = (scrub(&failure.causes()), scrub(failure.details()));
    let remedy = failure.remedy().map(|remedy| scrubber.scrub(remedy));
    if as_json {
        let document = json!({
            "error": error,
            "caused_by": causes,
            "details": details,
            "what_to_do": remedy,
            "exit_status": failure.exit_status(),
        });
        return say(aside, &pretty(&document), failure.exit_status());
    }
    let mut lines = vec![format!("error: {error}")];
    lines.extend(causes.iter().map(|cause| format!("caused by: {cause}")));
    lines.extend(details.iter().map(|detail| format!("  {detail}")));
    lines.extend(remedy.map(|remedy| format!("what to do: {remedy}")));
    let text = lines.join("\n") + "\n";
    say(true, &text, failure.exit_status())
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

/// Prints the last that a command has to say, and says how the program is to exit.
pub(crate) fn say(aside: bool, text: &str, exit_status: u8) -> ExitCode {
    if aside {
        tell(text);
        return ExitCode::from(exit_status);
    }
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::from(exit_status),
        // Who reads it may stop reading, as `head` does: no reason to fail.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(exit_status),
        Err(error) => {
            tell(&format!(
                "error: standard output cannot be written: {error}\n"
            ));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// Prints to standard error. If nobody takes that, there is nobody left to be told.
pub(crate) fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
