//! Values that a rule of the domain refuses, and that nothing is written of.

use memory_domain::limits::{FREE_TEXT_BYTES, JSON_DEPTH};
use memory_domain::{
    EntityKey, EntityType, JsonObject, Limit, NewNode, NodeFilter, NodePatch, Reinforcement,
    RelationshipFilter, RelationshipKind, TenantId,
};
use memory_storage::{MemoryStore, StorageError};
use serde_json::{Value, json};

use crate::support::{
    ada, at, given_nodes, given_session, message_id, new_link, new_message, new_node, new_session,
    node_id, object, session_id,
};

/// Asserts that a verb refused a value and named its field.
fn assert_invalid<T: std::fmt::Debug>(result: Result<T, StorageError>, field: &str) {
    match result {
        Err(StorageError::Invalid(invalid)) => assert_eq!(invalid.field, field, "{invalid}"),
        other => panic!("{field} gave {other:.200?} instead of Invalid"),
    }
}

fn too_deep() -> JsonObject {
    let inner = (1..=JSON_DEPTH).fold(json!(1), |inner, _| json!([inner]));
    object(json!({"deep": inner}))
}

fn with_nul() -> JsonObject {
    object(json!({"a": [1, {"b": "x\0"}]}))
}

pub(crate) async fn a_tenant_with_bad_metadata_is_refused(store: &dyn MemoryStore) {
    let result = store.create_tenant(&ada(), with_nul(), at(0)).await;
    assert_invalid(result, "metadata.a[1].b");
    let result = store.create_tenant(&ada(), too_deep(), at(0)).await;
    assert_invalid(result, "metadata");
    given_session(store, &ada()).await;
    let result = store.set_tenant_metadata(&ada(), with_nul(), at(0)).await;
    assert_invalid(result, "metadata.a[1].b");
    let found = store.tenant(&ada()).await.unwrap().unwrap();
    assert!(found.metadata.is_empty());
}

pub(crate) async fn a_bad_session_is_refused(store: &dyn MemoryStore) {
    let result = store
        .create_session(&ada(), new_session(1, "a\0"), at(0))
        .await;
    assert_invalid(result, "title");
    for (metadata, field) in [(with_nul(), "metadata.a[1].b"), (too_deep(), "metadata")] {
        let new = new_session(1, "").with_metadata(metadata);
        assert_invalid(store.create_session(&ada(), new, at(0)).await, field);
    }
    assert_eq!(store.session(&ada(), session_id(1)).await.unwrap(), None);
    given_session(store, &ada()).await;
    let before = store.session(&ada(), session_id(1)).await.unwrap();
    let id = session_id(1);
    let result = store
        .rename_session(&ada(), id, "\0".to_owned(), at(1))
        .await;
    assert_invalid(result, "title");
    let result = store
        .set_session_metadata(&ada(), id, too_deep(), at(1))
        .await;
    assert_invalid(result, "metadata");
    assert_eq!(store.session(&ada(), id).await.unwrap(), before);
}

pub(crate) async fn a_bad_message_is_refused_with_its_batch(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    for (bad, field) in [
        (new_message(2, "a\0b"), "content"),
        (
            new_message(2, "").with_metadata(with_nul()),
            "metadata.a[1].b",
        ),
        (new_message(2, "").with_metadata(too_deep()), "metadata"),
    ] {
        let batch = vec![new_message(1, "good"), bad];
        let result = store.append(&ada(), session_id(1), batch, at(1)).await;
        assert_invalid(result, field);
    }
    assert_eq!(store.message(&ada(), message_id(1)).await.unwrap(), None);
    let session = store.session(&ada(), session_id(1)).await.unwrap().unwrap();
    assert_eq!((session.message_count, session.updated_at), (0, at(0)));
}

