use memory_domain::{
    ContextType, EntityType, JsonObject, Limit, NewNode, NodeCursor, NodeFilter, Timestamp,
};
use memory_storage::MemoryStore;
use serde_json::{Value, json};

use crate::support::{ada, at, given_nodes, limit, new_node, node_id, object, tenant};

async fn listed(store: &dyn MemoryStore, filter: NodeFilter) -> Vec<u128> {
    let nodes = store.nodes(&ada(), filter, Limit::MAX).await.unwrap();
    nodes.iter().map(|node| node.id.uuid().as_u128()).collect()
}

async fn ids_by_pages_of(store: &dyn MemoryStore, filter: &NodeFilter, rows: u32) -> Vec<u128> {
    let (mut ids, mut filter) = (Vec::new(), filter.clone());
    loop {
        let page = store.nodes(&ada(), filter.clone(), limit(rows)).await;
        let page = page.unwrap();
        assert!(page.len() <= rows as usize, "a page is longer than asked");
        let Some(last) = page.last() else { return ids };
        filter.after = Some(last.cursor());
        ids.extend(page.iter().map(|node| node.id.uuid().as_u128()));
        assert!(ids.len() <= 100, "the listing does not end: {ids:?}");
    }
}

/// Seven nodes; those of one moment in no order of their ids.
async fn given_various_nodes(store: &dyn MemoryStore) {
    let typed = |id, context_type, entity_type: Option<&str>, tags: &[&str]| NewNode {
        context_type,
        entity_type: entity_type.map(|word| EntityType::new(word).unwrap()),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..new_node(id)
    };
    let fact = ContextType::ConversationFact;
    let tool = ContextType::ToolOutput;
    for (seconds, nodes) in [
        (
            10,
            vec![
                typed(3, fact, Some("file"), &["Rust"]),
                typed(1, tool, None, &[]),
            ],
        ),
        (30, vec![typed(2, fact, None, &["rust", "äpfel"])]),
        (
            10,
            vec![
                typed(u128::MAX, tool, Some("file"), &["RUST"]),
                typed(5, fact, None, &[]),
            ],
        ),
        (20, vec![typed(4, tool, Some("File"), &["rusty"])]),
        (5, vec![typed(6, fact, Some("file"), &["rust"])]),
    ] {
        store.remember(&ada(), nodes, at(seconds)).await.unwrap();
    }
    given_nodes(store, &tenant("bea"), 3).await;
}

pub(crate) async fn nodes_are_listed_newest_first_then_the_greater_id(store: &dyn MemoryStore) {
    given_various_nodes(store).await;
    let wanted = [2, 4, u128::MAX, 5, 3, 1, 6];
    for rows in [1, 2, 3, 5, 1_000] {
        let found = ids_by_pages_of(store, &NodeFilter::default(), rows).await;
        assert_eq!(found, wanted, "by {rows}");
    }
    let none = store.nodes(&ada(), NodeFilter::default(), limit(0)).await;
    assert_eq!(none.unwrap(), []);
}

