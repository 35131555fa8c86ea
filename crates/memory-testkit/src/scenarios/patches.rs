use memory_domain::{NewPatch, PatchFilter, PatchRequest, PatchReview, PatchStatus, WrongState};
use memory_storage::{MemoryStore, StorageError};
use serde_json::json;

use crate::support::{ada, assert_refused, at, limit, new_patch, object, patch_id, tenant};

async fn request(store: &dyn MemoryStore, new: NewPatch, seconds: i64) -> PatchRequest {
    store.request_patch(&ada(), new, at(seconds)).await.unwrap()
}

async fn the_patch(store: &dyn MemoryStore, id: u128) -> PatchRequest {
    store.patch(&ada(), patch_id(id)).await.unwrap().unwrap()
}

pub(crate) async fn a_patch_is_requested_whole(store: &dyn MemoryStore) {
    let new = new_patch(1, "search")
        .with_reasoning("slow")
        .with_change("-a\n+b", "b")
        .with_confidence(0.1)
        .with_feedback("second")
        .with_feedback("first")
        .with_feedback("second")
        .with_metrics(object(json!({"p95": 1.25})));
    let wanted = PatchRequest {
        tenant_id: ada(),
        id: patch_id(1),
        target_file: "src/lib.rs".into(),
        reasoning: "slow".into(),
        diff: "-a\n+b".into(),
        new_code: "b".into(),
        component: "search".into(),
        improvement_type: "speed".into(),
        confidence: 0.1,
        status: PatchStatus::PendingApproval,
        reviewed_by: None,
        review_comment: None,
        application_error: None,
        feedback_ids: vec!["second".into(), "first".into(), "second".into()],
        metrics: object(json!({"p95": 1.25})),
        created_at: at(7),
        reviewed_at: None,
        applied_at: None,
    };
    assert_eq!(request(store, new, 7).await, wanted);
    assert_eq!(the_patch(store, 1).await, wanted);
    assert_eq!(
        store.patch(&tenant("bea"), patch_id(1)).await.unwrap(),
        None
    );
}

pub(crate) async fn requesting_the_same_patch_again_is_the_same_write(store: &dyn MemoryStore) {
    request(store, new_patch(1, "a"), 0).await;
    let review = PatchReview::approval("eve");
    let approved = store.review_patch(&ada(), patch_id(1), review, at(1)).await;
    let approved = approved.unwrap();
    assert_eq!(request(store, new_patch(1, "a"), 2).await, approved);
    let others = [
        new_patch(1, "b"),
        new_patch(1, "a").with_reasoning("x"),
        new_patch(1, "a").with_change("x", ""),
        new_patch(1, "a").with_confidence(0.5),
        new_patch(1, "a").with_feedback("x"),
        new_patch(1, "a").with_metrics(object(json!({"x": 1}))),
    ];
    for other in others {
        assert_refused!(store.request_patch(&ada(), other, at(3)).await, Conflict);
    }
    assert_eq!(the_patch(store, 1).await, approved);
}

pub(crate) async fn a_patch_is_reviewed_and_then_applied_or_fails(store: &dyn MemoryStore) {
    for id in 1..=3 {
        request(store, new_patch(id, "a"), 0).await;
    }
    let approval = || PatchReview::approval("eve").with_comment("good");
    for id in [1, 2] {
        let approved = store
            .review_patch(&ada(), patch_id(id), approval(), at(1))
            .await;
        let approved = approved.unwrap();
        assert_eq!(
            (approved.status, approved.reviewed_at),
            (PatchStatus::Approved, Some(at(1)))
        );
        assert_eq!(approved.reviewed_by.as_deref(), Some("eve"));
        assert_eq!(approved.review_comment.as_deref(), Some("good"));
    }
    let applied = store.apply_patch(&ada(), patch_id(1), at(2)).await.unwrap();
    assert_eq!(
        (applied.status, applied.applied_at),
        (PatchStatus::Applied, Some(at(2)))
    );
    let failed = store
        .fail_patch(&ada(), patch_id(2), "does not apply", at(2))
        .await;
    let failed = failed.unwrap();
    assert_eq!(failed.status, PatchStatus::Failed);
    assert_eq!(failed.application_error.as_deref(), Some("does not apply"));
    assert_eq!(failed.applied_at, None);
    let denial = PatchReview::denial("eve");
    let denied = store.review_patch(&ada(), patch_id(3), denial, at(2)).await;
    let denied = denied.unwrap();
    assert_eq!(
        (denied.status, &denied.review_comment),
        (PatchStatus::Denied, &None)
    );
    for patch in [applied, failed, denied] {
        let found = store.patch(&ada(), patch.id).await.unwrap();
        assert_eq!(found, Some(patch));
    }
}

