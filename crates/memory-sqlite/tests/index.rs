//! The index for search: what it holds is what it would hold if it were made anew, and what was
//! written before there was one is in it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
mod support;

use std::path::Path;

use beside::{connect, path};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use memory_domain::{Limit, SearchQuery, TenantId};
use memory_sqlite::SqliteStorage;
use memory_storage::{SearchStore, Storage};
use memory_testkit::use_at_random;
use support::Sqlite;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let lines: Vec<Line> = diesel::sql_query(sql).load(connection).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

/// Every chunk, and every term and trigram with the chunk that it is in.
fn index(path: &Path) -> Vec<String> {
    let mut connection = connect(path);
    let mut all = Vec::new();
    for (chunks, key) in [
        ("message", "hex(c.message_id) || ' ' || c.part"),
        (
            "node",
            "hex(c.node_id) || ' ' || hex(c.field) || ' ' || c.part || ' ' || c.place",
        ),
    ] {
        let key = format!("c.tenant_id || ' ' || {key}");
        all.extend(lines(
            &mut connection,
            &format!(
                "select {key} || ' ' || c.created_at || ' ' || c.text as line
                from {chunks}_chunks as c order by 1"
            ),
        ));
        for terms in ["terms", "grams"] {
            let table = format!("{chunks}_{terms}");
            connection
                .batch_execute(&format!(
                    "create virtual table temp.{table}_in using
                     fts5vocab('main', '{table}', 'instance')"
                ))
                .unwrap();
            // What is in no chunk is left behind, and shows as such.
            all.extend(lines(
                &mut connection,
                &format!(
                    "select coalesce({key}, 'nowhere') || ' ' || v.term || ' ' || coalesce(v.col, '')
                        || ' ' || coalesce(v.offset, '') as line
                    from temp.{table}_in as v left join {chunks}_chunks as c on c.id = v.doc
                    order by 1"
                ),
            ));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_after_any_use_is_the_one_made_anew() {
    let backend = Sqlite::start();
    for seed in 0..8 {
        let config = backend.config();
        let store = SqliteStorage::open(&config).await.unwrap();
        use_at_random(&store, seed).await;
        let before = index(&path(&config));
        assert!(before.len() > 20, "{before:?}");
        assert!(store.schema().reindex().await.unwrap() > 0);
        assert_eq!(index(&path(&config)), before, "seed {seed}");
    }
}

/// What a program wrote that knew of no search.
const BEFORE: &str = "
    insert into tenants values ('ada', 0, 0, '{}');
    insert into sessions values ('ada', x'00000000000000000000000000000001', '', '{}', 0, 0, 250);
    with recursive n (value) as (select 1 union all select value + 1 from n where value < 250)
    insert into messages
    select 'ada', cast(printf('%016d', value) as blob),
        x'00000000000000000000000000000001', value, 'user', 'old words ' || value, '{}', value
    from n;
    insert into nodes values ('ada', x'00000000000000000000000000000001', 'tool_output', null,
        null, null, 'Old name', '{\"a\": \"old value\"}', '', '[]', '{}', 0.5, 0, 0, 0, 1, 0);";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_before_there_was_an_index_is_found_after_up() {
    let backend = Sqlite::start();
    let config = backend.config();
    let store = SqliteStorage::open(&config).await.unwrap();
    let states = store.schema().status().await.unwrap();
    let since = states
        .iter()
        .rev()
        .take_while(|state| !state.name.ends_with("_search"));
    let steps = u32::try_from(since.count() + 1).unwrap();
    store.schema().down(steps).await.unwrap();
    connect(&path(&config)).batch_execute(BEFORE).unwrap();
    store.schema().up().await.unwrap();
    let ada = TenantId::new("ada").unwrap();
    let found = async |text: &str| {
        let query = SearchQuery::words(text);
        store.search(&ada, query, Limit::MAX).await.unwrap().len()
    };
    assert_eq!(found("old").await, 251);
    assert_eq!(found("words 250").await, 1);
    assert_eq!(found("old name").await, 1);
    assert_eq!(found("value").await, 1);
    // Nothing is left to be done.
    let left = lines(
        &mut connect(&path(&config)),
        "select owner as line from search_backlog",
    );
    assert_eq!(left, [""; 0]);
    assert_eq!(store.schema().reindex().await.unwrap(), 251);
    assert_eq!(found("old").await, 251);
}