/// Conditions, and the nodes of [`given_various_nodes`] that meet them.
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn conditions() -> Vec<(NodeFilter, Vec<u128>)> {
    let any = NodeFilter::default;
    let fact = Some(ContextType::ConversationFact);
    let file = Some(EntityType::FILE);
    let tag = |tag: &str| Some(tag.to_owned());
    vec![
        (
            NodeFilter {
                context_type: fact,
                ..any()
            },
            vec![2, 5, 3, 6],
        ),
        (
            NodeFilter {
                context_type: Some(ContextType::TemporaryState),
                ..any()
            },
            vec![],
        ),
        (
            NodeFilter {
                entity_type: file.clone(),
                ..any()
            },
            vec![u128::MAX, 3, 6],
        ),
        (
            NodeFilter {
                tag: tag("rust"),
                ..any()
            },
            vec![2, u128::MAX, 3, 6],
        ),
        (
            NodeFilter {
                tag: tag("RUST"),
                ..any()
            },
            vec![2, u128::MAX, 3, 6],
        ),
        (
            NodeFilter {
                tag: tag("ÄPFEL"),
                ..any()
            },
            vec![2],
        ),
        (
            NodeFilter {
                tag: tag("%"),
                ..any()
            },
            vec![],
        ),
        (
            NodeFilter {
                tag: tag("rus"),
                ..any()
            },
            vec![],
        ),
        (
            NodeFilter {
                created_from: Some(at(10)),
                ..any()
            },
            vec![2, 4, u128::MAX, 5, 3, 1],
        ),
        (
            NodeFilter {
                created_to: Some(at(10)),
                ..any()
            },
            vec![u128::MAX, 5, 3, 1, 6],
        ),
        (
            NodeFilter {
                created_from: Some(at(11)),
                created_to: Some(at(20)),
                ..any()
            },
            vec![4],
        ),
        (
            NodeFilter {
                created_from: Some(at(20)),
                created_to: Some(at(11)),
                ..any()
            },
            vec![],
        ),
        (
            NodeFilter {
                context_type: fact,
                entity_type: file,
                tag: tag("rust"),
                ..any()
            },
            vec![3, 6],
        ),
    ]
}

pub(crate) async fn a_filter_gives_what_meets_every_condition(store: &dyn MemoryStore) {
    given_various_nodes(store).await;
    for (filter, wanted) in conditions() {
        for rows in [1, 2, 1_000] {
            let found = ids_by_pages_of(store, &filter, rows).await;
            assert_eq!(found, wanted, "{filter:?} by {rows}");
        }
    }
}

pub(crate) async fn a_cursor_need_not_name_a_node_that_is_there(store: &dyn MemoryStore) {
    given_various_nodes(store).await;
    let (created_at, id) = (at(10), node_id(4));
    let after = |created_at, id| NodeFilter {
        after: Some(NodeCursor { created_at, id }),
        ..NodeFilter::default()
    };
    assert_eq!(listed(store, after(created_at, id)).await, [3, 1, 6]);
    assert_eq!(listed(store, after(Timestamp::MIN, id)).await, [0_u128; 0]);
    assert_eq!(listed(store, after(Timestamp::MAX, id)).await.len(), 7);
}

pub(crate) async fn a_filter_follows_an_update(store: &dyn MemoryStore) {
    given_various_nodes(store).await;
    let patch = memory_domain::NodePatch {
        tags: Some(["go".to_owned()].into()),
        entity_type: Some(None),
        ..memory_domain::NodePatch::default()
    };
    store
        .update_node(&ada(), node_id(3), patch, at(40))
        .await
        .unwrap();
    let by_tag = |tag: &str| NodeFilter {
        tag: Some(tag.to_owned()),
        ..NodeFilter::default()
    };
    assert_eq!(listed(store, by_tag("rust")).await, [2, u128::MAX, 6]);
    assert_eq!(listed(store, by_tag("go")).await, [3]);
    store.forget_node(&ada(), node_id(3), at(41)).await.unwrap();
    assert_eq!(listed(store, by_tag("go")).await, [0_u128; 0]);
}

pub(crate) async fn nodes_are_listed_by_50_when_nothing_is_said(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 60).await;
    let page = store
        .nodes(&ada(), NodeFilter::default(), Limit::default())
        .await
        .unwrap();
    assert_eq!(page.len(), 50);
    assert_eq!((page[0].id, page[49].id), (node_id(60), node_id(11)));
}

/// The value in which the parts below are looked for.
fn haystack() -> JsonObject {
    object(json!({
        "a": {"b": 1, "c": [1, 2, {"d": 3, "e": 4}], "": "empty"},
        "n": null, "t": true, "s": "Text", "big": u64::MAX, "small": i64::MIN, "f": 0.1,
        "nested": [[1, 2], [3]], "é": "日本", "dup": [1, 1], "objects": [{"x": 1}, {"y": 2}],
        "quo\"te": "back\\slash", "a.b": 5, "$": 6, "none": {}, "list": []
    }))
}

