//! Every verb finds what it needs by an index, on a real volume, with plans that know no values.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::proxy::{Parsed, Proxy};
use common::{Fresh, client};
use memory_domain::{
    ContextType, Direction, EntityType, JsonObject, Limit, MessageCursor, MessageId, MessageRange,
    NewMessage, NewNode, NodeCursor, NodeFilter, NodeId, RecordKey, RecordKind, RelationshipCursor,
    RelationshipFilter, RelationshipId, RelationshipKind, SessionCursor, SessionId, TenantCursor,
    TenantId, Timestamp,
};
use memory_postgres::PostgresStorage;
use memory_storage::{ConversationStore, GraphStore, PoolOptions, Storage, TenantStore};
use memory_testkit::{Given, Verb, given};
use uuid::Uuid;

/// Twenty tenants, 40,000 nodes, 80,000 relationships, 1,000 sessions, 40,000 messages.
const VOLUME: &str = "
    set search_path = {schema};
    insert into tenants select 'tenant ' || t, now(), now() - t * interval '1 hour', '{}'
    from generate_series(1, 20) as t;
    insert into tenants select 'idle ' || t, now(), now() - t * interval '1 hour', '{}'
    from generate_series(1, 20000) as t;
    insert into sessions
    select 'tenant ' || t, md5('s' || s)::uuid, 'title', '{}', now(), now() - s * interval '1 hour', 40
    from generate_series(1, 20) as t, generate_series(1, 50) as s;
    insert into messages
    select tenant_id, md5(id::text || n)::uuid, id, n, 'user', 'words ' || n, '{}',
        now() - n * interval '1 minute'
    from sessions, generate_series(1, 40) as n;
    insert into nodes
    select 'tenant ' || t, md5('n' || n)::uuid,
        (array['tool_output', 'domain_entity', 'conversation_fact'])[1 + n % 3],
        case when n % 2 = 0 then 'file' end, case when n % 2 = 0 then 'path ' || n end,
        case when n % 5 = 0 then 'concept' end, 'name ' || n,
        jsonb_build_object('n', n, 'kind', 'k' || n % 500), 'summary', array['tag ' || n % 300],
        jsonb_build_object('source', 's' || n % 400), 0.5, now() - n * interval '1 minute', now(),
        now(), 1, 0
    from generate_series(1, 20) as t, generate_series(1, 2000) as n;
    insert into relationships
    select 'tenant ' || t, md5('r' || r)::uuid, md5('n' || 1 + r % 2000)::uuid,
        md5('n' || 1 + (r * 7) % 1999)::uuid, (array['led_to', 'refines'])[1 + r % 2], r::text, true,
        (r % 1000) / 1000.0, '{}', now() - r * interval '1 minute', now()
    from generate_series(1, 20) as t, generate_series(1, 4000) as r;
";

async fn with_volume(fresh: &Fresh) -> (Proxy, PostgresStorage) {
    let config = fresh.config().with_pool(PoolOptions {
        min_idle: 1,
        max_size: 1,
        ..PoolOptions::default()
    });
    let proxy = Proxy::start(&config).await;
    let store = PostgresStorage::open(&proxy.in_front_of(config))
        .await
        .unwrap();
    let sql = VOLUME.replace("{schema}", &fresh.schema);
    let client = client().await;
    client.batch_execute(&sql).await.unwrap();
    for table in ["tenants", "sessions", "messages", "nodes", "relationships"] {
        // More than `analyze`: what is still in the pending list of a GIN index makes its use dear.
        let sql = format!("vacuum analyze {}.{table}", fresh.schema);
        client.batch_execute(&sql).await.unwrap();
    }
    (proxy, store)
}

fn ada() -> TenantId {
    TenantId::new("tenant 1").unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T03:41:19Z".parse().unwrap()
}

fn some() -> Uuid {
    Uuid::from_u128(1 << 127)
}

fn object(key: &str, value: &str) -> JsonObject {
    JsonObject::from_iter([(key.to_owned(), value.into())])
}

/// Every form of every listing and look-up.
async fn read_in_every_way(store: &PostgresStorage) {
    let limit = Limit::default();
    let (session, node) = (SessionId::from_uuid(some()), NodeId::from_uuid(some()));
    let after = TenantCursor {
        last_active_at: now(),
        id: ada(),
    };
    store.tenants(limit, None).await.unwrap();
    store.tenants(limit, Some(after)).await.unwrap();
    let after = SessionCursor {
        updated_at: now(),
        id: session,
    };
    store.sessions(&ada(), limit, Some(after)).await.unwrap();
    for session in [None, Some(session)] {
        for after in [None, Some(some())] {
            let range = MessageRange {
                session,
                after: after.map(|id| MessageCursor {
                    created_at: now(),
                    id: MessageId::from_uuid(id),
                }),
                ..MessageRange::between(now().before(Duration::from_hours(1)), now())
            };
            store.messages_between(&ada(), range, limit).await.unwrap();
        }
    }
    list_the_graph(store, node).await;
}

