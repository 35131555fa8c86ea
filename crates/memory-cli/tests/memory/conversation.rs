//! What a user does in a store beside transfers, through the library.

use memory_core::{NewMessage, NewNode, NewRelationship, NewSession, RelationshipKind, SessionId};

/// Says something in a session of a tenant; a session without an id is a new one.
pub(crate) fn say(url: &str, tenant: &str, session: Option<&str>) {
    with_tenant(url, tenant, async |tenant| {
        let session = match session {
            Some(id) => id.parse::<SessionId>().unwrap(),
            None => {
                tenant
                    .create_session(NewSession::new("new"))
                    .await
                    .unwrap()
                    .id
            }
        };
        tenant
            .append(session, NewMessage::user("and on"))
            .await
            .unwrap();
    });
}

/// Relates a new node to every node that there is.
pub(crate) fn relate_to_all(url: &str, tenant: &str) {
    with_tenant(url, tenant, async |tenant| {
        let nodes = tenant.load(1_000).await.unwrap().nodes;
        let new = tenant
            .remember(NewNode::new(memory_core::ContextType::ConversationFact))
            .await
            .unwrap();
        for node in nodes {
            let relationship = NewRelationship::new(new, RelationshipKind::RELATES_TO, node.id);
            tenant.relate(relationship).await.unwrap();
        }
    });
}

/// Erases a tenant.
pub(crate) fn erase(url: &str, tenant: &str) {
    with_tenant(url, tenant, async |tenant| {
        tenant.erase().await.unwrap();
    });
}

pub(crate) fn with_tenant(url: &str, tenant: &str, task: impl AsyncFnOnce(&memory_core::Tenant)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let memory = memory_core::open(url).await.unwrap();
        task(&memory.tenant(tenant).unwrap()).await;
        memory.close().await.unwrap();
    });
}
