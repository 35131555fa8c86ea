use memory_domain::{ContextType, EntityType, NewNode, Node};
use memory_storage::MemoryStore;
use serde_json::{Value, json};

use crate::support::{
    ada, assert_refused, at, file_key, new_file, new_node, node_id, object, the_node,
};

/// Remembers a file "a" with this content.
fn file_with(id: u128, content: Value) -> NewNode {
    new_file(id, "a").with_content(object(content))
}

/// What stands after two contents of one key, one after the other.
async fn merged(store: &dyn MemoryStore, first: Value, second: Value) -> Value {
    for (id, content) in [(1, first), (2, second)] {
        let ids = store
            .remember(&ada(), vec![file_with(id, content)], at(0))
            .await
            .unwrap();
        assert_eq!(ids, [node_id(1)]);
    }
    let node = the_node(store, &ada(), 1).await;
    store.forget_node(&ada(), node_id(1), at(0)).await.unwrap();
    Value::Object(node.content)
}

pub(crate) async fn merging_fills_and_keeps_what_the_rule_says(store: &dyn MemoryStore) {
    let mut first = file_with(1, json!({"entity_data": {"a": 1, "b": 1}, "x": 1, "y": 1}))
        .with_summary("first")
        .with_tag("One")
        .with_metadata(object(json!({"m": {"deep": 1}, "n": 1})));
    first.base_relevance = 0.25;
    store.remember(&ada(), vec![first], at(0)).await.unwrap();
    let before = the_node(store, &ada(), 1).await;
    let second = NewNode {
        id: node_id(2),
        context_type: ContextType::ToolOutput,
        entity_type: Some(EntityType::CONCEPT),
        name: Some("other".to_owned()),
        base_relevance: 0.75,
        ..file_with(2, json!({"entity_data": {"b": 2, "c": 2}, "y": 2, "z": 2}))
            .with_tag("TWO")
            .with_metadata(object(json!({"m": {"other": 2}})))
    };
    let ids = store.remember(&ada(), vec![second], at(9)).await.unwrap();
    assert_eq!(ids, [node_id(1)]);
    let wanted = Node {
        entity_type: Some(EntityType::CONCEPT),
        name: Some("other".to_owned()),
        content: object(json!({"entity_data": {"a": 1, "b": 2, "c": 2}, "x": 1, "y": 2, "z": 2})),
        tags: ["one", "two"].map(str::to_owned).into(),
        metadata: object(json!({"m": {"other": 2}, "n": 1})),
        updated_at: at(9),
        update_count: 1,
        ..before
    };
    assert_eq!(the_node(store, &ada(), 1).await, wanted);
    assert_eq!(store.node(&ada(), node_id(2)).await.unwrap(), None);
    // What is not given takes nothing away.
    let bare = new_node(3).with_key(file_key("a"));
    store.remember(&ada(), vec![bare], at(10)).await.unwrap();
    let wanted = Node {
        updated_at: at(10),
        update_count: 2,
        ..wanted
    };
    assert_eq!(the_node(store, &ada(), 1).await, wanted);
    let summed = new_file(4, "a").with_summary("second");
    store.remember(&ada(), vec![summed], at(11)).await.unwrap();
    assert_eq!(the_node(store, &ada(), 1).await.summary, "second");
}

pub(crate) async fn entity_data_is_merged_one_level_deep(store: &dyn MemoryStore) {
    for (first, second, wanted) in [
        (
            json!({"d": {"x": 1}}),
            json!({"d": {"y": 2}}),
            json!({"d": {"y": 2}}),
        ),
        (json!({"d": [1, 2]}), json!({"d": [3]}), json!({"d": [3]})),
        (json!({"d": 1}), json!({}), json!({"d": 1})),
        (json!({}), json!({"d": 1}), json!({"d": 1})),
        // A null is a value: it replaces, and it stays.
        (json!({"d": 1}), json!({"d": null}), json!({"d": null})),
        (
            json!({"d": null}),
            json!({"e": 1}),
            json!({"d": null, "e": 1}),
        ),
        (
            json!({"": 1, "é": 1}),
            json!({"É": 2}),
            json!({"": 1, "é": 1, "É": 2}),
        ),
    ] {
        let whole = |data: Value| json!({"entity_data": data});
        let found = merged(store, whole(first), whole(second)).await;
        assert_eq!(found, whole(wanted));
    }
}

pub(crate) async fn other_content_is_replaced_key_by_key(store: &dyn MemoryStore) {
    for (first, second, wanted) in [
        (
            json!({"k": {"x": 1}}),
            json!({"k": {"y": 2}}),
            json!({"k": {"y": 2}}),
        ),
        (json!({"k": 1}), json!({"k": null}), json!({"k": null})),
        (
            json!({"k": null}),
            json!({"l": null}),
            json!({"k": null, "l": null}),
        ),
        (json!({"k": [1]}), json!({"k": []}), json!({"k": []})),
        (json!({}), json!({}), json!({})),
    ] {
        assert_eq!(merged(store, first, second).await, wanted);
    }
}

