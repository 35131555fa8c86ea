use std::collections::BTreeMap;

use memory_domain::{
    ContextType, JsonObject, Limit, NewNode, Tenant, TenantId, TenantStats, TenantUsage,
};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::Verb;
use crate::support::{
    ada, assert_refused, at, given_nodes, given_session, limit, new_file, new_link, new_message,
    new_node, new_session, node_id, object, session_id, tenant,
};
use crate::verbs::{Given, given};

pub(crate) async fn creating_a_tenant_returns_it(store: &dyn MemoryStore) {
    let metadata = object(json!({"plan": "free", "seats": 3}));
    let wanted = Tenant {
        id: ada(),
        created_at: at(7),
        last_active_at: at(7),
        metadata: metadata.clone(),
    };
    let created = store.create_tenant(&ada(), metadata, at(7)).await.unwrap();
    assert_eq!(created, wanted);
    assert_eq!(store.tenant(&ada()).await.unwrap(), Some(wanted));
}

pub(crate) async fn creating_the_same_tenant_again_is_the_same_write(store: &dyn MemoryStore) {
    let metadata = object(json!({"plan": "free"}));
    let first = store.create_tenant(&ada(), metadata.clone(), at(0)).await;
    let again = store.create_tenant(&ada(), metadata, at(1)).await;
    assert_eq!(first.unwrap(), again.unwrap());
}

pub(crate) async fn a_tenant_with_other_metadata_is_a_conflict(store: &dyn MemoryStore) {
    let metadata = object(json!({"plan": "free"}));
    let other = object(json!({"plan": "paid"}));
    let first = store.create_tenant(&ada(), metadata, at(0)).await.unwrap();
    assert_refused!(store.create_tenant(&ada(), other, at(1)).await, Conflict);
    let none = JsonObject::new();
    assert_refused!(store.create_tenant(&ada(), none, at(1)).await, Conflict);
    assert_eq!(store.tenant(&ada()).await.unwrap(), Some(first));
}

pub(crate) async fn a_tenant_that_wrote_nothing_is_not_there(store: &dyn MemoryStore) {
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let stats = store.tenant_stats(&ada()).await.unwrap();
    assert_eq!(stats, TenantStats::default());
    assert_eq!(store.tenants(Limit::MAX, None).await.unwrap(), []);
}

pub(crate) async fn the_first_write_creates_the_tenant(store: &dyn MemoryStore) {
    let (by_session, by_node) = (tenant("by-session"), tenant("by-node"));
    store
        .create_session(&by_session, new_session(1, ""), at(3))
        .await
        .unwrap();
    store
        .remember(&by_node, vec![new_node(1)], at(4))
        .await
        .unwrap();
    for (id, seconds) in [(by_session, 3), (by_node, 4)] {
        let wanted = Tenant {
            id: id.clone(),
            created_at: at(seconds),
            last_active_at: at(seconds),
            metadata: JsonObject::new(),
        };
        assert_eq!(store.tenant(&id).await.unwrap(), Some(wanted.clone()));
        // And creating it then is the same write, because it has no metadata.
        let created = store.create_tenant(&id, JsonObject::new(), at(5)).await;
        assert_eq!(created.unwrap(), wanted);
    }
}

pub(crate) async fn a_failed_verb_creates_no_tenant(store: &dyn MemoryStore) {
    let nobody = tenant("nobody");
    let given = Given::default();
    for verb in Verb::ALL {
        if verb.needs_something() {
            let result = verb.call(store, &nobody, &given, at(0)).await;
            assert!(result.is_err(), "{verb:?} on nothing gave {result:?}");
        }
    }
    let invalid = new_session(1, "a\0b");
    assert_refused!(store.create_session(&nobody, invalid, at(0)).await, Invalid);
    let nodes = vec![new_node(1), new_node(2).with_summary("a\0b")];
    assert_refused!(store.remember(&nobody, nodes, at(0)).await, Invalid);
    let nodes = vec![new_node(1), new_node(1).with_summary("other")];
    assert_refused!(store.remember(&nobody, nodes, at(0)).await, Conflict);
    assert_eq!(store.tenant(&nobody).await.unwrap(), None);
}

pub(crate) async fn reading_creates_no_tenant(store: &dyn MemoryStore) {
    let nobody = tenant("nobody");
    for verb in Verb::ALL {
        if !verb.changes() {
            let result = verb.call(store, &nobody, &Given::default(), at(0)).await;
            assert!(result.is_ok(), "{verb:?} of nobody gave {result:?}");
        }
    }
    assert_eq!(store.tenant(&nobody).await.unwrap(), None);
}

