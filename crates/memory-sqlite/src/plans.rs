//! Every verb's statements use the indexes that are there for them, with and without statistics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use memory_domain::{
    ActiveGoalCursor, AgencyCursor, AgencyFilter, AgencyOrder, AuditCursor, AuditFilter,
    AuditSeverity, CompoundCursor, CompoundFilter, ContextType, DecisionCursor, DecisionFilter,
    Direction, EntityType, FeedbackCursor, FeedbackFilter, FileSnapshotCursor, FileSnapshotId,
    GoalCursor, GoalFilter, GoalStatus, JsonObject, Limit, MessageCursor, MessageRange,
    MissionCursor, MissionFilter, MissionId, MissionStatus, NewCompound, NewMessage, NewNode,
    NewRelationship, NewSession, NodeCursor, NodeFilter, PatchCursor, PatchFilter, PatchId,
    PatchStatus, RelationshipCursor, RelationshipFilter, RelationshipKind, Retention, SearchFilter,
    SearchQuery, SessionCursor, TaskClaim, TaskCursor, TaskFilter, TaskId, TaskStatus,
    TenantCursor, TenantId, Timestamp, TraverseOptions,
};
use memory_storage::{
    AgencyStore, AuditStore, Config, ConversationStore, DecisionStore, FeedbackStore, FileStore,
    GoalStore, GraphStore, LearningStore, MissionStore, PatchStore, SearchStore, StorageError,
    TaskStore, TenantStore,
};
use memory_testkit::{Given, Verb, given};

use crate::connection::{Connection, Role};
use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::open;
use crate::schema;

/// Runs bodies on one connection, and keeps the text of every statement.
struct Listening {
    connection: Mutex<Connection>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listening {
    fn run<T>(
        &self,
        body: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure>,
    ) -> Result<T, StorageError> {
        let mut connection = self.connection.lock().unwrap();
        body(&mut connection).map_err(|failure| failure.into_error("listening", Duration::ZERO))
    }

    fn sql(&self, sql: &str) {
        self.run(|connection| Ok(connection.batch_execute(sql)?))
            .unwrap();
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    /// What SQLite would do for a statement.
    fn plan(&self, sql: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Step {
            #[diesel(sql_type = Text)]
            detail: String,
        }
        let steps: Vec<Step> = diesel::sql_query(format!("explain query plan {sql}"))
            .load::<Step>(&mut **self.connection.lock().unwrap())
            .unwrap();
        self.take();
        steps.into_iter().map(|step| step.detail).collect()
    }
}

impl Executor for Listening {
    async fn read<T, F>(&self, _: Reading, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.run(body)
    }

    async fn write<T, F>(&self, _: &'static str, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.run(body)
    }
}

/// A store that listens, with the folder that it is in.
fn listening() -> (Sqlite<Listening>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let config = Config::from_url(path.to_str().unwrap()).unwrap();
    let memory_storage::Target::Sqlite(target) = &config.target else {
        unreachable!()
    };
    let opened = open::open(&config, target).unwrap();
    schema::up(&opened.place).unwrap();
    let mut connection = opened.place.connect(Role::Writer).unwrap();
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let ear = heard.clone();
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            // Behind the text come the values.
            let text = query.to_string();
            let text = text.split(" -- binds:").next().unwrap_or_default();
            ear.lock().unwrap().push(text.to_owned());
        }
    });
    let connection = Mutex::new(connection);
    (Sqlite(Listening { connection, heard }), folder)
}

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

