//! The schema: what is in the catalog, up and down, and many at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::{Fresh, client, migrations};
use diesel::debug_query;
use diesel::pg::Pg;
use diesel::query_dsl::QueryDsl;
use memory_postgres::PostgresStorage;
use memory_storage::{Config, OpenError, SchemaPolicy, Storage, StorageError};

/// Runs a query beside the adapter and gives each row as texts.
async fn rows(fresh: &Fresh, sql: &str) -> Vec<Vec<String>> {
    let sql = sql.replace("{schema}", &fresh.schema);
    let rows = client().await.simple_query(&sql).await.unwrap();
    let cells = |row: &tokio_postgres::SimpleQueryRow| {
        (0..row.len())
            .map(|cell| row.get(cell).unwrap_or("null").to_owned())
            .collect()
    };
    rows.iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(cells(row)),
            _ => None,
        })
        .collect()
}

async fn execute(fresh: &Fresh, sql: &str) {
    rows(fresh, sql).await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it lists every column")]
async fn what_diesel_reads_is_what_the_catalog_has() {
    let fresh = Fresh::new();
    drop(fresh.open().await);
    let sql = "select table_name, column_name, udt_name, is_nullable
        from information_schema.columns
        where table_schema = '{schema}' and table_name not like '\\_\\_%'
        order by table_name, ordinal_position";
    let catalog: BTreeSet<String> = rows(&fresh, sql)
        .await
        .into_iter()
        .map(|row| row.join(" "))
        .collect();
    let mut ours = BTreeSet::new();
    macro_rules! table {
        ($table:ident { $($column:ident $kind:literal $null:literal,)* }) => {{
            use memory_diesel::schema::$table;
            // Fails to compile if a column is not there, and to match if one is missing here.
            let query = $table::table.select(($($table::$column,)*));
            let all = $table::table.select($table::all_columns);
            assert_eq!(
                debug_query::<Pg, _>(&query).to_string(),
                debug_query::<Pg, _>(&all).to_string()
            );
            $(ours.insert(format!(
                "{} {} {} {}", stringify!($table), stringify!($column), $kind, $null
            ));)*
        }};
    }
    table!(tenants {
        id "text" "NO", created_at "timestamptz" "NO", last_active_at "timestamptz" "NO",
        metadata "jsonb" "NO",
    });
    table!(sessions {
        tenant_id "text" "NO", id "uuid" "NO", title "text" "NO", metadata "jsonb" "NO",
        created_at "timestamptz" "NO", updated_at "timestamptz" "NO", message_count "int8" "NO",
    });
    table!(messages {
        tenant_id "text" "NO", id "uuid" "NO", session_id "uuid" "NO", number "int8" "NO",
        role "text" "NO", content "text" "NO", metadata "jsonb" "NO",
        created_at "timestamptz" "NO",
    });
    table!(nodes {
        tenant_id "text" "NO", id "uuid" "NO", context_type "text" "NO", key_system "text" "YES",
        key_id "text" "YES", entity_type "text" "YES", name "text" "YES", content "jsonb" "NO",
        summary "text" "NO", tags "_text" "NO", metadata "jsonb" "NO", base_relevance "float8" "NO",
        created_at "timestamptz" "NO", updated_at "timestamptz" "NO",
        last_accessed_at "timestamptz" "NO", access_count "int8" "NO", update_count "int8" "NO",
    });
    table!(relationships {
        tenant_id "text" "NO", id "uuid" "NO", from_id "uuid" "NO", to_id "uuid" "NO",
        kind "text" "NO", label "text" "NO", directed "bool" "NO", strength "float8" "NO",
        metadata "jsonb" "NO", created_at "timestamptz" "NO", last_reinforced_at "timestamptz" "NO",
    });
    table!(compounds {
        tenant_id "text" "NO", id "uuid" "NO", name "text" "NO", members "_uuid" "NO",
        occurrences "int8" "NO", last_seen_at "timestamptz" "NO",
    });
    table!(compound_members {
        tenant_id "text" "NO", node_id "uuid" "NO", compound_id "uuid" "NO",
    });
    table!(turns {
        tenant_id "text" "NO", id "uuid" "NO", digest "bytea" "NO", concepts "_uuid" "NO",
        learned_at "timestamptz" "NO",
    });

    table!(feedback {
        tenant_id "text" "NO", id "uuid" "NO", session_id "uuid" "YES", message_id "uuid" "YES",
        rating "int8" "NO", comment "text" "YES", correction "text" "YES",
        created_at "timestamptz" "NO",
    });
    table!(decisions {
        tenant_id "text" "NO", id "uuid" "NO", session_id "text" "YES", text "text" "NO",
        context "text" "YES", extracted_from "text" "YES", decided_at "timestamptz" "NO",
    });
    table!(audit_events {
        tenant_id "text" "NO", id "uuid" "NO", event_type "text" "NO", severity "text" "NO",
        session_id "text" "YES", actor "text" "YES", component "text" "YES", action "text" "YES",
        details "jsonb" "NO", result "text" "YES", ip_address "text" "YES", resource "text" "YES",
        at "timestamptz" "NO",
    });

    table!(tasks {
        tenant_id "text" "NO", id "uuid" "NO", name "text" "NO", task_type "text" "NO",
        status "text" "NO", priority "int8" "NO", attempts "int8" "NO", max_retries "int8" "NO",
        arguments "jsonb" "NO", result "jsonb" "YES", error "text" "YES", traceback "text" "YES",
        external_id "text" "YES", claimed_by "text" "YES", claimed_until "timestamptz" "YES",
        created_at "timestamptz" "NO", started_at "timestamptz" "YES",
        completed_at "timestamptz" "YES",
    });
    table!(missions {
        tenant_id "text" "NO", id "uuid" "NO", key "text" "NO", status "text" "NO",
        domain "text" "YES", cost_usd "float8" "YES", iterations "int8" "YES",
        duration_seconds "float8" "YES", files_modified "int8" "YES", metadata "jsonb" "NO",
        created_at "timestamptz" "NO",
    });
    table!(file_snapshots {
        tenant_id "text" "NO", id "uuid" "NO", path "text" "NO", mission_key "text" "YES",
        size_bytes "int8" "YES", lines_of_code "int8" "YES", hash "text" "YES",
        metadata "jsonb" "NO", taken_at "timestamptz" "NO",
    });
    table!(patch_requests {
        tenant_id "text" "NO", id "uuid" "NO", target_file "text" "NO", reasoning "text" "NO",
        diff "text" "NO", new_code "text" "NO", component "text" "NO",
        improvement_type "text" "NO", confidence "float8" "NO", status "text" "NO",
        reviewed_by "text" "YES", review_comment "text" "YES", application_error "text" "YES",
        feedback_ids "jsonb" "NO", metrics "jsonb" "NO", created_at "timestamptz" "NO",
        reviewed_at "timestamptz" "YES", applied_at "timestamptz" "YES",
    });
    table!(goals {
        tenant_id "text" "NO", id "uuid" "NO", description "text" "NO", importance "int8" "NO",
        complexity "text" "NO", estimated_value "float8" "YES", status "text" "NO",
        deadline "timestamptz" "YES", created_at "timestamptz" "NO",
        completed_at "timestamptz" "YES",
    });
    table!(agency_snapshots {
        tenant_id "text" "NO", id "uuid" "NO", decision_quality "float8" "NO",
        skill_development "float8" "NO", ai_reliance "float8" "NO",
        bottleneck_resolution "float8" "NO", user_confidence "float8" "NO",
        engagement "float8" "NO", autonomy_perception "float8" "NO",
        autonomy_retention "float8" "NO", delta_agency "float8" "NO",
        task_description "text" "YES", task_complexity "text" "YES",
        taken_at "timestamptz" "NO",
    });
    table!(transfer_runs {
        id "uuid" "NO", source_kind "text" "NO", source_name "text" "NO",
        source_location "text" "NO", started_at "timestamptz" "NO",
        finished_at "timestamptz" "YES", status "text" "NO", report "jsonb" "NO",
    });
    table!(transfer_ledger {
        run_id "uuid" "NO", table_name "text" "NO", tenant_id "text" "NO", record_id "uuid" "NO",
        digest "bytea" "NO",
    });
    // What search keeps is written with statements that are spelled out.
    let of_search = |column: &&String| {
        let tables = ["message_chunks ", "node_chunks ", "search_backlog "];
        !tables.iter().any(|table| column.starts_with(table))
    };
    let catalog: BTreeSet<String> = catalog.iter().filter(of_search).cloned().collect();
    assert_eq!(catalog, ours);
}

#[tokio::test]
async fn every_key_is_led_by_the_tenant_and_none_is_deferrable() {
    let fresh = Fresh::new();
    drop(fresh.open().await);
    // The operator's tables are nobody's; a tenant's own key is its name.
    let keys = rows(
        &fresh,
        "select i.indexrelid::regclass, string_agg(a.attname, ',' order by place)
        from pg_index as i
        join pg_class as t on t.oid = i.indrelid
        join pg_namespace as n on n.oid = t.relnamespace
        cross join unnest(i.indkey::smallint[]) with ordinality as k (attnum, place)
        join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where n.nspname = '{schema}' and i.indisunique
            and t.relname not like 'transfer\\_%' and t.relname not like '\\_\\_%'
            and t.relname <> 'search_backlog'
        group by i.indexrelid",
    )
    .await;
    assert!(keys.len() >= 7, "{keys:?}");
    for key in keys {
        let led = key[1].starts_with("tenant_id,") || key == ["tenants_pkey", "id"];
        let tenants = key[0].ends_with("tenants_pkey") && key[1] == "id";
        assert!(led || tenants, "{key:?} is not led by the tenant");
    }
    let references = rows(
        &fresh,
        "select c.conname, a.attname, c.condeferrable
        from pg_constraint as c
        join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.connamespace = '{schema}'::regnamespace and c.contype = 'f'
            and c.conrelid::regclass::text not like '%transfer\\_%'",
    )
    .await;
    assert!(references.len() >= 5, "{references:?}");
    for reference in references {
        assert_eq!(reference[1], "tenant_id", "{reference:?}");
    }
    let deferrable = rows(
        &fresh,
        "select conname from pg_constraint
        where connamespace = '{schema}'::regnamespace and condeferrable",
    )
    .await;
    assert_eq!(deferrable, [[""; 0]; 0]);
}

#[tokio::test]
async fn text_that_is_ordered_or_unique_is_ordered_by_its_bytes() {
    let fresh = Fresh::new();
    drop(fresh.open().await);
    let indexed = rows(
        &fresh,
        "select distinct t.relname, a.attname, l.collname
        from pg_index as i
        join pg_class as t on t.oid = i.indrelid
        join pg_class as x on x.oid = i.indexrelid
        join pg_am as m on m.oid = x.relam
        join pg_attribute as a on a.attrelid = t.oid and a.attnum = any (i.indkey::smallint[])
        left join pg_collation as l on l.oid = a.attcollation
        where t.relnamespace = '{schema}'::regnamespace and m.amname = 'btree'
            and a.atttypid = 'text'::regtype and t.relname not like '\\_\\_%'",
    )
    .await;
    assert!(indexed.len() >= 10, "{indexed:?}");
    for column in indexed {
        assert_eq!(column[2], "C", "{column:?}");
    }
}

/// Everything in the schema that a migration makes, in words.
async fn catalog(fresh: &Fresh) -> Vec<Vec<String>> {
    rows(
        fresh,
        "select 'column', format('%s.%s %s %s', c.relname, a.attname,
                format_type(a.atttypid, a.atttypmod), a.attnotnull) || coalesce(l.collname, '')
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        left join pg_collation as l on l.oid = a.attcollation
        where c.relnamespace = '{schema}'::regnamespace and c.relkind = 'r' and a.attnum > 0
            and not a.attisdropped
        union all
        select 'index', indexdef from pg_indexes where schemaname = '{schema}'
        union all
        select 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid)
        from pg_constraint where connamespace = '{schema}'::regnamespace
        union all
        select 'function', pg_get_functiondef(oid) from pg_proc
        where pronamespace = '{schema}'::regnamespace
        order by 1, 2",
    )
    .await
}