async fn last_active_after_writing(store: &dyn MemoryStore, seconds: i64) -> i64 {
    let node = NewNode::new(ContextType::ToolOutput);
    store
        .remember(&ada(), vec![node], at(seconds))
        .await
        .unwrap();
    let tenant = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(tenant.created_at, at(100));
    (tenant.last_active_at.micros() - at(0).micros()) / 1_000_000
}

pub(crate) async fn activity_moves_at_most_once_a_minute_and_never_back(store: &dyn MemoryStore) {
    for (write, active) in [
        (100, 100),
        (101, 100),
        (159, 100),
        (161, 161),
        (190, 161),
        (50, 161),
        (220, 161),
        (1_000, 1_000),
        (161, 1_000),
    ] {
        let found = last_active_after_writing(store, write).await;
        assert_eq!(found, active, "after a write at {write}");
    }
}

pub(crate) async fn every_changing_verb_counts_as_activity(store: &dyn MemoryStore) {
    for verb in Verb::ALL {
        if verb.changes() && !matches!(verb, Verb::CreateTenant | Verb::EraseTenant) {
            let id = tenant(&format!("{verb:?}"));
            let given = given(store, &id).await;
            verb.call(store, &id, &given, at(3_600)).await.unwrap();
            let active = store.tenant(&id).await.unwrap().unwrap().last_active_at;
            assert_eq!(active, at(3_600), "after {verb:?}");
        }
    }
}

pub(crate) async fn reading_is_no_activity(store: &dyn MemoryStore) {
    let given = given(store, &ada()).await;
    for verb in Verb::ALL {
        if !verb.changes() {
            verb.call(store, &ada(), &given, at(3_600)).await.unwrap();
        }
    }
    let active = store.tenant(&ada()).await.unwrap().unwrap().last_active_at;
    assert_eq!(active, at(0));
}

pub(crate) async fn metadata_of_a_tenant_is_replaced(store: &dyn MemoryStore) {
    let metadata = object(json!({"a": 1, "b": {"c": 2}}));
    store.create_tenant(&ada(), metadata, at(0)).await.unwrap();
    let other = object(json!({"b": {"d": null}}));
    store
        .set_tenant_metadata(&ada(), other.clone(), at(1))
        .await
        .unwrap();
    let found = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(found.metadata, other);
    assert_eq!(found.created_at, at(0));
}

pub(crate) async fn metadata_of_no_tenant_is_not_found(store: &dyn MemoryStore) {
    let none = JsonObject::new();
    let result = store.set_tenant_metadata(&ada(), none, at(0)).await;
    assert_refused!(result, NotFound);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
}

pub(crate) async fn tenants_are_listed_last_active_first_then_by_the_bytes_of_their_id(
    store: &dyn MemoryStore,
) {
    let none = JsonObject::new;
    for name in [
        "é", "a b", "Z", "z", "a", "日本", "A", "a_b", "a-b", "_", "🦀", "aa",
    ] {
        store
            .create_tenant(&tenant(name), none(), at(10))
            .await
            .unwrap();
    }
    for (name, seconds) in [("late", 20), ("early", 5)] {
        store
            .create_tenant(&tenant(name), none(), at(seconds))
            .await
            .unwrap();
    }
    let wanted = [
        "late", "A", "Z", "_", "a", "a b", "a-b", "a_b", "aa", "z", "é", "日本", "🦀", "early",
    ];
    assert_eq!(names_by_pages_of(store, 1_000).await, wanted);
    assert_eq!(names_by_pages_of(store, 1).await, wanted);
    assert_eq!(names_by_pages_of(store, 3).await, wanted);
    assert_eq!(store.tenants(limit(0), None).await.unwrap(), []);
}

async fn names_by_pages_of(store: &dyn MemoryStore, rows: u32) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = store.tenants(limit(rows), after).await.unwrap();
        assert!(page.len() <= rows as usize, "a page is longer than asked");
        let Some(last) = page.last() else {
            return names;
        };
        after = Some(last.cursor());
        names.extend(page.iter().map(|tenant| tenant.id.as_str().to_owned()));
        assert!(names.len() <= 100, "the listing does not end: {names:?}");
    }
}

pub(crate) async fn tenants_are_listed_by_50_when_nothing_is_said(store: &dyn MemoryStore) {
    for n in 0..51 {
        let id = tenant(&format!("tenant {n}"));
        store
            .create_tenant(&id, JsonObject::new(), at(0))
            .await
            .unwrap();
    }
    let page = store.tenants(Limit::default(), None).await.unwrap();
    assert_eq!(page.len(), 50);
}

