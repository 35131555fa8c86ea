use memory_domain::{Concept, ContextType, NewCompound, NewNode, NodePatch, Recalled, Turn};
use memory_storage::MemoryStore;

use crate::support::{
    ada, assert_close, assert_refused, at, compound_id, limit, new_link, node_id, session_id,
    tenant, the_node,
};

/// Remembers a node of that name.
async fn named(store: &dyn MemoryStore, id: u128, name: &str) {
    let mut node = NewNode::new(ContextType::DomainEntity).with_id(node_id(id));
    node.name = Some(name.to_owned());
    store.remember(&ada(), vec![node], at(0)).await.unwrap();
}

async fn link(store: &dyn MemoryStore, id: u128, from: u128, to: u128, strength: f64) {
    let link = new_link(id, from, "led_to", to).with_strength(strength);
    store.relate(&ada(), link, at(0)).await.unwrap();
}

/// Asserts which nodes a text brings to mind, with their scores, in their order.
async fn assert_recalled(store: &dyn MemoryStore, text: &str, wanted: &[(u128, f64)]) {
    let found: Vec<Recalled> = store.recall(&ada(), text, limit(50)).await.unwrap();
    let ids: Vec<u128> = found
        .iter()
        .map(|one| one.node.id.uuid().as_u128())
        .collect();
    let ids_wanted: Vec<u128> = wanted.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ids_wanted, "{text}: {found:#?}");
    for (found, (_, score)) in found.iter().zip(wanted) {
        assert_close(found.score, *score);
    }
}

pub(crate) async fn a_name_in_any_case_scores_1_and_a_part_of_it_7_tenths(store: &dyn MemoryStore) {
    named(store, 1, "Rust").await;
    named(store, 2, "Rust async book").await;
    named(store, 3, "Straße").await;
    named(store, 4, "C++").await;
    named(store, 5, "北京").await;
    named(store, 6, "the").await;
    for (text, wanted) in [
        ("What is RUST?", vec![(1, 1.0), (2, 0.7)]),
        ("rust ASYNC book", vec![(1, 1.0), (2, 1.0)]),
        ("trustworthy rusty", vec![]),
        ("STRASSE", vec![(3, 1.0)]),
        ("(c++)", vec![(4, 1.0)]),
        ("c", vec![]),
        ("我去北京", vec![(5, 1.0)]),
        ("boo", vec![(2, 0.7)]),
        ("bo", vec![]),
        ("The", vec![(6, 1.0)]),
        ("", vec![]),
        ("100% _ ' \" %", vec![]),
    ] {
        assert_recalled(store, text, &wanted).await;
    }
}

pub(crate) async fn what_is_related_is_recalled_two_deep(store: &dyn MemoryStore) {
    for (id, name) in [(1, "alpha"), (2, "b"), (3, "c"), (4, "d"), (5, "e")] {
        named(store, id, name).await;
    }
    link(store, 1, 1, 2, 0.5).await;
    link(store, 2, 3, 2, 0.5).await;
    link(store, 3, 3, 4, 1.0).await;
    // A second way, which is shorter and better.
    link(store, 4, 5, 1, 0.25).await;
    let wanted = [(1, 1.0), (2, 0.3), (5, 0.15), (3, 0.09)];
    assert_recalled(store, "alpha", &wanted).await;
    // By a part of its name the node itself scores less, and the others the same.
    let wanted = [(1, 0.7), (2, 0.3), (5, 0.15), (3, 0.09)];
    assert_recalled(store, "lph", &wanted).await;
    link(store, 5, 1, 3, 1.0).await;
    let wanted = [(1, 1.0), (3, 0.6), (4, 0.36), (2, 0.3), (5, 0.15)];
    assert_recalled(store, "alpha", &wanted).await;
}

pub(crate) async fn what_shares_a_compound_is_recalled(store: &dyn MemoryStore) {
    for (id, name) in [(1, "alpha"), (2, "b"), (3, "c"), (4, "d")] {
        named(store, id, name).await;
    }
    let compound = |id: u128, name: &str, of: [u128; 2]| {
        NewCompound::new(name, of.map(node_id)).with_id(compound_id(id))
    };
    for (new, times) in [
        (compound(1, "one", [1, 2]), 1),
        (compound(2, "two", [1, 3]), 6),
        (compound(3, "three", [3, 4]), 9),
    ] {
        for _ in 0..times {
            let recorded = store.record_compound(&ada(), new.clone(), at(0)).await;
            recorded.unwrap();
        }
    }
    assert_recalled(store, "alpha", &[(1, 1.0), (3, 0.9), (2, 0.6)]).await;
    assert_recalled(store, "alp", &[(3, 0.9), (1, 0.7), (2, 0.6)]).await;
}

pub(crate) async fn recall_knows_names_as_they_are_now(store: &dyn MemoryStore) {
    named(store, 1, "before").await;
    let patch = |name: Option<&str>| NodePatch {
        name: Some(name.map(str::to_owned)),
        ..NodePatch::default()
    };
    for (name, text, wanted) in [
        (Some("after"), "before", vec![]),
        (Some("after"), "after", vec![(1, 1.0)]),
        (None, "after", vec![]),
    ] {
        let updated = store
            .update_node(&ada(), node_id(1), patch(name), at(1))
            .await;
        updated.unwrap();
        assert_recalled(store, text, &wanted).await;
    }
    named(store, 2, "gone").await;
    store.forget_node(&ada(), node_id(2), at(2)).await.unwrap();
    assert_recalled(store, "gone", &[]).await;
}

pub(crate) async fn what_is_learned_is_recalled(store: &dyn MemoryStore) {
    let turn = Turn::new(session_id(1))
        .about(Concept::new("Rust"))
        .about(Concept::new("borrow checker"));
    let learned = store.learn(&ada(), turn, at(0)).await.unwrap();
    let found = store.recall(&ada(), "rust", limit(10)).await.unwrap();
    let ids: Vec<_> = found.iter().map(|one| one.node.id).collect();
    assert_eq!(ids, learned.concepts);
    // By their compound, which says more than one step of attention.
    assert_close(found[1].score, 0.6);
}

pub(crate) async fn recall_stays_with_the_tenant_and_its_limit(store: &dyn MemoryStore) {
    for id in 1..=60 {
        named(store, id, &format!("topic {id:02}")).await;
    }
    let found = store.recall(&ada(), "topic", limit(50)).await.unwrap();
    assert_eq!(found.len(), 50);
    assert_eq!(found[0].node, the_node(store, &ada(), 1).await);
    let found = store.recall(&ada(), "topic 60", limit(1)).await.unwrap();
    assert_eq!(found[0].node.id, node_id(60));
    assert_eq!(store.recall(&ada(), "topic", limit(0)).await.unwrap(), []);
    let bea = tenant("bea");
    assert_eq!(store.recall(&bea, "topic", limit(9)).await.unwrap(), []);
    let refused = store.recall(&ada(), "a\0b", limit(9)).await;
    assert_refused!(refused, Invalid);
}
