//! Every table, row and column is accounted for.

use crate::made::{FLUX_RAG, JARVIS, made, read, read_with};
use memory_legacy::Options;
use memory_storage::RawValue;

const ENTITY: &str = "insert into entities (type, name, created_at, updated_at)
    values ('file', 'a', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z');";

#[test]
fn unknown_columns_are_reported_with_their_values() {
    let made = made(&[
        JARVIS,
        ENTITY,
        "alter table entities add column \"odd \"\"name\" text;
        alter table entities add column untyped;
        alter table entities add column twice text generated always as (name || name) virtual;
        update entities set \"odd \"\"name\" = 'x', untyped = x'00';",
    ]);
    let read = read(&made.path);
    let unmapped: Vec<(&str, u64)> = read.tables[0]
        .columns
        .iter()
        .filter(|column| column.target.is_none())
        .map(|column| (column.name.as_str(), column.non_null))
        .collect();
    assert_eq!(unmapped, [("odd \"name", 1), ("untyped", 1), ("twice", 1)]);
    assert_eq!(
        read.rows[0].raw[6..],
        [
            RawValue::Text(b"x".to_vec()),
            RawValue::Blob(vec![0]),
            RawValue::Text(b"aa".to_vec()),
        ]
    );
    read.identical("entities", "id=1");
}

#[test]
fn a_generated_column_that_cannot_be_computed_hides_no_row() {
    let made = made(&[
        JARVIS,
        "insert into entities (type, name, metadata, created_at, updated_at)
        values ('file', 'a', '{', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z'),
            ('file', 'b', '{\"a\": 1}', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z');
        alter table entities add column part text
            generated always as (json_extract(metadata, '$.a')) virtual;",
    ]);
    let read = read(&made.path);
    assert_eq!(
        read.tables[0].columns[6].non_null, 2,
        "as many as there may be"
    );
    assert!(
        read.reason("entities", "id=1")
            .starts_with("invalid metadata")
    );
    read.identical("entities", "id=2");
}

#[test]
fn unknown_tables_are_unmapped_and_those_of_sqlite_are_not_tables() {
    let made = made(&[
        JARVIS,
        ENTITY,
        "create table \"Odd Table\" (a, b); insert into \"Odd Table\" values (1, null), (2, 3);
        create table pairs (a integer, b integer, primary key (a, b)) without rowid;
        insert into pairs values (1, 1);
        create virtual table found using fts5 (name);
        insert into found values ('x'), ('y');
        create view seen as select * from entities;
        create index partial on entities (name) where type = 'file';
        create unique index expression on entities (lower(name));
        analyze;",
    ]);
    let read = read(&made.path);
    let unmapped: Vec<(&str, u64, Vec<u64>)> = read
        .tables
        .iter()
        .filter(|table| !table.mapped)
        .map(|table| {
            let non_null = table.columns.iter().map(|column| column.non_null).collect();
            (table.name.as_str(), table.rows, non_null)
        })
        .collect();
    assert_eq!(
        unmapped,
        [
            ("Odd Table", 2, vec![2, 1]),
            ("found", 2, vec![2]),
            ("pairs", 1, vec![1, 1]),
        ]
    );
}

#[test]
fn a_virtual_table_of_an_unknown_module_stands_in_nobodys_way() {
    let made = made(&[
        JARVIS,
        ENTITY,
        "create virtual table found using fts5 (name)",
    ]);
    made.connection
        .execute_batch(
            "pragma writable_schema = on;
            update sqlite_schema set sql = replace(sql, 'fts5', 'nowhere') where name = 'found';",
        )
        .unwrap();
    let read = read(&made.path);
    let found = read
        .tables
        .iter()
        .find(|table| table.name == "found")
        .unwrap();
    assert_eq!((found.rows, found.mapped), (0, false));
    // What it keeps its data in can no longer be told from other tables, and so is not hidden.
    assert!(
        read.tables
            .iter()
            .any(|table| table.name == "found_data" && table.rows > 0)
    );
}

#[test]
fn names_in_any_case_are_the_same_names() {
    let made = made(&[
        "create table Entities (ID integer primary key, Type text, NAME text, MetaData text,
            Created_At text, UPDATED_AT text);
        create table RELATIONSHIPS (Id integer primary key, From_Id integer, To_Id integer,
            TYPE text, metadata text, created_at text);
        insert into entities values
            (1, 'a', 'b', '{}', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z');
        insert into relationships values (1, 1, 1, 'x', '{}', '2015-08-29T21:59:17Z');",
    ]);
    let read = read(&made.path);
    read.identical("Entities", "id=1");
    read.identical("RELATIONSHIPS", "id=1");
    assert!(read.tables.iter().all(|table| table.mapped));
    let columns = read.tables.iter().flat_map(|table| &table.columns);
    assert!(columns.into_iter().all(|column| column.target.is_some()));
}

#[test]
fn a_table_without_row_numbers_is_refused_clearly() {
    let made = made(&[
        "create table entities (id integer primary key, type, name, metadata, created_at, updated_at)
            without rowid;
        create table relationships (id, from_id, to_id, type, metadata, created_at);",
    ]);
    let source = memory_legacy::open(&made.path, Options::default()).unwrap();
    let error = crate::made::read_source(source).err().unwrap().to_string();
    assert!(
        error.contains("copy it into a table that is not WITHOUT ROWID"),
        "{error}"
    );
}

#[test]
fn columns_that_are_called_like_the_row_number_do_not_hide_it() {
    let made = made(&[
        JARVIS,
        "alter table entities add column rowid text;
        alter table entities add column oid text;",
        ENTITY,
        "update entities set rowid = 'x'",
    ]);
    let read = read(&made.path);
    read.identical("entities", "id=1");
    assert_eq!(read.rows[0].raw[6], RawValue::Text(b"x".to_vec()));
}

#[test]
fn tables_of_a_reader_itself_do_not_meet_those_of_the_file() {
    let made = made(&[
        FLUX_RAG,
        "create table flux_session (row, id); create table flux_message (row);
        insert into flux_session values (1, 2);
        insert into sessions values ('11111111-1111-4111-8111-111111111111', 'ada', '',
            '2026-02-05T15:17:45Z', '2026-02-05T15:17:45Z', '{}');",
    ]);
    let read = read(&made.path);
    assert_eq!(read.rows.len(), 1);
    assert_eq!(read.tables[3].rows, 1);
}

#[test]
fn a_large_cell_is_carried_and_one_beyond_the_limit_is_not() {
    let made = made(&[FLUX_RAG]);
    let session = "11111111-1111-4111-8111-111111111111";
    let sql = "insert into sessions values (?1, '', '', '2026-02-05T15:17:45Z', '2026-02-05T15:17:45Z', '{}')";
    made.connection.execute(sql, [session]).unwrap();
    for (n, bytes) in [(1, 60 << 20), (2, (64 << 20) + 1)] {
        let sql = "insert into messages values (?1, ?2, 'user', ?3, '{}', '2026-02-05T15:17:45Z')";
        let id = format!("aaaaaaaa-0000-4000-8000-{n:012}");
        made.connection
            .execute(sql, (id, session, "x".repeat(bytes)))
            .unwrap();
    }
    let read = read(&made.path);
    let record = read.identical("messages", "id=aaaaaaaa-0000-4000-8000-000000000001");
    assert_eq!(record["content"].as_str().unwrap().len(), 60 << 20);
    let reason = read.reason("messages", "id=aaaaaaaa-0000-4000-8000-000000000002");
    assert!(reason.contains("at most 67108864 are allowed"), "{reason}");
    assert!(reason.len() < 300);
}

#[test]
fn batches_have_at_most_the_rows_that_were_asked_for() {
    let made = made(&[JARVIS]);
    for n in 0..25 {
        let sql = "insert into entities (type, name, created_at, updated_at)
            values ('file', ?1, '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z')";
        made.connection.execute(sql, [n.to_string()]).unwrap();
    }
    for batch_size in [0, 1, 10, 25, 1_000] {
        let options = Options {
            batch_size,
            ..Options::default()
        };
        assert_eq!(read_with(&made.path, options.clone()).rows.len(), 25);
        let mut source = memory_legacy::open(&made.path, options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let first = runtime.block_on(source.next()).unwrap().unwrap();
        assert_eq!(first.len(), batch_size.clamp(1, 25));
    }
}

#[test]
fn a_second_run_gives_the_very_same() {
    let made = made(&[
        JARVIS,
        ENTITY,
        "insert into relationships values (1, 1, 1, 'x', '{}', '2015-08-29T21:59:17Z')",
    ]);
    let (first, second) = (read(&made.path), read(&made.path));
    assert_eq!(first.rows, second.rows);
}
