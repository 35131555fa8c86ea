use memory_domain::{Feedback, FeedbackFilter, Limit};
use memory_storage::MemoryStore;

use crate::support::{
    ada, assert_refused, at, feedback_id, given_session, limit, message_id, new_feedback,
    new_message, session_id, tenant,
};

async fn ids(store: &dyn MemoryStore, filter: FeedbackFilter) -> Vec<u128> {
    let found = store.feedback(&ada(), filter, Limit::MAX).await.unwrap();
    found.iter().map(|it| it.id.uuid().as_u128()).collect()
}

/// Feedback 1 to 4: on message 1 of session 1, on session 1, on message 2, on nothing.
async fn given_feedback(store: &dyn MemoryStore) {
    let (session, message) = (session_id(1), message_id(1));
    for (new, seconds) in [
        (
            new_feedback(1, 1).on_session(session).on_message(message),
            1,
        ),
        (new_feedback(2, -1).on_session(session), 2),
        (new_feedback(3, 1).on_message(message_id(2)), 2),
        (new_feedback(4, 5), 3),
    ] {
        let recorded = store.record_feedback(&ada(), new, at(seconds)).await;
        recorded.unwrap();
    }
}

pub(crate) async fn feedback_is_stored_whole_and_needs_nothing_to_be_there(
    store: &dyn MemoryStore,
) {
    let new = new_feedback(1, i64::MAX)
        .on_session(session_id(8))
        .on_message(message_id(9))
        .with_comment("")
        .with_correction("it is 4 👍");
    let wanted = Feedback {
        tenant_id: ada(),
        id: feedback_id(1),
        session_id: Some(session_id(8)),
        message_id: Some(message_id(9)),
        rating: i64::MAX,
        comment: Some(String::new()),
        correction: Some("it is 4 👍".to_owned()),
        created_at: at(2),
    };
    let recorded = store.record_feedback(&ada(), new, at(2)).await.unwrap();
    assert_eq!(recorded, wanted);
    let all = FeedbackFilter::default();
    let found = store.feedback(&ada(), all, Limit::MAX).await.unwrap();
    assert_eq!(found, [wanted]);
    let found = store.feedback(&tenant("bea"), all, Limit::MAX).await;
    assert_eq!(found.unwrap(), []);
}

pub(crate) async fn the_same_feedback_again_is_the_same_write(store: &dyn MemoryStore) {
    let new = || new_feedback(1, 0).on_message(message_id(1));
    let first = store.record_feedback(&ada(), new(), at(0)).await.unwrap();
    let again = store.record_feedback(&ada(), new(), at(9)).await.unwrap();
    assert_eq!(first, again);
    for other in [
        new_feedback(1, 0),
        new_feedback(1, 1).on_message(message_id(1)),
        new().on_session(session_id(1)),
        new().on_message(message_id(2)),
        new().with_comment(""),
        new().with_correction(""),
    ] {
        assert_refused!(store.record_feedback(&ada(), other, at(1)).await, Conflict);
    }
    assert_eq!(ids(store, FeedbackFilter::default()).await, [1]);
}

pub(crate) async fn feedback_is_listed_by_what_it_is_about(store: &dyn MemoryStore) {
    given_feedback(store).await;
    let all = FeedbackFilter::default();
    assert_eq!(ids(store, all).await, [4, 3, 2, 1]);
    let session = Some(session_id(1));
    let message = Some(message_id(1));
    let (from, to) = (Some(at(2)), Some(at(2)));
    let rating = Some(1);
    for (filter, wanted) in [
        (FeedbackFilter { session, ..all }, vec![2, 1]),
        (FeedbackFilter { message, ..all }, vec![1]),
        (FeedbackFilter { rating, ..all }, vec![3, 1]),
        (FeedbackFilter { from, to, ..all }, vec![3, 2]),
        (
            FeedbackFilter {
                session,
                message,
                rating,
                ..all
            },
            vec![1],
        ),
        (
            FeedbackFilter {
                session,
                from,
                ..all
            },
            vec![2],
        ),
    ] {
        assert_eq!(ids(store, filter).await, wanted, "{filter:?}");
    }
}

pub(crate) async fn feedback_pages_without_gap_or_repetition(store: &dyn MemoryStore) {
    given_feedback(store).await;
    for rows in [1, 3] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let filter = FeedbackFilter {
                after,
                ..FeedbackFilter::default()
            };
            let page = store.feedback(&ada(), filter, limit(rows)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            found.extend(page.iter().map(|it| it.id.uuid().as_u128()));
        }
        assert_eq!(found, [4, 3, 2, 1], "by {rows}");
    }
    let all = FeedbackFilter::default();
    let none = store.feedback(&ada(), all, limit(0)).await.unwrap();
    assert_eq!(none, []);
}

pub(crate) async fn feedback_outlives_what_it_is_about(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let batch = vec![new_message(1, "x")];
    store
        .append(&ada(), session_id(1), batch, at(0))
        .await
        .unwrap();
    given_feedback(store).await;
    store
        .delete_session(&ada(), session_id(1), at(9))
        .await
        .unwrap();
    assert_eq!(ids(store, FeedbackFilter::default()).await, [4, 3, 2, 1]);
}

pub(crate) async fn bad_feedback_is_refused(store: &dyn MemoryStore) {
    for bad in [
        new_feedback(1, 0).with_comment("\0"),
        new_feedback(1, 0).with_correction("\0"),
    ] {
        assert_refused!(store.record_feedback(&ada(), bad, at(0)).await, Invalid);
    }
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
}
