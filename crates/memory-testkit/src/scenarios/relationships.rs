use memory_domain::{
    Limit, NewRelationship, Relationship, RelationshipCursor, RelationshipFilter, RelationshipKind,
    Timestamp,
};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_refused, at, given_nodes, kind, limit, new_link, node_id, object, relationship_id,
    tenant,
};

async fn relate(store: &dyn MemoryStore, link: NewRelationship, seconds: i64) -> Relationship {
    store.relate(&ada(), link, at(seconds)).await.unwrap()
}

async fn found(store: &dyn MemoryStore, id: u128) -> Option<Relationship> {
    store
        .relationship(&ada(), relationship_id(id))
        .await
        .unwrap()
}

pub(crate) async fn a_new_relationship_is_stored_whole(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let metadata = object(json!({"why": ["because"]}));
    let link = new_link(7, 2, "led_to", 1)
        .with_label("first 🥇")
        .with_strength(0.1)
        .with_metadata(metadata.clone());
    let wanted = Relationship {
        tenant_id: ada(),
        id: relationship_id(7),
        from: node_id(2),
        to: node_id(1),
        kind: RelationshipKind::LED_TO,
        label: "first 🥇".to_owned(),
        directed: true,
        strength: 0.1,
        metadata,
        created_at: at(4),
        last_reinforced_at: at(4),
    };
    assert_eq!(relate(store, link, 4).await, wanted);
    assert_eq!(found(store, 7).await, Some(wanted));
    assert_eq!(found(store, 8).await, None);
}

pub(crate) async fn relating_again_replaces_strength_and_metadata(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let first = new_link(1, 1, "led_to", 2).with_metadata(object(json!({"a": 1})));
    let first = relate(store, first, 1).await;
    // Under the same id, under another one, and as if it led both ways.
    let again = new_link(1, 1, "led_to", 2).with_strength(0.5);
    let wanted = Relationship {
        strength: 0.5,
        metadata: object(json!({})),
        last_reinforced_at: at(2),
        ..first
    };
    assert_eq!(relate(store, again, 2).await, wanted);
    let again = new_link(9, 1, "led_to", 2)
        .with_strength(0.25)
        .with_metadata(object(json!({"b": 2})))
        .undirected();
    let wanted = Relationship {
        strength: 0.25,
        metadata: object(json!({"b": 2})),
        last_reinforced_at: at(3),
        ..wanted
    };
    assert_eq!(relate(store, again, 3).await, wanted);
    assert_eq!(found(store, 1).await, Some(wanted));
    assert_eq!(found(store, 9).await, None);
}

pub(crate) async fn ends_kind_and_label_tell_relationships_apart(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let long = "l".repeat(512);
    let links = [
        new_link(1, 1, "led_to", 2),
        new_link(2, 2, "led_to", 1),
        new_link(3, 1, "Led_to", 2),
        new_link(4, 1, "led_to", 2).with_label("a"),
        new_link(5, 1, "led_to", 2).with_label("A"),
        new_link(6, 1, "led_to", 2).with_label(" "),
        new_link(7, 1, "led_to", 2).with_label(&long),
        new_link(8, 1, "led_to", 1),
    ];
    for link in links.clone() {
        relate(store, link, 0).await;
    }
    for link in links {
        let found = store.relationship(&ada(), link.id).await.unwrap().unwrap();
        assert_eq!((found.from, found.to), (link.from, link.to));
        assert_eq!((&found.kind, &found.label), (&link.kind, &link.label));
    }
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().relationships, 8);
}

pub(crate) async fn an_undirected_relationship_starts_at_the_smaller_id(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let link = new_link(1, 2, "attention", 1)
        .undirected()
        .with_strength(0.5);
    let first = relate(store, link, 0).await;
    assert_eq!((first.from, first.to), (node_id(1), node_id(2)));
    assert!(!first.directed);
    let other_way = new_link(2, 1, "attention", 2).undirected();
    let again = relate(store, other_way, 1).await;
    assert_eq!(again.id, relationship_id(1));
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().relationships, 1);
    // A directed one the other way round is another one.
    relate(store, new_link(3, 2, "attention", 1), 2).await;
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().relationships, 2);
}

