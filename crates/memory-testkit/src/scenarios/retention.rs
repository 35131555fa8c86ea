use std::collections::BTreeSet;

use memory_domain::{AgeFrom, ContextType, Limit, NewNode, NodeFilter, Retention};
use memory_storage::MemoryStore;

use crate::support::{ada, at, new_link, node_id, relationship_id, tenant};

/// Node 1 from second 10, node 2 from 20, node 3 from 30; node 1 was accessed at 25. They are of
/// three types.
async fn given_ages(store: &dyn MemoryStore) {
    let types = [
        ContextType::ToolOutput,
        ContextType::DomainEntity,
        ContextType::TemporaryState,
    ];
    for (number, context_type) in (1..).zip(types) {
        let node = NewNode::new(context_type).with_id(node_id(number));
        let moment = at(i64::try_from(number).unwrap() * 10);
        store.remember(&ada(), vec![node], moment).await.unwrap();
    }
    let access = store.record_access(&ada(), node_id(1), at(25)).await;
    access.unwrap();
}

async fn left(store: &dyn MemoryStore) -> Vec<u128> {
    let nodes = store
        .nodes(&ada(), NodeFilter::default(), Limit::MAX)
        .await
        .unwrap();
    let mut ids: Vec<u128> = nodes.iter().map(|node| node.id.uuid().as_u128()).collect();
    ids.sort_unstable();
    ids
}

pub(crate) async fn what_was_not_accessed_for_long_is_forgotten(store: &dyn MemoryStore) {
    given_ages(store).await;
    for (before, gone, stay) in [
        (at(20), 0, vec![1, 2, 3]),
        (at(25), 1, vec![1, 3]),
        (at(25), 0, vec![1, 3]),
        (at(26), 1, vec![3]),
        (at(1_000), 1, vec![]),
    ] {
        let retention = Retention::accessed_before(before);
        let count = store.forget_older_than(&ada(), retention, at(40)).await;
        assert_eq!(count.unwrap(), gone, "before {before}");
        assert_eq!(left(store).await, stay, "before {before}");
    }
}

pub(crate) async fn what_was_remembered_long_ago_is_forgotten(store: &dyn MemoryStore) {
    given_ages(store).await;
    let retention = Retention::created_before(at(20));
    let count = store.forget_older_than(&ada(), retention, at(40)).await;
    assert_eq!(count.unwrap(), 1);
    assert_eq!(left(store).await, [2, 3]);
}

pub(crate) async fn only_the_named_types_are_forgotten(store: &dyn MemoryStore) {
    given_ages(store).await;
    let retention = Retention {
        age_from: AgeFrom::Creation,
        before: at(1_000),
        context_types: BTreeSet::from([ContextType::SearchResult]),
    };
    let count = store
        .forget_older_than(&ada(), retention.clone(), at(40))
        .await;
    assert_eq!(count.unwrap(), 0);
    let retention = retention
        .of_type(ContextType::ToolOutput)
        .of_type(ContextType::TemporaryState);
    let count = store.forget_older_than(&ada(), retention, at(40)).await;
    assert_eq!(count.unwrap(), 2);
    assert_eq!(left(store).await, [2]);
}

pub(crate) async fn what_is_forgotten_takes_its_relationships_along_and_counts_itself(
    store: &dyn MemoryStore,
) {
    given_ages(store).await;
    for (id, from, to) in [(1, 1, 2), (2, 2, 3), (3, 3, 1)] {
        let link = new_link(id, from, "led_to", to);
        store.relate(&ada(), link, at(30)).await.unwrap();
    }
    let bea = tenant("bea");
    let old = NewNode::new(ContextType::ToolOutput).with_id(node_id(1));
    store.remember(&bea, vec![old], at(0)).await.unwrap();
    let retention = Retention::created_before(at(30));
    let count = store.forget_older_than(&ada(), retention, at(40)).await;
    assert_eq!(count.unwrap(), 2);
    for id in 1..=3 {
        let link = store.relationship(&ada(), relationship_id(id)).await;
        assert_eq!(link.unwrap(), None);
    }
    assert!(store.node(&bea, node_id(1)).await.unwrap().is_some());
}
