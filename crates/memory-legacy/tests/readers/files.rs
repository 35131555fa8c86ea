//! What a path can lead to, and what is said about it.

use std::fs;
use std::path::Path;

use crate::made::{
    CONSULTANT, CONTINUUM_EXTRACTION, CONTINUUM_FIRST, CONTINUUM_LATER, FLUX_RAG, JARVIS,
    LOOSE_CONSULTANT, LOOSE_CONTINUUM, Made, made, read, read_source,
};
use memory_legacy::{LegacyKind, Options, Recognised, open, recognise};
use rusqlite::Connection;

const ENTITY: &str = "insert into entities (type, name, created_at, updated_at)
    values ('file', 'a', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z');";

/// Holds that both ways in say so, and name the file.
fn assert_refused(path: &Path, problem: &str) {
    let recognised = recognise(path).unwrap_err().to_string();
    let opened = open(path, Options::default()).err().unwrap().to_string();
    for error in [recognised, opened] {
        assert!(
            error.starts_with(&format!("{} cannot be read: ", path.display())),
            "{error}"
        );
        assert!(error.contains(problem), "{error}");
    }
}

/// Writes bytes into a file of a folder that lives as long as the test.
fn file_of(made: &Made, bytes: &[u8]) -> std::path::PathBuf {
    let path = made.folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn files_are_recognised_by_their_tables() {
    for (schema, kind) in [
        (FLUX_RAG, LegacyKind::FluxRag),
        (crate::made::FLUX_RAG_WITHOUT_USERS, LegacyKind::FluxRag),
        (JARVIS, LegacyKind::Jarvis),
        (&JARVIS.to_uppercase(), LegacyKind::Jarvis),
        (CONSULTANT, LegacyKind::Consultant),
        (LOOSE_CONSULTANT, LegacyKind::Consultant),
        (CONTINUUM_FIRST, LegacyKind::Continuum),
        (CONTINUUM_EXTRACTION, LegacyKind::Continuum),
        (LOOSE_CONTINUUM, LegacyKind::Continuum),
    ] {
        let made = made(&[schema]);
        assert_eq!(recognise(&made.path).unwrap(), Recognised::Legacy(kind));
        let source = open(&made.path, Options::default()).unwrap();
        assert_eq!(source.description().kind, kind.as_str());
        assert_eq!(source.description().name, kind.as_str());
        assert_eq!(
            source.description().location,
            made.path.display().to_string()
        );
    }
}

#[test]
fn the_shape_of_continuum_goes_along_for_a_replay() {
    for (schema, shape) in [
        (&[CONTINUUM_FIRST][..], "v0.2.0"),
        (&[CONTINUUM_FIRST, CONTINUUM_LATER], "later"),
        (&[CONTINUUM_EXTRACTION], "extraction"),
    ] {
        let made = made(schema);
        let source = open(&made.path, Options::default()).unwrap();
        assert_eq!(source.description().settings["shape"], shape);
    }
}

#[test]
fn the_same_names_in_another_shape_are_another_system() {
    // CONTINUUM has tables of these names too.
    let made = made(&[
        "create table entities (id integer primary key, name text, entity_type text);
        create table relationships (id integer primary key, a text, b text);
        create table messages (id integer primary key, user_message text, session_id text);
        create table sessions (id text primary key);",
    ]);
    assert_refused(
        &made.path,
        "it is of no known system (continuum, flux-rag, jarvis, consultant)",
    );
    let options = Options {
        kind: Some(LegacyKind::Jarvis),
        ..Options::default()
    };
    let error = open(&made.path, options).err().unwrap().to_string();
    assert!(
        error.contains("it lacks the column entities.type, the column entities.metadata"),
        "{error}"
    );
}

#[test]
fn a_store_of_ours_is_told_from_a_legacy_file() {
    let made = made(&[JARVIS, "pragma application_id = 0x4D454D31"]);
    assert_eq!(recognise(&made.path).unwrap(), Recognised::Store);
    let error = open(&made.path, Options::default()).err().unwrap();
    assert!(
        error.to_string().contains("it is a store of ours"),
        "{error}"
    );
}

#[test]
fn a_file_of_several_systems_is_carried_only_as_told() {
    let made = made(&[FLUX_RAG, JARVIS, ENTITY]);
    assert_refused(
        &made.path,
        "say with --source-kind which to carry: flux-rag, jarvis",
    );
    let options = Options {
        kind: Some(LegacyKind::Jarvis),
        ..Options::default()
    };
    let read = crate::made::read_with(&made.path, options);
    assert_eq!(read.rows.len(), 1);
    let mapped: Vec<(&str, bool)> = read
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.mapped))
        .collect();
    assert_eq!(
        mapped,
        [
            ("entities", true),
            ("relationships", true),
            ("mission_history", true),
            ("file_snapshots", true),
            ("messages", false),
            ("sessions", false),
        ]
    );
}