pub(crate) async fn an_end_that_is_not_there_is_a_missing_reference(store: &dyn MemoryStore) {
    given_nodes(store, &tenant("bea"), 3).await;
    for link in [new_link(1, 1, "led_to", 2), new_link(1, 1, "led_to", 1)] {
        assert_refused!(store.relate(&ada(), link, at(0)).await, MissingReference);
    }
    given_nodes(store, &ada(), 1).await;
    for link in [
        new_link(1, 1, "led_to", 3),
        new_link(1, 3, "led_to", 1),
        new_link(1, 3, "led_to", 3),
        new_link(1, 3, "led_to", 1).undirected(),
    ] {
        assert_refused!(store.relate(&ada(), link, at(0)).await, MissingReference);
    }
    assert_eq!(found(store, 1).await, None);
}

pub(crate) async fn a_new_relationship_under_a_known_id_is_a_conflict(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let first = relate(store, new_link(1, 1, "led_to", 2), 0).await;
    for other in [
        new_link(1, 2, "led_to", 1),
        new_link(1, 1, "refines", 2),
        new_link(1, 1, "led_to", 2).with_label("x"),
    ] {
        assert_refused!(store.relate(&ada(), other, at(1)).await, Conflict);
    }
    // Also where the other ends are known under an id of their own.
    relate(store, new_link(2, 2, "led_to", 1), 0).await;
    let known = new_link(1, 2, "led_to", 1);
    assert_refused!(store.relate(&ada(), known, at(1)).await, Conflict);
    assert_eq!(found(store, 1).await, Some(first));
}

pub(crate) async fn unrelating_deletes_one(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    relate(store, new_link(1, 1, "led_to", 2), 0).await;
    relate(store, new_link(2, 2, "led_to", 1), 0).await;
    let gone = relationship_id(1);
    store.unrelate(&ada(), gone, at(1)).await.unwrap();
    assert_eq!(found(store, 1).await, None);
    assert!(found(store, 2).await.is_some());
    assert_refused!(store.unrelate(&ada(), gone, at(1)).await, NotFound);
    let nobody = tenant("nobody");
    assert_refused!(store.unrelate(&nobody, gone, at(1)).await, NotFound);
    // It may be recorded anew, under the same id.
    let again = relate(store, new_link(1, 1, "led_to", 2), 5).await;
    assert_eq!(again.created_at, at(5));
}

async fn ids_by_pages_of(
    store: &dyn MemoryStore,
    filter: &RelationshipFilter,
    rows: u32,
) -> Vec<u128> {
    let (mut ids, mut filter) = (Vec::new(), filter.clone());
    loop {
        let page = store
            .relationships(&ada(), filter.clone(), limit(rows))
            .await
            .unwrap();
        assert!(page.len() <= rows as usize, "a page is longer than asked");
        let Some(last) = page.last() else { return ids };
        filter.after = Some(last.cursor());
        ids.extend(page.iter().map(|link| link.id.uuid().as_u128()));
        assert!(ids.len() <= 100, "the listing does not end: {ids:?}");
    }
}

async fn given_various_links(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 3).await;
    let link =
        |id, from, word: &str, to, strength| new_link(id, from, word, to).with_strength(strength);
    for (seconds, link) in [
        (10, link(3, 1, "led_to", 2, 0.5)),
        (10, link(1, 1, "refines", 2, 0.0)),
        (30, link(2, 2, "led_to", 3, 1.0)),
        (10, link(u128::MAX, 3, "led_to", 1, 0.5)),
        (20, link(4, 1, "attention", 3, 0.25).undirected()),
        (5, link(5, 1, "led_to", 1, 0.75)),
    ] {
        relate(store, link, seconds).await;
    }
}