pub(crate) async fn entity_data_that_is_no_object_is_replaced(store: &dyn MemoryStore) {
    let object = json!({"entity_data": {"a": 1}});
    for other in [json!(1), json!(null), json!([{"b": 1}]), json!("text")] {
        let other = json!({"entity_data": other});
        assert_eq!(merged(store, other.clone(), object.clone()).await, object);
        assert_eq!(merged(store, object.clone(), other.clone()).await, other);
    }
    assert_eq!(merged(store, object.clone(), json!({})).await, object);
}

pub(crate) async fn a_known_key_remembered_again_counts_an_update(store: &dyn MemoryStore) {
    let new = file_with(1, json!({"a": 1}));
    for seconds in 0..3 {
        let ids = store.remember(&ada(), vec![new.clone()], at(seconds)).await;
        assert_eq!(ids.unwrap(), [node_id(1)]);
    }
    let node = the_node(store, &ada(), 1).await;
    assert_eq!((node.update_count, node.access_count), (2, 1));
    assert_eq!((node.created_at, node.updated_at), (at(0), at(2)));
    assert_eq!(node.last_accessed_at, at(0));
}

pub(crate) async fn one_key_twice_in_a_batch_is_merged_in_order(store: &dyn MemoryStore) {
    let batch = vec![
        file_with(5, json!({"first": 1, "both": 1})).with_summary("1"),
        new_node(2),
        file_with(1, json!({"second": 2, "both": 2})).with_summary("2"),
        new_file(3, "b"),
        file_with(4, json!({"third": 3})),
    ];
    let ids = store.remember(&ada(), batch, at(0)).await.unwrap();
    assert_eq!(ids, [5, 2, 5, 3, 5].map(node_id));
    let node = the_node(store, &ada(), 5).await;
    let wanted = json!({"first": 1, "second": 2, "both": 2, "third": 3});
    assert_eq!(Value::Object(node.content), wanted);
    assert_eq!((node.summary.as_str(), node.update_count), ("2", 2));
    assert_eq!(store.node(&ada(), node_id(1)).await.unwrap(), None);
    let batch = vec![
        file_with(8, json!({"both": 3})),
        file_with(9, json!({"both": 4})),
    ];
    let ids = store.remember(&ada(), batch, at(1)).await.unwrap();
    assert_eq!(ids, [5, 5].map(node_id));
    let node = the_node(store, &ada(), 5).await;
    assert_eq!((&node.content["both"], node.update_count), (&json!(4), 4));
}

pub(crate) async fn the_id_of_what_is_merged_is_not_used(store: &dyn MemoryStore) {
    store
        .remember(&ada(), vec![new_file(1, "a"), new_node(2)], at(0))
        .await
        .unwrap();
    // Even if it stands for another node: it is not to be created.
    let ids = store
        .remember(&ada(), vec![file_with(2, json!({"x": 1}))], at(1))
        .await
        .unwrap();
    assert_eq!(ids, [node_id(1)]);
    assert_eq!(the_node(store, &ada(), 2).await.update_count, 0);
    assert_eq!(the_node(store, &ada(), 1).await.update_count, 1);
}

pub(crate) async fn merging_never_moves_the_time_back(store: &dyn MemoryStore) {
    for (id, seconds) in [(1, 50), (2, 20)] {
        let node = new_file(id, "a");
        store
            .remember(&ada(), vec![node], at(seconds))
            .await
            .unwrap();
    }
    let node = the_node(store, &ada(), 1).await;
    assert_eq!((node.updated_at, node.update_count), (at(50), 1));
}

fn tagged(id: u128, tags: std::ops::Range<u32>) -> NewNode {
    let mut node = new_file(id, "a");
    node.tags = tags.map(|n| format!("tag {n}")).collect();
    node
}

pub(crate) async fn merging_gives_at_most_64_tags(store: &dyn MemoryStore) {
    store
        .remember(&ada(), vec![tagged(1, 0..40)], at(0))
        .await
        .unwrap();
    let batch = vec![new_file(2, "b"), tagged(3, 30..65), new_file(4, "c")];
    assert_refused!(store.remember(&ada(), batch, at(1)).await, Invalid);
    let node = the_node(store, &ada(), 1).await;
    assert_eq!((node.tags.len(), node.update_count), (40, 0));
    assert_eq!(
        store.node_by_key(&ada(), &file_key("b")).await.unwrap(),
        None
    );
    store
        .remember(&ada(), vec![tagged(3, 30..64)], at(1))
        .await
        .unwrap();
    let node = the_node(store, &ada(), 1).await;
    assert_eq!((node.tags.len(), node.update_count), (64, 1));
}