/// Every verb, and every listing with every condition by itself and with a place to go on from.
#[expect(clippy::too_many_lines, reason = "a list")]
async fn call_everything(
    store: &Sqlite<Listening>,
    given: &Given,
) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut heard = BTreeMap::<String, Vec<Vec<String>>>::new();
    let mut hear = |name: &str| {
        let said = store.0.take();
        assert!(!said.is_empty(), "{name} said nothing");
        heard.entry(name.to_owned()).or_default().push(said);
    };
    let at = Timestamp::UNIX_EPOCH;
    let (ada, limit) = (&ada(), Limit::default());
    store.0.take();

    {
        let id = given.node;
        let place = NodeCursor { created_at: at, id };
        let plain = NodeFilter::default;
        let filters = [
            ("nodes", plain()),
            (
                "nodes by context type",
                NodeFilter {
                    context_type: Some(ContextType::ToolOutput),
                    ..plain()
                },
            ),
            (
                "nodes by entity type",
                NodeFilter {
                    entity_type: Some(EntityType::FILE),
                    ..plain()
                },
            ),
            (
                "nodes by tag",
                NodeFilter {
                    tag: Some("t".into()),
                    ..plain()
                },
            ),
            (
                "nodes by content",
                NodeFilter {
                    content_contains: Some(JsonObject::new()),
                    ..plain()
                },
            ),
            (
                "nodes by metadata",
                NodeFilter {
                    metadata_contains: Some(JsonObject::new()),
                    ..plain()
                },
            ),
            (
                "nodes from",
                NodeFilter {
                    created_from: Some(at),
                    ..plain()
                },
            ),
            (
                "nodes to",
                NodeFilter {
                    created_to: Some(at),
                    ..plain()
                },
            ),
        ];
        for (name, filter) in filters {
            let on = NodeFilter {
                after: Some(place),
                ..filter.clone()
            };
            store.nodes(ada, filter, limit).await.unwrap();
            hear(name);
            store.nodes(ada, on, limit).await.unwrap();
            hear(name);
        }
    }

    let place = RelationshipCursor {
        created_at: at,
        id: given.relationship,
    };
    let plain = RelationshipFilter::default;
    let filters = [
        ("relationships", plain()),
        (
            "relationships from",
            RelationshipFilter {
                from: Some(given.node),
                ..plain()
            },
        ),
        (
            "relationships to",
            RelationshipFilter {
                to: Some(given.node),
                ..plain()
            },
        ),
        (
            "relationships between",
            RelationshipFilter {
                from: Some(given.node),
                to: Some(given.node),
                ..plain()
            },
        ),
        (
            "relationships by kind",
            RelationshipFilter {
                kind: Some(RelationshipKind::LED_TO),
                ..plain()
            },
        ),
        (
            "relationships by strength",
            RelationshipFilter {
                min_strength: Some(0.5),
                ..plain()
            },
        ),
    ];
    for (name, filter) in filters {
        let on = RelationshipFilter {
            after: Some(place),
            ..filter.clone()
        };
        store.relationships(ada, filter, limit).await.unwrap();
        hear(name);
        store.relationships(ada, on, limit).await.unwrap();
        hear(name);
    }
    for direction in [Direction::Outgoing, Direction::Incoming, Direction::Both] {
        for kind in [None, Some(RelationshipKind::LED_TO)] {
            store
                .neighbours(ada, given.node, direction, kind, limit)
                .await
                .unwrap();
            hear("neighbours");
        }
    }

    for direction in [Direction::Outgoing, Direction::Incoming, Direction::Both] {
        for kind in [None, Some(RelationshipKind::LED_TO)] {
            let options = TraverseOptions {
                direction,
                kind,
                ..TraverseOptions::default()
            };
            store.traverse(ada, given.node, options).await.unwrap();
            hear("traversals");
        }
    }
    let old = Retention::created_before(Timestamp::MIN);
    store.forget_older_than(ada, old, at).await.unwrap();
    hear("forget by creation");

    let after = Some(CompoundCursor {
        occurrences: 2,
        id: given.compound,
    });
    let plain = CompoundFilter::default;
    for (name, filter) in [
        ("compounds", plain()),
        (
            "compounds by name",
            CompoundFilter {
                name: Some("n".into()),
                ..plain()
            },
        ),
        (
            "compounds by member",
            CompoundFilter {
                member: Some(given.node),
                ..plain()
            },
        ),
    ] {
        let on = CompoundFilter {
            after,
            ..filter.clone()
        };
        store.compounds(ada, filter, limit).await.unwrap();
        hear(name);
        store.compounds(ada, on, limit).await.unwrap();
        hear(name);
    }

    let place = MessageCursor {
        created_at: at,
        id: given.message,
    };
    for session in [None, Some(given.session)] {
        for after in [None, Some(place)] {
            let range = MessageRange {
                session,
                after,
                ..MessageRange::between(at, Timestamp::MAX)
            };
            store.messages_between(ada, range, limit).await.unwrap();
            hear(match session {
                None => "messages between",
                Some(_) => "messages between of a session",
            });
        }
    }
    let place = SessionCursor {
        updated_at: at,
        id: given.session,
    };
    store.sessions(ada, limit, Some(place)).await.unwrap();
    hear("sessions");
    let place = TenantCursor {
        last_active_at: at,
        id: ada.clone(),
    };
    store.tenants(limit, Some(place)).await.unwrap();
    hear("tenants");
    store
        .history(ada, given.session, limit, Some(3))
        .await
        .unwrap();
    hear("history");
    store
        .0
        .run(|connection| crate::records::runs::list(connection, 10))
        .unwrap();
    hear("runs");
    let session = SearchFilter {
        session: Some(given.session),
        ..SearchFilter::default()
    };
    let typed = SearchFilter {
        entity_type: Some(EntityType::CONCEPT),
        tag: Some("t".to_owned()),
        from: Some(at),
        to: Some(at),
        ..SearchFilter::default()
    };
    for (name, query) in [
        ("search words", SearchQuery::words("two words")),
        ("search phrase", SearchQuery::phrase("two words")),
        ("search prefix", SearchQuery::prefix("two wo")),
        ("search substring", SearchQuery::substring("word")),
        ("search two characters", SearchQuery::substring("wo")),
        (
            "search session",
            SearchQuery::words("x").with_filter(session),
        ),
        ("search typed", SearchQuery::words("x").with_filter(typed)),
    ] {
        store.search(ada, query, limit).await.unwrap();
        hear(name);
    }

    call_listings_of_activity(store, given, &mut hear).await;
    list_activity(store, &mut hear).await;
    list_goals(store, given, &mut hear).await;

    for verb in Verb::ALL {
        let tenant = TenantId::new(format!("{verb:?}")).unwrap();
        let given = memory_testkit::given(store, &tenant).await;
        store.0.take();
        verb.call(store, &tenant, &given, at).await.unwrap();
        hear(&format!("{verb:?}"));
    }
    heard
}

