use memory_domain::{Direction, Graph, Limit, Neighbour, NewRelationship, RelationshipKind};
use memory_storage::MemoryStore;

use crate::support::{
    ada, at, given_nodes, limit, new_link, new_node, node_id, relationship_id, tenant, the_node,
};

/// The neighbours of a node, each as (relationship, node).
async fn around(
    store: &dyn MemoryStore,
    node: u128,
    direction: Direction,
    kind: Option<RelationshipKind>,
    rows: u32,
) -> Vec<(u128, u128)> {
    let found: Vec<Neighbour> = store
        .neighbours(&ada(), node_id(node), direction, kind, limit(rows))
        .await
        .unwrap();
    found
        .iter()
        .map(|next| {
            (
                next.relationship.id.uuid().as_u128(),
                next.node.id.uuid().as_u128(),
            )
        })
        .collect()
}

async fn given_links(store: &dyn MemoryStore, links: Vec<NewRelationship>) {
    for link in links {
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
}

pub(crate) async fn neighbours_come_strongest_first_then_the_smaller_id(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 4).await;
    let link = |id, from, to, strength| new_link(id, from, "led_to", to).with_strength(strength);
    given_links(
        store,
        vec![
            link(u128::MAX, 1, 2, 0.5),
            link(3, 3, 1, 0.5),
            link(2, 1, 4, 0.5),
            link(9, 4, 1, 1.0),
            link(1, 1, 3, 0.25),
            link(5, 2, 3, 1.0),
        ],
    )
    .await;
    let wanted = [(9, 4), (2, 4), (3, 3), (u128::MAX, 2), (1, 3)];
    assert_eq!(around(store, 1, Direction::Both, None, 1_000).await, wanted);
    assert_eq!(
        around(store, 1, Direction::Both, None, 2).await,
        wanted[..2]
    );
    assert_eq!(around(store, 1, Direction::Both, None, 0).await, []);
}

pub(crate) async fn neighbours_follow_the_direction(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 4).await;
    given_links(
        store,
        vec![
            new_link(1, 1, "led_to", 2),
            new_link(2, 3, "led_to", 1),
            new_link(3, 4, "attention", 1).undirected(),
            new_link(4, 1, "attention", 2).undirected(),
        ],
    )
    .await;
    for (node, direction, wanted) in [
        (1, Direction::Outgoing, vec![(1, 2), (3, 4), (4, 2)]),
        (1, Direction::Incoming, vec![(2, 3), (3, 4), (4, 2)]),
        (1, Direction::Both, vec![(1, 2), (2, 3), (3, 4), (4, 2)]),
        (2, Direction::Outgoing, vec![(4, 1)]),
        (2, Direction::Incoming, vec![(1, 1), (4, 1)]),
        (3, Direction::Outgoing, vec![(2, 1)]),
        (3, Direction::Incoming, vec![]),
        (4, Direction::Outgoing, vec![(3, 1)]),
        (4, Direction::Incoming, vec![(3, 1)]),
    ] {
        let found = around(store, node, direction, None, 10).await;
        assert_eq!(found, wanted, "{direction:?} of {node}");
    }
}

pub(crate) async fn neighbours_of_one_kind(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 3).await;
    given_links(
        store,
        vec![
            new_link(1, 1, "led_to", 2),
            new_link(2, 1, "refines", 2),
            new_link(3, 1, "led_to", 3),
            new_link(4, 1, "led_to", 3).with_label("again"),
        ],
    )
    .await;
    let led_to = Some(RelationshipKind::LED_TO);
    let found = around(store, 1, Direction::Both, led_to.clone(), 10).await;
    assert_eq!(found, [(1, 2), (3, 3), (4, 3)]);
    let found = around(store, 2, Direction::Incoming, led_to.clone(), 10).await;
    assert_eq!(found, [(1, 1)]);
    assert_eq!(around(store, 2, Direction::Outgoing, led_to, 10).await, []);
    let other = Some(RelationshipKind::PRODUCES);
    assert_eq!(around(store, 1, Direction::Both, other, 10).await, []);
}

pub(crate) async fn a_node_related_to_itself_is_listed_once(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    given_links(
        store,
        vec![
            new_link(1, 1, "led_to", 1),
            new_link(2, 1, "attention", 1).undirected(),
            new_link(3, 1, "led_to", 2),
        ],
    )
    .await;
    for (direction, wanted) in [
        (Direction::Both, vec![(1, 1), (2, 1), (3, 2)]),
        (Direction::Outgoing, vec![(1, 1), (2, 1), (3, 2)]),
        (Direction::Incoming, vec![(1, 1), (2, 1)]),
    ] {
        let found = around(store, 1, direction, None, 10).await;
        assert_eq!(found, wanted, "{direction:?}");
    }
}

