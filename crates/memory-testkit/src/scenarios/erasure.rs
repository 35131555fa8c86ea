use memory_domain::{Limit, RecordKind, TenantStats};
use memory_storage::MemoryStore;

use crate::support::{ada, assert_refused, at, node_id, session_id, tenant};
use crate::verbs::given;

pub(crate) async fn erasing_no_tenant_is_not_found(store: &dyn MemoryStore) {
    given(store, &ada()).await;
    assert_refused!(store.erase_tenant(&tenant("nobody")).await, NotFound);
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().nodes, 4);
    // And an erased one is not there any more.
    store.erase_tenant(&ada()).await.unwrap();
    assert_refused!(store.erase_tenant(&ada()).await, NotFound);
}

pub(crate) async fn an_erased_tenant_begins_anew_with_the_same_ids(store: &dyn MemoryStore) {
    let first = given(store, &ada()).await;
    let erasure = store.erase_tenant(&ada()).await.unwrap();
    assert_eq!(erasure.records[&RecordKind::Node], 4);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let stats = store.tenant_stats(&ada()).await.unwrap();
    assert_eq!(stats, TenantStats::default());
    assert_eq!(store.tenants(Limit::MAX, None).await.unwrap(), []);
    assert_eq!(given(store, &ada()).await, first);
    let session = store.session(&ada(), session_id(1)).await.unwrap();
    assert_eq!(session.unwrap().message_count, 2);
    let node = store.node(&ada(), node_id(1)).await.unwrap();
    assert_eq!(node.unwrap().created_at, at(0));
}
