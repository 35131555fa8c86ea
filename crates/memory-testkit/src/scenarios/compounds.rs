use std::collections::BTreeSet;

use memory_domain::{Compound, CompoundFilter, NewCompound, NodeId};
use memory_storage::MemoryStore;

use crate::support::{ada, assert_refused, at, compound_id, given_nodes, limit, node_id, tenant};

fn new(id: u128, name: &str, members: &[u128]) -> NewCompound {
    NewCompound::new(name, members.iter().copied().map(node_id)).with_id(compound_id(id))
}

fn members(members: &[u128]) -> BTreeSet<NodeId> {
    members.iter().copied().map(node_id).collect()
}

async fn record(store: &dyn MemoryStore, new: NewCompound, seconds: i64) -> Compound {
    store
        .record_compound(&ada(), new, at(seconds))
        .await
        .unwrap()
}

/// What is listed, each as (id, occurrences).
async fn listed(store: &dyn MemoryStore, filter: CompoundFilter, rows: u32) -> Vec<(u128, i64)> {
    let found = store.compounds(&ada(), filter, limit(rows)).await.unwrap();
    found
        .iter()
        .map(|compound| (compound.id.uuid().as_u128(), compound.occurrences))
        .collect()
}

fn of_member(id: u128) -> CompoundFilter {
    CompoundFilter {
        member: Some(node_id(id)),
        ..CompoundFilter::default()
    }
}

pub(crate) async fn a_compound_counts_how_often_it_is_recorded(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 3).await;
    let first = record(store, new(1, "a + b", &[2, 1]), 5).await;
    let wanted = Compound {
        tenant_id: ada(),
        id: compound_id(1),
        name: "a + b".to_owned(),
        members: members(&[1, 2]),
        occurrences: 1,
        last_seen_at: at(5),
    };
    assert_eq!(first, wanted);
    // Known by its name, whatever the id.
    let again = record(store, new(9, "a + b", &[1, 2]), 8).await;
    let wanted = Compound {
        occurrences: 2,
        last_seen_at: at(8),
        ..wanted
    };
    assert_eq!(again, wanted);
    let earlier = record(store, new(1, "a + b", &[1, 2]), 3).await;
    assert_eq!((earlier.occurrences, earlier.last_seen_at), (3, at(8)));
    let all = CompoundFilter::default();
    let found = store.compounds(&ada(), all, limit(10)).await.unwrap();
    assert_eq!(found, [earlier]);
}

pub(crate) async fn members_that_are_new_are_added(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 4).await;
    record(store, new(1, "n", &[3, 2]), 0).await;
    let again = record(store, new(1, "n", &[1, 2]), 0).await;
    assert_eq!(again.members, members(&[1, 2, 3]));
    for id in 1..=3 {
        assert_eq!(listed(store, of_member(id), 10).await, [(1, 2)]);
    }
    assert_eq!(listed(store, of_member(4), 10).await, []);
}

pub(crate) async fn compounds_are_listed_most_frequent_first_then_the_greater_id(
    store: &dyn MemoryStore,
) {
    given_nodes(store, &ada(), 3).await;
    for (id, name, of) in [
        (5, "five", [1, 2]),
        (7, "seven", [1, 3]),
        (6, "six", [2, 3]),
        (6, "six", [2, 3]),
        (2, "two", [1, 2]),
    ] {
        record(store, new(id, name, &of), 0).await;
    }
    let all = CompoundFilter::default;
    let wanted = [(6, 2), (7, 1), (5, 1), (2, 1)];
    assert_eq!(listed(store, all(), 10).await, wanted);
    assert_eq!(listed(store, all(), 0).await, []);
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let filter = CompoundFilter { after, ..all() };
        let page = store.compounds(&ada(), filter, limit(1)).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        paged.push((last.id.uuid().as_u128(), last.occurrences));
    }
    assert_eq!(paged, wanted);
    assert_eq!(
        listed(store, of_member(1), 10).await,
        [(7, 1), (5, 1), (2, 1)]
    );
    let after = CompoundFilter {
        after,
        ..of_member(1)
    };
    assert_eq!(listed(store, after, 10).await, []);
    let named = |name: &str| CompoundFilter {
        name: Some(name.to_owned()),
        ..all()
    };
    assert_eq!(listed(store, named("five"), 10).await, [(5, 1)]);
    assert_eq!(listed(store, named("FIVE"), 10).await, []);
    let both = CompoundFilter {
        member: Some(node_id(3)),
        ..named("five")
    };
    assert_eq!(listed(store, both, 10).await, []);
}

pub(crate) async fn a_compound_goes_with_any_of_its_members(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 4).await;
    record(store, new(1, "one", &[1, 2, 3]), 0).await;
    record(store, new(2, "two", &[3, 4]), 0).await;
    store.forget_node(&ada(), node_id(1), at(1)).await.unwrap();
    assert_eq!(listed(store, CompoundFilter::default(), 10).await, [(2, 1)]);
    assert_eq!(listed(store, of_member(2), 10).await, []);
    assert_eq!(listed(store, of_member(3), 10).await, [(2, 1)]);
    // Its name and id are free again.
    let again = record(store, new(1, "one", &[2, 3]), 2).await;
    assert_eq!((again.occurrences, again.members), (1, members(&[2, 3])));
}

pub(crate) async fn a_member_that_is_not_there_is_a_missing_reference(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    record(store, new(1, "n", &[1, 2]), 0).await;
    for name in ["n", "other"] {
        let compound = new(2, name, &[1, 9]);
        let result = store.record_compound(&ada(), compound, at(1)).await;
        assert_refused!(result, MissingReference);
    }
    let bea = tenant("bea");
    let result = store
        .record_compound(&bea, new(1, "n", &[1, 2]), at(1))
        .await;
    assert_refused!(result, MissingReference);
    assert_eq!(store.tenant(&bea).await.unwrap(), None);
    assert_eq!(listed(store, CompoundFilter::default(), 10).await, [(1, 1)]);
}

pub(crate) async fn a_new_compound_under_a_known_id_is_a_conflict(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 2).await;
    record(store, new(1, "n", &[1, 2]), 0).await;
    let other = new(1, "other", &[1, 2]);
    let result = store.record_compound(&ada(), other, at(1)).await;
    assert_refused!(result, Conflict);
    assert_eq!(listed(store, CompoundFilter::default(), 10).await, [(1, 1)]);
}

pub(crate) async fn a_bad_compound_is_refused(store: &dyn MemoryStore) {
    given_nodes(store, &ada(), 65).await;
    let many: Vec<u128> = (1..=65).collect();
    for compound in [
        new(1, "", &[1, 2]),
        new(1, "one", &[1]),
        new(1, "many", &many),
        new(1, &"x".repeat(513), &[1, 2]),
    ] {
        let result = store.record_compound(&ada(), compound, at(0)).await;
        assert_refused!(result, Invalid);
    }
    record(store, new(1, &"é".repeat(256), &many[1..]), 0).await;
    let filter = CompoundFilter {
        name: Some(String::new()),
        ..CompoundFilter::default()
    };
    let result = store.compounds(&ada(), filter, limit(1)).await;
    assert_refused!(result, Invalid);
}
