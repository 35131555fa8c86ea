//! The schema: what diesel thinks it is, and the way up and down.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
mod support;

use std::any::type_name;
use std::path::Path;

use beside::{connect, path};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{HasSqlType, Integer, Nullable, SqlType, Text};
use diesel::sqlite::{Sqlite as Backend, SqliteType};
use memory_diesel::schema;
use memory_domain::{NewSession, TenantId, Timestamp};
use memory_sqlite::SqliteStorage;
use memory_storage::{ConversationStore, SchemaPolicy, Storage, StorageError};
use support::Sqlite;

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Entry {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

/// Everything that makes the schema, in words.
fn whole_schema(path: &Path) -> Vec<Entry> {
    diesel::sql_query("select name, sql from sqlite_schema order by name")
        .load(&mut connect(path))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn up_down_up_gives_the_same_schema() {
    let backend = Sqlite::start();
    let config = backend.config().with_schema(SchemaPolicy::Ignore);
    let store = SqliteStorage::open(&config).await.unwrap();
    let empty = whole_schema(&path(&config));
    assert_eq!(empty, []);
    let up = store.schema().up().await.unwrap();
    assert!(up.len() >= 3 && up.is_sorted(), "{up:?}");
    let first = whole_schema(&path(&config));

    // All at once, and then one by one.
    let mut down = store.schema().down(u32::MAX).await.unwrap();
    let newest = down[0].clone();
    down.reverse();
    assert_eq!(down, up);
    let left: Vec<String> = whole_schema(&path(&config))
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| !name.contains("__diesel_schema_migrations"))
        .collect();
    assert_eq!(left, [""; 0], "something is left behind");
    assert_eq!(store.schema().up().await.unwrap(), up);
    assert_eq!(whole_schema(&path(&config)), first);
    for _ in 0..up.len() {
        assert_eq!(store.schema().down(1).await.unwrap().len(), 1);
    }
    assert_eq!(store.schema().down(1).await.unwrap(), [""; 0]);
    assert_eq!(store.schema().up().await.unwrap(), up);
    assert_eq!(whole_schema(&path(&config)), first);

    let down = store.schema().down(1).await.unwrap();
    assert_eq!(down, [newest.as_str()]);
    let states = store.schema().status().await.unwrap();
    let pending: Vec<_> = states.iter().filter(|state| !state.applied).collect();
    assert_eq!(pending.len(), 1);
    assert_eq!(
        (pending[0].name.as_str(), pending[0].known),
        (newest.as_str(), true)
    );
    // It is still ours, whatever is applied.
    drop(store);
    drop(SqliteStorage::open(&config).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_comes_before_those_that_ran_is_run_all_the_same() {
    let backend = Sqlite::start();
    let config = backend.config();
    drop(SqliteStorage::open(&config).await.unwrap());
    let whole = whole_schema(&path(&config));
    connect(&path(&config))
        .batch_execute(
            "drop table goals;
             delete from __diesel_schema_migrations where version = '20261121000006';",
        )
        .unwrap();
    let store = SqliteStorage::open(&config).await.unwrap();
    let states = store.schema().status().await.unwrap();
    assert!(states.iter().all(|state| state.applied && state.known));
    assert_eq!(whole_schema(&path(&config)), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_goes_on_working_when_its_schema_is_brought_up_again() {
    let backend = Sqlite::start();
    let config = backend.config();
    let store = SqliteStorage::open(&config).await.unwrap();
    let ada = TenantId::new("ada").unwrap();
    let at = Timestamp::UNIX_EPOCH;
    let new = NewSession::new("x");
    store.create_session(&ada, new.clone(), at).await.unwrap();
    assert!(store.session(&ada, new.id).await.unwrap().is_some());
    store.schema().down(u32::MAX).await.unwrap();
    for result in [
        store.session(&ada, new.id).await.map(drop),
        store.create_session(&ada, new.clone(), at).await.map(drop),
    ] {
        let mismatch = matches!(result, Err(StorageError::SchemaMismatch { .. }));
        assert!(mismatch, "{result:?}");
    }
    store.schema().up().await.unwrap();
    assert!(store.session(&ada, new.id).await.unwrap().is_none());
    store.create_session(&ada, new.clone(), at).await.unwrap();
    assert!(store.session(&ada, new.id).await.unwrap().is_some());
}

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text, column_name = "type")]
    declared: String,
    #[diesel(sql_type = Integer)]
    notnull: i32,
    /// Its place in the primary key, from 1.
    #[diesel(sql_type = Integer)]
    pk: i32,
}

/// What a column of diesel's is in SQLite.
fn column<C>(_: C, name: &str, key: &[&str]) -> Column
where
    C: Expression,
    C::SqlType: SqlType,
    Backend: HasSqlType<C::SqlType>,
{
    let declared = match <Backend as HasSqlType<C::SqlType>>::metadata(&mut ()) {
        SqliteType::Binary => "BLOB",
        SqliteType::Text => "TEXT",
        SqliteType::Double => "REAL",
        SqliteType::Integer | SqliteType::Long => "INTEGER",
        other => panic!("{name} is {other:?}"),
    };
    let nullable = type_name::<<C::SqlType as SqlType>::IsNull>().ends_with("IsNullable");
    let place = key.iter().position(|column| *column == name);
    Column {
        name: name.to_owned(),
        declared: declared.to_owned(),
        notnull: i32::from(!nullable),
        pk: place.map_or(0, |place| i32::try_from(place).unwrap() + 1),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_what_diesel_thinks_it_is() {
    let backend = Sqlite::start();
    let config = backend.config();
    drop(SqliteStorage::open(&config).await.unwrap());
    let mut connection = connect(&path(&config));
    // What permits the deletion of audit events is read by a trigger alone.
    let mut checked = [
        "__diesel_schema_migrations",
        "tenants_being_erased",
        "transfers_being_taken_back",
    ]
    .map(str::to_owned)
    .to_vec();
    macro_rules! check {
        ($table:ident ($($key:ident),*): $($column:ident)*) => {{
            let key = [$(stringify!($key)),*];
            let diesels = vec![$(
                column(schema::$table::$column, stringify!($column), &key)
            ),*];
            let query = schema::$table::table.select(schema::$table::all_columns);
            let all = diesel::debug_query::<Backend, _>(&query).to_string();
            assert_eq!(all.matches('.').count(), diesels.len(), "a column is missing here: {all}");
            let mut found: Vec<Column> = diesel::sql_query(format!(
                "select name, type, \"notnull\", pk from pragma_table_info('{}') order by cid",
                stringify!($table)
            ))
            .load(&mut connection)
            .unwrap();
            for column in &mut found {
                column.declared = column.declared.to_uppercase();
            }
            assert_eq!(found, diesels, stringify!($table));
            checked.push(stringify!($table).to_owned());
        }};
    }
    check!(tenants (id): id created_at last_active_at metadata);
    check!(sessions (tenant_id, id):
        tenant_id id title metadata created_at updated_at message_count);
    check!(messages (tenant_id, id):
        tenant_id id session_id number role content metadata created_at);
    check!(nodes (tenant_id, id):
        tenant_id id context_type key_system key_id entity_type name content summary tags metadata
        base_relevance created_at updated_at last_accessed_at access_count update_count);
    check!(node_tags (tenant_id, tag, created_at, node_id): tenant_id tag created_at node_id);
    check!(relationships (tenant_id, id):
        tenant_id id from_id to_id kind label directed strength metadata created_at
        last_reinforced_at);
    check!(compounds (tenant_id, id): tenant_id id name members occurrences last_seen_at);
    check!(compound_members (tenant_id, node_id, compound_id): tenant_id node_id compound_id);
    check!(turns (tenant_id, id): tenant_id id digest concepts learned_at);
    check!(feedback (tenant_id, id):
        tenant_id id session_id message_id rating comment correction created_at);
    check!(decisions (tenant_id, id):
        tenant_id id session_id text context extracted_from decided_at);
    check!(audit_events (tenant_id, id):
        tenant_id id event_type severity session_id actor component action details result
        ip_address resource at);
    check!(tasks (tenant_id, id):
        tenant_id id name task_type status priority attempts max_retries arguments result error
        traceback external_id claimed_by claimed_until created_at started_at completed_at);
    check!(missions (tenant_id, id):
        tenant_id id key status domain cost_usd iterations duration_seconds files_modified metadata
        created_at);
    check!(file_snapshots (tenant_id, id):
        tenant_id id path mission_key size_bytes lines_of_code hash metadata taken_at);
    check!(patch_requests (tenant_id, id):
        tenant_id id target_file reasoning diff new_code component improvement_type confidence
        status reviewed_by review_comment application_error feedback_ids metrics created_at
        reviewed_at applied_at);
    check!(goals (tenant_id, id):
        tenant_id id description importance complexity estimated_value status deadline created_at
        completed_at);
    check!(agency_snapshots (tenant_id, id):
        tenant_id id decision_quality skill_development ai_reliance bottleneck_resolution
        user_confidence engagement autonomy_perception autonomy_retention delta_agency
        task_description task_complexity taken_at);
    check!(transfer_runs (id):
        id source_kind source_name source_location started_at finished_at status report);
    check!(transfer_ledger (run_id, table_name, tenant_id, record_id):
        run_id table_name tenant_id record_id digest);
    // What search keeps is written with statements that are spelled out.
    let tables = "select name, null as sql from sqlite_schema
        where type = 'table' and name not like 'sqlite_%' and name <> 'search_backlog'
            and (name = 'node_tags' or name not glob 'message_*' and name not glob 'node_*')
        order by name";
    let tables: Vec<Entry> = diesel::sql_query(tables).load(&mut connection).unwrap();
    let tables: Vec<String> = tables.into_iter().map(|entry| entry.name).collect();
    checked.sort();
    assert_eq!(tables, checked, "a table that diesel does not know");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_led_by_the_tenant_and_nothing_is_deferred() {
    let backend = Sqlite::start();
    let config = backend.config();
    drop(SqliteStorage::open(&config).await.unwrap());
    for Entry { name, sql } in whole_schema(&path(&config)) {
        let sql = sql.unwrap_or_default();
        // Not only "deferr": a goal may be deferred.
        assert!(!sql.contains("deferrable"), "{name} defers a constraint");
        // The operator's tables belong to no tenant.
        let operators = ["tenants", "transfer", "search_backlog", "__diesel"]
            .iter()
            .any(|table| name.contains(table));
        if sql.starts_with("create table") && !operators {
            // What an index of SQLite's own refers to has an integer for a key, and the tenant's
            // beside it.
            let key = if name.ends_with("_chunks") {
                "unique"
            } else {
                "primary key"
            };
            let led = sql.contains(&format!("{key} (tenant_id, "));
            assert!(led, "{name}: {sql}");
            for part in sql.split("foreign key (").skip(1) {
                assert!(part.starts_with("tenant_id, "), "{name}: {part}");
            }
            assert!(sql.contains(") strict"), "{name} takes any type");
        }
        if sql.starts_with("create unique index") && !operators {
            assert!(sql.contains("(tenant_id, "), "{name}: {sql}");
        }
    }
}
