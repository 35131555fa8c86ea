use std::collections::BTreeSet;

use memory_domain::{ContextType, EntityKey, EntityType, NewNode, Node, NodePatch};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_refused, at, file_key, given_nodes, new_file, new_link, new_node, node_id, object,
    relationship_id, tenant, the_node,
};

/// A node with every field set.
fn whole() -> NewNode {
    NewNode {
        id: node_id(1),
        context_type: ContextType::UserSelection,
        key: Some(EntityKey::new("crm", "A-1").unwrap()),
        entity_type: Some(EntityType::new("Account").unwrap()),
        name: Some("Acme 🏭".to_owned()),
        content: object(json!({"entity_data": {"city": "Köln"}, "n": 1})),
        summary: "An account.".to_owned(),
        tags: BTreeSet::from(["Big".to_owned(), "ärger".to_owned(), "a".to_owned()]),
        metadata: object(json!({"source": ["x", null]})),
        base_relevance: 0.1,
    }
}

pub(crate) async fn a_new_node_is_stored_whole(store: &dyn MemoryStore) {
    let ids = store.remember(&ada(), vec![whole()], at(5)).await.unwrap();
    assert_eq!(ids, [node_id(1)]);
    let wanted = Node {
        tenant_id: ada(),
        id: node_id(1),
        context_type: ContextType::UserSelection,
        key: Some(EntityKey::new("crm", "A-1").unwrap()),
        entity_type: Some(EntityType::new("Account").unwrap()),
        name: Some("Acme 🏭".to_owned()),
        content: object(json!({"entity_data": {"city": "Köln"}, "n": 1})),
        summary: "An account.".to_owned(),
        tags: BTreeSet::from(["a".to_owned(), "big".to_owned(), "ärger".to_owned()]),
        metadata: object(json!({"source": ["x", null]})),
        base_relevance: 0.1,
        created_at: at(5),
        updated_at: at(5),
        last_accessed_at: at(5),
        access_count: 1,
        update_count: 0,
    };
    assert_eq!(the_node(store, &ada(), 1).await, wanted);
    let key = wanted.key.clone().unwrap();
    let found = store.node_by_key(&ada(), &key).await.unwrap();
    assert_eq!(found, Some(wanted));
}

pub(crate) async fn a_bare_node_has_the_defaults(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let node = the_node(store, &ada(), 1).await;
    assert_eq!((node.key, node.entity_type, node.name), (None, None, None));
    assert_eq!((node.summary.as_str(), node.tags.len()), ("", 0));
    assert!(node.content.is_empty() && node.metadata.is_empty());
    assert_eq!(node.base_relevance.to_bits(), 0.5_f64.to_bits());
}

pub(crate) async fn a_node_that_is_not_there_is_none(store: &dyn MemoryStore) {
    assert_eq!(store.node(&ada(), node_id(1)).await.unwrap(), None);
    let found = store.node_by_key(&ada(), &file_key("x")).await.unwrap();
    assert_eq!(found, None);
}

pub(crate) async fn a_node_without_a_key_again_is_the_same_write(store: &dyn MemoryStore) {
    let new = NewNode {
        key: None,
        ..whole()
    };
    for seconds in [0, 9] {
        let ids = store.remember(&ada(), vec![new.clone()], at(seconds)).await;
        assert_eq!(ids.unwrap(), [node_id(1)]);
    }
    // In one batch too.
    let twice = vec![new.clone(), new_node(2), new];
    let ids = store.remember(&ada(), twice, at(10)).await.unwrap();
    assert_eq!(ids, [node_id(1), node_id(2), node_id(1)]);
    let node = the_node(store, &ada(), 1).await;
    assert_eq!((node.update_count, node.updated_at), (0, at(0)));
}

pub(crate) async fn a_node_with_other_content_is_a_conflict(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let before = the_node(store, &ada(), 1).await;
    let mut weighed = new_node(1);
    weighed.base_relevance = 0.6;
    let mut named = new_node(1);
    named.name = Some("x".to_owned());
    let mut typed = new_node(1);
    typed.entity_type = Some(EntityType::FILE);
    for other in [
        NewNode::new(ContextType::ToolOutput).with_id(node_id(1)),
        new_node(1).with_summary("x"),
        new_node(1).with_tag("x"),
        new_node(1).with_content(object(json!({"a": 1}))),
        new_node(1).with_metadata(object(json!({"a": 1}))),
        new_node(1).with_key(file_key("x")),
        weighed,
        named,
        typed,
    ] {
        // What stands before it in the batch is not stored either.
        let batch = vec![new_file(2, "good"), other];
        assert_refused!(store.remember(&ada(), batch, at(1)).await, Conflict);
    }
    assert_eq!(the_node(store, &ada(), 1).await, before);
    assert_eq!(store.node(&ada(), node_id(2)).await.unwrap(), None);
}

