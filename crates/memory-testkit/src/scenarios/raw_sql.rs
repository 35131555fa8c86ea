use std::sync::Arc;

use memory_domain::Timestamp;
use memory_storage::{RawSql, Sql, SqlRow, SqlValue, Storage, StorageError};
use serde_json::json;
use uuid::Uuid;

use crate::support::{ada, assert_refused, at, everything, given_session, message_id, new_message};
use crate::{Backend, StoreOptions};

async fn open(backend: &dyn Backend) -> Arc<dyn Storage> {
    let store = backend.open(StoreOptions::default()).await;
    given_session(&*store, &ada()).await;
    let messages = vec![new_message(1, "one ? two"), new_message(2, "it's")];
    let session = crate::support::session_id(1);
    store
        .append(&ada(), session, messages, at(1))
        .await
        .unwrap();
    store
}

async fn is_postgres(store: &dyn Storage) -> bool {
    store.info().await.unwrap().backend == "postgres"
}

fn sql<'a>(runner: &'a dyn RawSql, text: &str) -> Sql<'a> {
    Sql::new(runner, text)
}

pub(crate) async fn rows_are_read_by_the_names_of_their_columns(backend: &dyn Backend) {
    let store = open(backend).await;
    let text = "select id, content, number, created_at, metadata,
            cast(1.5 as double precision) as half
        from messages where tenant_id = ? and content <> '?' and id in (?, ?)
        order by number -- ?";
    let rows = sql(&*store, text)
        .bind("ada")
        .bind(message_id(1).uuid())
        .bind(message_id(2).uuid())
        .fetch()
        .await
        .unwrap();
    let contents: Vec<String> = rows.iter().map(|row| row.get("content").unwrap()).collect();
    assert_eq!(contents, ["one ? two", "it's"]);
    let second = &rows[1];
    assert_eq!(second.get::<Uuid>("id").unwrap(), message_id(2).uuid());
    assert_eq!(second.get::<i64>("number").unwrap(), 2);
    assert_eq!(second.get::<Timestamp>("created_at").unwrap(), at(1));
    assert_eq!(
        second.get::<serde_json::Value>("metadata").unwrap(),
        json!({})
    );
    assert_eq!(second.get::<Option<f64>>("half").unwrap(), Some(1.5));
    assert_refused!(second.get::<i64>("content"), Invalid);
    assert_refused!(second.get::<i64>("nothing"), Invalid);
    let twice = sql(&*store, "select 1 as a, 2 as a").fetch().await.unwrap();
    assert_refused!(twice[0].get::<i64>("a"), Invalid);
}

pub(crate) async fn every_kind_of_value_goes_in_and_comes_back(backend: &dyn Backend) {
    let store = open(backend).await;
    let read = async |cast: &str, value: SqlValue| -> SqlRow {
        let text = format!("select cast(? as {cast}) as v");
        let rows = sql(&*store, &text).bind(value).fetch().await.unwrap();
        rows.into_iter().next().unwrap()
    };
    let postgres = is_postgres(&*store).await;
    let name = |postgres_name, sqlite_name| if postgres { postgres_name } else { sqlite_name };
    let (boolean, number, double) = (
        name("boolean", "integer"),
        name("bigint", "integer"),
        name("double precision", "real"),
    );
    for value in [true, false] {
        assert_eq!(
            read(boolean, value.into()).await.get::<bool>("v").unwrap(),
            value
        );
    }
    for value in [0, -1, i64::MAX, i64::MIN] {
        assert_eq!(
            read(number, value.into()).await.get::<i64>("v").unwrap(),
            value
        );
    }
    for value in [0.1, -2.5e300] {
        let found: f64 = read(double, value.into()).await.get("v").unwrap();
        assert_eq!(found.to_bits(), f64::to_bits(value));
    }
    for value in ["", "it's ? $1 \\", "메모리 🔑"] {
        assert_eq!(
            read("text", value.into()).await.get::<String>("v").unwrap(),
            value
        );
    }
    let bytes = vec![0, 255, 39];
    let found = read(name("bytea", "blob"), bytes.clone().into()).await;
    assert_eq!(found.get::<Vec<u8>>("v").unwrap(), bytes);
    let value = json!({"a": [1, null, "x?"], "b": 1.5});
    let found = read(name("jsonb", "text"), value.clone().into()).await;
    assert_eq!(found.get::<serde_json::Value>("v").unwrap(), value);
    let found = read(name("timestamptz", "integer"), at(7).into()).await;
    assert_eq!(found.get::<Timestamp>("v").unwrap(), at(7));
    let id = Uuid::from_u128(7);
    let found = read(name("uuid", "blob"), id.into()).await;
    assert_eq!(found.get::<Uuid>("v").unwrap(), id);
    for cast in ["text", number, double] {
        let found = read(cast, SqlValue::Null).await;
        assert_eq!(found.get::<Option<String>>("v").unwrap(), None);
    }
}

