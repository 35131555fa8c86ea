//! One source file, carried to a new store on each backend.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Value;

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class, quarantine_lines};
use crate::sources::{CONSULTANT, FLUX_RAG, JARVIS};

/// What the source file is called.
const SOURCE: &str = "source.db";

/// The times of a sound row of JARVIS, twice.
pub(super) const AT: &str = "'2024-03-01T10:00:00Z', '2024-03-01T10:00:00Z'";

/// What is to become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Carried,
    /// By these rules.
    Changed(&'static [&'static str]),
    /// By this rule.
    Merged(&'static str),
    AlreadyThere,
    /// For a reason that has these words.
    Conflict(&'static str),
    /// For a reason that has these words.
    Quarantined(&'static str),
}

/// The rows of a table by their keys, and what is to become of each.
pub(super) type Rows<'a> = (&'a str, &'a [(&'a str, Ends)]);

/// A source file of its own, and what came of carrying it.
pub(super) struct Trial {
    pub(super) sandbox: Sandbox,
    postgres: Postgres,
    /// What the last transfers into SQLite and into PostgreSQL said.
    documents: Vec<Value>,
    /// The rows that they did not carry.
    left: Vec<Value>,
}

impl Trial {
    /// A file made by these statements.
    pub(super) fn new(statements: &[&str]) -> Trial {
        let sandbox = Sandbox::new();
        let postgres = Postgres::migrated(&sandbox);
        let trial = Trial {
            sandbox,
            postgres,
            documents: Vec::new(),
            left: Vec::new(),
        };
        trial.change(statements);
        trial
    }

    pub(super) fn jarvis(rows: &str) -> Trial {
        Trial::new(&[JARVIS, rows])
    }

    pub(super) fn flux_rag(rows: &str) -> Trial {
        Trial::new(&[FLUX_RAG, rows])
    }

    pub(super) fn consultant(rows: &str) -> Trial {
        Trial::new(&[CONSULTANT, rows])
    }

    /// Changes the file.
    pub(super) fn change(&self, statements: &[&str]) {
        let connection = self.source();
        for sql in statements {
            connection.execute_batch(sql).unwrap();
        }
    }

    /// The file, open to be changed.
    pub(super) fn source(&self) -> Connection {
        let connection = Connection::open(self.sandbox.path(SOURCE)).unwrap();
        // The old programs never switch them on, and their files hold dangling references.
        connection
            .execute_batch("pragma foreign_keys = off")
            .unwrap();
        connection
    }

