use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::failure::Failure;
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
pub(crate) fn print_outcome(outcome: &Outcome, as_json: bool, scrubber: &Scrubber) -> ExitCode {
    if as_json {
        let mut document = outcome.document.clone();
        document.insert("notes".to_owned(), json!(outcome.notes));
        document.insert("exit_status".to_owned(), json!(outcome.exit_status));
        say(outcome.aside, &pretty(document), scrubber);
    } else {
        for note in &outcome.notes {
            eprintln!("note: {}", scrubber.scrub(note));
        }
        say(outcome.aside, &outcome.text, scrubber);
    }
    ExitCode::from(outcome.exit_status)
}

/// Prints why a command could not be carried through.
pub(crate) fn print_failure(failure: &Failure, as_json: bool, scrubber: &Scrubber) -> ExitCode {
    if as_json {
        let document = json!({
            "error": failure.message(),
            "caused_by": failure.causes(),
            "details": failure.details(),
            "what_to_do": failure.remedy(),
            "exit_status": failure.exit_status(),
        });
        match document {
            Value::Object(document) => print(&pretty(document), scrubber),
            other => print(&other.to_string(), scrubber),
        }
    } else {
        let mut lines = vec![format!("error: {}", failure.message())];
        lines.extend(
            failure
                .causes()
                .iter()
                .map(|cause| format!("caused by: {cause}")),
        );
        lines.extend(failure.details().iter().map(|detail| format!("  {detail}")));
        lines.extend(
            failure
                .remedy()
                .map(|remedy| format!("what to do: {remedy}")),
        );
        eprintln!("{}", scrubber.scrub(&lines.join("\n")));
    }
    ExitCode::from(failure.exit_status())
}

fn pretty(document: Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(document))
}

fn say(aside: bool, text: &str, scrubber: &Scrubber) {
    if aside {
        eprint!("{}", scrubber.scrub(text));
    } else {
        print(text, scrubber);
    }
}

/// Prints to standard output. Who reads it may stop reading, as `head` does: no reason to fail.
fn print(text: &str, scrubber: &Scrubber) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(scrubber.scrub(text).as_bytes());
    let _ = out.flush();
}