fn bad_nodes() -> Vec<(NewNode, &'static str)> {
    let changed = |change: fn(&mut NewNode)| {
        let mut node = new_node(2);
        change(&mut node);
        node
    };
    vec![
        (changed(|node| node.name = Some(String::new())), "name"),
        (changed(|node| node.name = Some("a\0".into())), "name"),
        (changed(|node| node.name = Some("x".repeat(513))), "name"),
        (new_node(2).with_summary("a\0"), "summary"),
        (new_node(2).with_tag(""), "tags"),
        (new_node(2).with_tag("a\0"), "tags"),
        (new_node(2).with_tag("x".repeat(513)), "tags"),
        (
            changed(|node| node.tags = (0..65).map(|n| n.to_string()).collect()),
            "tags",
        ),
        (new_node(2).with_content(with_nul()), "content.a[1].b"),
        (new_node(2).with_content(too_deep()), "content"),
        (
            new_node(2).with_metadata(object(json!({"k\0": 1}))),
            "metadata",
        ),
        (changed(|node| node.base_relevance = 1.5), "base_relevance"),
        (changed(|node| node.base_relevance = -0.1), "base_relevance"),
        (
            changed(|node| node.base_relevance = f64::NAN),
            "base_relevance",
        ),
        (
            changed(|node| node.base_relevance = f64::INFINITY),
            "base_relevance",
        ),
    ]
}

pub(crate) async fn a_bad_node_is_refused_with_its_batch(store: &dyn MemoryStore) {
    for (bad, field) in bad_nodes() {
        let batch = vec![new_node(1), bad];
        assert_invalid(store.remember(&ada(), batch, at(0)).await, field);
    }
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().nodes, 0);
}

pub(crate) async fn a_bad_patch_is_refused(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let before = store.node(&ada(), node_id(1)).await.unwrap();
    for (bad, field) in bad_nodes() {
        let patch = NodePatch {
            name: Some(bad.name),
            content: Some(bad.content),
            summary: Some(bad.summary),
            tags: Some(bad.tags),
            metadata: Some(bad.metadata),
            base_relevance: Some(bad.base_relevance),
            ..NodePatch::default()
        };
        let result = store.update_node(&ada(), node_id(1), patch, at(1)).await;
        assert_invalid(result, field);
    }
    assert_eq!(store.node(&ada(), node_id(1)).await.unwrap(), before);
}

pub(crate) async fn texts_at_their_limit_are_stored(store: &dyn MemoryStore) {
    let mut node = new_node(1).with_tag("é".repeat(256));
    let (name, tag) = ("日".repeat(170) + "xy", "é".repeat(256));
    node.name = Some(name.clone());
    node.entity_type = Some(EntityType::new("t".repeat(512)).unwrap());
    node.key = Some(EntityKey::new("s".repeat(512), "i".repeat(512)).unwrap());
    node.tags.extend((1..64).map(|n| format!("{n:0512}")));
    store.remember(&ada(), vec![node], at(0)).await.unwrap();
    let found = store.node(&ada(), node_id(1)).await.unwrap().unwrap();
    assert_eq!(found.name, Some(name));
    assert!(found.tags.contains(&tag) && found.tags.len() == 64);
    assert_eq!(found.key.unwrap().system().len(), 512);
    assert_eq!(found.entity_type.unwrap().as_str().len(), 512);
    let mut link = new_link(1, 1, "led_to", 1).with_label("l".repeat(512));
    link.kind = RelationshipKind::new("k".repeat(512)).unwrap();
    let stands = store.relate(&ada(), link, at(0)).await.unwrap();
    assert_eq!((stands.kind.as_str().len(), stands.label.len()), (512, 512));
}

pub(crate) async fn what_is_valid_by_construction_cannot_be_made_wrong(_: &dyn MemoryStore) {
    assert!(TenantId::new("").is_err());
    assert!(TenantId::new("x".repeat(256)).is_err());
    assert!(TenantId::new("a\0b").is_err());
    assert!(TenantId::new("a\u{7f}b").is_err());
    assert!(EntityKey::new("", "x").is_err());
    assert!(EntityKey::new("x", "x".repeat(513)).is_err());
    assert!(EntityType::new("x".repeat(513)).is_err());
    assert!(RelationshipKind::new("a\0").is_err());
    assert_eq!(Limit::new(1_001).unwrap_err().field, "limit");
    assert_eq!(Limit::new(1_000).unwrap(), Limit::MAX);
}

