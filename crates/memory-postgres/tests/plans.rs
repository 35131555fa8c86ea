//! Every verb finds what it needs by an index, on a real volume, with plans that know no values.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::proxy::{Parsed, Proxy};
use common::{Fresh, client};
use memory_domain::{
    ActiveGoalCursor, AgencyCursor, AgencyFilter, AgencyOrder, AgencySnapshotId, AuditCursor,
    AuditEventId, AuditFilter, AuditSeverity, CompoundCursor, CompoundFilter, CompoundId, Concept,
    ContextType, DecisionCursor, DecisionFilter, DecisionId, Direction, EntityType, FeedbackCursor,
    FeedbackFilter, FeedbackId, FileSnapshotCursor, FileSnapshotId, GoalCursor, GoalFilter, GoalId,
    GoalStatus, JsonObject, Limit, MessageCursor, MessageId, MessageRange, MissionCursor,
    MissionFilter, MissionId, MissionStatus, NewCompound, NewMessage, NewNode, NodeCursor,
    NodeFilter, NodeId, PatchCursor, PatchFilter, PatchId, PatchStatus, RecordKey, RecordKind,
    RelationshipCursor, RelationshipFilter, RelationshipId, RelationshipKind, Retention,
    SearchCursor, SearchFilter, SearchQuery, SessionCursor, SessionId, TaskClaim, TaskCursor,
    TaskFilter, TaskId, TaskStatus, TenantCursor, TenantId, Timestamp, TraverseOptions, Turn,
};
use memory_postgres::PostgresStorage;
use memory_storage::{
    AgencyStore, AuditStore, ConversationStore, DecisionStore, FeedbackStore, FileStore, GoalStore,
    GraphStore, LearningStore, MissionStore, PatchStore, PoolOptions, SearchStore, Storage,
    TaskStore, TenantStore,
};
use memory_testkit::{Given, Verb, given};
use uuid::Uuid;