#[test]
fn what_is_no_sound_file_is_refused_with_what_to_do() {
    let made = made(&[JARVIS, ENTITY]);
    let whole = fs::read(&made.path).unwrap();
    let folder = made.folder.path();
    assert_refused(folder, "it is a directory");
    assert_refused(&folder.join("missing"), "there is no such file");
    assert_refused(Path::new(""), "there is no such file");
    assert_refused(&file_of(&made, b""), "it is empty");
    assert_refused(
        &file_of(&made, b"{\"event\": 1}\n"),
        "is not a SQLite database, or is encrypted",
    );
    let noise: Vec<u8> = (0..=u8::MAX).cycle().skip(1).take(whole.len()).collect();
    assert_refused(&file_of(&made, &noise), "is encrypted");
    assert_refused(
        &file_of(&made, &whole[..whole.len() - 1]),
        "its end is missing",
    );
    assert_refused(&file_of(&made, &whole[..4096]), "its end is missing");
    assert_refused(&file_of(&made, &whole[..50]), "its end is missing");
    let mut damaged = whole.clone();
    damaged[100..200].fill(0xff);
    assert_refused(&file_of(&made, &damaged), "it is damaged or truncated");
}

#[test]
fn damage_that_is_met_later_is_an_error_and_no_end() {
    let made = made(&[JARVIS]);
    insert_entities(&made.connection, 2_000);
    let mut bytes = fs::read(&made.path).unwrap();
    // A page of the table, found by a name that stands in no index after it.
    let page = bytes.len() / 4096 / 2;
    bytes[page * 4096..(page + 1) * 4096].fill(0);
    let path = file_of(&made, &bytes);
    let source = open(&path, Options::default()).unwrap();
    let error = read_source(source).err().unwrap().to_string();
    assert!(error.contains("it is damaged or truncated"), "{error}");
}

#[test]
fn a_file_without_tables_is_refused() {
    let made = made(&["create table t (a); drop table t"]);
    assert_refused(&made.path, "it holds no tables");
}

#[test]
fn names_are_taken_as_they_are() {
    for name in [
        ":memory:",
        "file:x?mode=memory",
        "a?b=c#d",
        "%41.db",
        "이름 x.db",
    ] {
        let made = made(&[JARVIS, ENTITY]);
        let path = made.folder.path().join(name);
        fs::copy(&made.path, &path).unwrap();
        assert_eq!(read(&path).rows.len(), 1, "{name}");
    }
}

