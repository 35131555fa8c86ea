use memory_domain::InvalidInput;

use super::{ScannedSql, SqlDialect, SqlValue, scan};

/// A statement, and the sets of values for which it is to run.
#[derive(Debug, Clone)]
pub struct SqlBatch {
    /// The text, with `?` where values go.
    pub text: String,
    /// It runs once for each.
    pub sets: Vec<Vec<SqlValue>>,
    /// Whether it may write.
    pub writing: bool,
}

/// What only reads, unless something that writes stands within it; the database sees to that.
const READING: [&str; 6] = ["select", "with", "values", "table", "explain", "show"];

/// What writes. Not here is what would reach beyond the statement: transactions, the session's
/// settings, prepared statements, files, code.
const WRITING: [&str; 15] = [
    "insert", "update", "delete", "merge", "replace", "create", "alter", "drop", "truncate",
    "comment", "grant", "revoke", "analyze", "reindex", "refresh",
];

impl SqlBatch {
    /// Reads the text as this database will, and holds it to what the escape hatch allows.
    ///
    /// # Errors
    /// A text that is not one whole statement, that begins with something else than what reads or,
    /// if it may write, writes; a set of values that does not fit.
    pub fn scanned(&self, dialect: SqlDialect) -> Result<ScannedSql, InvalidInput> {
        let scanned = scan::scan(&self.text, dialect)?;
        self.allows(&scanned.verb)?;
        // SQLite runs many a pragma while it reads it, even where it is only to be explained.
        if let (SqlDialect::Sqlite, Some(explained)) = (dialect, &scanned.explained) {
            self.allows(explained)?;
        }
        let wanted = scanned.parameters();
        if let Some(set) = self.sets.iter().find(|set| set.len() != wanted) {
            let problem = format!("the statement has {wanted} parameters; give as many values");
            return Err(InvalidInput::new("values", set.len(), problem));
        }
        Ok(scanned)
    }

    fn allows(&self, verb: &str) -> Result<(), InvalidInput> {
        if WRITING.contains(&verb) {
            if !self.writing {
                return Err(refused(verb, "it writes; allow it with `writing`"));
            }
        } else if !READING.contains(&verb) {
            let problem = "give a statement that reads or writes rows or tables; transactions, \
                           settings and connections are the store's own";
            return Err(refused(verb, problem));
        }
        Ok(())
    }
}

fn refused(verb: &str, problem: &str) -> InvalidInput {
    InvalidInput::new("sql", verb, problem)
}