/// The listings of feedback, decisions and audit events.
async fn call_listings_of_activity(
    store: &Sqlite<Listening>,
    given: &Given,
    hear: &mut impl FnMut(&str),
) {
    let (ada, limit, at) = (&ada(), Limit::default(), Timestamp::UNIX_EPOCH);
    let all = FeedbackFilter::default();
    let place = FeedbackCursor {
        created_at: at,
        id: given.activity.feedback,
    };
    for (name, filter) in [
        ("feedback", all),
        (
            "feedback on a session",
            FeedbackFilter {
                session: Some(given.session),
                ..all
            },
        ),
        (
            "feedback on a message",
            FeedbackFilter {
                message: Some(given.message),
                ..all
            },
        ),
        (
            "feedback with a rating",
            FeedbackFilter {
                rating: Some(1),
                ..all
            },
        ),
    ] {
        for after in [None, Some(place)] {
            let filter = FeedbackFilter { after, ..filter };
            store.feedback(ada, filter, limit).await.unwrap();
            hear(name);
        }
    }
    let place = DecisionCursor {
        decided_at: at,
        id: given.activity.decision,
    };
    for (name, session) in [
        ("decisions", None),
        ("decisions of a session", Some("s".to_owned())),
    ] {
        for after in [None, Some(place)] {
            let filter = DecisionFilter {
                session: session.clone(),
                from: Some(at),
                to: None,
                after,
            };
            store.decisions(ada, filter, limit).await.unwrap();
            hear(name);
        }
    }
    let all = AuditFilter::default;
    let place = AuditCursor {
        at,
        id: given.activity.event,
    };
    for (name, filter) in [
        ("events", all()),
        (
            "events of a severity",
            AuditFilter {
                severity: Some(AuditSeverity::Info),
                ..all()
            },
        ),
        (
            "events of a type",
            AuditFilter {
                event_type: Some("x".to_owned()),
                ..all()
            },
        ),
        (
            "events of a session",
            AuditFilter {
                session: Some("s".to_owned()),
                ..all()
            },
        ),
    ] {
        for after in [None, Some(place)] {
            let filter = AuditFilter {
                after,
                ..filter.clone()
            };
            store.audit_events(ada, filter, limit).await.unwrap();
            hear(name);
        }
    }
}