#[tokio::test]
async fn up_down_up_gives_the_same_schema() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let first = catalog(&fresh).await;
    assert!(first.len() > 60, "{} things", first.len());
    let names = |states: Vec<memory_storage::MigrationState>| {
        let applied = states.into_iter().filter(|state| state.applied);
        applied.map(|state| state.name).collect::<Vec<_>>()
    };
    let all = names(store.schema().status().await.unwrap());
    // One at a time, so each way back is from the state that its way there made.
    let mut reverted = Vec::new();
    while let [name] = store.schema().down(1).await.unwrap().as_slice() {
        reverted.push(name.clone());
        let left = names(store.schema().status().await.unwrap());
        assert_eq!(left, all[..all.len() - reverted.len()]);
    }
    reverted.reverse();
    assert_eq!(reverted, all);
    let empty: Vec<_> = catalog(&fresh)
        .await
        .into_iter()
        .filter(|thing| !thing[1].contains("__diesel_schema_migrations"))
        .collect();
    assert_eq!(empty, Vec::<Vec<String>>::new(), "a way back leaves things");
    assert_eq!(store.schema().up().await.unwrap(), all);
    assert_eq!(catalog(&fresh).await, first);
    assert_eq!(store.schema().down(99).await.unwrap().len(), all.len());
    assert_eq!(store.schema().up().await.unwrap(), all);
}