pub(crate) async fn many_sets_of_values_take_effect_together(backend: &dyn Backend) {
    let store = open(backend).await;
    let text = "update messages set content = ? where tenant_id = ? and number = ?";
    let set =
        |content: &str, number: i64| vec![content.into(), "ada".into(), SqlValue::from(number)];
    let changed = sql(&*store, text)
        .bind_many([set("first", 1), set("none", 9), set("second", 2)])
        .writing()
        .execute()
        .await;
    assert_eq!(changed.unwrap(), 2);
    let numbers = [1_i64, 2].map(|number| vec![SqlValue::from(number)]);
    let text = "select content from messages where tenant_id = ? and number = ?";
    let rows = sql(&*store, text)
        .bind("ada")
        .bind_many(numbers)
        .fetch()
        .await
        .unwrap();
    let contents: Vec<String> = rows.iter().map(|row| row.get("content").unwrap()).collect();
    assert_eq!(contents, ["first", "second"]);

    // The second breaks a rule of the schema, so the first is undone too.
    let text = "update sessions set message_count = ? where tenant_id = 'ada'";
    let sets = [3_i64, -1].map(|count| vec![SqlValue::from(count)]);
    let before = everything(&*store, None).await;
    let failed = sql(&*store, text).bind_many(sets).writing().execute().await;
    assert!(failed.is_err());
    assert_eq!(everything(&*store, None).await, before);
    let none = sql(&*store, text).bind_many([]).writing().execute().await;
    assert_eq!(none.unwrap(), 0);
    // What changes no row says so, whatever was changed before.
    for text in [
        "create table other (a integer)",
        "select content from messages",
        "drop table other",
    ] {
        let changed = sql(&*store, text).writing().execute().await;
        assert_eq!(changed.unwrap(), 0, "{text}");
    }
    let text = "with x as (select 1) update messages set content = 'third' where number = 1";
    let changed = sql(&*store, text).writing().execute().await;
    assert_eq!(changed.unwrap(), 1);
}

pub(crate) async fn what_was_not_allowed_to_write_does_not(backend: &dyn Backend) {
    let store = open(backend).await;
    let before = everything(&*store, None).await;
    let postgres = is_postgres(&*store).await;
    let mut texts = vec![
        "delete from messages",
        "insert into tenants select * from tenants",
        "create table t (a integer)",
        "drop table messages",
        "with x as (select 1) delete from messages",
    ];
    texts.extend(if postgres {
        [
            "with x as (delete from messages returning id) select * from x",
            "explain analyze delete from messages",
            "select * into t from messages",
            "select set_config('transaction_read_only', 'off', true)",
            "select * from messages for update",
            "select append_messages(null)",
        ]
    } else {
        [
            "with x as (select 1) update messages set content = ''",
            "with x as (select 1) insert into tenants select * from tenants",
            "with x as (select 1) replace into tenants select * from tenants",
            "select load_extension('x')",
            "select writefile('x', 'y')",
            "with x as (select 1) delete from sessions",
        ]
    });
    for text in texts {
        assert!(sql(&*store, text).fetch().await.is_err(), "{text}");
        assert!(sql(&*store, text).execute().await.is_err(), "{text}");
        let work = store.begin().await.unwrap();
        assert!(sql(&*work, text).execute().await.is_err(), "{text}");
        drop(work);
    }
    assert_eq!(everything(&*store, None).await, before);
}

pub(crate) async fn no_text_leaves_the_statement_it_is(backend: &dyn Backend) {
    let store = open(backend).await;
    let before = everything(&*store, None).await;
    // SQLite would run the pragma; PostgreSQL has none.
    let explained: &[&str] = if is_postgres(&*store).await {
        &[]
    } else {
        &[
            "explain pragma ignore_check_constraints = on",
            "explain query plan pragma case_sensitive_like = on",
            "explain /* select */ pragma hard_heap_limit = 1",
            "explain attach database '/tmp/other.db' as other",
        ]
    };
    let texts = [
        "begin",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint a",
        "release savepoint a",
        "rollback to savepoint job",
        "start transaction",
        "prepare transaction 'a'",
        "set search_path = public",
        "set transaction read write",
        "reset all",
        "discard all",
        "deallocate all",
        "prepare a as select 1",
        "execute a",
        "listen a",
        "lock table messages",
        "copy messages to '/tmp/stolen'",
        "do $$ begin delete from messages; end $$",
        "call a()",
        "vacuum",
        "vacuum into '/tmp/stolen.db'",
        "attach database '/tmp/other.db' as other",
        "detach database main",
        "pragma query_only = off",
        "/* select */ pragma query_only = off",
        "-- select\npragma writable_schema = on",
        "(pragma foreign_keys = off)",
        "select 1; delete from messages",
        "select 1 /* ; */ ; commit",
        "select '1'; commit; begin; delete from messages",
        "",
        ";",
        "select '",
    ];
    for text in texts.iter().chain(explained) {
        for writing in [false, true] {
            let statement = |runner| {
                let statement = sql(runner, text);
                if writing {
                    statement.writing()
                } else {
                    statement
                }
            };
            assert_refused!(statement(&*store).fetch().await, Invalid);
            // A refusal, so the work goes on.
            let work = store.begin().await.unwrap();
            assert_refused!(statement(&*work).execute().await, Invalid);
            work.commit().await.unwrap();
        }
    }
    for (text, values) in [("select ?", 0), ("select 1", 1), ("select '?', ?", 2)] {
        let set = vec![SqlValue::Null; values];
        assert_refused!(sql(&*store, text).bind_many([set]).fetch().await, Invalid);
    }
    assert_eq!(everything(&*store, None).await, before);
}