/// Every listing of tasks, missions, files and patch requests with every condition by itself and with
/// a place to go on from.
async fn list_activity(store: &Sqlite<Listening>, hear: &mut impl FnMut(&str)) {
    let at = Timestamp::UNIX_EPOCH;
    let (ada, limit) = (&ada(), Limit::default());
    let place = TaskCursor {
        created_at: at,
        id: TaskId::from_uuid(uuid::Uuid::nil()),
    };
    for (name, status) in [
        ("tasks", None),
        ("tasks by status", Some(TaskStatus::Failed)),
    ] {
        for (after, created_to) in [(None, None), (Some(place), None), (None, Some(at))] {
            let filter = TaskFilter {
                status,
                created_from: Some(at),
                created_to,
                after,
            };
            store.tasks(ada, filter, limit).await.unwrap();
            hear(name);
        }
    }
    let any = TaskClaim::new("w", Duration::from_secs(1));
    store.claim_task(ada, any, at).await.unwrap();
    hear("claim of any type");
    let place = MissionCursor {
        created_at: at,
        id: MissionId::from_uuid(uuid::Uuid::nil()),
    };
    let domain = || Some("d".to_owned());
    for (name, status, domain) in [
        ("missions", None, None),
        ("missions by status", Some(MissionStatus::FAILED), None),
        ("missions by domain", None, domain()),
        ("missions by both", Some(MissionStatus::FAILED), domain()),
    ] {
        for after in [None, Some(place)] {
            let filter = MissionFilter {
                status: status.clone(),
                domain: domain.clone(),
                created_from: Some(at),
                created_to: Some(at),
                after,
            };
            store.missions(ada, filter, limit).await.unwrap();
            hear(name);
        }
    }
    let place = FileSnapshotCursor {
        taken_at: at,
        id: FileSnapshotId::from_uuid(uuid::Uuid::nil()),
    };
    for after in [None, Some(place)] {
        store.file_history(ada, "p", limit, after).await.unwrap();
        hear("file history");
        let taken = store.mission_snapshots(ada, "m", limit, after).await;
        taken.unwrap();
        hear("snapshots of a mission");
    }
    let place = PatchCursor {
        created_at: at,
        id: PatchId::from_uuid(uuid::Uuid::nil()),
    };
    let component = || Some("c".to_owned());
    for (name, component, status) in [
        ("patches", None, None),
        ("patches by status", None, Some(PatchStatus::Denied)),
        ("patches by component", component(), None),
        ("patches by both", component(), Some(PatchStatus::Denied)),
    ] {
        for after in [None, Some(place)] {
            let filter = PatchFilter {
                component: component.clone(),
                status,
                after,
            };
            store.patches(ada, filter, limit).await.unwrap();
            hear(name);
        }
    }
}

/// Every listing of goals and agency snapshots with every condition by itself and with a place to go
/// on from.
async fn list_goals(store: &Sqlite<Listening>, given: &Given, hear: &mut impl FnMut(&str)) {
    let at = Timestamp::UNIX_EPOCH;
    let (ada, limit) = (&ada(), Limit::default());
    let place = GoalCursor {
        deadline: Some(at),
        id: given.goals.goal,
    };
    for (name, status, from) in [
        ("goals", None, None),
        ("goals by status", Some(GoalStatus::Paused), None),
        ("goals from", None, Some(at)),
        ("goals by status from", Some(GoalStatus::Paused), Some(at)),
    ] {
        for after in [None, Some(place)] {
            for deadline_to in [None, Some(at)] {
                let filter = GoalFilter {
                    status,
                    deadline_from: from,
                    deadline_to,
                    after,
                };
                store.goals(ada, filter, limit).await.unwrap();
                hear(&match after {
                    Some(_) => format!("{name} after"),
                    None => name.to_owned(),
                });
            }
        }
    }
    let place = ActiveGoalCursor {
        importance: 1,
        created_at: at,
        id: given.goals.goal,
    };
    store.active_goals(ada, limit, Some(place)).await.unwrap();
    hear("active goals after");
    let place = AgencyCursor {
        delta_agency: 0.5,
        taken_at: at,
        id: given.goals.snapshot,
    };
    for (name, order) in [
        ("agency snapshots", AgencyOrder::Newest),
        ("agency snapshots by score", AgencyOrder::Score),
    ] {
        for (after, max_delta) in [(None, None), (Some(place), None), (None, Some(0.5))] {
            let filter = AgencyFilter {
                from: Some(at),
                to: Some(at),
                max_delta,
                order,
                after,
                ..AgencyFilter::default()
            };
            store.agency_snapshots(ada, filter, limit).await.unwrap();
            hear(name);
        }
    }
}

