use std::borrow::Cow;
use std::collections::BTreeMap;

use memory_domain::RecordKind;
use memory_storage::{RuleUse, SourceTable};
use serde::{Deserialize, Serialize};

use super::checkpoint::SavedTable;
use crate::report::{Classes, RuleExample, RuleReport, TableReport, UnmappedColumn};
use crate::text::shorten;
use crate::{MigrateError, TransferOptions};

/// How many examples of a rule the report shows per column.
const EXAMPLES: usize = 3;

/// The books of a transfer: every row of every table in exactly one class.
pub(crate) struct Accounts {
    tables: Vec<SourceTable>,
    books: Vec<TableReport>,
    rules: BTreeMap<(Cow<'static, str>, usize, String), RuleReport>,
}

/// What of a table's book a checkpoint keeps; the rest follows from the source.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedBook {
    classes: Classes,
    beyond: BTreeMap<String, u64>,
}

impl Accounts {
    /// Opens the books over the source's tables.
    ///
    /// # Errors
    /// `InvalidOption` if a table that is to be carried is not in the source, or is one half of
    /// its conversations, or if what may stay behind is not there or has a place.
    pub(crate) fn new(
        tables: Vec<SourceTable>,
        options: &TransferOptions,
    ) -> Result<Accounts, MigrateError> {
        for name in &options.tables {
            if !tables.iter().any(|table| table.name == *name) {
                let known: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
                return Err(MigrateError::InvalidOption {
                    option: "table",
                    value: name.clone(),
                    problem: format!("the source has {}", known.join(", ")),
                });
            }
        }
        keep_conversations_whole(&tables, options)?;
        know_what_may_stay(&tables, options)?;
        let books = tables.iter().map(|table| book(table, options)).collect();
        Ok(Accounts {
            tables,
            books,
            rules: BTreeMap::new(),
        })
    }

    /// A table of the source, by its place.
    ///
    /// # Errors
    /// `Contract` if there is none of that place, or it has no place here.
    pub(crate) fn table(&self, table: usize) -> Result<&SourceTable, MigrateError> {
        let broken = |problem| MigrateError::Contract {
            party: "the source",
            problem,
        };
        match self.tables.get(table) {
            Some(found) if found.mapped => Ok(found),
            Some(found) => Err(broken(format!(
                "a row came of unmapped table {}",
                found.name
            ))),
            None => Err(broken(format!(
                "a row came of table {table}, which it did not name"
            ))),
        }
    }

    /// Whether the rows of a table are to be carried.
    pub(crate) fn is_selected(&self, table: usize) -> bool {
        self.books.get(table).is_some_and(|book| book.selected)
    }

    /// Puts a row into a class.
    pub(crate) fn count(&mut self, table: usize, class: impl FnOnce(&mut Classes) -> &mut u64) {
        if let Some(book) = self.books.get_mut(table) {
            *class(&mut book.classes) += 1;
        }
    }

    /// Counts a record that was made beyond a table's rows.
    pub(crate) fn count_beyond(&mut self, table: usize, kind: RecordKind) {
        if let Some(book) = self.books.get_mut(table) {
            *book.beyond.entry(kind.table()).or_default() += 1;
        }
    }

    /// Counts what a rule did to a row, and keeps it if it is one of the first.
    pub(crate) fn count_rule(&mut self, table: usize, key: &str, used: &RuleUse) {
        let Some(book) = self.books.get(table) else {
            return;
        };
        let rule = self
            .rules
            .entry((used.rule.into(), table, used.column.clone()))
            .or_insert_with(|| RuleReport {
                rule: used.rule.into(),
                table: book.table.clone(),
                column: used.column.clone(),
                count: 0,
                examples: Vec::new(),
            });
        rule.count += 1;
        if rule.examples.len() < EXAMPLES {
            rule.examples.push(RuleExample {
                key: shorten(key),
                from: shorten(&used.from),
                to: shorten(&used.to),
            });
        }
    }

    /// Goes on with books that a checkpoint kept. A table that the source has no longer is not among
    /// them: the rows that came of it are missed elsewhere.
    pub(crate) fn go_on(&mut self, saved: &[SavedTable], rules: &[RuleReport]) {
        for (place, book) in self.books.iter_mut().enumerate() {
            // One without a place has its class already, and no row of it came.
            let is_it = |saved: &&SavedTable| saved.table == book.table;
            let Some(saved) = saved
                .iter()
                .find(is_it)
                .filter(|_| self.tables[place].mapped)
            else {
                continue;
            };
            book.classes = saved.book.classes;
            let beyond = RecordKind::ALL.map(RecordKind::table).into_iter();
            book.beyond = beyond
                .filter_map(|kind| Some((kind, *saved.book.beyond.get(kind)?)))
                .collect();
            for rule in rules.iter().filter(|rule| rule.table == book.table) {
                let key = (rule.rule.clone(), place, rule.column.clone());
                self.rules.insert(key, rule.clone());
            }
        }
    }

    /// The tables' books as a checkpoint keeps them, in the tables' order.
    pub(crate) fn saved(&self) -> impl Iterator<Item = (String, SavedBook)> {
        self.books.iter().map(|book| {
            let beyond = book.beyond.iter();
            let saved = SavedBook {
                classes: book.classes,
                beyond: beyond
                    .map(|(kind, count)| ((*kind).to_owned(), *count))
                    .collect(),
            };
            (book.table.clone(), saved)
        })
    }

