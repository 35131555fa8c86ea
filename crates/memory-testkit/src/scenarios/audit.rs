use memory_domain::{AuditEvent, AuditFilter, AuditSeverity, Limit, NewAuditEvent, RecordKind};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_refused, at, decision_id, event_id, limit, new_decision, new_event, object, tenant,
};

async fn ids(store: &dyn MemoryStore, filter: AuditFilter) -> Vec<u128> {
    let found = store
        .audit_events(&ada(), filter, Limit::MAX)
        .await
        .unwrap();
    found.iter().map(|it| it.id.uuid().as_u128()).collect()
}

/// Events 1 to 4, two of them at one moment.
async fn given_events(store: &dyn MemoryStore) {
    let graver = |id, event_type, seconds, severity| NewAuditEvent {
        severity,
        ..new_event(id, event_type, seconds)
    };
    let events = vec![
        graver(1, "login", 1, AuditSeverity::Debug).with_session("s"),
        graver(2, "Login", 2, AuditSeverity::Critical).with_session("S"),
        graver(3, "login", 2, AuditSeverity::Critical),
        graver(4, "logout", 3, AuditSeverity::Warning).with_session("s"),
    ];
    assert_eq!(store.record_events(&ada(), events, at(9)).await.unwrap(), 4);
}

pub(crate) async fn an_event_is_stored_whole(store: &dyn MemoryStore) {
    let new = NewAuditEvent {
        component: Some("api".to_owned()),
        result: Some(String::new()),
        ip_address: Some("::1".to_owned()),
        ..new_event(1, "file.delete", -5)
            .with_session("s")
            .with_actor("bea")
            .with_action("delete", "/tmp/ü")
            .with_details(object(json!({"sizes": [1.0, 2.5], "by": null})))
    };
    let wanted = AuditEvent {
        tenant_id: ada(),
        id: event_id(1),
        event_type: "file.delete".to_owned(),
        severity: AuditSeverity::Info,
        session_id: Some("s".to_owned()),
        actor: Some("bea".to_owned()),
        component: Some("api".to_owned()),
        action: Some("delete".to_owned()),
        details: object(json!({"sizes": [1, 2.5], "by": null})),
        result: Some(String::new()),
        ip_address: Some("::1".to_owned()),
        resource: Some("/tmp/ü".to_owned()),
        at: at(-5),
    };
    let added = store.record_events(&ada(), vec![new], at(3)).await.unwrap();
    assert_eq!(added, 1);
    let all = AuditFilter::default;
    let found = store.audit_events(&ada(), all(), Limit::MAX).await.unwrap();
    assert_eq!(found, [wanted]);
    let of_bea = store.audit_events(&tenant("bea"), all(), Limit::MAX).await;
    assert_eq!(of_bea.unwrap(), []);
    // The tenant was active when it recorded, not when it happened.
    let tenant = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(tenant.created_at, at(3));
}

pub(crate) async fn the_same_events_again_are_the_same_write(store: &dyn MemoryStore) {
    let (one, two) = (new_event(1, "a", 1), new_event(2, "b", 2));
    let ada = ada();
    let record = |events| store.record_events(&ada, events, at(0));
    assert_eq!(record(vec![]).await.unwrap(), 0);
    assert_eq!(store.tenant(&ada).await.unwrap(), None);
    assert_eq!(record(vec![one.clone()]).await.unwrap(), 1);
    assert_eq!(record(vec![one.clone()]).await.unwrap(), 0);
    let batch = vec![two.clone(), one, two];
    assert_eq!(record(batch).await.unwrap(), 1);
    assert_eq!(ids(store, AuditFilter::default()).await, [2, 1]);
}

pub(crate) async fn a_batch_with_a_conflict_leaves_nothing(store: &dyn MemoryStore) {
    let first = new_event(1, "a", 1).with_actor("bea");
    let recorded = store
        .record_events(&ada(), vec![first.clone()], at(0))
        .await;
    assert_eq!(recorded.unwrap(), 1);
    for other in [
        new_event(1, "b", 1).with_actor("bea"),
        new_event(1, "a", 2).with_actor("bea"),
        new_event(1, "a", 1),
        first.clone().with_session("s"),
        first.clone().with_action("x", "y"),
        first.with_details(object(json!({"a": 1}))),
    ] {
        let batch = vec![new_event(2, "new", 1), other, new_event(3, "new", 1)];
        let result = store.record_events(&ada(), batch, at(1)).await;
        assert_refused!(result, Conflict);
        assert_eq!(ids(store, AuditFilter::default()).await, [1]);
    }
    let twice = vec![new_event(4, "a", 1), new_event(4, "b", 1)];
    assert_refused!(store.record_events(&ada(), twice, at(1)).await, Conflict);
    // What comes after it is written as before.
    let decision = new_decision(1, "x");
    store
        .record_decision(&ada(), decision, at(1))
        .await
        .unwrap();
    let found = store.decision(&ada(), decision_id(1)).await.unwrap();
    assert!(found.is_some());
    assert_eq!(ids(store, AuditFilter::default()).await, [1]);
}