pub(crate) async fn a_bad_relationship_is_refused(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let link = || new_link(1, 1, "led_to", 2);
    for (bad, field) in [
        (link().with_strength(1.5), "strength"),
        (link().with_strength(-1e-300), "strength"),
        (link().with_strength(f64::NAN), "strength"),
        (link().with_strength(f64::NEG_INFINITY), "strength"),
        (link().with_label("x".repeat(513)), "label"),
        (link().with_label("a\0"), "label"),
        (link().with_metadata(with_nul()), "metadata.a[1].b"),
        (link().with_metadata(too_deep()), "metadata"),
    ] {
        assert_invalid(store.relate(&ada(), bad, at(0)).await, field);
    }
    let step = || Reinforcement::new(node_id(1), node_id(2));
    for (bad, field) in [
        (step().with_step(1.5), "step"),
        (step().with_step(f64::NAN), "step"),
        (step().with_decay(0.0), "decay"),
        (step().with_decay(1.5), "decay"),
        (step().with_decay(f64::NAN), "decay"),
        (Reinforcement::new(node_id(1), node_id(1)), "b"),
    ] {
        assert_invalid(store.reinforce(&ada(), bad, at(0)).await, field);
    }
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().relationships, 0);
}

pub(crate) async fn a_bad_condition_is_refused(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let any = NodeFilter::default;
    let nul = Some(with_nul);
    let filters = [
        (
            NodeFilter {
                tag: Some(String::new()),
                ..any()
            },
            "tag",
        ),
        (
            NodeFilter {
                tag: Some("x".repeat(513)),
                ..any()
            },
            "tag",
        ),
        (
            NodeFilter {
                metadata_contains: nul.map(|nul| nul()),
                ..any()
            },
            "metadata_contains.a[1].b",
        ),
        (
            NodeFilter {
                content_contains: Some(too_deep()),
                ..any()
            },
            "content_contains",
        ),
    ];
    for (filter, field) in filters {
        assert_invalid(store.nodes(&ada(), filter, Limit::MAX).await, field);
    }
    for strength in [1.5, -0.5, f64::NAN] {
        let filter = RelationshipFilter {
            min_strength: Some(strength),
            ..RelationshipFilter::default()
        };
        let result = store.relationships(&ada(), filter, Limit::MAX).await;
        assert_invalid(result, "min_strength");
        assert_invalid(store.prune(&ada(), strength, at(0)).await, "min_strength");
    }
}

pub(crate) async fn text_that_looks_like_sql_is_text(store: &dyn MemoryStore) {
    let evil = "'); drop table tenants; -- \" $1 ? %s {} [] \\";
    let mut node = new_node(1).with_summary(evil).with_tag(evil);
    node.name = Some(evil.to_owned());
    node.key = Some(EntityKey::new(evil, evil).unwrap());
    node.content = JsonObject::from_iter([(evil.to_owned(), Value::from(evil))]);
    let part = node.content.clone();
    store.remember(&ada(), vec![node], at(0)).await.unwrap();
    let key = EntityKey::new(evil, evil).unwrap();
    let found = store.node_by_key(&ada(), &key).await.unwrap().unwrap();
    assert_eq!(
        (found.summary.as_str(), found.name.as_deref()),
        (evil, Some(evil))
    );
    let filter = NodeFilter {
        tag: Some(evil.to_owned()),
        content_contains: Some(part),
        ..NodeFilter::default()
    };
    let found = store.nodes(&ada(), filter, Limit::MAX).await.unwrap();
    assert_eq!(found.len(), 1);
}

pub(crate) async fn a_text_has_up_to_64_mib(backend: &dyn crate::Backend) {
    let store = backend.open(crate::StoreOptions::default()).await;
    given_session(&*store, &ada()).await;
    let mut longest = "x".repeat(FREE_TEXT_BYTES);
    let message = new_message(1, &longest);
    store
        .append(&ada(), session_id(1), vec![message], at(0))
        .await
        .unwrap();
    let found = store.message(&ada(), message_id(1)).await.unwrap().unwrap();
    assert!(found.content == longest, "64 MiB came back otherwise");
    drop(found);
    longest.push('x');
    let message = new_message(2, &longest);
    let result = store
        .append(&ada(), session_id(1), vec![message], at(0))
        .await;
    assert_invalid(result, "content");
}
