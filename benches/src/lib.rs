//! What the benchmarks share: a fresh store of either backend, filled with the same things.

use std::env;
use std::sync::Arc;

use memory_core::{
    Config, EntityKey, EntityType, Memory, NewMessage, NewNode, NewRelationship, NewSession,
    NodeId, RelationshipKind, SchemaPolicy, SessionId, Storage, Tenant,
};

/// The variable that names a PostgreSQL server; `cargo xtask bench` starts one and sets it.
const POSTGRES_URL: &str = "MEMORY_TEST_POSTGRES_URL";

/// How many nodes stand in the store before anything is measured; each is related to the next.
const NODES: usize = 1_000;

/// A store with things in it.
pub struct Filled {
    /// The backend's name, for the report.
    pub backend: &'static str,
    /// The tenant that everything belongs to.
    pub tenant: Tenant,
    /// A conversation of 100 messages.
    pub session: SessionId,
    /// The nodes, in the order in which they were remembered.
    pub nodes: Vec<NodeId>,
    /// The key of the first of them.
    pub key: EntityKey,
    storage: Arc<dyn Storage>,
    // Holds the file until the store is closed.
    _folder: Option<tempfile::TempDir>,
}

impl Filled {
    /// A store in a SQLite file.
    pub async fn sqlite() -> Filled {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let url = folder.path().join("bench.db").display().to_string();
        Filled::new("sqlite", &url, Some(folder)).await
    }

    /// A store in a schema of its own on the server that the environment names.
    pub async fn postgres() -> Filled {
        let server = env::var(POSTGRES_URL).unwrap_or_else(|_| {
            panic!("{POSTGRES_URL} is not set; run `cargo xtask bench`, which starts a server")
        });
        let schema = format!("bench_{}", std::process::id());
        Filled::new("postgres", &format!("{server}?schema={schema}"), None).await
    }

    async fn new(backend: &'static str, url: &str, folder: Option<tempfile::TempDir>) -> Filled {
        let config = Config::from_url(url)
            .expect("the URL is sound")
            .with_schema(SchemaPolicy::Apply);
        let storage = memory_core::connect(&config)
            .await
            .expect("the store opens");
        let tenant = Memory::over(storage.clone())
            .tenant("bench")
            .expect("a sound name");
        let session = fill_session(&tenant).await;
        let (nodes, key) = fill_graph(&tenant).await;
        Filled {
            backend,
            tenant,
            session,
            nodes,
            key,
            storage,
            _folder: folder,
        }
    }

    /// Takes the store down again.
    pub async fn finish(self) {
        self.storage
            .schema()
            .down(u32::MAX)
            .await
            .expect("the schema goes down");
        self.storage
            .close(std::time::Duration::from_secs(10))
            .await
            .expect("nothing is under way");
    }
}

async fn fill_session(tenant: &Tenant) -> SessionId {
    let session = tenant
        .create_session(NewSession::new("bench"))
        .await
        .expect("it is new")
        .id;
    let messages = (0..100)
        .map(|n| NewMessage::user(format!("message {n}")))
        .collect();
    tenant
        .append_many(session, messages)
        .await
        .expect("the session is there");
    session
}

async fn fill_graph(tenant: &Tenant) -> (Vec<NodeId>, EntityKey) {
    let new = |n: usize| NewNode::entity(EntityType::CONCEPT, format!("concept {n}"));
    let nodes = (0..NODES).map(|n| new(n).expect("a sound name")).collect();
    let nodes = tenant.remember_many(nodes).await.expect("they are new");
    for pair in nodes.windows(2) {
        let link = NewRelationship::new(pair[0], RelationshipKind::RELATES_TO, pair[1]);
        tenant.relate(link).await.expect("both ends are there");
    }
    let key = EntityKey::new("concept", "concept 0").expect("a sound key");
    (nodes, key)
}