fn states(result: Result<PatchRequest, StorageError>) -> (String, String) {
    match result {
        Err(StorageError::WrongState(WrongState { state, wanted, .. })) => (state, wanted),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_wrong_step_of_a_patch_names_both_states(store: &dyn MemoryStore) {
    for id in 1..=5 {
        request(store, new_patch(id, "a"), 0).await;
    }
    let ids = [
        (1, "pending_approval"),
        (2, "approved"),
        (3, "denied"),
        (4, "applied"),
        (5, "failed"),
    ];
    for (id, state) in ids {
        let review = match state {
            "pending_approval" => continue,
            "denied" => PatchReview::denial("eve"),
            _ => PatchReview::approval("eve"),
        };
        let review = store
            .review_patch(&ada(), patch_id(id), review, at(1))
            .await;
        review.unwrap();
    }
    store.apply_patch(&ada(), patch_id(4), at(1)).await.unwrap();
    store
        .fail_patch(&ada(), patch_id(5), "first", at(1))
        .await
        .unwrap();
    for (id, state) in ids {
        let before = the_patch(store, id).await;
        let id_of = patch_id(id);
        if state != "pending_approval" {
            let review = PatchReview::approval("bob");
            let result = store.review_patch(&ada(), id_of, review, at(2)).await;
            assert_eq!(states(result), (state.into(), "approved".into()));
        }
        if state != "approved" && state != "applied" {
            let result = store.apply_patch(&ada(), id_of, at(2)).await;
            assert_eq!(states(result), (state.into(), "applied".into()));
        }
        if state != "approved" {
            let result = store.fail_patch(&ada(), id_of, "second", at(2)).await;
            assert_eq!(states(result), (state.into(), "failed".into()));
        }
        assert_eq!(the_patch(store, id).await, before);
    }
}

pub(crate) async fn a_repeated_step_of_a_patch_is_the_same_write(store: &dyn MemoryStore) {
    for id in 1..=2 {
        request(store, new_patch(id, "a"), 0).await;
    }
    for id in 1..=2 {
        let review = || PatchReview::approval("eve");
        let first = store
            .review_patch(&ada(), patch_id(id), review(), at(1))
            .await;
        let first = first.unwrap();
        let again = store
            .review_patch(&ada(), patch_id(id), review(), at(2))
            .await;
        assert_eq!(again.unwrap(), first);
    }
    let first = store.apply_patch(&ada(), patch_id(1), at(3)).await.unwrap();
    let again = store.apply_patch(&ada(), patch_id(1), at(4)).await.unwrap();
    assert_eq!(again, first);
    let first = store.fail_patch(&ada(), patch_id(2), "x", at(3)).await;
    let again = store.fail_patch(&ada(), patch_id(2), "x", at(4)).await;
    assert_eq!(again.unwrap(), first.unwrap());
}

pub(crate) async fn changing_a_patch_that_is_not_there_is_not_found(store: &dyn MemoryStore) {
    let id = patch_id(1);
    let review = PatchReview::approval("eve");
    assert_refused!(
        store.review_patch(&ada(), id, review, at(0)).await,
        NotFound
    );
    assert_refused!(store.apply_patch(&ada(), id, at(0)).await, NotFound);
    assert_refused!(store.fail_patch(&ada(), id, "x", at(0)).await, NotFound);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
}

async fn pages(store: &dyn MemoryStore, filter: &PatchFilter, rows: u32) -> Vec<u128> {
    let mut filter = filter.clone();
    let mut ids = Vec::new();
    loop {
        let page = store.patches(&ada(), filter.clone(), limit(rows)).await;
        let page = page.unwrap();
        let Some(last) = page.last() else { return ids };
        filter.after = Some(last.cursor());
        ids.extend(page.iter().map(|patch| patch.id.uuid().as_u128()));
        assert!(ids.len() <= 100, "the listing does not end: {ids:?}");
    }
}

pub(crate) async fn patches_are_listed_newest_first_then_the_greater_id(store: &dyn MemoryStore) {
    for (id, component, seconds) in [(1, "a", 10), (2, "b", 30), (3, "a", 10), (4, "a", 20)] {
        request(store, new_patch(id, component), seconds).await;
    }
    for id in [2, 3] {
        let denial = PatchReview::denial("eve");
        let denied = store
            .review_patch(&ada(), patch_id(id), denial, at(40))
            .await;
        denied.unwrap();
    }
    let any = PatchFilter::default();
    let of_a = PatchFilter {
        component: Some("a".into()),
        ..any.clone()
    };
    let denied = PatchFilter {
        status: Some(PatchStatus::Denied),
        ..any.clone()
    };
    let both = PatchFilter {
        component: Some("a".into()),
        ..denied.clone()
    };
    for rows in [1, 2, 1_000] {
        assert_eq!(pages(store, &any, rows).await, [2, 4, 3, 1]);
        assert_eq!(pages(store, &of_a, rows).await, [4, 3, 1]);
        assert_eq!(pages(store, &denied, rows).await, [2, 3]);
        assert_eq!(pages(store, &both, rows).await, [3]);
    }
}

pub(crate) async fn a_bad_patch_is_refused(store: &dyn MemoryStore) {
    let long = "x".repeat(513);
    let bad = [
        new_patch(1, ""),
        new_patch(1, &long),
        NewPatch::new("x".repeat(1_025), "c", "t"),
        NewPatch::new("f", "c", &long),
        new_patch(1, "c").with_confidence(f64::INFINITY),
        new_patch(1, "c").with_feedback(&long),
        new_patch(1, "c").with_reasoning("\u{0}"),
        new_patch(1, "c").with_metrics(object(json!({"a": "\u{0}"}))),
    ];
    for new in bad {
        assert_refused!(store.request_patch(&ada(), new, at(0)).await, Invalid);
    }
    let longest = "x".repeat(512);
    let good = NewPatch::new("x".repeat(1_024), &longest, &longest)
        .with_id(patch_id(1))
        .with_feedback(&longest);
    request(store, good, 0).await;
    let review = PatchReview::approval(&long);
    assert_refused!(
        store.review_patch(&ada(), patch_id(1), review, at(0)).await,
        Invalid
    );
    let review = PatchReview::approval(&longest);
    let approved = store.review_patch(&ada(), patch_id(1), review, at(0)).await;
    approved.unwrap();
    assert_refused!(
        store.fail_patch(&ada(), patch_id(1), "\u{0}", at(0)).await,
        Invalid
    );
}