pub(crate) async fn a_batch_of_events_has_at_most_1000(store: &dyn MemoryStore) {
    let batch = |count| (1..=count).map(|id| new_event(id, "x", 0)).collect();
    let result = store.record_events(&ada(), batch(1_001), at(0)).await;
    assert_refused!(result, Invalid);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let recorded = store.record_events(&ada(), batch(1_000), at(0)).await;
    assert_eq!(recorded.unwrap(), 1_000);
    let all = AuditFilter::default;
    let found = store.audit_events(&ada(), all(), Limit::MAX).await.unwrap();
    assert_eq!(found.len(), 1_000);
    let found = store.audit_events(&ada(), all(), Limit::default()).await;
    assert_eq!(found.unwrap().len(), 50);
}

pub(crate) async fn events_are_listed_by_severity_type_session_and_time(store: &dyn MemoryStore) {
    given_events(store).await;
    let all = AuditFilter::default;
    let severity = Some(AuditSeverity::Critical);
    let event_type = Some("login".to_owned());
    let session = Some("s".to_owned());
    for (filter, wanted) in [
        (all(), vec![4, 3, 2, 1]),
        (AuditFilter { severity, ..all() }, vec![3, 2]),
        (
            AuditFilter {
                event_type: event_type.clone(),
                ..all()
            },
            vec![3, 1],
        ),
        (
            AuditFilter {
                session: session.clone(),
                ..all()
            },
            vec![4, 1],
        ),
        (
            AuditFilter {
                event_type,
                session,
                ..all()
            },
            vec![1],
        ),
        (
            AuditFilter {
                from: Some(at(2)),
                to: Some(at(3)),
                ..all()
            },
            vec![4, 3, 2],
        ),
        (
            AuditFilter {
                severity: Some(AuditSeverity::Error),
                ..all()
            },
            vec![],
        ),
    ] {
        assert_eq!(ids(store, filter.clone()).await, wanted, "{filter:?}");
    }
}

pub(crate) async fn events_page_without_gap_or_repetition(store: &dyn MemoryStore) {
    given_events(store).await;
    for rows in [1, 2, 3] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let filter = AuditFilter {
                after,
                ..AuditFilter::default()
            };
            let page = store.audit_events(&ada(), filter, limit(rows)).await;
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            found.extend(page.iter().map(|it| it.id.uuid().as_u128()));
        }
        assert_eq!(found, [4, 3, 2, 1], "by {rows}");
    }
}

pub(crate) async fn a_bad_event_is_refused(store: &dyn MemoryStore) {
    let new = || new_event(1, "x", 0);
    let nul = || Some("\0".to_owned());
    for bad in [
        new_event(1, "", 0),
        new_event(1, &"x".repeat(513), 0),
        new_event(1, "\0", 0),
        new().with_session(""),
        new().with_session("x".repeat(513)),
        new().with_actor("\0"),
        new().with_action("\0", ""),
        new().with_action("", "\0"),
        new().with_details(object(json!({"a": "\0"}))),
        NewAuditEvent {
            component: nul(),
            ..new()
        },
        NewAuditEvent {
            result: nul(),
            ..new()
        },
        NewAuditEvent {
            ip_address: nul(),
            ..new()
        },
    ] {
        let batch = vec![new_event(2, "x", 0), bad];
        assert_refused!(store.record_events(&ada(), batch, at(0)).await, Invalid);
    }
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let longest = new_event(1, &"x".repeat(512), 0).with_session("é".repeat(256));
    let recorded = store.record_events(&ada(), vec![longest], at(0)).await;
    assert_eq!(recorded.unwrap(), 1);
    for filter in [
        AuditFilter {
            event_type: Some(String::new()),
            ..AuditFilter::default()
        },
        AuditFilter {
            session: Some("x".repeat(513)),
            ..AuditFilter::default()
        },
    ] {
        assert_refused!(
            store.audit_events(&ada(), filter, Limit::MAX).await,
            Invalid
        );
    }
}

pub(crate) async fn erasing_a_tenant_takes_its_events_along_and_counts_them(
    store: &dyn MemoryStore,
) {
    given_events(store).await;
    let bea = tenant("bea");
    let hers = vec![new_event(1, "login", 0)];
    assert_eq!(store.record_events(&bea, hers, at(0)).await.unwrap(), 1);
    let erasure = store.erase_tenant(&ada()).await.unwrap();
    assert_eq!(erasure.records[&RecordKind::AuditEvent], 4);
    let all = AuditFilter::default;
    let found = store.audit_events(&ada(), all(), Limit::MAX).await.unwrap();
    assert_eq!(found, []);
    let found = store.audit_events(&bea, all(), Limit::MAX).await.unwrap();
    assert_eq!(found.len(), 1);
}