/// Scans that are as they must be.
const SCANNED: &[&str] = &[
    // The listings of everything begin at the first row, in the order of their index.
    "SCAN tenants USING INDEX tenants_by_activity",
    "SCAN transfer_runs USING INDEX transfer_runs_by_start",
    // Erasing a tenant looks at each run's report, and seldom happens.
    "SCAN transfer_runs",
    "SCAN transfer_ledger",
    // The catalog, in which erasing finds every table of tenants.
    "SCAN t",
    "SCAN c VIRTUAL TABLE INDEX 0:",
    // Of no table at all.
    "SCAN CONSTANT ROW",
    // Of the types that a claim names.
    "SCAN json_each VIRTUAL TABLE INDEX 1:",
    // Of what was found before: a mission or file and what it is joined with, and all such pairs.
    "SCAN one",
    "SCAN others",
    "SCAN w",
    "SCAN caused",
    // Of what is asked for, and of what FTS5 finds for it: `M` is its look-up of terms.
    "SCAN q VIRTUAL TABLE INDEX 1:",
    "SCAN t VIRTUAL TABLE INDEX 0:M1",
    "SCAN t VIRTUAL TABLE INDEX 0:M2",
    // Of the hits, which are sorted as no index has them.
    "SCAN (subquery-1)",
    "SCAN (subquery-2)",
    "SCAN (subquery-3)",
];

/// Listings that sort, because no index has their order: of the relationships of one end and of the
/// compounds of one member, of which there are few; of those among the nodes that are loaded, all of
/// which are given; by the key of what was found at the other ends, and by score; what is found by
/// words or recalled.
const SORTED: &[&str] = &[
    // The names of tables.
    "EraseTenant",
    "Recall",
    "Search",
    "compounds by member",
    "FilesOfMission",
    "MissionsOfFile",
    "RiskyFiles",
    "relationships from",
    "relationships to",
    "relationships between",
    "Load",
];