pub(crate) async fn a_work_takes_raw_sql_along(backend: &dyn Backend) {
    let store = open(backend).await;
    let change = "update messages set content = ? where tenant_id = 'ada' and number = 1";
    let look = "select content from messages where tenant_id = 'ada' and number = 1";
    let content = async |runner: &dyn RawSql| -> String {
        sql(runner, look).fetch().await.unwrap()[0]
            .get("content")
            .unwrap()
    };
    let work = store.begin().await.unwrap();
    assert_eq!(
        sql(&*work, change)
            .bind("undone")
            .writing()
            .execute()
            .await
            .unwrap(),
        1
    );
    assert_eq!(content(&*work).await, "undone");
    assert_eq!(content(&*store).await, "one ? two");
    work.rollback().await.unwrap();
    assert_eq!(content(&*store).await, "one ? two");

    let work = store.begin().await.unwrap();
    sql(&*work, change)
        .bind("kept")
        .writing()
        .execute()
        .await
        .unwrap();
    // Reading in between takes nothing from the work, nor its right to write.
    assert_eq!(content(&*work).await, "kept");
    let session = crate::support::session_id(1);
    work.rename_session(&ada(), session, "renamed".to_owned(), at(2))
        .await
        .unwrap();
    work.commit().await.unwrap();
    assert_eq!(content(&*store).await, "kept");
    let session = store.session(&ada(), session).await.unwrap().unwrap();
    assert_eq!(session.title, "renamed");

    // An error of the database undoes the work, as with any verb.
    let work = store.begin().await.unwrap();
    sql(&*work, change)
        .bind("lost")
        .writing()
        .execute()
        .await
        .unwrap();
    assert!(sql(&*work, "select * from nowhere").fetch().await.is_err());
    assert_refused!(work.commit().await, WorkAborted);
    assert_eq!(content(&*store).await, "kept");
}

pub(crate) async fn nothing_stays_behind_for_the_next_verb(backend: &dyn Backend) {
    let store = backend
        .open(StoreOptions::default().with_max_connections(1))
        .await;
    given_session(&*store, &ada()).await;
    let texts = if is_postgres(&*store).await {
        vec![
            "select set_config('search_path', 'public', false)",
            "select set_config('statement_timeout', '1', false)",
            "select set_config('default_transaction_read_only', 'on', false)",
            "create temporary table sessions (a integer)",
        ]
    } else {
        vec![
            "create temporary table sessions (a integer)",
            "create temp view messages as select 1",
            "create table temp.nodes (a integer)",
        ]
    };
    let title = async || {
        let session = crate::support::session_id(1);
        store.session(&ada(), session).await.unwrap().unwrap().title
    };
    for text in texts {
        // Whether it is refused or forgotten.
        let _ = sql(&*store, text).fetch().await;
        assert_eq!(title().await, "talk", "{text}");
        let _ = sql(&*store, text).writing().fetch().await;
        assert_eq!(title().await, "talk", "{text}");
        let work = store.begin().await.unwrap();
        let _ = sql(&*work, text).writing().fetch().await;
        let _ = work.commit().await;
        let session = crate::support::session_id(1);
        let ada = ada();
        let renamed = store.rename_session(&ada, session, "talk".to_owned(), at(3));
        renamed
            .await
            .unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(title().await, "talk", "{text}");
    }
}

pub(crate) async fn an_error_tells_what_the_database_said(backend: &dyn Backend) {
    let store = open(backend).await;
    for text in [
        "select * from nowhere",
        "select nothing from messages",
        "select (",
    ] {
        let error = sql(&*store, text).fetch().await.unwrap_err();
        assert!(
            matches!(error, StorageError::Backend { .. }),
            "{text}: {error:?}"
        );
    }
}