fn contained() -> Vec<Value> {
    vec![
        json!({}),
        json!({"a": {}}),
        json!({"a": {"b": 1}}),
        json!({"a": {"b": 1.0}}),
        json!({"a": {"c": []}}),
        json!({"a": {"c": [2]}}),
        json!({"a": {"c": [2, 1, 1, 1]}}),
        json!({"a": {"c": [{"d": 3}]}}),
        json!({"a": {"c": [{}, {"e": 4}]}}),
        json!({"a": {"": "empty"}}),
        json!({"n": null, "t": true, "s": "Text"}),
        json!({"big": u64::MAX, "small": i64::MIN, "f": 0.1}),
        json!({"nested": [[2], [3]]}),
        json!({"nested": [[]]}),
        json!({"é": "日本"}),
        json!({"dup": [1]}),
        json!({"objects": [{"y": 2}]}),
        json!({"quo\"te": "back\\slash", "a.b": 5, "$": 6}),
        json!({"none": {}, "list": []}),
    ]
}

fn not_contained() -> Vec<Value> {
    vec![
        json!({"a": {"b": 2}}),
        json!({"a": {"b": "1"}}),
        json!({"a": {"b": [1]}}),
        json!({"a": {"b": null}}),
        json!({"a": 1}),
        json!({"a": []}),
        json!({"a": {"c": 1}}),
        json!({"a": {"c": [3]}}),
        json!({"a": {"c": [[1]]}}),
        json!({"a": {"c": [{"d": 3, "e": 5}]}}),
        json!({"x": null}),
        json!({"n": {}}),
        json!({"n": false}),
        json!({"t": false}),
        json!({"t": 1}),
        json!({"s": "text"}),
        json!({"s": "Tex"}),
        json!({"S": "Text"}),
        json!({"f": 0.100_000_000_000_000_02}),
        json!({"nested": [1]}),
        json!({"nested": [[1, 3]]}),
        json!({"objects": [{"x": 1, "y": 2}]}),
        json!({"a": {"b": 1}, "x": 1}),
        json!({"none": []}),
        json!({"list": {}}),
        json!({"list": [null]}),
        json!({"a": {"b.": 1}}),
    ]
}

pub(crate) async fn containment_is_that_of_jsonb(store: &dyn MemoryStore) {
    let nodes = vec![
        new_node(1).with_content(haystack()),
        new_node(2).with_metadata(haystack()),
        new_node(3).with_content(object(json!({"unrelated": 1}))),
    ];
    store.remember(&ada(), nodes, at(0)).await.unwrap();
    let parts = contained().into_iter().map(|part| (part, true));
    let others = not_contained().into_iter().map(|part| (part, false));
    for (part, wanted) in parts.chain(others) {
        let in_content = NodeFilter {
            content_contains: Some(object(part.clone())),
            ..NodeFilter::default()
        };
        let in_metadata = NodeFilter {
            metadata_contains: Some(object(part.clone())),
            ..NodeFilter::default()
        };
        let found = listed(store, in_content).await.contains(&1);
        assert_eq!(found, wanted, "content @> {part}");
        let found = listed(store, in_metadata).await.contains(&2);
        assert_eq!(found, wanted, "metadata @> {part}");
    }
}

pub(crate) async fn containment_pages_like_any_listing(store: &dyn MemoryStore) {
    // Every third node matches, so a page must look further than its own number of rows.
    let nodes = (1..=60)
        .map(|id| new_node(id).with_content(object(json!({"rest": id % 3, "id": 1}))))
        .collect();
    store.remember(&ada(), nodes, at(0)).await.unwrap();
    let filter = NodeFilter {
        content_contains: Some(object(json!({"rest": 1}))),
        ..NodeFilter::default()
    };
    let wanted: Vec<u128> = (1..=60).rev().filter(|id| id % 3 == 1).collect();
    for rows in [1, 7, 1_000] {
        let found = ids_by_pages_of(store, &filter, rows).await;
        assert_eq!(found, wanted, "by {rows}");
    }
}
