//! Whose file it is, and what to tell who opens another program's.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use crate::connection::APPLICATION_ID;

/// Whose file it is.
pub(crate) enum Owner {
    Us,
    Nobody,
    /// With its tables.
    Other(Vec<String>),
}

/// Looks at the header and the tables, in one statement.
pub(crate) fn owner(connection: &mut SqliteConnection) -> QueryResult<Owner> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        application_id: i32,
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
        name: Option<String>,
    }
    let found: Vec<Found> = diesel::sql_query(
        "select application_id, name from pragma_application_id
         left join sqlite_schema on type in ('table', 'view')",
    )
    .load(connection)?;
    let id = found.first().map_or(0, |row| row.application_id);
    let tables: Vec<String> = found.into_iter().filter_map(|row| row.name).collect();
    Ok(if id == APPLICATION_ID {
        Owner::Us
    } else if id == 0 && tables.is_empty() {
        Owner::Nobody
    } else {
        Owner::Other(tables)
    })
}

/// The formats that can be carried over, and the tables by which they are known.
const FORMATS: [(&str, &[&str]); 2] = [
    ("flux-rag", &["sessions", "messages"]),
    ("JARVIS", &["entities", "relationships"]),
];

/// A hint for the owner of a file with these tables.
pub(crate) fn hint(tables: &[String], path: &str) -> String {
    let has = |wanted: &&str| {
        tables
            .iter()
            .any(|table| table.eq_ignore_ascii_case(wanted))
    };
    let format = FORMATS
        .iter()
        .find(|(_, wanted)| wanted.iter().all(has))
        .map(|(format, _)| format);
    match format {
        Some(format) => format!(
            "it looks like a memory of {format}: carry it into a new store with `memory migrate \
             --from {path} --to sqlite://memory.db`"
        ),
        None => "name another file".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn only_a_known_format_is_said_to_be_one() {
        let tables = |names: &[&str]| names.iter().map(|&name| name.into()).collect::<Vec<_>>();
        let flux = hint(&tables(&["Sessions", "messages", "other"]), "old.db");
        assert!(
            flux.contains("flux-rag") && flux.contains("--from old.db"),
            "{flux}"
        );
        assert!(!hint(&tables(&["sessions"]), "old.db").contains("--from"));
    }
}
