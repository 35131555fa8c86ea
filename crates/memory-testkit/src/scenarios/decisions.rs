use memory_domain::{Decision, DecisionCursor, DecisionFilter, Limit};
use memory_storage::MemoryStore;

use crate::support::{ada, assert_refused, at, decision_id, limit, new_decision, tenant};

/// The ids of the decisions that a filter gives.
async fn ids(store: &dyn MemoryStore, filter: DecisionFilter) -> Vec<u128> {
    let found = store.decisions(&ada(), filter, Limit::MAX).await.unwrap();
    found.iter().map(|it| it.id.uuid().as_u128()).collect()
}

/// Decisions 1 to 6: of "s", of "S" and of no session in turn, two at a moment.
async fn given_decisions(store: &dyn MemoryStore) {
    for (id, session) in (1..=6_u8).zip(["s", "S", "", "s", "S", ""]) {
        let mut new = new_decision(id.into(), "text");
        if !session.is_empty() {
            new = new.with_session(session);
        }
        let moment = at((i64::from(id) + 1) / 2);
        store.record_decision(&ada(), new, moment).await.unwrap();
    }
}

pub(crate) async fn a_decision_is_stored_whole(store: &dyn MemoryStore) {
    let new = new_decision(1, "we use SQLite 🦀")
        .with_session("instance-7")
        .with_context("")
        .with_extracted_from("let us\nuse it");
    let wanted = Decision {
        tenant_id: ada(),
        id: decision_id(1),
        session_id: Some("instance-7".to_owned()),
        text: "we use SQLite 🦀".to_owned(),
        context: Some(String::new()),
        extracted_from: Some("let us\nuse it".to_owned()),
        decided_at: at(3),
    };
    let recorded = store.record_decision(&ada(), new, at(3)).await.unwrap();
    assert_eq!(recorded, wanted);
    let found = store.decision(&ada(), decision_id(1)).await.unwrap();
    assert_eq!(found, Some(wanted));
    assert_eq!(store.decision(&ada(), decision_id(2)).await.unwrap(), None);
    let bea = tenant("bea");
    assert_eq!(store.decision(&bea, decision_id(1)).await.unwrap(), None);
    let tenant = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(tenant.created_at, at(3));
}

pub(crate) async fn the_same_decision_again_is_the_same_write(store: &dyn MemoryStore) {
    let new = new_decision(1, "x").with_session("s");
    let first = store.record_decision(&ada(), new.clone(), at(0)).await;
    let again = store.record_decision(&ada(), new, at(99)).await;
    assert_eq!(first.unwrap(), again.unwrap());
    assert_eq!(ids(store, DecisionFilter::default()).await, [1]);
}

pub(crate) async fn a_decision_with_other_content_is_a_conflict(store: &dyn MemoryStore) {
    let new = || new_decision(1, "x").with_session("s").with_context("c");
    let first = store.record_decision(&ada(), new(), at(0)).await.unwrap();
    for other in [
        new_decision(1, "x").with_context("c"),
        new().with_session("S"),
        new().with_context(""),
        new().with_extracted_from(""),
        new_decision(1, "X").with_session("s").with_context("c"),
    ] {
        assert_refused!(store.record_decision(&ada(), other, at(1)).await, Conflict);
    }
    let found = store.decision(&ada(), decision_id(1)).await.unwrap();
    assert_eq!(found, Some(first));
}

pub(crate) async fn decisions_are_listed_by_session_and_time(store: &dyn MemoryStore) {
    given_decisions(store).await;
    let all = DecisionFilter::default;
    assert_eq!(ids(store, all()).await, [6, 5, 4, 3, 2, 1]);
    let of = |session: &str| DecisionFilter {
        session: Some(session.to_owned()),
        ..DecisionFilter::default()
    };
    assert_eq!(ids(store, of("s")).await, [4, 1]);
    assert_eq!(ids(store, of("S")).await, [5, 2]);
    assert_eq!(ids(store, of("nobody")).await, [0; 0]);
    let between = DecisionFilter {
        from: Some(at(2)),
        to: Some(at(2)),
        ..all()
    };
    assert_eq!(ids(store, between.clone()).await, [4, 3]);
    let both = DecisionFilter {
        session: Some("s".to_owned()),
        ..between
    };
    assert_eq!(ids(store, both).await, [4]);
    let nothing = DecisionFilter {
        from: Some(at(3)),
        to: Some(at(2)),
        ..all()
    };
    assert_eq!(ids(store, nothing).await, [0; 0]);
}

pub(crate) async fn decisions_page_without_gap_or_repetition(store: &dyn MemoryStore) {
    given_decisions(store).await;
    for rows in [1, 2, 4] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let filter = DecisionFilter {
                to: Some(at(3)),
                after,
                ..DecisionFilter::default()
            };
            let page = store.decisions(&ada(), filter, limit(rows)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            found.extend(page.iter().map(|it| it.id.uuid().as_u128()));
        }
        assert_eq!(found, [6, 5, 4, 3, 2, 1], "by {rows}");
    }
    // A place need not be that of a decision, and the earlier of two ends holds.
    let place = |seconds, id| DecisionFilter {
        to: Some(at(2)),
        after: Some(DecisionCursor {
            decided_at: at(seconds),
            id: decision_id(id),
        }),
        ..DecisionFilter::default()
    };
    assert_eq!(ids(store, place(2, 4)).await, [3, 2, 1]);
    assert_eq!(ids(store, place(9, 1)).await, [4, 3, 2, 1]);
    assert_eq!(ids(store, place(1, 99)).await, [2, 1]);
}

pub(crate) async fn decisions_are_listed_by_50_when_nothing_is_said(store: &dyn MemoryStore) {
    for id in 1..=51 {
        let new = new_decision(id, "x");
        store.record_decision(&ada(), new, at(0)).await.unwrap();
    }
    for (rows, wanted) in [(Limit::default(), 50), (limit(0), 0), (Limit::MAX, 51)] {
        let any = DecisionFilter::default();
        let found = store.decisions(&ada(), any, rows).await.unwrap();
        assert_eq!(found.len(), wanted);
    }
}

pub(crate) async fn a_bad_decision_is_refused(store: &dyn MemoryStore) {
    let new = || new_decision(1, "x");
    for bad in [
        new_decision(1, "\0"),
        new().with_session(""),
        new().with_session("x".repeat(513)),
        new().with_session("\0"),
        new().with_context("\0"),
        new().with_extracted_from("\0"),
    ] {
        assert_refused!(store.record_decision(&ada(), bad, at(0)).await, Invalid);
    }
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let longest = new().with_session("x".repeat(512));
    store.record_decision(&ada(), longest, at(0)).await.unwrap();
    for session in [String::new(), "x".repeat(513), "\0".to_owned()] {
        let filter = DecisionFilter {
            session: Some(session),
            ..DecisionFilter::default()
        };
        assert_refused!(store.decisions(&ada(), filter, Limit::MAX).await, Invalid);
    }
}