async fn list_the_graph(store: &PostgresStorage, node: NodeId) {
    let limit = Limit::default();
    let all = NodeFilter::default;
    for filter in [
        all(),
        NodeFilter {
            context_type: Some(ContextType::ToolOutput),
            ..all()
        },
        NodeFilter {
            entity_type: Some(EntityType::CONCEPT),
            ..all()
        },
        NodeFilter {
            tag: Some("tag 1".to_owned()),
            ..all()
        },
        NodeFilter {
            metadata_contains: Some(object("source", "s1")),
            ..all()
        },
        NodeFilter {
            content_contains: Some(object("kind", "k1")),
            ..all()
        },
        NodeFilter {
            created_from: Some(now().before(Duration::from_hours(1))),
            created_to: Some(now()),
            ..all()
        },
    ] {
        store.nodes(&ada(), filter.clone(), limit).await.unwrap();
        let after = Some(NodeCursor {
            created_at: now(),
            id: node,
        });
        let filter = NodeFilter { after, ..filter };
        store.nodes(&ada(), filter, limit).await.unwrap();
    }
    let all = RelationshipFilter::default;
    for filter in [
        all(),
        RelationshipFilter {
            from: Some(node),
            ..all()
        },
        RelationshipFilter {
            to: Some(node),
            ..all()
        },
        RelationshipFilter {
            kind: Some(RelationshipKind::LED_TO),
            ..all()
        },
        RelationshipFilter {
            min_strength: Some(0.9),
            ..all()
        },
    ] {
        store
            .relationships(&ada(), filter.clone(), limit)
            .await
            .unwrap();
        let after = Some(RelationshipCursor {
            created_at: now(),
            id: RelationshipId::from_uuid(some()),
        });
        let filter = RelationshipFilter { after, ..filter };
        store.relationships(&ada(), filter, limit).await.unwrap();
    }
    for direction in [Direction::Outgoing, Direction::Incoming, Direction::Both] {
        for kind in [None, Some(RelationshipKind::LED_TO)] {
            store
                .neighbours(&ada(), node, direction, kind, limit)
                .await
                .unwrap();
        }
    }
}

/// Every page of whole records.
async fn read_records(store: &PostgresStorage) {
    let mut reader = store.reader().await.unwrap();
    for kind in RecordKind::ALL {
        let after = RecordKey {
            kind,
            tenant_id: ada(),
            id: (kind != RecordKind::Tenant).then(some),
        };
        for tenant in [None, Some(&ada())] {
            for after in [None, Some(&after)] {
                reader.page(kind, tenant, after, 100).await.unwrap();
            }
        }
    }
}