/// One tenant with 100,000 nodes, 250,000 relationships, 1,000 sessions and 40,000 messages, a
/// hundred with a thousandth of that, and 20,000 that are idle.
const VOLUME: &str = "
    set search_path = {schema};
    -- The many keys that are checked one by one would take most of the time.
    set session_replication_role = replica;
    create temporary table sizes as
    select 'tenant 1' as tenant, 1000 as size
    union all select 'tenant ' || t, 1 from generate_series(2, 101) as t;
    insert into tenants select tenant, now(), now() - interval '1 hour', '{}' from sizes;
    insert into tenants select 'idle ' || t, now(), now() - t * interval '1 hour', '{}'
    from generate_series(1, 20000) as t;
    insert into sessions
    select tenant, md5('s' || s)::uuid, 'title', '{}', now(), now() - s * interval '1 hour', 40
    from sizes, generate_series(1, size) as s;
    insert into messages
    select tenant_id, md5(id::text || n)::uuid, id, n, 'user', 'words ' || n, '{}',
        now() - n * interval '1 minute'
    from sessions, generate_series(1, 40) as n;
    insert into nodes
    select tenant, md5('n' || n)::uuid,
        (array['tool_output', 'domain_entity', 'conversation_fact'])[1 + n % 3],
        case when n % 2 = 0 then 'file' end, case when n % 2 = 0 then 'path ' || n end,
        case when n % 5 = 0 then 'concept' end, 'name ' || n,
        jsonb_build_object('n', n, 'kind', 'k' || n % 500), 'summary', array['tag ' || n % 300],
        jsonb_build_object('source', 's' || n % 400), 0.5, now() - n * interval '1 minute', now(),
        now(), 1, 0
    from sizes, generate_series(1, size * 100) as n;
    insert into relationships
    select tenant, md5('r' || r)::uuid, md5('n' || 1 + r % (size * 100))::uuid,
        md5('n' || 1 + (r * 7) % (size * 100))::uuid, (array['led_to', 'refines'])[1 + r % 2],
        r::text, true, (r % 1000) / 1000.0, '{}', now() - r * interval '1 minute', now()
    from sizes, generate_series(1, size * 250) as r;
    insert into compounds
    select tenant, md5('c' || c)::uuid, 'compound ' || c,
        array[md5('n' || c)::uuid, md5('n' || 1 + c % (size * 20))::uuid], 1 + c % 50, now()
    from sizes, generate_series(1, size * 20) as c where size > 1 or c > 1;
    insert into compound_members
    select tenant_id, member, id from compounds, unnest(members) as member;
    insert into turns
    select tenant, md5('t' || t)::uuid, decode(repeat('00', 32), 'hex'), '{}', now()
    from sizes, generate_series(1, size * 20) as t;
    insert into feedback
    select tenant, md5('f' || n)::uuid, md5('s' || n % 1000)::uuid, md5('m' || n)::uuid, n % 100,
        null, null, now() - n * interval '1 minute'
    from sizes, generate_series(1, size * 20) as n;
    insert into decisions
    select tenant, md5('d' || n)::uuid, 'session ' || n % 1000, 'text', null, null,
        now() - n * interval '1 minute'
    from sizes, generate_series(1, size * 20) as n;
    insert into audit_events
    select tenant, md5('e' || n)::uuid, 'type ' || n % 100,
        (array['debug', 'info', 'warning', 'error', 'critical'])[1 + n % 5],
        'session ' || n % 1000, null, null, null, '{}', null, null, null,
        now() - n * interval '1 minute'
    from sizes, generate_series(1, size * 20) as n;
    insert into tasks
    select tenant, md5('t' || t)::uuid, 'name', 'type ' || t % 9,
        (array['completed', 'pending', 'running', 'failed', 'cancelled'])[1 + t % 5], t % 10, 1, 3,
        '{}', null, null, null, case when t % 3 = 0 then 'e' || t end, 'w',
        case when t % 5 = 2 then now() + interval '1 hour' end, now() - t * interval '1 minute',
        null, null
    from sizes, generate_series(1, size * 20) as t;
    insert into missions
    select tenant, md5('m' || m)::uuid, 'm' || m, (array['success', 'failed'])[1 + m % 2],
        case when m % 2 = 0 then 'domain ' || m % 20 end, 0.5, 1, 1.5, 2, '{}',
        now() - m * interval '1 minute'
    from sizes, generate_series(1, size * 20) as m;
    insert into file_snapshots
    select tenant, md5('f' || f)::uuid, 'path ' || f % 500, 'm' || f % 900, f, 1, 'hash', '{}',
        now() - f * interval '1 minute'
    from sizes, generate_series(1, size * 20) as f;
    insert into patch_requests
    select tenant, md5('p' || p)::uuid, 'file', '', '', '', 'component ' || p % 50, 'type', 0.5,
        (array['denied', 'pending_approval', 'approved', 'applied', 'failed'])[1 + p % 5],
        null, null, null, '[]', '{}', now() - p * interval '1 minute', null, null
    from sizes, generate_series(1, size * 20) as p;
    insert into goals
    select tenant, md5('g' || g)::uuid, '', g % 10, 'easy', null,
        (array['active', 'completed', 'paused', 'cancelled'])[1 + g % 4],
        case when g % 3 > 0 then now() + g * interval '1 hour' end, now() - g * interval '1 minute',
        null
    from sizes, generate_series(1, size * 20) as g;
    insert into agency_snapshots
    select tenant, md5('a' || a)::uuid, 0, 0, 0, 0, 0, 0, 0, 0, (a % 1000) / 1000.0, null, null,
        now() - a * interval '1 minute'
    from sizes, generate_series(1, size * 20) as a;
    insert into message_chunks
    select tenant_id, id, 0, created_at, content,
        array_to_tsvector(array['word ' || number % 3000, 'common']),
        array[number % 2000, 7, hashtext(id::text) % 5000]
    from messages;
    insert into node_chunks
    select tenant_id, id, id, 0, 0, created_at, name,
        array_to_tsvector(array['word ' || hashtext(name) % 3000, 'common']),
        array[hashtext(name) % 2000, 7]
    from nodes;
    set session_replication_role = default;
";

/// One at a time: while another fills its tables, a vacuum cannot mark these rows as visible to all,
/// and an index that is cheapest without a look at the rows would not be taken.
static FILLING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

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
    let _filling = FILLING.lock().await;
    let sql = VOLUME.replace("{schema}", &fresh.schema);
    let client = client().await;
    client.batch_execute(&sql).await.unwrap();
    let tables = [
        "tenants",
        "sessions",
        "messages",
        "nodes",
        "relationships",
        "compounds",
        "compound_members",
        "turns",
        "message_chunks",
        "node_chunks",
    ];
    for table in tables {
        // More than `analyze`: what is still in the pending list of a GIN index makes its use dear.
        let sql = format!("vacuum analyze {}.{table}", fresh.schema);
        client.batch_execute(&sql).await.unwrap();
    }

    for table in RecordKind::ALL.map(RecordKind::table) {
        // More than `analyze`: what is still in the pending list of a GIN index makes its use dear.
        let sql = format!("vacuum analyze {}.{table}", fresh.schema);
        client.batch_execute(&sql).await.unwrap();
    }

    for kind in RecordKind::ALL {
        let table = kind.table();
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
    list_compounds(store, node).await;
    list_activity(store, session).await;
}