pub(crate) async fn an_id_that_stands_under_another_key_is_a_conflict(store: &dyn MemoryStore) {
    let first = new_file(1, "a");
    store
        .remember(&ada(), vec![first.clone()], at(0))
        .await
        .unwrap();
    let before = the_node(store, &ada(), 1).await;
    let mut keyless = first;
    keyless.key = None;
    for other in [keyless, new_file(1, "b")] {
        assert_refused!(store.remember(&ada(), vec![other], at(1)).await, Conflict);
    }
    let batch = vec![new_file(2, "c"), new_file(2, "d")];
    assert_refused!(store.remember(&ada(), batch, at(1)).await, Conflict);
    assert_eq!(the_node(store, &ada(), 1).await, before);
    assert_eq!(
        store.node_by_key(&ada(), &file_key("c")).await.unwrap(),
        None
    );
}

pub(crate) async fn a_batch_of_nodes_has_at_most_1000(store: &dyn MemoryStore) {
    assert_eq!(store.remember(&ada(), vec![], at(0)).await.unwrap(), []);
    let nodes = |count| (1..=count).map(new_node).collect();
    assert_refused!(store.remember(&ada(), nodes(1_001), at(0)).await, Invalid);
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().nodes, 0);
    let ids = store.remember(&ada(), nodes(1_000), at(0)).await.unwrap();
    assert_eq!(ids, (1..=1_000).map(node_id).collect::<Vec<_>>());
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().nodes, 1_000);
}

pub(crate) async fn keys_differ_by_a_single_byte(store: &dyn MemoryStore) {
    let longest = "é".repeat(256);
    let almost = "é".repeat(255) + "e";
    let names = [
        "a", "A", "a ", " a", "é", "e\u{301}", "%", "_", "a:b", &longest, &almost,
    ];
    for (id, name) in (1..).zip(names) {
        let key = EntityKey::new(name, "x").unwrap();
        let nodes = vec![new_file(id, name), new_node(id + 100).with_key(key)];
        store.remember(&ada(), nodes, at(0)).await.unwrap();
    }
    for (id, name) in (1..).zip(names) {
        let found = store.node_by_key(&ada(), &file_key(name)).await.unwrap();
        assert_eq!(found.unwrap().id, node_id(id), "{name}");
        let key = EntityKey::new(name, "x").unwrap();
        let found = store.node_by_key(&ada(), &key).await.unwrap();
        assert_eq!(found.unwrap().id, node_id(id + 100), "{name}");
    }
}

pub(crate) async fn two_tenants_may_use_the_same_key_and_id(store: &dyn MemoryStore) {
    let bea = tenant("bea");
    for (id, summary) in [(ada(), "hers"), (bea.clone(), "theirs")] {
        let node = new_file(1, "a").with_summary(summary);
        store.remember(&id, vec![node], at(0)).await.unwrap();
    }
    store.forget_node(&ada(), node_id(1), at(1)).await.unwrap();
    let found = store.node_by_key(&bea, &file_key("a")).await.unwrap();
    assert_eq!(found.unwrap().summary, "theirs");
}

pub(crate) async fn a_patch_replaces_what_it_gives(store: &dyn MemoryStore) {
    store.remember(&ada(), vec![whole()], at(0)).await.unwrap();
    let before = the_node(store, &ada(), 1).await;
    let patch = NodePatch {
        content: Some(object(json!({"entity_data": {"zip": 1.0}}))),
        summary: Some(String::new()),
        tags: Some(BTreeSet::from(["NEW".to_owned()])),
        ..NodePatch::default()
    };
    let wanted = Node {
        content: object(json!({"entity_data": {"zip": 1}})),
        summary: String::new(),
        tags: BTreeSet::from(["new".to_owned()]),
        updated_at: at(3),
        update_count: 1,
        ..before
    };
    let updated = store.update_node(&ada(), node_id(1), patch, at(3)).await;
    assert_eq!(updated.unwrap(), wanted);
    assert_eq!(the_node(store, &ada(), 1).await, wanted);
    let patch = NodePatch {
        context_type: Some(ContextType::ToolOutput),
        entity_type: Some(None),
        name: Some(None),
        metadata: Some(object(json!({}))),
        base_relevance: Some(1.0),
        tags: Some(BTreeSet::new()),
        ..NodePatch::default()
    };
    let wanted = Node {
        context_type: ContextType::ToolOutput,
        entity_type: None,
        name: None,
        metadata: object(json!({})),
        base_relevance: 1.0,
        tags: BTreeSet::new(),
        updated_at: at(4),
        update_count: 2,
        ..wanted
    };
    let updated = store.update_node(&ada(), node_id(1), patch, at(4)).await;
    assert_eq!(updated.unwrap(), wanted);
    assert_eq!(the_node(store, &ada(), 1).await, wanted);
}