#[tokio::test]
async fn a_migration_that_comes_before_those_that_ran_is_run_all_the_same() {
    let fresh = Fresh::new();
    drop(fresh.open().await);
    let whole = catalog(&fresh).await;
    let sql = "drop table {schema}.goals;
        delete from {schema}.__diesel_schema_migrations where version = '20261121000006'";
    execute(&fresh, sql).await;
    let config = fresh.config().with_schema(SchemaPolicy::Ignore);
    let store = PostgresStorage::open(&config).await.unwrap();
    let up = store.schema().up().await.unwrap();
    assert_eq!(up, ["2026-11-21-000006_goals"]);
    assert_eq!(catalog(&fresh).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_start_at_once_apply_the_schema_once() {
    let fresh = Arc::new(Fresh::new());
    let starting = (0..8).map(|_| {
        let fresh = Arc::clone(&fresh);
        tokio::spawn(async move {
            let config = fresh.config().with_schema(SchemaPolicy::Ignore);
            let store = PostgresStorage::open(&config).await.unwrap();
            store.schema().up().await.unwrap().len()
        })
    });
    let mut applied = Vec::new();
    for started in starting.collect::<Vec<_>>() {
        applied.push(started.await.unwrap());
    }
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 0, 0, 0, 0, 0, migrations().len()]);
}