/// Feedback, decisions and audit events.
async fn list_activity(store: &PostgresStorage, session: SessionId) {
    let limit = Limit::default();
    let all = FeedbackFilter::default();
    for filter in [
        all,
        FeedbackFilter {
            session: Some(session),
            ..all
        },
        FeedbackFilter {
            message: Some(MessageId::from_uuid(some())),
            ..all
        },
        FeedbackFilter {
            rating: Some(1),
            ..all
        },
    ] {
        store.feedback(&ada(), filter, limit).await.unwrap();
        let after = Some(FeedbackCursor {
            created_at: now(),
            id: FeedbackId::from_uuid(some()),
        });
        let filter = FeedbackFilter { after, ..filter };
        store.feedback(&ada(), filter, limit).await.unwrap();
    }
    for session in [None, Some("session 1".to_owned())] {
        for after in [None, Some(some())] {
            let filter = DecisionFilter {
                session: session.clone(),
                to: Some(now()),
                after: after.map(|id| DecisionCursor {
                    decided_at: now(),
                    id: DecisionId::from_uuid(id),
                }),
                ..DecisionFilter::default()
            };
            store.decisions(&ada(), filter, limit).await.unwrap();
        }
    }
    let all = AuditFilter::default;
    for filter in [
        all(),
        AuditFilter {
            severity: Some(AuditSeverity::Error),
            ..all()
        },
        AuditFilter {
            event_type: Some("type 1".to_owned()),
            ..all()
        },
        AuditFilter {
            session: Some("session 1".to_owned()),
            ..all()
        },
    ] {
        let listed = store.audit_events(&ada(), filter.clone(), limit).await;
        listed.unwrap();
        let after = Some(AuditCursor {
            at: now(),
            id: AuditEventId::from_uuid(some()),
        });
        let filter = AuditFilter { after, ..filter };
        store.audit_events(&ada(), filter, limit).await.unwrap();
    }
    list_tasks_and_missions(store).await;
}

/// Every form of the listings of goals and agency snapshots.
async fn list_goals_and_agency(store: &PostgresStorage) {
    let limit = Limit::default();
    for after in [None, Some(some())] {
        for status in [None, Some(GoalStatus::Paused)] {
            for bound in [None, Some(now())] {
                let filter = GoalFilter {
                    status,
                    deadline_from: bound,
                    after: after.map(|id| GoalCursor {
                        deadline: Some(now()),
                        id: GoalId::from_uuid(id),
                    }),
                    ..GoalFilter::default()
                };
                store.goals(&ada(), filter, limit).await.unwrap();
            }
        }
        let place = after.map(|id| ActiveGoalCursor {
            importance: 5,
            created_at: now(),
            id: GoalId::from_uuid(id),
        });
        store.active_goals(&ada(), limit, place).await.unwrap();
        for order in [AgencyOrder::Newest, AgencyOrder::Score] {
            for bound in [None, Some(0.5)] {
                let filter = AgencyFilter {
                    max_delta: bound,
                    order,
                    after: after.map(|id| AgencyCursor {
                        delta_agency: 0.5,
                        taken_at: now(),
                        id: AgencySnapshotId::from_uuid(id),
                    }),
                    ..AgencyFilter::default()
                };
                let listed = store.agency_snapshots(&ada(), filter, limit).await;
                listed.unwrap();
            }
        }
    }
}