/// Which index serves which listing or look-up.
const SERVED_BY: &[(&str, &str)] = &[
    ("relationships between", "relationships_by_ends"),
    ("nodes", "nodes_by_creation"),
    ("nodes by context type", "nodes_by_context_type"),
    ("nodes by entity type", "nodes_by_entity_type"),
    (
        "nodes by tag",
        "SEARCH t USING PRIMARY KEY (tenant_id=? AND tag=?",
    ),
    ("tasks", "tasks_by_creation (tenant_id=? AND created_at"),
    (
        "tasks by status",
        "tasks_by_status (tenant_id=? AND status=? AND created_at",
    ),
    ("TaskByExternalId", "tasks_by_external_id"),
    ("ClaimTask", "tasks_to_claim"),
    ("claim of any type", "tasks_to_claim"),
    (
        "DeleteFinishedTasks",
        "tasks_finished (tenant_id=? AND <expr><?)",
    ),
    ("Mission", "missions_by_key"),
    ("LogMission", "missions_by_key"),
    ("LogMission", "nodes_by_key"),
    ("missions", "missions_by_creation"),
    ("missions by status", "missions_by_status"),
    ("missions by domain", "missions_by_domain"),
    ("missions by both", "missions_by_domain"),
    ("file history", "file_snapshots_by_path"),
    ("snapshots of a mission", "file_snapshots_by_mission"),
    (
        "FilesOfMission",
        "relationships_by_ends (tenant_id=? AND from_id=?",
    ),
    (
        "MissionsOfFile",
        "relationships_to (tenant_id=? AND to_id=?",
    ),
    ("RiskyFiles", "relationships_by_kind"),
    ("patches", "patch_requests_by_creation"),
    ("patches by status", "patch_requests_by_status"),
    ("patches by component", "patch_requests_by_component"),
    ("patches by both", "patch_requests_by_component_status"),
    ("goals", "goals_by_deadline (tenant_id=?"),
    ("goals from", "goals_by_deadline (tenant_id=? AND <expr>>?"),
    (
        "goals by status",
        "goals_by_status (tenant_id=? AND status=?",
    ),
    (
        "goals by status from",
        "goals_by_status (tenant_id=? AND status=? AND <expr>>?",
    ),
    ("goals after", "goals_by_deadline (tenant_id=? AND <expr>>?"),
    (
        "goals by status after",
        "goals_by_status (tenant_id=? AND status=? AND <expr>>?",
    ),
    ("ActiveGoals", "goals_active (tenant_id=?"),
    (
        "active goals after",
        "goals_active (tenant_id=? AND (importance,created_at,id)<(?,?,?)",
    ),
    ("LatestAgencySnapshot", "agency_snapshots_by_time"),
    (
        "agency snapshots",
        "agency_snapshots_by_time (tenant_id=? AND taken_at",
    ),
    ("agency snapshots by score", "agency_snapshots_by_score"),
    ("nodes by content", "nodes_by_creation"),
    ("nodes by metadata", "nodes_by_creation"),
    ("nodes from", "nodes_by_creation"),
    ("nodes to", "nodes_by_creation"),
    ("relationships", "relationships_by_creation"),
    ("relationships from", "relationships_from"),
    ("relationships to", "relationships_to"),
    ("relationships by kind", "relationships_by_kind"),
    ("relationships by strength", "relationships_by_creation"),
    ("neighbours", "relationships_from"),
    ("neighbours", "relationships_to"),
    ("messages between", "messages_by_time"),
    ("messages between of a session", "messages_by_session_time"),
    ("history", "messages_by_number"),
    ("sessions", "sessions_by_update"),
    ("tenants", "tenants_by_activity"),
    ("NodeByKey", "nodes_by_key"),
    ("Relate", "relationships_by_ends"),
    ("Reinforce", "relationships_by_ends"),
    ("Prune", "relationships_by_strength"),
    ("ForgetNode", "node_tags_by_node"),
    ("ForgetOlderThan", "nodes_by_access"),
    ("forget by creation", "nodes_by_creation"),
    ("Traverse", "relationships_from"),
    ("Traverse", "relationships_to"),
    ("compounds", "compounds_by_occurrences"),
    ("compounds by name", "compounds_by_name"),
    (
        "compounds by member",
        "SEARCH m USING PRIMARY KEY (tenant_id=? AND node_id=?",
    ),
    ("RecordCompound", "compounds_by_name"),
    ("Recall", "node_chunks_by_name"),
    ("runs", "transfer_runs_by_start"),
    ("feedback", "feedback_by_time"),
    ("feedback on a session", "feedback_by_session"),
    ("feedback on a message", "feedback_by_message"),
    ("feedback with a rating", "feedback_by_rating"),
    ("decisions", "decisions_by_time"),
    ("decisions of a session", "decisions_by_session"),
    ("events", "audit_events_by_time"),
    ("events of a severity", "audit_events_by_severity"),
    ("events of a type", "audit_events_by_type"),
    ("events of a session", "audit_events_by_session"),
    ("search words", "SCAN t VIRTUAL TABLE INDEX 0:M2"),
    ("search phrase", "SCAN t VIRTUAL TABLE INDEX 0:M2"),
    ("search prefix", "SCAN t VIRTUAL TABLE INDEX 0:M2"),
    ("search substring", "SCAN t VIRTUAL TABLE INDEX 0:M1"),
    (
        "search two characters",
        "sqlite_autoindex_node_chunks_1 (tenant_id=?)",
    ),
    ("search session", "sqlite_autoindex_messages_1"),
    // By the primary key or `node_tags_by_node`: both have all four columns, and statistics decide.
    ("search typed", "SEARCH g USING "),
    ("Search", "SEARCH c USING INTEGER PRIMARY KEY"),
];

