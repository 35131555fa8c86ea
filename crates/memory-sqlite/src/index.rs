//! What search finds, written with the message or node that it is in.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use memory_domain::{IndexChunk, Indexed, Message, Node, TenantTerms, message_chunks, node_chunks};

use crate::statement::Statement;

/// Indexes a message that is new.
pub(crate) fn index_message(
    connection: &mut SqliteConnection,
    message: &Message,
) -> QueryResult<()> {
    let terms = TenantTerms::of(&message.tenant_id);
    for chunk in message_chunks(&terms, &message.content) {
        Statement::new(
            "insert into message_chunks (tenant_id, message_id, part, created_at, text)
             values (?, ?, ?, ?, ?)",
        )
        .text(message.tenant_id.as_str())
        .id(message.id.uuid())
        .number(chunk.part.into())
        .at(message.created_at)
        .text(&chunk.text)
        .run(connection)?;
        index_terms(
            connection,
            "insert into message_terms (rowid, words, marks) values (?, ?, ?)",
            "insert into message_grams (rowid, grams) values (?, ?)",
            &chunk,
        )?;
    }
    Ok(())
}

/// Indexes a node that is new.
pub(crate) fn index_node(connection: &mut SqliteConnection, node: &Node) -> QueryResult<()> {
    let terms = TenantTerms::of(&node.tenant_id);
    for chunk in node_chunks(&terms, Indexed::from(node), false) {
        Statement::new(
            "insert into node_chunks (tenant_id, node_id, field, part, place, created_at, text)
             values (?, ?, ?, ?, ?, ?, ?)",
        )
        .text(node.tenant_id.as_str())
        .id(node.id.uuid())
        .id(chunk.field.0)
        .number(chunk.part.into())
        .number(chunk.place.number().into())
        .at(node.created_at)
        .text(&chunk.text)
        .run(connection)?;
        index_terms(
            connection,
            "insert into node_terms (rowid, words, marks) values (?, ?, ?)",
            "insert into node_grams (rowid, grams) values (?, ?)",
            &chunk,
        )?;
    }
    Ok(())
}

/// Indexes a message anew.
pub(crate) fn reindex_message(
    connection: &mut SqliteConnection,
    message: &Message,
) -> QueryResult<()> {
    Statement::new("delete from message_chunks where tenant_id = ? and message_id = ?")
        .text(message.tenant_id.as_str())
        .id(message.id.uuid())
        .run(connection)?;
    index_message(connection, message)
}

/// Indexes a node anew, after it was changed.
pub(crate) fn reindex_node(connection: &mut SqliteConnection, node: &Node) -> QueryResult<()> {
    Statement::new("delete from node_chunks where tenant_id = ? and node_id = ?")
        .text(node.tenant_id.as_str())
        .id(node.id.uuid())
        .run(connection)?;
    index_node(connection, node)
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Indexes the chunk that was inserted last.
///
/// Its id is asked for instead of returned: while a statement with a `returning` or a trigger runs,
/// everything must be as before it if it fails, so FTS5 first writes out what it has gathered.
fn index_terms(
    connection: &mut SqliteConnection,
    into_terms: &'static str,
    into_grams: &'static str,
    chunk: &IndexChunk,
) -> QueryResult<()> {
    let last = Statement::new("select last_insert_rowid() as id");
    let Inserted { id } = last.get_result(connection)?;
    if !chunk.words.is_empty() || !chunk.marks.is_empty() {
        let marks: Vec<&str> = chunk.marks.iter().map(String::as_str).collect();
        Statement::new(into_terms)
            .number(id)
            .text(&chunk.words.join(" "))
            .text(&marks.join(" "))
            .run(connection)?;
    }
    if !chunk.grams.is_empty() {
        Statement::new(into_grams)
            .number(id)
            .text(&grams_text(&chunk.grams))
            .run(connection)?;
    }
    Ok(())
}

/// Trigrams as terms that no tokenizer changes, separated by spaces: in a query, all of them.
pub(crate) fn grams_text(grams: &[i32]) -> String {
    let hex = |gram: &i32| format!("{:08x}", gram.cast_unsigned());
    grams.iter().map(hex).collect::<Vec<_>>().join(" ")
}