/// Every form of the listings of tasks, missions, files and patch requests.
async fn list_tasks_and_missions(store: &PostgresStorage) {
    let limit = Limit::default();
    let any = TaskClaim::new("w", Duration::from_secs(1));
    store.claim_task(&ada(), any, now()).await.unwrap();
    for after in [None, Some(some())] {
        for status in [None, Some(TaskStatus::Failed)] {
            let filter = TaskFilter {
                status,
                after: after.map(|id| TaskCursor {
                    created_at: now(),
                    id: TaskId::from_uuid(id),
                }),
                ..TaskFilter::default()
            };
            store.tasks(&ada(), filter, limit).await.unwrap();
        }
        for status in [None, Some(MissionStatus::FAILED)] {
            for domain in [None, Some("domain 2".to_owned())] {
                let filter = MissionFilter {
                    status: status.clone(),
                    domain,
                    after: after.map(|id| MissionCursor {
                        created_at: now(),
                        id: MissionId::from_uuid(id),
                    }),
                    ..MissionFilter::default()
                };
                store.missions(&ada(), filter, limit).await.unwrap();
            }
        }
        let place = after.map(|id| FileSnapshotCursor {
            taken_at: now(),
            id: FileSnapshotId::from_uuid(id),
        });
        let history = store.file_history(&ada(), "path 1", limit, place).await;
        history.unwrap();
        let taken = store.mission_snapshots(&ada(), "m1", limit, place).await;
        taken.unwrap();
        for status in [None, Some(PatchStatus::Denied)] {
            for component in [None, Some("component 1".to_owned())] {
                let filter = PatchFilter {
                    component,
                    status,
                    after: after.map(|id| PatchCursor {
                        created_at: now(),
                        id: PatchId::from_uuid(id),
                    }),
                };
                store.patches(&ada(), filter, limit).await.unwrap();
            }
        }
    }
    list_goals_and_agency(store).await;
    search_in_every_way(store).await;
}

async fn search_in_every_way(store: &PostgresStorage) {
    let any = SearchFilter::default;
    let filters = [
        any(),
        SearchFilter {
            session: Some(SessionId::from_uuid(some())),
            ..any()
        },
        SearchFilter {
            entity_type: Some(EntityType::CONCEPT),
            ..any()
        },
        SearchFilter {
            tag: Some("t".to_owned()),
            from: Some(now()),
            to: Some(now()),
            ..any()
        },
    ];
    for query in [
        SearchQuery::words("two words"),
        SearchQuery::phrase("two words"),
        SearchQuery::prefix("two wo"),
        SearchQuery::substring("words"),
        SearchQuery::substring("wo"),
    ] {
        for filter in &filters {
            let query = query.clone().with_filter(filter.clone());
            store.search(&ada(), query, Limit::default()).await.unwrap();
        }
        let query = query.after(SearchCursor {
            in_title: true,
            created_at: now(),
            id: some(),
            is_node: true,
        });
        store.search(&ada(), query, Limit::default()).await.unwrap();
    }
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
            from: Some(node),
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
                .neighbours(&ada(), node, direction, kind.clone(), limit)
                .await
                .unwrap();
            let options = TraverseOptions {
                direction,
                kind,
                ..TraverseOptions::default()
            };
            store.traverse(&ada(), node, options).await.unwrap();
        }
    }
}

async fn list_compounds(store: &PostgresStorage, node: NodeId) {
    let all = CompoundFilter::default;
    for filter in [
        all(),
        CompoundFilter {
            name: Some("compound 1".to_owned()),
            ..all()
        },
        CompoundFilter {
            member: Some(node),
            ..all()
        },
    ] {
        let limit = Limit::default();
        store
            .compounds(&ada(), filter.clone(), limit)
            .await
            .unwrap();
        let after = Some(CompoundCursor {
            occurrences: 3,
            id: CompoundId::from_uuid(some()),
        });
        let filter = CompoundFilter { after, ..filter };
        store.compounds(&ada(), filter, limit).await.unwrap();
    }
}