pub(crate) async fn a_patch_gives_what_was_not_there(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let patch = NodePatch {
        entity_type: Some(Some(EntityType::CONCEPT)),
        name: Some(Some("x".to_owned())),
        ..NodePatch::default()
    };
    let updated = store.update_node(&ada(), node_id(1), patch, at(1)).await;
    let updated = updated.unwrap();
    assert_eq!(updated.entity_type, Some(EntityType::CONCEPT));
    assert_eq!(updated.name.as_deref(), Some("x"));
    assert_eq!(updated.key, None);
}

pub(crate) async fn an_empty_patch_counts_an_update(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let before = the_node(store, &ada(), 1).await;
    let patch = NodePatch::default();
    let updated = store.update_node(&ada(), node_id(1), patch, at(1)).await;
    let wanted = Node {
        updated_at: at(1),
        update_count: 1,
        ..before
    };
    assert_eq!(updated.unwrap(), wanted);
}

pub(crate) async fn an_update_never_moves_the_time_back(store: &dyn MemoryStore) {
    let new = NewNode::new(ContextType::ToolOutput).with_id(node_id(1));
    store.remember(&ada(), vec![new], at(50)).await.unwrap();
    let patch = NodePatch::default();
    let updated = store.update_node(&ada(), node_id(1), patch, at(20)).await;
    let updated = updated.unwrap();
    assert_eq!((updated.updated_at, updated.update_count), (at(50), 1));
}

pub(crate) async fn forgetting_a_node_takes_its_relationships_along(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 3).await;
    let links = [
        new_link(1, 1, "led_to", 2),
        new_link(2, 3, "led_to", 1),
        new_link(3, 2, "led_to", 3),
        new_link(4, 1, "led_to", 1),
    ];
    for link in links {
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
    store.forget_node(&ada(), node_id(1), at(1)).await.unwrap();
    assert_eq!(store.node(&ada(), node_id(1)).await.unwrap(), None);
    for (id, there) in [(1, false), (2, false), (3, true), (4, false)] {
        let found = store.relationship(&ada(), relationship_id(id)).await;
        assert_eq!(found.unwrap().is_some(), there, "relationship {id}");
    }
}

pub(crate) async fn a_forgotten_key_and_id_are_free_again(store: &dyn MemoryStore) {
    let remember = async |seconds, summary| {
        let node = new_file(1, "a").with_summary(summary).with_tag("t");
        store.remember(&ada(), vec![node], at(seconds)).await
    };
    remember(0, "first").await.unwrap();
    store.forget_node(&ada(), node_id(1), at(1)).await.unwrap();
    remember(2, "second").await.unwrap();
    let node = the_node(store, &ada(), 1).await;
    assert_eq!((node.summary.as_str(), node.update_count), ("second", 0));
    assert_eq!(node.created_at, at(2));
}

pub(crate) async fn access_is_counted_when_it_is_recorded(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let before = the_node(store, &ada(), 1).await;
    for seconds in [7, 9] {
        store
            .record_access(&ada(), node_id(1), at(seconds))
            .await
            .unwrap();
    }
    let wanted = Node {
        last_accessed_at: at(9),
        access_count: 3,
        ..before
    };
    assert_eq!(the_node(store, &ada(), 1).await, wanted);
    assert_eq!(
        the_node(store, &ada(), 1).await,
        wanted,
        "reading counts not"
    );
}

pub(crate) async fn changing_a_node_that_is_not_there_is_not_found(store: &dyn MemoryStore) {
    for _ in 0..2 {
        let id = node_id(9);
        let patch = NodePatch::default();
        assert_refused!(store.update_node(&ada(), id, patch, at(0)).await, NotFound);
        assert_refused!(store.forget_node(&ada(), id, at(0)).await, NotFound);
        assert_refused!(store.record_access(&ada(), id, at(0)).await, NotFound);
        given_nodes(store, &ada(), 1).await;
    }
}
