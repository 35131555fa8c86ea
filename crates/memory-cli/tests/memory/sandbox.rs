//! A folder of its own for each test, and the command run in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder in which the command runs, without a store in its environment.
pub(crate) struct Sandbox {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What the command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        Sandbox {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn with_variable(mut self, name: &'static str, value: &str) -> Sandbox {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The files in the folder that are no part of a database.
    pub(crate) fn quarantine_files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains("quarantine"))
            .collect();
        files.sort();
        files
    }

    /// Runs the command.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        Said::new(&output)
    }

    /// Starts the command and leaves it running; what it says is kept for its end.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    }

    /// Runs a shell's script that finds the command by its name.
    pub(crate) fn shell(&self, script: &str) -> Said {
        let output = self.shell_command(script).output().unwrap();
        Said::new(&output)
    }

    /// A shell's script that is not run yet.
    pub(crate) fn shell_command(&self, script: &str) -> Command {
        let folder = Path::new(env!("CARGO_BIN_EXE_memory")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-e", "-u", "-c", script])
            .env("PATH", format!("{}:{path}", folder.display()));
        self.prepare(&mut command);
        command
    }

    /// Runs the command with `--json` and reads its one document.
    pub(crate) fn json(&self, args: &[&str]) -> (i32, Value) {
        let said = self.run(&[args, &["--json"]].concat());
        let document = serde_json::from_str(&said.out)
            .unwrap_or_else(|error| panic!("{error}: {} {}", said.out, said.err));
        (said.status, document)
    }

    /// Runs a transfer that must end with 0.
    pub(crate) fn carry(&self, from: &str, to: &str, more: &[&str]) -> Value {
        let (status, document) = self.transfer(from, to, more);
        assert_eq!(status, 0, "{document:#}");
        document
    }

    /// Runs a transfer.
    pub(crate) fn transfer(&self, from: &str, to: &str, more: &[&str]) -> (i32, Value) {
        let args = ["migrate", "--from", from, "--to", to];
        self.json(&[&args, more].concat())
    }

    /// Compares two stores.
    pub(crate) fn verify(&self, a: &str, b: &str) -> (i32, Value) {
        self.json(&["verify", a, b])
    }

    /// Holds that two stores hold the same.
    pub(crate) fn assert_equal(&self, a: &str, b: &str) {
        let (status, document) = self.verify(a, b);
        assert_eq!(status, 0, "{document:#}");
        for table in document["verify"]["tables"].as_array().unwrap() {
            assert_eq!(table["digest_a"], table["digest_b"], "{table:#}");
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memory"));
        self.prepare(&mut command).args(args);
        command
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.current_dir(self.folder.path());
        // Whoever runs the tests may have chosen a store, or options, of their own.
        for (name, _) in std::env::vars_os() {
            if name == "DATABASE_URL" || name.to_string_lossy().starts_with("MEMORY_") {
                command.env_remove(name);
            }
        }
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }
}

impl Said {
    /// Waits for the end of a command that was started.
    pub(crate) fn of(child: Child) -> Said {
        Said::new(&child.wait_with_output().unwrap())
    }

    fn new(output: &Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Said {
            status: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Holds the exit status, and that what was said on standard error has some words.
    pub(crate) fn assert_failed(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {}", self.err);
        }
    }
}

/// What of a table ended in a class, by the transfer's document.
pub(crate) fn class(document: &Value, table: &str, class: &str) -> u64 {
    let tables = document["report"]["tables"].as_array().unwrap();
    let table = tables.iter().find(|row| row["table"] == table).unwrap();
    table["classes"][class].as_u64().unwrap()
}

/// The lines of a quarantine file after its header.
pub(crate) fn quarantine_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert_eq!(lines[0]["memory_quarantine"], 1);
    lines[1..].to_vec()
}

/// Something done to a SQLite file behind the store's back.
pub(crate) fn tamper(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch("pragma foreign_keys = off")
        .unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
}

/// One value of a SQLite file, as text.
pub(crate) fn ask(path: &Path, sql: &str) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    let value: rusqlite::types::Value = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(integer) => integer.to_string(),
        rusqlite::types::Value::Real(real) => real.to_string(),
        other => format!("{other:?}"),
    }
}