    /// What the rules did so far.
    pub(crate) fn rules(&self) -> Vec<RuleReport> {
        self.rules.values().cloned().collect()
    }

    /// Whether a row became a new record.
    pub(crate) fn has_inserted(&self) -> bool {
        self.books.iter().any(|book| book.classes.inserted() > 0)
    }

    /// The tables with the rows that are to come, for the progress.
    pub(crate) fn totals(&self) -> Vec<(String, u64)> {
        let rows = |table: &SourceTable| if table.mapped { table.rows } else { 0 };
        self.tables
            .iter()
            .map(|table| (table.name.clone(), rows(table)))
            .collect()
    }

    /// Rows that came from the source.
    pub(crate) fn done(&self) -> u64 {
        let came = |classes: &Classes| classes.total() - classes.unmapped;
        self.books.iter().map(|book| came(&book.classes)).sum()
    }

    /// Holds that every table's classes add up to its rows.
    ///
    /// # Errors
    /// `Accounting` names the table whose do not.
    pub(crate) fn check(&self) -> Result<(), MigrateError> {
        match self
            .books
            .iter()
            .find(|book| book.classes.total() != book.rows)
        {
            None => Ok(()),
            Some(book) => Err(MigrateError::Accounting {
                table: book.table.clone(),
                rows: book.rows,
                classed: book.classes.total(),
            }),
        }
    }

    /// Closes the books.
    pub(crate) fn into_report(self) -> (Vec<TableReport>, Vec<RuleReport>) {
        (self.books, self.rules.into_values().collect())
    }
}

/// A session counts its messages, and takes no more once it stands; so both come in one run.
fn keep_conversations_whole(
    tables: &[SourceTable],
    options: &TransferOptions,
) -> Result<(), MigrateError> {
    if options.tables.is_empty() {
        return Ok(());
    }
    let halves = tables.iter().filter(|table| holds_conversations(table));
    let names: Vec<&str> = halves.map(|table| table.name.as_str()).collect();
    let given = |name: &&str| options.tables.contains(*name);
    if names.iter().any(given) && !names.iter().all(given) {
        let names = names.join(",");
        return Err(MigrateError::InvalidOption {
            option: "table",
            value: options.tables.iter().cloned().collect::<Vec<_>>().join(","),
            problem: format!("sessions and their messages are carried together: give {names}"),
        });
    }
    Ok(())
}

/// A name that is misspelled would allow nothing, and one that has a place is not left behind: both
/// are said before anything is read.
fn know_what_may_stay(
    tables: &[SourceTable],
    options: &TransferOptions,
) -> Result<(), MigrateError> {
    let mut names = Vec::new();
    let mut whole = Vec::new();
    for table in tables {
        if !table.mapped {
            names.push(table.name.clone());
            continue;
        }
        let without_place = table
            .columns
            .iter()
            .filter(|column| column.target.is_none());
        let columns = without_place.map(|column| format!("{}.{}", table.name, column.name));
        let before = names.len();
        names.extend(columns);
        if names.len() > before {
            // A mapped table's name stands for all its columns without a place.
            whole.push(&table.name);
        }
    }
    let is_known = |name: &&String| names.contains(name) || whole.contains(name);
    let Some(unknown) = options.allow_unmapped.iter().find(|name| !is_known(name)) else {
        return Ok(());
    };
    let problem = if names.is_empty() {
        "everything in the source has a place; leave it out".to_owned()
    } else {
        format!("the source has without a place: {}", names.join(", "))
    };
    Err(MigrateError::InvalidOption {
        option: "allow-unmapped",
        value: unknown.clone(),
        problem,
    })
}

fn holds_conversations(table: &SourceTable) -> bool {
    let ours = [RecordKind::Session.table(), RecordKind::Message.table()];
    let goes_there = |target: &str| {
        let table = target.split_once('.').map_or(target, |(table, _)| table);
        ours.contains(&table)
    };
    let mut targets = table
        .columns
        .iter()
        .filter_map(|column| column.target.as_deref());
    // A store of ours names no columns.
    table.mapped && (targets.any(goes_there) || table.columns.is_empty() && goes_there(&table.name))
}

fn book(table: &SourceTable, options: &TransferOptions) -> TableReport {
    // Everything refers to its tenant, so tenants come with whatever is selected.
    let selected = options.tables.is_empty()
        || options.tables.contains(&table.name)
        || (table.mapped && table.name == RecordKind::Tenant.table());
    let allowed = options.allow_unmapped.contains(&table.name);
    let mut classes = Classes::default();
    let mut unmapped_columns = Vec::new();
    if !table.mapped {
        // No row of it will come, so it gets its class here.
        let class = if selected {
            &mut classes.unmapped
        } else {
            &mut classes.not_selected
        };
        *class = table.rows;
    }
    if selected {
        for column in &table.columns {
            // Of a table without a place every column is told, so that whoever leaves it behind
            // knows what it held.
            if !table.mapped || column.target.is_none() && column.non_null > 0 {
                let name = format!("{}.{}", table.name, column.name);
                unmapped_columns.push(UnmappedColumn {
                    column: column.name.clone(),
                    non_null: column.non_null,
                    allowed: allowed || options.allow_unmapped.contains(&name),
                });
            }
        }
    }
    TableReport {
        table: table.name.clone(),
        rows: table.rows,
        selected,
        classes,
        beyond: BTreeMap::new(),
        allowed: allowed && !table.mapped,
        unmapped_columns,
    }
}