/// What only cascades of a trigger need, which are in no plan.
const CASCADES: [&str; 1] = ["compound_members_by_compound"];

fn check(name: &str, sql: &str, plan: &[String]) {
    let shown = format!("{name}: {sql}\n  {}", plan.join("\n  "));
    for step in plan {
        assert!(
            !step.starts_with("SCAN") || SCANNED.contains(&step.as_str()),
            "a table is read whole: {shown}"
        );
        let sorted = SORTED.contains(&name) || name.starts_with("search ");
        let sorts = step.contains("TEMP B-TREE") && !sorted;
        assert!(!sorts, "rows are sorted: {shown}");
    }
}

async fn fill(store: &Sqlite<Listening>) {
    let at = |n: i64| Timestamp::from_micros(n).unwrap();
    for n in 0..200 {
        let session = NewSession::new(n.to_string());
        let id = session.id;
        store.create_session(&ada(), session, at(n)).await.unwrap();
        let messages = (0..10).map(|_| NewMessage::user("x")).collect();
        store.append(&ada(), id, messages, at(n)).await.unwrap();
    }
    let mut ids = Vec::new();
    for batch in 0..10_usize {
        let nodes: Vec<NewNode> = (0..300)
            .map(|n| {
                let entity_type = EntityType::new(format!("type {}", n % 9)).unwrap();
                let name = format!("{batch} {n}");
                let mut node = NewNode::entity(entity_type, name).unwrap();
                node.context_type = ContextType::ALL[n % ContextType::ALL.len()];
                node.with_tag(format!("tag {}", n % 20))
            })
            .collect();
        let at = at(i64::try_from(batch).unwrap());
        ids.extend(store.remember(&ada(), nodes, at).await.unwrap());
    }
    for (n, pair) in ids.windows(2).enumerate() {
        let kind = RelationshipKind::new(format!("kind {}", n % 9)).unwrap();
        let link = NewRelationship::new(pair[0], kind, pair[1]).with_strength(0.5);
        store
            .relate(&ada(), link, at(i64::try_from(n).unwrap()))
            .await
            .unwrap();
    }
    for (n, pair) in ids.windows(2).enumerate() {
        let compound = NewCompound::new(format!("compound {n}"), pair.iter().copied());
        let recorded = store.record_compound(&ada(), compound, at(0)).await;
        recorded.unwrap();
    }
    for id in &ids[1..] {
        let link = NewRelationship::new(ids[0], RelationshipKind::LED_TO, *id);
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
}

fn check_all(store: &Sqlite<Listening>, heard: &BTreeMap<String, Vec<Vec<String>>>) {
    for (name, calls) in heard {
        for statements in calls {
            let mut steps = Vec::new();
            for sql in statements {
                let plan = store.0.plan(sql);
                check(name, sql, &plan);
                steps.extend(plan);
            }
            for (of, index) in SERVED_BY {
                let served = steps.iter().any(|step| step.contains(index));
                assert!(
                    of != name || served,
                    "{name} is not served by {index}: {statements:#?}\n{steps:#?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_statement_of_every_verb_uses_its_index() {
    let (store, _folder) = listening();
    let given = given(&store, &ada()).await;
    let heard = call_everything(&store, &given).await;
    for (name, _) in SERVED_BY {
        assert!(heard.contains_key(*name), "{name} is never called");
    }
    check_all(&store, &heard);
    store.0.sql("begin");
    fill(&store).await;
    store.0.sql("commit");
    check_all(&store, &heard);
    store.0.sql("analyze");
    check_all(&store, &heard);
}

#[tokio::test]
async fn every_index_is_there_for_a_verb() {
    #[derive(QueryableByName)]
    struct Index {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let (store, _folder) = listening();
    let indexes: Vec<Index> = store
        .0
        .run(|connection| {
            let sql = "select name from sqlite_schema where type = 'index' and sql is not null";
            Ok(diesel::sql_query(sql).load(connection)?)
        })
        .unwrap();
    assert!(indexes.len() > 10);
    for Index { name } in indexes {
        assert!(
            SERVED_BY
                .iter()
                .any(|(_, index)| index.split(' ').next() == Some(&name))
                || CASCADES.contains(&&*name),
            "nothing needs {name}"
        );
    }
}