    /// Carries the file to both backends, and holds for each the exit status, what became of every
    /// row by its key, and that the rows of every table add up. Tables that are not named are empty.
    pub(super) fn ends(&mut self, status: i32, tables: &[Rows<'_>]) {
        self.ends_with(&[], status, tables);
    }

    /// As `ends`, with further arguments.
    pub(super) fn ends_with(&mut self, more: &[&str], status: i32, tables: &[Rows<'_>]) {
        self.documents.clear();
        for to in self.urls() {
            let (said, document) = self.sandbox.transfer(SOURCE, &to, more);
            assert_eq!(said, status, "{to}: {document:#}");
            let files = self.sandbox.quarantine_files();
            self.left = files
                .iter()
                .flat_map(|path| quarantine_lines(path))
                .collect();
            for file in files {
                std::fs::remove_file(file).unwrap();
            }
            for table in document["report"]["tables"].as_array().unwrap() {
                let name = table["table"].as_str().unwrap();
                let wanted = tables.iter().find(|(table, _)| *table == name);
                self.check(&document, table, wanted.map_or(&[], |(_, rows)| rows));
            }
            self.documents.push(document);
        }
        self.sandbox.assert_equal("sqlite.db", &self.postgres.url());
    }

    /// Holds what became of the rows of a table.
    fn check(&self, document: &Value, table: &Value, rows: &[(&str, Ends)]) {
        let name = table["table"].as_str().unwrap();
        assert_eq!(table["rows"], rows.len(), "{document:#}");
        let mut sum = 0;
        for class_name in [
            "carried",
            "changed",
            "merged",
            "already_there",
            "conflict",
            "quarantined",
        ] {
            let count = class(document, name, class_name);
            let wanted = rows.iter().filter(|(_, ends)| ends.class() == class_name);
            assert_eq!(count, wanted.count() as u64, "{class_name}: {document:#}");
            sum += count;
        }
        assert_eq!(sum, rows.len() as u64, "{document:#}");
        assert_eq!(self.left_of(name), pairs(rows, Ends::left), "{name}");
        assert_eq!(ruled(document, name), pairs(rows, Ends::rules), "{name}");
        for (key, ends) in rows {
            if let Ends::Conflict(words) | Ends::Quarantined(words) = ends {
                let reason = self.left(name, key)["reason"].as_str().unwrap().to_owned();
                assert!(reason.contains(words), "{words:?} is not in {reason:?}");
            }
        }
    }

    /// The keys of the rows of a table that were not carried, with the class.
    fn left_of(&self, table: &str) -> BTreeSet<(String, String)> {
        let of_table = self.left.iter().filter(|line| line["table"] == table);
        let word = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
        of_table
            .map(|line| (word(line, "key"), word(line, "class")))
            .collect()
    }

    /// The line of the quarantine file about a row.
    pub(super) fn left(&self, table: &str, key: &str) -> &Value {
        let is_it = |line: &&Value| line["table"] == table && line["key"] == key;
        self.left.iter().find(is_it).unwrap()
    }

    /// What both transfers said.
    pub(super) fn documents(&self) -> &[Value] {
        &self.documents
    }

    /// Both targets.
    pub(super) fn urls(&self) -> [String; 2] {
        let path = self.sandbox.path("sqlite.db");
        [path.to_string_lossy().into_owned(), self.postgres.url()]
    }

    /// Every record of a kind that stands in the targets, as some of its fields, in the order of
    /// their texts. Both targets give the very same.
    pub(super) fn stands(&self, kind: &str, fields: &[&str]) -> Vec<Value> {
        let [mut sqlite, postgres] = self.urls().map(|url| self.exported(&url, kind, fields));
        assert_eq!(format!("{sqlite:?}"), format!("{postgres:?}"));
        sqlite.sort_by_key(Value::to_string);
        sqlite
    }

    fn exported(&self, url: &str, kind: &str, fields: &[&str]) -> Vec<Value> {
        let said = self.sandbox.run(&["export", "--url", url]);
        assert_eq!(said.status, 0, "{}", said.err);
        let lines = said.out.lines();
        let records = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        records
            .filter(|record| record["record"] == kind)
            .map(|record| fields.iter().map(|field| record[field].clone()).collect())
            .collect()
    }

    /// One value of each target, as text.
    pub(super) fn asked(&self, sqlite: &str, postgres: &str) -> [String; 2] {
        let path = self.sandbox.path("sqlite.db");
        [
            crate::sandbox::ask(&path, sqlite),
            self.postgres.ask(postgres),
        ]
    }
}

impl Ends {
    fn class(self) -> &'static str {
        match self {
            Ends::Carried => "carried",
            Ends::Changed(_) => "changed",
            Ends::Merged(_) => "merged",
            Ends::AlreadyThere => "already_there",
            Ends::Conflict(_) => "conflict",
            Ends::Quarantined(_) => "quarantined",
        }
    }

    /// The class, if the row is in the quarantine file.
    fn left(self) -> Vec<&'static str> {
        match self {
            Ends::Conflict(_) | Ends::Quarantined(_) => vec![self.class()],
            _ => Vec::new(),
        }
    }

    fn rules(self) -> Vec<&'static str> {
        match self {
            Ends::Changed(rules) => rules.to_vec(),
            Ends::Merged(rule) => vec![rule],
            _ => Vec::new(),
        }
    }
}

/// Each key with each of the words about it.
fn pairs(
    rows: &[(&str, Ends)],
    words: impl Fn(Ends) -> Vec<&'static str>,
) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for (key, ends) in rows {
        let words = words(*ends);
        pairs.extend(
            words
                .iter()
                .map(|word| ((*key).to_owned(), (*word).to_owned())),
        );
    }
    pairs
}

/// The keys of a table's rows that rules changed or merged, with the rules.
fn ruled(document: &Value, table: &str) -> BTreeSet<(String, String)> {
    let rules = document["report"]["rules"].as_array().unwrap();
    let mut found = BTreeSet::new();
    for rule in rules.iter().filter(|rule| rule["table"] == table) {
        let examples = rule["examples"].as_array().unwrap();
        assert_eq!(rule["count"], examples.len(), "all are shown: {rule:#}");
        let keys = examples.iter().map(|example| &example["key"]);
        let word = |word: &Value| word.as_str().unwrap().to_owned();
        found.extend(keys.map(|key| (word(key), word(&rule["rule"]))));
    }
    found
}

/// Adds an entity of that id and name.
pub(super) fn entity(id: i64, name: &str) -> String {
    format!("insert into entities values ({id}, 'file', '{name}', '{{}}', {AT});")
}

/// Adds a relationship between two entities.
pub(super) fn relationship(id: i64, from: i64, to: i64) -> String {
    format!(
        "insert into relationships values ({id}, {from}, {to}, 'worked_on', '{{\"row\": {id}}}',
            '2024-03-01T10:00:00Z');"
    )
}