pub(crate) async fn a_neighbour_comes_whole(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 1).await;
    let other = new_node(2).with_summary("next").with_tag("t");
    store.remember(&ada(), vec![other], at(1)).await.unwrap();
    let link = new_link(1, 1, "led_to", 2)
        .with_label("l")
        .with_strength(0.1);
    let relationship = store.relate(&ada(), link, at(2)).await.unwrap();
    let found = store
        .neighbours(
            &ada(),
            node_id(1),
            Direction::default(),
            None,
            Limit::default(),
        )
        .await
        .unwrap();
    let node = the_node(store, &ada(), 2).await;
    assert_eq!(found, [Neighbour { relationship, node }]);
}

pub(crate) async fn a_node_that_is_not_there_has_no_neighbours(store: &dyn MemoryStore) {
    assert_eq!(around(store, 1, Direction::Both, None, 10).await, []);
    given_nodes(store, &ada(), 1).await;
    assert_eq!(around(store, 1, Direction::Both, None, 10).await, []);
    assert_eq!(around(store, 2, Direction::Both, None, 10).await, []);
}

pub(crate) async fn a_hub_gives_50_neighbours_when_nothing_is_said(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 61).await;
    for id in 2..=61 {
        let link = new_link(id, 1, "led_to", id);
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
    let found = store
        .neighbours(&ada(), node_id(1), Direction::Both, None, Limit::default())
        .await
        .unwrap();
    assert_eq!(found.len(), 50);
    assert_eq!(found[49].relationship.id, relationship_id(51));
}

fn ids(graph: &Graph) -> (Vec<u128>, Vec<u128>) {
    let nodes = graph.nodes.iter().map(|node| node.id.uuid().as_u128());
    let links = graph.relationships.iter();
    let links = links.map(|link| link.id.uuid().as_u128());
    (nodes.collect(), links.collect())
}

pub(crate) async fn loading_gives_the_newest_nodes_and_what_joins_them(store: &dyn MemoryStore) {
    for (seconds, id) in [(10, 3), (10, 1), (30, 2), (10, u128::MAX), (20, 4)] {
        let node = vec![new_node(id)];
        store.remember(&ada(), node, at(seconds)).await.unwrap();
    }
    for (seconds, link) in [
        (1, new_link(1, 2, "led_to", 4)),
        (3, new_link(2, 4, "led_to", 4)),
        (
            1,
            new_link(u128::MAX, u128::MAX, "attention", 2).undirected(),
        ),
        (2, new_link(3, 3, "led_to", 2)),
        (9, new_link(4, 1, "led_to", 2)),
        (9, new_link(5, 2, "led_to", 1)),
    ] {
        store.relate(&ada(), link, at(seconds)).await.unwrap();
    }
    given_nodes(store, &tenant("bea"), 2).await;
    let max = u128::MAX;
    for (rows, nodes, links) in [
        (0, vec![], vec![]),
        (1, vec![2], vec![]),
        (2, vec![2, 4], vec![2, 1]),
        (3, vec![2, 4, max], vec![2, max, 1]),
        (4, vec![2, 4, max, 3], vec![2, 3, max, 1]),
        (1_000, vec![2, 4, max, 3, 1], vec![5, 4, 2, 3, max, 1]),
    ] {
        let graph = store.load(&ada(), limit(rows)).await.unwrap();
        assert_eq!(ids(&graph), (nodes, links), "{rows} nodes");
        for node in graph.nodes {
            let id = node.id.uuid().as_u128();
            assert_eq!(the_node(store, &ada(), id).await, node);
        }
    }
    let nobody = store.load(&tenant("nobody"), Limit::MAX).await.unwrap();
    assert_eq!(nobody, Graph::default());
}

pub(crate) async fn loading_bounds_nodes_but_not_what_joins_them(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    for id in 1..=60 {
        let link = new_link(id, 1, "led_to", 2).with_label(id.to_string());
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
    let graph = store.load(&ada(), limit(2)).await.unwrap();
    assert_eq!((graph.nodes.len(), graph.relationships.len()), (2, 60));
}
