use memory_domain::{NewRelationship, Record};
use memory_storage::StorageError;

use crate::support::{
    ada, assert_refused, at, everything, given_nodes, kind, new_link, new_message, new_session,
    node_id, session_id, tenant,
};
use crate::verbs::{SECRET, Verb, given};
use crate::{Backend, Recorder, StoreOptions};

pub(crate) async fn calling_a_verb_reaches_the_method_of_its_name(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let recorder = Recorder::new(&*store);
    for verb in Verb::ALL {
        let id = tenant(&format!("{verb:?}"));
        let given = given(&*store, &id).await;
        verb.call(&recorder, &id, &given, at(1)).await.unwrap();
        assert_eq!(recorder.take(), [*verb]);
    }
}

/// Calls each verb as a tenant that knows another's ids, and asserts that it sees and changes
/// nothing of the other's.
async fn assert_isolated(backend: &dyn Backend, with_things_of_its_own: bool) {
    let store = backend.open(StoreOptions::default()).await;
    let ids = given(&*store, &ada()).await.taken();
    let before: Vec<Record> = everything(&*store, Some(&ada())).await;
    assert!(before.len() > 5, "there is something to be seen");
    for verb in Verb::ALL {
        let thief = tenant(&format!("thief {verb:?}"));
        if with_things_of_its_own {
            let own = new_session(50, "own");
            store.create_session(&thief, own, at(0)).await.unwrap();
        }
        if with_things_of_its_own && matches!(verb, Verb::SetTenantMetadata | Verb::EraseTenant) {
            continue; // It names no id, so it reaches the tenant's own.
        }
        match verb.call(&*store, &thief, &ids, at(3_600)).await {
            Ok(seen) => {
                assert!(!verb.needs_something(), "{verb:?} succeeded: {seen}");
                assert!(!seen.contains(SECRET), "{verb:?} shows {seen}");
            }
            Err(StorageError::NotFound { .. } | StorageError::MissingReference { .. }) => {
                assert!(verb.needs_something(), "{verb:?} needs nothing");
            }
            Err(error) => panic!("{verb:?} gave {error:?}"),
        }
        let after = everything(&*store, Some(&ada())).await;
        assert_eq!(after, before, "{verb:?} changed what is another's");
    }
}

pub(crate) async fn a_stranger_reaches_nothing_of_another_tenant(backend: &dyn Backend) {
    assert_isolated(backend, false).await;
}

pub(crate) async fn a_neighbour_reaches_nothing_of_another_tenant(backend: &dyn Backend) {
    assert_isolated(backend, true).await;
}

pub(crate) async fn nothing_is_joined_across_tenants(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let bea = tenant("bea");
    given_nodes(&*store, &ada(), 2).await;
    store
        .remember(&bea, vec![crate::support::new_node(7)], at(0))
        .await
        .unwrap();
    for link in [
        new_link(1, 7, "led_to", 1),
        new_link(1, 1, "led_to", 7),
        NewRelationship::new(node_id(7), kind("attention"), node_id(2)).undirected(),
    ] {
        assert_refused!(store.relate(&bea, link, at(0)).await, MissingReference);
    }
    store
        .create_session(&ada(), new_session(1, ""), at(0))
        .await
        .unwrap();
    let batch = vec![new_message(1, "x")];
    let result = store.append(&bea, session_id(1), batch, at(0)).await;
    assert_refused!(result, MissingReference);
    // Tenant and node.
    assert_eq!(everything(&*store, Some(&bea)).await.len(), 2);
}

pub(crate) async fn deleting_of_one_tenant_leaves_the_same_ids_of_another(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let bea = tenant("bea");
    given(&*store, &ada()).await;
    let ids = given(&*store, &bea).await;
    let before = everything(&*store, Some(&ada())).await;
    for verb in [
        Verb::Prune,
        Verb::ClearSession,
        Verb::DeleteSession,
        Verb::ForgetNode,
    ] {
        verb.call(&*store, &bea, &ids, at(1)).await.unwrap();
    }
    assert_eq!(everything(&*store, Some(&ada())).await, before);
}
