use memory_domain::{
    Direction, NewNode, NewRelationship, Reached, RelationshipKind, TraverseOptions,
};
use memory_storage::MemoryStore;

use crate::support::{
    ada, assert_close, assert_refused, at, given_nodes, limit, new_link, new_node, node_id,
    relationship_id, tenant, the_node,
};

async fn traverse(
    store: &dyn MemoryStore,
    node: u128,
    options: TraverseOptions,
) -> Vec<(u128, u32, f64)> {
    let found: Vec<Reached> = store
        .traverse(&ada(), node_id(node), options)
        .await
        .unwrap();
    found
        .iter()
        .map(|one| (one.node.id.uuid().as_u128(), one.depth, one.weight))
        .collect()
}

fn deep(depth: u32) -> TraverseOptions {
    TraverseOptions {
        depth,
        ..TraverseOptions::default()
    }
}

async fn given_links(store: &dyn MemoryStore, links: Vec<NewRelationship>) {
    for link in links {
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
}

fn link(id: u128, from: u128, to: u128, strength: f64) -> NewRelationship {
    new_link(id, from, "led_to", to).with_strength(strength)
}

pub(crate) async fn nodes_are_reached_at_their_least_depth_with_the_weight_of_the_best_way(
    store: &dyn MemoryStore,
) {
    given_nodes(store, &ada(), 6).await;
    // 1 leads to 3 at once but weakly, and over 2 strongly; 4 is a step further.
    given_links(
        store,
        vec![
            link(1, 1, 2, 1.0),
            link(2, 2, 3, 0.5),
            link(3, 1, 3, 0.25),
            link(4, 3, 4, 0.5),
            link(5, 4, 5, 1.0),
        ],
    )
    .await;
    let found = traverse(store, 1, deep(1)).await;
    assert_eq!(found, [(2, 1, 1.0), (3, 1, 0.25)]);
    let found = traverse(store, 1, deep(2)).await;
    assert_eq!(found, [(2, 1, 1.0), (3, 1, 0.5), (4, 2, 0.125)]);
    let found = traverse(store, 1, deep(3)).await;
    assert_eq!(
        found,
        [(2, 1, 1.0), (3, 1, 0.5), (4, 2, 0.25), (5, 3, 0.125)]
    );
}

pub(crate) async fn a_circle_is_gone_round_once_and_never_back_to_the_start(
    store: &dyn MemoryStore,
) {
    given_nodes(store, &ada(), 3).await;
    given_links(
        store,
        vec![
            link(1, 1, 2, 0.5),
            link(2, 2, 3, 0.5),
            link(3, 3, 1, 0.5),
            link(4, 1, 1, 1.0),
            link(5, 2, 2, 1.0),
        ],
    )
    .await;
    let outgoing = TraverseOptions {
        direction: Direction::Outgoing,
        ..deep(10)
    };
    let found = traverse(store, 1, outgoing).await;
    assert_eq!(found, [(2, 1, 0.5), (3, 2, 0.25)]);
    let found = traverse(store, 1, deep(10)).await;
    assert_eq!(found, [(2, 1, 0.5), (3, 1, 0.5)]);
}

pub(crate) async fn nodes_are_reached_nearest_first_then_heaviest_then_the_smaller_id(
    store: &dyn MemoryStore,
) {
    given_nodes(store, &ada(), 6).await;
    given_links(
        store,
        vec![
            link(1, 1, 5, 0.5),
            link(2, 1, 4, 0.5),
            link(3, 1, 6, 0.75),
            link(4, 6, 3, 1.0),
            link(5, 6, 2, 1.0),
        ],
    )
    .await;
    let wanted = [
        (6, 1, 0.75),
        (4, 1, 0.5),
        (5, 1, 0.5),
        (2, 2, 0.75),
        (3, 2, 0.75),
    ];
    assert_eq!(traverse(store, 1, deep(2)).await, wanted);
    for rows in [0, 1, 4] {
        let options = TraverseOptions {
            limit: limit(rows),
            ..deep(2)
        };
        let found = traverse(store, 1, options).await;
        assert_eq!(found, wanted[..rows as usize]);
    }
}

pub(crate) async fn a_traversal_follows_direction_kind_and_strength(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 5).await;
    given_links(
        store,
        vec![
            link(1, 1, 2, 0.5),
            new_link(2, 3, "refines", 1).with_strength(0.25),
            new_link(3, 2, "attention", 4)
                .with_strength(0.5)
                .undirected(),
            link(4, 5, 2, 1.0),
        ],
    )
    .await;
    let of = |direction, kind, min_strength| TraverseOptions {
        direction,
        kind,
        min_strength,
        ..deep(2)
    };
    for (options, wanted) in [
        (of(Direction::Outgoing, None, None), vec![2, 4]),
        (of(Direction::Incoming, None, None), vec![3]),
        (of(Direction::Both, None, None), vec![2, 3, 5, 4]),
        (
            of(Direction::Both, Some(RelationshipKind::LED_TO), None),
            vec![2, 5],
        ),
        (
            of(Direction::Both, Some(RelationshipKind::PRODUCES), None),
            vec![],
        ),
        (of(Direction::Both, None, Some(0.5)), vec![2, 5, 4]),
        (of(Direction::Both, None, Some(1.0)), vec![]),
    ] {
        let found = traverse(store, 1, options.clone()).await;
        let found: Vec<u128> = found.into_iter().map(|(id, ..)| id).collect();
        assert_eq!(found, wanted, "{options:?}");
    }
    // Against its direction an undirected one leads too.
    let found = traverse(store, 4, of(Direction::Incoming, None, None)).await;
    assert_eq!(found, [(2, 1, 0.5), (5, 2, 0.5), (1, 2, 0.25)]);
}