/// Opens the store in a process of its own; see the next test.
#[tokio::test]
#[ignore = "run by `many_processes_that_start_at_once_all_open`"]
async fn open_in_this_process() {
    let url = std::env::var("MEMORY_TEST_CHILD_URL").unwrap();
    let config = Config::from_url(&url)
        .unwrap()
        .with_schema(SchemaPolicy::Apply);
    PostgresStorage::open(&config).await.unwrap();
}

#[tokio::test]
async fn many_processes_that_start_at_once_all_open() {
    let fresh = Fresh::new();
    let program = std::env::current_exe().unwrap();
    let children: Vec<_> = (0..8)
        .map(|_| {
            tokio::process::Command::new(&program)
                .args(["--ignored", "--exact", "open_in_this_process"])
                .env("MEMORY_TEST_CHILD_URL", fresh.url())
                .output()
        })
        .collect();
    for child in futures_util::future::join_all(children).await {
        let child = child.unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }
    let applied = rows(
        &fresh,
        "select count(*) from {schema}.__diesel_schema_migrations",
    )
    .await;
    assert_eq!(applied, [[migrations().len().to_string()]]);
}

async fn opening(fresh: &Fresh) -> Result<PostgresStorage, OpenError> {
    PostgresStorage::open(&Config::from_url(&fresh.url()).unwrap()).await
}