/// The plan of a statement that knows no value of its parameters.
async fn generic_plan(fresh: &Fresh, parsed: &Parsed) -> String {
    let types: Vec<String> = parsed
        .types
        .iter()
        .map(|oid| {
            match *oid {
                16 => "bool",
                20 => "int8",
                25 => "text",
                701 => "float8",
                1001 => "bytea[]",
                1009 => "text[]",
                1022 => "float8[]",
                1184 => "timestamptz",
                2950 => "uuid",
                2951 => "uuid[]",
                3802 => "jsonb",
                3807 => "jsonb[]",
                other => panic!("type {other} of {}", parsed.sql),
            }
            .to_owned()
        })
        .collect();
    let given = if types.is_empty() {
        String::new()
    } else {
        format!("({})", types.join(", "))
    };
    let nulls = given
        .replace(|c: char| c.is_ascii_alphanumeric() || "[] ".contains(c), "")
        .replace(',', "null,")
        .replace(')', "null)");
    let sql = format!(
        "set search_path = {}; set plan_cache_mode = force_generic_plan; set jit = off;
        prepare asked{given} as {}; explain execute asked{nulls}",
        fresh.schema, parsed.sql
    );
    let lines = client().await.simple_query(&sql).await.unwrap();
    let lines = lines.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_statement_has_a_plan_by_index() {
    let fresh = Fresh::new();
    let (proxy, store) = with_volume(&fresh).await;
    // What was parsed so far looks at the schema.
    proxy.parsed();
    read_in_every_way(&store).await;
    read_records(&store).await;
    for verb in Verb::ALL {
        let tenant = TenantId::new(format!("{verb:?}")).unwrap();
        let ids: Given = given(&store, &tenant).await;
        verb.call(&store, &tenant, &ids, now()).await.unwrap();
    }
    let statements = proxy.parsed();
    assert!(statements.len() > 75, "{} statements", statements.len());
    let mut used = BTreeSet::new();
    for statement in &statements {
        // A new connection sets itself up.
        if statement.sql.starts_with("SET ") {
            continue;
        }
        let plan = generic_plan(&fresh, statement).await;
        assert!(!plan.contains("Seq Scan"), "{}\n{plan}", statement.sql);
        used.extend(indexes(&plan));
    }
    // Each index is there for a verb, and that verb uses it.
    let wanted: BTreeSet<String> = INDEXES.iter().map(|name| (*name).to_owned()).collect();
    let unused: Vec<_> = wanted.difference(&used).collect();
    assert!(unused.is_empty(), "{unused:?} not used, of {used:?}");
    let sql = "select indexname::text from pg_indexes where schemaname = $1
        and tablename not like 'transfer\\_%' and tablename not like '\\_\\_%'";
    let rows = client().await.query(sql, &[&fresh.schema]).await.unwrap();
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(there, wanted);
}

/// Every index of the tables of tenants.
const INDEXES: [&str; 23] = [
    "messages_by_number",
    "messages_by_session_time",
    "messages_by_time",
    "messages_pkey",
    "nodes_by_content",
    "nodes_by_context_type",
    "nodes_by_creation",
    "nodes_by_entity_type",
    "nodes_by_key",
    "nodes_by_metadata",
    "nodes_by_tag",
    "nodes_pkey",
    "relationships_by_creation",
    "relationships_by_ends",
    "relationships_by_kind",
    "relationships_by_strength",
    "relationships_from",
    "relationships_pkey",
    "relationships_to",
    "sessions_by_update",
    "sessions_pkey",
    "tenants_by_activity",
    "tenants_pkey",
];

/// The indexes that a plan names: `Index Scan using x on t`, `Bitmap Index Scan on x`.
fn indexes(plan: &str) -> BTreeSet<String> {
    plan.lines()
        .filter_map(|line| {
            let (_, after) = line
                .split_once(" using ")
                .or_else(|| line.split_once("Bitmap Index Scan on "))?;
            after.split_whitespace().next().map(str::to_owned)
        })
        .collect()
}

async fn sequential_scans(fresh: &Fresh) -> BTreeMap<String, i64> {
    // The server hands counts on once a second.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let sql = "select relname::text, seq_scan from pg_stat_user_tables where schemaname = $1";
    let rows = client().await.query(sql, &[&fresh.schema]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// What a function does inside is in no plan, but in the server's counts. Often enough that the
/// server stops planning for the values.
#[tokio::test]
async fn the_functions_scan_no_table() {
    let fresh = Fresh::new();
    let (_proxy, store) = with_volume(&fresh).await;
    let sql = format!(
        "select id::text from {}.sessions where tenant_id = 'tenant 1' limit 1",
        fresh.schema
    );
    let session: String = client().await.query_one(&sql, &[]).await.unwrap().get(0);
    let session: SessionId = session.parse().unwrap();
    let before = sequential_scans(&fresh).await;
    for n in 0..12 {
        let message = NewMessage::user(format!("words {n}"));
        let batch = vec![message.clone(), NewMessage::user("more")];
        store.append(&ada(), session, batch, now()).await.unwrap();
        store
            .append(&ada(), session, vec![message], now())
            .await
            .unwrap();
        let node = || NewNode::entity(EntityType::FILE, format!("new {n}")).unwrap();
        store.remember(&ada(), vec![node()], now()).await.unwrap();
        store
            .remember(&ada(), vec![node(), node()], now())
            .await
            .unwrap();
        let plain = NewNode::new(ContextType::ToolOutput);
        store
            .remember(&ada(), vec![plain.clone()], now())
            .await
            .unwrap();
        store.remember(&ada(), vec![plain], now()).await.unwrap();
    }
    store.clear_session(&ada(), session, now()).await.unwrap();
    store.close(Duration::from_secs(5)).await.unwrap();
    let mut after = sequential_scans(&fresh).await;
    after.retain(|table, scans| before.get(table) != Some(scans));
    assert_eq!(after, BTreeMap::new());
}