pub(crate) async fn a_tenant_id_is_kept_to_the_byte(store: &dyn MemoryStore) {
    let longest = "é".repeat(127) + "x";
    let names = [
        " ", " x ", "Ada", "ada", "a/b%20?", "'; --", "%", "e\u{301}", "é", &longest,
    ];
    for name in names {
        let id = TenantId::new(name).unwrap();
        store
            .create_session(&id, new_session(1, name), at(0))
            .await
            .unwrap();
    }
    for name in names {
        let session = store.session(&tenant(name), session_id(1)).await.unwrap();
        assert_eq!(session.unwrap().title, name);
        let found = store.tenant(&tenant(name)).await.unwrap().unwrap();
        assert_eq!(found.id.as_str(), name);
    }
}

pub(crate) async fn stats_count_what_is_stored(store: &dyn MemoryStore) {
    let (bea, later) = (tenant("bea"), at(60));
    given_session(store, &ada()).await;
    store
        .create_session(&ada(), new_session(2, ""), at(0))
        .await
        .unwrap();
    let messages = vec![
        new_message(1, "a"),
        new_message(2, "b"),
        new_message(3, "c"),
    ];
    store
        .append(&ada(), session_id(1), messages, at(0))
        .await
        .unwrap();
    given_nodes(store, &ada(), 2).await;
    store
        .remember(&ada(), vec![new_file(3, "x"), new_file(4, "y")], later)
        .await
        .unwrap();
    store
        .relate(&ada(), new_link(1, 1, "led_to", 2), at(0))
        .await
        .unwrap();
    given_nodes(store, &bea, 1).await;
    let wanted = TenantStats {
        nodes: 4,
        entities: 2,
        relationships: 1,
        sessions: 2,
        messages: 3,
        context_types: BTreeMap::from([
            (ContextType::DomainEntity, 2),
            (ContextType::ConversationFact, 2),
        ]),
        earliest_node_at: Some(at(0)),
        latest_node_at: Some(later),
    };
    assert_eq!(store.tenant_stats(&ada()).await.unwrap(), wanted);
    store
        .delete_session(&ada(), session_id(1), later)
        .await
        .unwrap();
    for id in [2, 3, 4] {
        store.forget_node(&ada(), node_id(id), later).await.unwrap();
    }
    let wanted = TenantStats {
        nodes: 1,
        entities: 0,
        relationships: 0,
        sessions: 1,
        messages: 0,
        context_types: BTreeMap::from([(ContextType::ConversationFact, 1)]),
        earliest_node_at: Some(at(0)),
        latest_node_at: Some(at(0)),
    };
    assert_eq!(store.tenant_stats(&ada()).await.unwrap(), wanted);
}

pub(crate) async fn usage_counts_what_each_tenant_has_and_what_was_active(store: &dyn MemoryStore) {
    let bea = tenant("bea");
    given_session(store, &ada()).await;
    store
        .create_session(&ada(), new_session(2, ""), at(90))
        .await
        .unwrap();
    given_nodes(store, &ada(), 2).await;
    store
        .remember(&ada(), vec![new_file(3, "x"), new_file(4, "y")], at(100))
        .await
        .unwrap();
    store
        .record_access(&ada(), node_id(1), at(99))
        .await
        .unwrap();
    given_nodes(store, &bea, 1).await;
    let found = store.tenant_usage(at(99), Limit::MAX, None).await.unwrap();
    let wanted = [
        TenantUsage {
            tenant: store.tenant(&ada()).await.unwrap().unwrap(),
            nodes: 4,
            entities: 2,
            active_nodes: 3,
            active_sessions: 0,
        },
        TenantUsage {
            tenant: store.tenant(&bea).await.unwrap().unwrap(),
            nodes: 1,
            entities: 0,
            active_nodes: 0,
            active_sessions: 0,
        },
    ];
    assert_eq!(found, wanted);
    let found = store.tenant_usage(at(90), limit(1), None).await.unwrap();
    assert_eq!(found[0].active_sessions, 1);
    assert_eq!(found.len(), 1);
}

pub(crate) async fn usage_is_listed_in_the_order_of_tenants(store: &dyn MemoryStore) {
    for (name, seconds) in [("a", 10), ("b", 20), ("B", 20), ("é", 10), ("late", 30)] {
        store
            .create_tenant(&tenant(name), JsonObject::new(), at(seconds))
            .await
            .unwrap();
    }
    for rows in [1, 2, 1_000] {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = store.tenant_usage(at(0), limit(rows), after).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.tenant.cursor());
            names.extend(page.into_iter().map(|usage| usage.tenant.id.to_string()));
        }
        assert_eq!(names, ["late", "B", "b", "a", "é"], "by pages of {rows}");
    }
    assert_eq!(store.tenant_usage(at(0), limit(0), None).await.unwrap(), []);
}
