//! The index for search: what it holds is what it would hold if it were made anew, and what was
//! written before there was one is in it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Fresh, client};
use memory_domain::{Limit, SearchQuery, TenantId};
use memory_storage::{SearchStore, Storage};
use memory_testkit::use_at_random;

async fn lines(fresh: &Fresh, sql: &str) -> Vec<String> {
    let sql = sql.replace("{schema}", &fresh.schema);
    let rows = client().await.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every chunk, with its terms and trigrams.
async fn index(fresh: &Fresh) -> Vec<String> {
    let sql = "select 'message ' || c::text from {schema}.message_chunks as c
        union all select 'node ' || c::text from {schema}.node_chunks as c
        order by 1";
    lines(fresh, sql).await
}

#[tokio::test]
async fn the_index_after_any_use_is_the_one_made_anew() {
    for seed in 0..8 {
        let fresh = Fresh::new();
        let store = fresh.open().await;
        use_at_random(&store, seed).await;
        let before = index(&fresh).await;
        assert!(before.len() > 5, "{before:?}");
        assert!(store.schema().reindex().await.unwrap() > 0);
        assert_eq!(index(&fresh).await, before, "seed {seed}");
    }
}

/// What a program wrote that knew of no search.
const BEFORE: &str = "
    set search_path = {schema};
    insert into tenants values ('ada', now(), now(), '{}');
    insert into sessions
    values ('ada', '00000000-0000-0000-0000-000000000001', '', '{}', now(), now(), 250);
    insert into messages
    select 'ada', md5(n::text)::uuid, '00000000-0000-0000-0000-000000000001', n, 'user',
        'old words ' || n, '{}', now()
    from generate_series(1, 250) as n;
    insert into nodes
    values ('ada', '00000000-0000-0000-0000-000000000001', 'tool_output', null, null, null,
        'Old name', '{\"a\": \"old value\"}', '', '{}', '{}', 0.5, now(), now(), now(), 1, 0);";

#[tokio::test]
async fn what_was_written_before_there_was_an_index_is_found_after_up() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let states = store.schema().status().await.unwrap();
    let since = states
        .iter()
        .rev()
        .take_while(|state| !state.name.ends_with("_search"));
    let steps = u32::try_from(since.count() + 1).unwrap();
    store.schema().down(steps).await.unwrap();
    let sql = BEFORE.replace("{schema}", &fresh.schema);
    client().await.batch_execute(&sql).await.unwrap();
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
    let left = lines(&fresh, "select owner from {schema}.search_backlog").await;
    assert_eq!(left, [""; 0]);
    assert_eq!(store.schema().reindex().await.unwrap(), 251);
    assert_eq!(found("old").await, 251);
}