pub(crate) async fn a_traversal_goes_two_deep_and_gives_50_when_nothing_is_said(
    store: &dyn MemoryStore,
) {
    given_nodes(store, &ada(), 64).await;
    let mut links: Vec<_> = (2..=60).map(|n| link(n, 1, n, 1.0)).collect();
    links.push(link(100, 60, 61, 1.0));
    links.push(link(101, 61, 62, 1.0));
    given_links(store, links).await;
    let found = traverse(store, 1, TraverseOptions::default()).await;
    assert_eq!(found.len(), 50);
    let all = TraverseOptions {
        limit: limit(1_000),
        ..TraverseOptions::default()
    };
    let found = traverse(store, 1, all).await;
    assert_eq!(found.len(), 60);
    assert_eq!(found.last(), Some(&(61, 2, 1.0)));
}

pub(crate) async fn of_a_hub_the_1000_heaviest_are_reached(store: &dyn MemoryStore) {
    let first: Vec<NewNode> = (1..=1_000).map(new_node).collect();
    let second: Vec<NewNode> = (1_001..=1_003).map(new_node).collect();
    for nodes in [first, second] {
        store.remember(&ada(), nodes, at(0)).await.unwrap();
    }
    let mut links: Vec<_> = (2..=1_002).map(|n| link(n, 1, n, 0.5)).collect();
    links.push(link(5_000, 1_003, 1, 0.75));
    given_links(store, links).await;
    let options = TraverseOptions {
        limit: limit(1_000),
        ..deep(1)
    };
    let found = traverse(store, 1, options).await;
    assert_eq!(found.len(), 1_000);
    assert_eq!(found.first(), Some(&(1_003, 1, 0.75)));
    assert_eq!(found.last(), Some(&(1_000, 1, 0.5)));
}

pub(crate) async fn weights_never_underflow(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 4).await;
    given_links(
        store,
        vec![
            link(1, 1, 2, 1e-140),
            link(2, 2, 3, 1e-300),
            link(3, 3, 4, 0.0),
        ],
    )
    .await;
    let found = traverse(store, 1, deep(3)).await;
    assert_eq!(found, [(2, 1, 1e-140), (3, 2, 0.0), (4, 3, 0.0)]);
}

pub(crate) async fn a_reached_node_comes_whole(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let node = new_node(2).with_summary("whole").with_tag("tag");
    store.remember(&ada(), vec![node], at(3)).await.unwrap();
    given_links(store, vec![link(1, 1, 2, 0.3)]).await;
    let found = store
        .traverse(&ada(), node_id(1), TraverseOptions::default())
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].node, the_node(store, &ada(), 2).await);
    assert_close(found[0].weight, 0.3);
}

pub(crate) async fn nothing_is_reached_from_a_node_that_is_not_there(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    given_links(store, vec![link(1, 1, 2, 1.0)]).await;
    assert_eq!(traverse(store, 9, deep(2)).await, []);
    assert_eq!(traverse(store, 1, deep(0)).await, []);
    let bea = tenant("bea");
    let found = store.traverse(&bea, node_id(1), deep(2)).await.unwrap();
    assert_eq!(found, []);
    let gone = store.unrelate(&ada(), relationship_id(1), at(1)).await;
    gone.unwrap();
    assert_eq!(traverse(store, 1, deep(2)).await, []);
}

pub(crate) async fn a_bad_traversal_is_refused(store: &dyn MemoryStore) {
    let options = deep(11);
    let found = store.traverse(&ada(), node_id(1), options).await;
    assert_refused!(found, Invalid);
    let options = TraverseOptions {
        min_strength: Some(-0.5),
        ..deep(1)
    };
    let found = store.traverse(&ada(), node_id(1), options).await;
    assert_refused!(found, Invalid);
}