/// Each with nothing to forget.
async fn forget_in_every_way(store: &PostgresStorage) {
    for old in [
        Retention::accessed_before(Timestamp::MIN),
        Retention::created_before(Timestamp::MIN),
    ] {
        store.forget_older_than(&ada(), old, now()).await.unwrap();
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
                17 => "bytea",
                20 => "int8",
                25 => "text",
                701 => "float8",
                1001 => "bytea[]",
                1005 => "int2[]",
                1007 => "int4[]",
                1009 => "text[]",
                1016 => "int8[]",
                1022 => "float8[]",
                1184 => "timestamptz",
                1185 => "timestamptz[]",
                2950 => "uuid",
                2951 => "uuid[]",
                3643 => "tsvector[]",
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
    forget_in_every_way(&store).await;
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
    used.extend(HOLDING.map(str::to_owned));
    let unused: Vec<_> = wanted.difference(&used).collect();
    assert!(unused.is_empty(), "{unused:?} not used, of {used:?}");
    let sql = "select indexname::text from pg_indexes where schemaname = $1
        and tablename not like 'transfer\\_%' and tablename not like '\\_\\_%'
        and tablename <> 'search_backlog'";
    let rows = client().await.query(sql, &[&fresh.schema]).await.unwrap();
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let cascades = CASCADES.map(str::to_owned);
    assert_eq!(there, wanted.into_iter().chain(cascades).collect());
}

/// Indexes that hold a law, whatever else finds the rows by them.
const HOLDING: [&str; 1] = [
    // The same relationship is stored once. A node's relationships are few, and found as well by it.
    "relationships_by_ends",
];

/// Every index of the tables of tenants.
const INDEXES: &[&str] = &[
    "compound_members_pkey",
    "compounds_by_name",
    "compounds_by_occurrences",
    "compounds_pkey",
    "message_chunks_by_grams",
    "message_chunks_by_words",
    "message_chunks_pkey",
    "messages_by_number",
    "compound_members_pkey",
    "compounds_by_name",
    "compounds_by_occurrences",
    "compounds_pkey",
    "message_chunks_by_grams",
    "message_chunks_by_words",
    "message_chunks_pkey",
    "messages_by_number",
    "compound_members_pkey",
    "compounds_by_name",
    "compounds_by_occurrences",
    "compounds_pkey",
    "message_chunks_by_grams",
    "message_chunks_by_words",
    "message_chunks_pkey",
    "messages_by_number",
    "messages_by_session_time",
    "messages_by_time",
    "messages_pkey",
    "node_chunks_by_grams",
    "node_chunks_by_name",
    "node_chunks_by_name_grams",
    "node_chunks_by_words",
    "node_chunks_pkey",
    "nodes_by_access",
    "nodes_by_content",
    "nodes_by_context_type",
    "nodes_by_creation",
    "audit_events_by_session",
    "audit_events_by_severity",
    "audit_events_by_time",
    "audit_events_by_type",
    "audit_events_pkey",
    "agency_snapshots_by_score",
    "agency_snapshots_by_time",
    "agency_snapshots_pkey",
    "goals_active",
    "goals_by_deadline",
    "goals_by_status",
    "goals_pkey",
    "decisions_by_session",
    "decisions_by_time",
    "decisions_pkey",
    "feedback_by_message",
    "feedback_by_rating",
    "feedback_by_session",
    "feedback_by_time",
    "feedback_pkey",
    "messages_by_number",
    "messages_by_session_time",
    "messages_by_time",
    "messages_pkey",
    "missions_by_creation",
    "missions_by_domain",
    "missions_by_key",
    "missions_by_status",
    "file_snapshots_by_mission",
    "file_snapshots_by_path",
    "file_snapshots_pkey",
    "messages_by_number",
    "messages_by_session_time",
    "messages_by_time",
    "messages_pkey",
    "missions_by_creation",
    "missions_by_domain",
    "missions_by_key",
    "missions_by_status",
    "missions_pkey",
    "nodes_by_access",
    "nodes_by_content",
    "nodes_by_context_type",
    "nodes_by_creation",
    "nodes_by_entity_type",
    "nodes_by_key",
    "nodes_by_metadata",
    "nodes_by_tag",
    "nodes_pkey",
    "patch_requests_by_component",
    "patch_requests_by_component_status",
    "patch_requests_by_creation",
    "patch_requests_by_status",
    "patch_requests_pkey",
    "relationships_by_creation",
    "relationships_by_ends",
    "relationships_by_kind",
    "relationships_by_strength",
    "relationships_from",
    "relationships_pkey",
    "relationships_to",
    "sessions_by_update",
    "sessions_pkey",
    "tasks_by_creation",
    "tasks_by_external_id",
    "tasks_by_status",
    "tasks_finished",
    "tasks_pkey",
    "tasks_to_claim",
    "tenants_by_activity",
    "tenants_pkey",
    "turns_pkey",
];

/// Those that only cascades need, which are in no plan.
const CASCADES: [&str; 1] = ["compound_members_by_compound"];

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
    for n in 0..12 {
        let turn = Turn::new(session)
            .saying(NewMessage::user("turn"))
            .about(Concept::new("path 2"))
            .about(Concept::new(format!("new {n}")));
        let learned = store.learn(&ada(), turn.clone(), now()).await.unwrap();
        store.learn(&ada(), turn, now()).await.unwrap();
        let compound = NewCompound::new(format!("c {}", n % 3), learned.concepts);
        store
            .record_compound(&ada(), compound, now())
            .await
            .unwrap();
    }
    store.clear_session(&ada(), session, now()).await.unwrap();
    store.close(Duration::from_secs(5)).await.unwrap();
    let mut after = sequential_scans(&fresh).await;
    after.retain(|table, scans| before.get(table) != Some(scans));
    assert_eq!(after, BTreeMap::new());
}
