use memory_domain::{Reinforcement, Relationship, RelationshipKind, Timestamp};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_close, assert_refused, at, given_nodes, kind, new_link, node_id, object,
    relationship_id,
};

const DAY: i64 = 86_400;

fn pair(id: u128, a: u128, b: u128) -> Reinforcement {
    Reinforcement {
        id: relationship_id(id),
        ..Reinforcement::new(node_id(a), node_id(b))
    }
}

async fn reinforce(store: &dyn MemoryStore, step: Reinforcement, seconds: i64) -> Relationship {
    store.reinforce(&ada(), step, at(seconds)).await.unwrap()
}

pub(crate) async fn the_first_step_makes_the_relationship(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let made = reinforce(store, pair(5, 2, 1).with_step(0.25), 3).await;
    let wanted = Relationship {
        tenant_id: ada(),
        id: relationship_id(5),
        from: node_id(1),
        to: node_id(2),
        kind: RelationshipKind::ATTENTION,
        label: String::new(),
        directed: false,
        strength: 0.25,
        metadata: object(json!({})),
        created_at: at(3),
        last_reinforced_at: at(3),
    };
    assert_eq!(made, wanted);
    let found = store.relationship(&ada(), relationship_id(5)).await;
    assert_eq!(found.unwrap(), Some(wanted));
}

pub(crate) async fn a_step_decays_by_days_and_then_adds(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let step = |id| pair(id, 1, 2).with_step(0.25).with_decay(0.5);
    reinforce(store, step(1), 0).await;
    // Two days halve 0.25 twice; the pair may be given the other way round, under any id.
    let again = Reinforcement {
        a: node_id(2),
        b: node_id(1),
        ..step(2)
    };
    let found = reinforce(store, again, 2 * DAY).await;
    assert_eq!(found.id, relationship_id(1));
    assert_close(found.strength, 0.312_5);
    assert_eq!(
        (found.created_at, found.last_reinforced_at),
        (at(0), at(2 * DAY))
    );
    // Half a day: × 0.5^0.5.
    let found = reinforce(store, step(3), 2 * DAY + DAY / 2).await;
    assert_close(found.strength, 0.470_970_869_120_796_05);
    // At the same moment nothing decays.
    let found = reinforce(store, step(4), 2 * DAY + DAY / 2).await;
    assert_close(found.strength, 0.720_970_869_120_796);
    let found = reinforce(store, step(5), 2 * DAY + DAY / 2).await;
    assert_close(found.strength, 0.970_970_869_120_796);
    let found = reinforce(store, step(6), 2 * DAY + DAY / 2).await;
    assert_eq!(found.strength.to_bits(), 1.0_f64.to_bits(), "at most 1");
    let stored = store.relationship(&ada(), relationship_id(1)).await;
    assert_eq!(stored.unwrap(), Some(found));
}

pub(crate) async fn the_defaults_are_a_tenth_and_95_percent_a_day(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    assert_close(reinforce(store, pair(1, 1, 2), 0).await.strength, 0.1);
    let found = reinforce(store, pair(1, 1, 2), DAY).await;
    assert_close(found.strength, 0.195);
}

pub(crate) async fn an_earlier_moment_neither_decays_nor_moves_the_time_back(
    store: &dyn MemoryStore,
) {
    given_nodes(store, &ada(), 2).await;
    let step = || pair(1, 1, 2).with_step(0.25).with_decay(0.5);
    reinforce(store, step(), 3 * DAY).await;
    let found = reinforce(store, step(), 0).await;
    assert_close(found.strength, 0.5);
    assert_eq!(found.last_reinforced_at, at(3 * DAY));
    let found = reinforce(store, step(), 4 * DAY).await;
    assert_close(found.strength, 0.5);
}

pub(crate) async fn decay_never_under_or_overflows(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    for (id, decay, strength) in [
        (1, 1e-300, 0.5),
        (2, 5e-324, 0.5),
        (3, 0.999, 0.5),
        (4, 1.0, 1.0),
    ] {
        let link = Reinforcement {
            kind: kind(&format!("kind {id}")),
            ..pair(id, 1, 2).with_step(0.5).with_decay(decay)
        };
        let first = store.reinforce(&ada(), link.clone(), Timestamp::MIN).await;
        assert_close(first.unwrap().strength, 0.5);
        let last = store.reinforce(&ada(), link, Timestamp::MAX).await.unwrap();
        assert_close(last.strength, strength);
        assert_eq!(last.last_reinforced_at, Timestamp::MAX);
    }
}

pub(crate) async fn kinds_are_reinforced_apart(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let other = Reinforcement {
        kind: kind("together"),
        ..pair(2, 1, 2)
    };
    reinforce(store, pair(1, 1, 2), 0).await;
    let found = reinforce(store, other, 0).await;
    assert_eq!(
        (found.id, found.kind),
        (relationship_id(2), kind("together"))
    );
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().relationships, 2);
}

pub(crate) async fn what_was_related_undirected_is_reinforced(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let metadata = object(json!({"kept": true}));
    let link = new_link(1, 2, "attention", 1)
        .undirected()
        .with_strength(0.5)
        .with_metadata(metadata.clone());
    store.relate(&ada(), link, at(0)).await.unwrap();
    let found = reinforce(store, pair(2, 1, 2), 0).await;
    assert_eq!((found.id, found.metadata), (relationship_id(1), metadata));
    assert_close(found.strength, 0.6);
}

pub(crate) async fn a_step_of_zero_only_decays(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    let zero = || pair(1, 1, 2).with_step(0.0).with_decay(0.5);
    assert_close(reinforce(store, zero(), 0).await.strength, 0.0);
    reinforce(store, pair(1, 1, 2).with_step(1.0), 0).await;
    assert_close(reinforce(store, zero(), DAY).await.strength, 0.5);
}

pub(crate) async fn reinforcing_without_a_node_is_a_missing_reference(store: &dyn MemoryStore) {
    let result = store.reinforce(&ada(), pair(1, 1, 2), at(0)).await;
    assert_refused!(result, MissingReference);
    given_nodes(store, &ada(), 1).await;
    for step in [pair(1, 1, 2), pair(1, 2, 1), pair(1, 2, 3)] {
        let result = store.reinforce(&ada(), step, at(0)).await;
        assert_refused!(result, MissingReference);
    }
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().relationships, 0);
}

pub(crate) async fn a_new_pair_under_a_known_id_is_a_conflict(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 3).await;
    let first = reinforce(store, pair(1, 1, 2), 0).await;
    let result = store.reinforce(&ada(), pair(1, 1, 3), at(1)).await;
    assert_refused!(result, Conflict);
    let found = store.relationship(&ada(), relationship_id(1)).await;
    assert_eq!(found.unwrap(), Some(first));
    // A known pair needs no id of its own, so another's does no harm.
    reinforce(store, pair(2, 1, 3), 1).await;
    let found = reinforce(store, pair(1, 1, 3), 1).await;
    assert_eq!(found.id, relationship_id(2));
}