#[test]
fn what_is_still_in_the_write_ahead_log_is_read() {
    let made = made(&[
        "pragma journal_mode = wal; pragma wal_autocheckpoint = 0",
        JARVIS,
        ENTITY,
    ]);
    let main = fs::metadata(&made.path).unwrap().len();
    assert!(
        main <= 4096,
        "the rows are in the log only, not in {main} bytes"
    );
    assert_eq!(read(&made.path).rows.len(), 1);
    // And when nobody has it open, as after a kill.
    let copy = made.folder.path().join("copy");
    for ending in ["", "-wal"] {
        let mut from = made.path.clone().into_os_string();
        from.push(ending);
        let mut to = copy.clone().into_os_string();
        to.push(ending);
        fs::copy(from, to).unwrap();
    }
    assert_eq!(read(&copy).rows.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_write_ahead_log_that_cannot_be_opened_is_explained() {
    let made = made(&["pragma journal_mode = wal", JARVIS, ENTITY]);
    drop(made.connection);
    // What a folder without write permission does to others, a link does to root too: SQLite
    // follows none here.
    std::os::unix::fs::symlink("nowhere", made.folder.path().join("some.thing-shm")).unwrap();
    assert_refused(&made.path, "make its directory writable");
}

#[test]
fn reading_changes_nothing() {
    for mode in ["delete", "wal"] {
        let made = made(&[&format!("pragma journal_mode = {mode}"), JARVIS, ENTITY]);
        let before = fs::read(&made.path).unwrap();
        assert_eq!(read(&made.path).rows.len(), 1);
        assert_eq!(fs::read(&made.path).unwrap(), before, "{mode}");
    }
}

#[test]
fn one_state_is_read_while_another_connection_writes() {
    let made = made(&["pragma journal_mode = wal", JARVIS, ENTITY]);
    let options = Options {
        batch_size: 1,
        ..Options::default()
    };
    insert_entities(&made.connection, 200);
    let source = open(&made.path, options).unwrap();
    let writer = Connection::open(&made.path).unwrap();
    writer
        .execute_batch(
            "delete from entities where id > 150;
            update entities set name = name || '!';
            insert into relationships values (1, 1, 2, 'a', '{}', '2015-08-29T21:59:17Z');",
        )
        .unwrap();
    let read = read_source(source).unwrap();
    assert_eq!(read.rows.len(), 201);
    assert_eq!(read.identical("entities", "id=201")["name"], "200");
    assert_eq!(crate::made::read(&made.path).rows.len(), 151);
}

#[test]
fn a_source_can_be_dropped_at_any_time() {
    let made = made(&[JARVIS]);
    insert_entities(&made.connection, 5_000);
    let options = || Options {
        batch_size: 10,
        ..Options::default()
    };
    drop(open(&made.path, options()).unwrap());
    let mut source = open(&made.path, options()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        // The tables need not be asked for first.
        assert_eq!(source.next().await.unwrap().unwrap().len(), 10);
    });
    drop(source);
    // The thread lets go of the file: a writer that wants it for itself gets it.
    made.connection
        .busy_timeout(std::time::Duration::from_secs(10))
        .unwrap();
    made.connection
        .execute_batch("begin exclusive; commit")
        .unwrap();
}

#[test]
fn a_name_for_ids_must_be_a_name() {
    let made = made(&[JARVIS]);
    for name in ["", "a\nb"] {
        let options = Options {
            name: Some(name.to_owned()),
            ..Options::default()
        };
        let error = open(&made.path, options).err().unwrap().to_string();
        assert!(error.contains("invalid source-name"), "{error}");
    }
}

#[test]
fn a_write_that_was_cut_off_is_explained() {
    let made = made(&["pragma cache_size = 1", JARVIS, ENTITY]);
    made.connection.execute_batch("begin").unwrap();
    insert_entities(&made.connection, 5_000);
    let copy = made.folder.path().join("copy");
    fs::copy(&made.path, &copy).unwrap();
    fs::copy(
        made.folder.path().join("some.thing-journal"),
        made.folder.path().join("copy-journal"),
    )
    .unwrap();
    assert_refused(&copy, "stopped in the middle of a write");
}

#[test]
fn a_writer_waits_for_a_file_without_a_write_ahead_log() {
    let made = made(&[JARVIS, ENTITY]);
    insert_entities(&made.connection, 200);
    // More batches than are read ahead, so that reading is under way.
    let options = Options {
        batch_size: 1,
        ..Options::default()
    };
    let source = open(&made.path, options).unwrap();
    made.connection
        .busy_timeout(std::time::Duration::ZERO)
        .unwrap();
    let refused = made
        .connection
        .execute_batch("delete from entities")
        .unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    assert_eq!(read_source(source).unwrap().rows.len(), 201);
}

/// Adds entities that are called by their number.
fn insert_entities(connection: &Connection, count: u32) {
    let sql =
        "with recursive number(n) as (select 1 union all select n + 1 from number where n < ?1)
        insert into entities (type, name, created_at, updated_at)
        select 'file', n, '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z' from number";
    connection.execute(sql, [count]).unwrap();
}