pub(crate) async fn relationships_are_listed_newest_first_then_the_greater_id(
    store: &dyn MemoryStore,
) {
    given_various_links(store).await;
    let none = || RelationshipFilter::default();
    let led_to = Some(RelationshipKind::LED_TO);
    let filters: Vec<(RelationshipFilter, Vec<u128>)> = vec![
        (none(), vec![2, 4, u128::MAX, 3, 1, 5]),
        (
            RelationshipFilter {
                from: Some(node_id(1)),
                ..none()
            },
            vec![4, 3, 1, 5],
        ),
        (
            RelationshipFilter {
                to: Some(node_id(1)),
                ..none()
            },
            vec![u128::MAX, 5],
        ),
        (
            RelationshipFilter {
                to: Some(node_id(3)),
                ..none()
            },
            vec![2, 4],
        ),
        (
            RelationshipFilter {
                from: Some(node_id(9)),
                ..none()
            },
            vec![],
        ),
        (
            RelationshipFilter {
                kind: led_to.clone(),
                ..none()
            },
            vec![2, u128::MAX, 3, 5],
        ),
        (
            RelationshipFilter {
                kind: Some(kind("LED_TO")),
                ..none()
            },
            vec![],
        ),
        (
            RelationshipFilter {
                min_strength: Some(0.5),
                ..none()
            },
            vec![2, u128::MAX, 3, 5],
        ),
        (
            RelationshipFilter {
                min_strength: Some(1.0),
                ..none()
            },
            vec![2],
        ),
        (
            RelationshipFilter {
                min_strength: Some(0.0),
                ..none()
            },
            vec![2, 4, u128::MAX, 3, 1, 5],
        ),
        (
            RelationshipFilter {
                from: Some(node_id(1)),
                to: Some(node_id(2)),
                kind: led_to,
                min_strength: Some(0.1),
                ..none()
            },
            vec![3],
        ),
    ];
    for (filter, wanted) in filters {
        for rows in [1, 2, 1_000] {
            let ids = ids_by_pages_of(store, &filter, rows).await;
            assert_eq!(ids, wanted, "{filter:?} by {rows}");
        }
    }
    let empty = store.relationships(&ada(), none(), limit(0)).await;
    assert_eq!(empty.unwrap(), []);
}

pub(crate) async fn a_cursor_need_not_name_a_relationship_that_is_there(store: &dyn MemoryStore) {
    given_various_links(store).await;
    let (created_at, id) = (at(10), relationship_id(2));
    let after = RelationshipFilter {
        after: Some(RelationshipCursor { created_at, id }),
        ..RelationshipFilter::default()
    };
    assert_eq!(ids_by_pages_of(store, &after, 10).await, [1, 5]);
}

pub(crate) async fn relationships_are_listed_by_50_when_nothing_is_said(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    for id in 1..=51 {
        let link = new_link(id, 1, "led_to", 2).with_label(id.to_string());
        relate(store, link, 0).await;
    }
    let any = RelationshipFilter::default();
    let page = store
        .relationships(&ada(), any.clone(), Limit::default())
        .await;
    assert_eq!(page.unwrap().len(), 50);
    let all = store.relationships(&ada(), any, Limit::MAX).await.unwrap();
    assert_eq!(all.len(), 51);
}

pub(crate) async fn pruning_deletes_what_is_weaker_and_counts_it(store: &dyn MemoryStore) {
    given_various_links(store).await;
    let bea = tenant("bea");
    given_nodes(store, &bea, 2).await;
    let weak = new_link(1, 1, "led_to", 2).with_strength(0.0);
    store.relate(&bea, weak, at(0)).await.unwrap();
    for (min_strength, gone, left) in [
        (0.0, 0, vec![2, 4, u128::MAX, 3, 1, 5]),
        (0.25, 1, vec![2, 4, u128::MAX, 3, 5]),
        (0.5, 1, vec![2, u128::MAX, 3, 5]),
        (0.500_000_000_000_000_1, 2, vec![2, 5]),
        (1.0, 1, vec![2]),
        (1.0, 0, vec![2]),
    ] {
        let pruned = store.prune(&ada(), min_strength, at(50)).await.unwrap();
        assert_eq!(pruned, gone, "below {min_strength}");
        let any = RelationshipFilter::default();
        assert_eq!(ids_by_pages_of(store, &any, 10).await, left);
    }
    assert_eq!(store.tenant_stats(&bea).await.unwrap().relationships, 1);
}

pub(crate) async fn relationships_at_the_ends_of_time_and_strength(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let links = [
        (1, 5e-324, Timestamp::MIN),
        (2, 0.0, Timestamp::MAX),
        (3, 0.999_999_999_999_999_9, at(0)),
    ];
    for (id, strength, moment) in links {
        let link = new_link(id, 1, "led_to", 2)
            .with_label(id.to_string())
            .with_strength(strength);
        store.relate(&ada(), link, moment).await.unwrap();
        let found = found(store, id).await.unwrap();
        assert_eq!(found.strength.to_bits(), strength.to_bits());
        assert_eq!(
            (found.created_at, found.last_reinforced_at),
            (moment, moment)
        );
    }
    let any = RelationshipFilter::default();
    assert_eq!(ids_by_pages_of(store, &any, 1).await, [2, 3, 1]);
    assert_eq!(store.prune(&ada(), 5e-324, at(0)).await.unwrap(), 1);
}