fn problem(result: Result<PostgresStorage, OpenError>) -> String {
    match result {
        Err(OpenError::SchemaMismatch { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_schema_that_is_pending_is_refused_and_the_remedy_named() {
    let fresh = Fresh::new();
    let refusal = problem(opening(&fresh).await);
    assert!(
        refusal.contains("2026-11-21-000001_conversations"),
        "{refusal}"
    );
    assert!(
        refusal.contains("memory migrate up --url postgres://"),
        "{refusal}"
    );
    assert!(!refusal.contains("secret"), "{refusal}");
    let store = fresh.open().await;
    store.schema().down(1).await.unwrap();
    let refusal = problem(opening(&fresh).await);
    assert!(
        !refusal.contains("000001") && refusal.contains(migrations().last().unwrap()),
        "{refusal}"
    );
    store.schema().up().await.unwrap();
    opening(&fresh).await.unwrap();
}

#[tokio::test]
async fn a_schema_that_is_newer_is_refused_and_left_alone() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    execute(
        &fresh,
        "insert into {schema}.__diesel_schema_migrations (version) values ('29990101000001')",
    )
    .await;
    let refusal = problem(opening(&fresh).await);
    assert!(
        refusal.contains("29990101000001") && refusal.contains("newer"),
        "{refusal}"
    );
    for result in [store.schema().up().await, store.schema().down(1).await] {
        assert!(
            matches!(result, Err(StorageError::SchemaMismatch { .. })),
            "{result:?}"
        );
    }
    let states = store.schema().status().await.unwrap();
    let newest = states.last().unwrap();
    assert!(newest.applied && !newest.known, "{newest:?}");
    // To look at it is allowed.
    let config = fresh.config().with_schema(SchemaPolicy::Ignore);
    PostgresStorage::open(&config).await.unwrap();
}

#[tokio::test]
async fn an_invalid_index_is_found_and_named() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    execute(
        &fresh,
        "insert into {schema}.tenants values
            ('a', now(), now(), '{}'), ('b', now(), now(), '{}')",
    )
    .await;
    let failing = format!(
        "create unique index concurrently half_built on {}.tenants (metadata)",
        fresh.schema
    );
    assert!(client().await.simple_query(&failing).await.is_err());
    let refusal = problem(opening(&fresh).await);
    assert!(refusal.contains("half_built"), "{refusal}");
    let up = store.schema().up().await.unwrap_err();
    assert!(up.to_string().contains("half_built"), "{up}");
    execute(&fresh, "drop index {schema}.half_built").await;
    opening(&fresh).await.unwrap();
}

#[tokio::test]
async fn a_verb_without_its_table_says_that_the_schema_does_not_fit() {
    let fresh = Fresh::new();
    let config = fresh.config().with_schema(SchemaPolicy::Ignore);
    let store = PostgresStorage::open(&config).await.unwrap();
    let tenant = memory_domain::TenantId::new("ada").unwrap();
    let error = memory_storage::TenantStore::tenant(&store, &tenant).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, StorageError::SchemaMismatch { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("memory migrate up"), "{error}");
}

#[tokio::test]
async fn a_migration_that_waits_in_vain_is_busy_and_changes_nothing() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    config.pool.acquire_timeout = std::time::Duration::from_millis(300);
    let store = PostgresStorage::open(&config).await.unwrap();
    let before = catalog(&fresh).await;
    let holder = client().await;
    // Every table, so that the first migration to be reverted meets one, whichever that is.
    let tables = "select string_agg(schemaname || '.' || tablename, ', ') from pg_tables
        where schemaname = '{schema}' and tablename not like '\\_\\_%'";
    let tables = rows(&fresh, tables).await;
    let lock = format!("begin; lock table {}", tables[0][0]);
    holder.batch_execute(&lock).await.unwrap();
    let error = store.schema().down(u32::MAX).await.unwrap_err();
    assert!(matches!(error, StorageError::Busy { .. }), "{error:?}");
    holder.batch_execute("rollback").await.unwrap();
    assert_eq!(catalog(&fresh).await, before);
}

#[tokio::test]
async fn only_what_a_rebuilding_left_behind_is_dropped() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    execute(
        &fresh,
        "set search_path = {schema};
        create index theirs on sessions (title);
        create index theirs_ccnew on sessions (title);
        create index nodes_by_time_ccold1 on nodes (id);
        create index theirs_too on nodes (name);
        update pg_index set indisvalid = false
        where indexrelid in ('theirs'::regclass, 'theirs_ccnew'::regclass,
            'nodes_by_time_ccold1'::regclass)",
    )
    .await;
    let dropped = async |dry_run: bool| -> Vec<String> {
        let steps = store.maintenance().optimize(dry_run).await.unwrap();
        let steps = steps.into_iter().map(|step| step.step);
        steps.filter(|step| step.starts_with("drop")).collect()
    };
    // Somebody writes, and so holds up a rebuilding that is under way.
    let writer = client().await;
    let writing = format!("begin; lock {}.nodes in row exclusive mode", fresh.schema);
    writer.batch_execute(&writing).await.unwrap();
    let rebuild = format!("reindex index concurrently {}.theirs_too", fresh.schema);
    let rebuilding = tokio::spawn(async move { client().await.batch_execute(&rebuild).await });
    let under_way = "select from pg_index as i join pg_class as c on c.oid = i.indexrelid
        where c.relname = 'theirs_too_ccnew' and c.relnamespace = '{schema}'::regnamespace";
    while rows(&fresh, under_way).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(dropped(true).await, ["drop the index theirs_ccnew"]);
    writer.batch_execute("commit").await.unwrap();
    rebuilding.await.unwrap().unwrap();
    let left_behind = ["nodes_by_time_ccold1", "theirs_ccnew"];
    let both = left_behind.map(|name| format!("drop the index {name}"));
    assert_eq!(dropped(false).await, both);
    assert_eq!(dropped(true).await, [""; 0]);
    let theirs = "select relname from pg_class where relname like 'theirs%'
        and relnamespace = '{schema}'::regnamespace order by 1";
    assert_eq!(rows(&fresh, theirs).await, [["theirs"], ["theirs_too"]]);
}

#[tokio::test]
async fn an_index_that_is_being_made_keeps_nobody_from_opening() {
    let fresh = Fresh::new();
    fresh.open().await;
    // Somebody writes, and so holds up the making.
    let writer = client().await;
    let writing = format!("begin; lock {}.nodes in row exclusive mode", fresh.schema);
    writer.batch_execute(&writing).await.unwrap();
    let make = format!(
        "create index concurrently theirs on {}.nodes (name)",
        fresh.schema
    );
    let making = tokio::spawn(async move { client().await.batch_execute(&make).await });
    let under_way = "select from pg_class
        where relname = 'theirs' and relnamespace = '{schema}'::regnamespace";
    while rows(&fresh, under_way).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    opening(&fresh).await.unwrap();
    writer.batch_execute("commit").await.unwrap();
    making.await.unwrap().unwrap();
}
