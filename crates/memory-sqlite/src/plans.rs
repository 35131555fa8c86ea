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
    ContextType, Direction, EntityType, JsonObject, Limit, MessageCursor, MessageRange, NewMessage,
    NewNode, NewRelationship, NewSession, NodeCursor, NodeFilter, RelationshipCursor,
    RelationshipFilter, RelationshipKind, SessionCursor, TenantCursor, TenantId, Timestamp,
};
use memory_storage::{Config, ConversationStore, GraphStore, StorageError, TenantStore};
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

    for verb in Verb::ALL {
        let tenant = TenantId::new(format!("{verb:?}")).unwrap();
        let given = memory_testkit::given(store, &tenant).await;
        store.0.take();
        verb.call(store, &tenant, &given, at).await.unwrap();
        hear(&format!("{verb:?}"));
    }
    heard
}

/// Scans that are as they must be.
const SCANNED: [&str; 3] = [
    // The listings of everything begin at the first row, in the order of their index.
    "SCAN tenants USING INDEX tenants_by_activity",
    "SCAN transfer_runs USING INDEX transfer_runs_by_start",
    // Of no table at all.
    "SCAN CONSTANT ROW",
];

/// Listings that sort, because no index has their order: of the relationships of one end, of which
/// there are few, and of those among the nodes that are loaded, all of which are given.
const SORTED: [&str; 4] = [
    "relationships from",
    "relationships to",
    "relationships between",
    "Load",
];

/// Which index serves which listing or look-up.
const SERVED_BY: [(&str, &str); 27] = [
    ("relationships between", "relationships_by_ends"),
    ("nodes", "nodes_by_creation"),
    ("nodes by context type", "nodes_by_context_type"),
    ("nodes by entity type", "nodes_by_entity_type"),
    (
        "nodes by tag",
        "SEARCH t USING PRIMARY KEY (tenant_id=? AND tag=?",
    ),
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
    ("runs", "transfer_runs_by_start"),
];

fn check(name: &str, sql: &str, plan: &[String]) {
    let shown = format!("{name}: {sql}\n  {}", plan.join("\n  "));
    for step in plan {
        assert!(
            !step.starts_with("SCAN") || SCANNED.contains(&step.as_str()),
            "a table is read whole: {shown}"
        );
        let sorts = step.contains("TEMP B-TREE") && !SORTED.contains(&name);
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
        assert!(heard.contains_key(name), "{name} is never called");
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
            SERVED_BY.iter().any(|(_, index)| *index == name),
            "nothing needs {name}"
        );
    }
}
