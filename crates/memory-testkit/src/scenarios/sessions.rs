use memory_domain::{JsonObject, Limit, Session, Timestamp};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_refused, at, given_session, limit, message_id, new_message, new_session, object,
    session_id, tenant,
};

async fn the_session(store: &dyn MemoryStore, id: u128) -> Session {
    let session = store.session(&ada(), session_id(id)).await.unwrap();
    session.unwrap_or_else(|| panic!("session {id} is not there"))
}

pub(crate) async fn creating_a_session_returns_it(store: &dyn MemoryStore) {
    let metadata = object(json!({"model": "x", "tokens": [1, 2]}));
    let new = new_session(1, "Greetings").with_metadata(metadata.clone());
    let wanted = Session {
        tenant_id: ada(),
        id: session_id(1),
        title: "Greetings".to_owned(),
        metadata,
        created_at: at(2),
        updated_at: at(2),
        message_count: 0,
    };
    let created = store.create_session(&ada(), new, at(2)).await.unwrap();
    assert_eq!(created, wanted);
    assert_eq!(the_session(store, 1).await, wanted);
}

pub(crate) async fn creating_the_same_session_again_is_the_same_write(store: &dyn MemoryStore) {
    let new = new_session(1, "talk").with_metadata(object(json!({"a": 1.0})));
    let first = store.create_session(&ada(), new.clone(), at(0)).await;
    let again = store.create_session(&ada(), new.clone(), at(9)).await;
    assert_eq!(first.unwrap(), again.unwrap());
    let messages = vec![new_message(1, "hello")];
    store
        .append(&ada(), session_id(1), messages, at(10))
        .await
        .unwrap();
    let again = store.create_session(&ada(), new, at(11)).await.unwrap();
    assert_eq!((again.message_count, again.updated_at), (1, at(10)));
    assert_eq!(the_session(store, 1).await, again);
}

pub(crate) async fn a_session_with_other_content_is_a_conflict(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let before = the_session(store, 1).await;
    let metadata = object(json!({"a": 1}));
    for other in [
        new_session(1, "Talk"),
        new_session(1, "talk "),
        new_session(1, "talk").with_metadata(metadata),
    ] {
        assert_refused!(store.create_session(&ada(), other, at(1)).await, Conflict);
    }
    assert_eq!(the_session(store, 1).await, before);
    store
        .rename_session(&ada(), session_id(1), "other".to_owned(), at(2))
        .await
        .unwrap();
    let first = new_session(1, "talk");
    assert_refused!(store.create_session(&ada(), first, at(3)).await, Conflict);
}

pub(crate) async fn a_session_that_is_not_there_is_none(store: &dyn MemoryStore) {
    assert_eq!(store.session(&ada(), session_id(1)).await.unwrap(), None);
    given_session(store, &ada()).await;
    assert_eq!(store.session(&ada(), session_id(2)).await.unwrap(), None);
}

pub(crate) async fn two_tenants_may_use_the_same_session_id(store: &dyn MemoryStore) {
    let bea = tenant("bea");
    given_session(store, &ada()).await;
    let hers = new_session(1, "hers");
    store.create_session(&bea, hers, at(1)).await.unwrap();
    assert_eq!(the_session(store, 1).await.title, "talk");
    store
        .delete_session(&ada(), session_id(1), at(2))
        .await
        .unwrap();
    let hers = store.session(&bea, session_id(1)).await.unwrap();
    assert_eq!(hers.unwrap().title, "hers");
}

pub(crate) async fn a_title_is_kept_to_the_byte(store: &dyn MemoryStore) {
    let long = "ü€🦀".repeat(120_000);
    let titles = [
        "",
        " ",
        "\t\n\r",
        "\u{1}\u{7f}\u{feff}\u{200d}",
        "👩‍👩‍👧‍👦 'quoted' \"twice\" \\ % _ $1 ?",
        "e\u{301} is not é",
        &long,
    ];
    for (id, title) in (1..).zip(titles) {
        let new = new_session(id, title);
        let created = store.create_session(&ada(), new, at(0)).await.unwrap();
        assert!(created.title == title, "{title:.20?} came back otherwise");
        let found = the_session(store, id).await.title;
        assert!(found == title, "{title:.20?} was stored otherwise");
    }
}

pub(crate) async fn renaming_sets_title_and_time_of_update(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let before = the_session(store, 1).await;
    store
        .rename_session(&ada(), session_id(1), "🎈".to_owned(), at(5))
        .await
        .unwrap();
    let wanted = Session {
        title: "🎈".to_owned(),
        updated_at: at(5),
        ..before
    };
    assert_eq!(the_session(store, 1).await, wanted);
}

pub(crate) async fn metadata_of_a_session_is_replaced(store: &dyn MemoryStore) {
    let new = new_session(1, "talk").with_metadata(object(json!({"a": 1, "b": 2})));
    let before = store.create_session(&ada(), new, at(0)).await.unwrap();
    let metadata = object(json!({"b": null, "c": {"d": [2.0]}}));
    store
        .set_session_metadata(&ada(), session_id(1), metadata, at(6))
        .await
        .unwrap();
    let wanted = Session {
        metadata: object(json!({"b": null, "c": {"d": [2]}})),
        updated_at: at(6),
        ..before
    };
    assert_eq!(the_session(store, 1).await, wanted);
}

pub(crate) async fn changing_a_session_that_is_not_there_is_not_found(store: &dyn MemoryStore) {
    // Once without the tenant, and once with it.
    for _ in 0..2 {
        let id = session_id(9);
        let title = "x".to_owned();
        assert_refused!(
            store.rename_session(&ada(), id, title, at(0)).await,
            NotFound
        );
        let none = JsonObject::new();
        assert_refused!(
            store.set_session_metadata(&ada(), id, none, at(0)).await,
            NotFound
        );
        assert_refused!(store.delete_session(&ada(), id, at(0)).await, NotFound);
        assert_refused!(store.clear_session(&ada(), id, at(0)).await, NotFound);
        given_session(store, &ada()).await;
    }
}

pub(crate) async fn deleting_a_session_takes_its_messages_along(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let other = new_session(2, "other");
    store.create_session(&ada(), other, at(0)).await.unwrap();
    for (session, message) in [(1, 1), (1, 2), (2, 3)] {
        let messages = vec![new_message(message, "x")];
        store
            .append(&ada(), session_id(session), messages, at(0))
            .await
            .unwrap();
    }
    store
        .delete_session(&ada(), session_id(1), at(1))
        .await
        .unwrap();
    assert_eq!(store.session(&ada(), session_id(1)).await.unwrap(), None);
    for (message, there) in [(1, false), (2, false), (3, true)] {
        let found = store.message(&ada(), message_id(message)).await.unwrap();
        assert_eq!(found.is_some(), there, "message {message}");
    }
    let again = store.delete_session(&ada(), session_id(1), at(1)).await;
    assert_refused!(again, NotFound);
    // Both ids are free again, and numbering begins at 1.
    given_session(store, &ada()).await;
    let messages = vec![new_message(1, "anew")];
    let appended = store.append(&ada(), session_id(1), messages, at(2)).await;
    assert_eq!(appended.unwrap()[0].number, 1);
}

pub(crate) async fn clearing_counts_and_numbers_start_at_1_again(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let messages = (1..=3).map(|id| new_message(id, "x")).collect();
    store
        .append(&ada(), session_id(1), messages, at(1))
        .await
        .unwrap();
    let cleared = store.clear_session(&ada(), session_id(1), at(5)).await;
    assert_eq!(cleared.unwrap(), 3);
    let session = the_session(store, 1).await;
    assert_eq!((session.message_count, session.updated_at), (0, at(5)));
    assert_eq!(
        (session.title.as_str(), session.created_at),
        ("talk", at(0))
    );
    let history = store
        .history(&ada(), session_id(1), Limit::MAX, None)
        .await
        .unwrap();
    assert_eq!(history, []);
    let messages = vec![new_message(3, "again"), new_message(4, "more")];
    let appended = store
        .append(&ada(), session_id(1), messages, at(6))
        .await
        .unwrap();
    assert_eq!((appended[0].number, appended[1].number), (1, 2));
    assert_eq!(the_session(store, 1).await.message_count, 2);
}

pub(crate) async fn clearing_an_empty_session_counts_none(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let cleared = store.clear_session(&ada(), session_id(1), at(0)).await;
    assert_eq!(cleared.unwrap(), 0);
}

async fn ids_by_pages_of(store: &dyn MemoryStore, rows: u32) -> Vec<u128> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = store.sessions(&ada(), limit(rows), after).await.unwrap();
        assert!(page.len() <= rows as usize, "a page is longer than asked");
        let Some(last) = page.last() else { return ids };
        after = Some(last.cursor());
        ids.extend(page.iter().map(|session| session.id.uuid().as_u128()));
        assert!(ids.len() <= 100, "the listing does not end: {ids:?}");
    }
}

pub(crate) async fn sessions_are_listed_last_updated_first_then_the_greater_id(
    store: &dyn MemoryStore,
) {
    // The greatest id has its highest bit set: ids compare as bytes, not as signed numbers.
    let greatest = u128::MAX - 5;
    for (id, seconds) in [(3, 10), (1, 10), (greatest, 10), (2, 10), (4, 30), (5, 20)] {
        store
            .create_session(&ada(), new_session(id, ""), at(seconds))
            .await
            .unwrap();
    }
    given_session(store, &tenant("bea")).await;
    let wanted = [4, 5, greatest, 3, 2, 1];
    for rows in [1, 2, 3, 4, 1_000] {
        assert_eq!(ids_by_pages_of(store, rows).await, wanted, "by {rows}");
    }
    let messages = vec![new_message(1, "x")];
    store
        .append(&ada(), session_id(2), messages, at(40))
        .await
        .unwrap();
    assert_eq!(
        ids_by_pages_of(store, 2).await,
        [2, 4, 5, greatest, 3, 1],
        "a message moves its session to the front"
    );
    assert_eq!(store.sessions(&ada(), limit(0), None).await.unwrap(), []);
}

pub(crate) async fn sessions_are_listed_by_50_when_nothing_is_said(store: &dyn MemoryStore) {
    for id in 1..=51 {
        store
            .create_session(&ada(), new_session(id, ""), at(0))
            .await
            .unwrap();
    }
    let page = store
        .sessions(&ada(), Limit::default(), None)
        .await
        .unwrap();
    assert_eq!(page.len(), 50);
    let all = store.sessions(&ada(), Limit::MAX, None).await.unwrap();
    assert_eq!(all.len(), 51);
}

pub(crate) async fn a_listed_session_is_whole(store: &dyn MemoryStore) {
    let new = new_session(1, "t").with_metadata(object(json!({"k": [null]})));
    store.create_session(&ada(), new, at(0)).await.unwrap();
    let messages = vec![new_message(1, "x"), new_message(2, "y")];
    store
        .append(&ada(), session_id(1), messages, at(1))
        .await
        .unwrap();
    let listed = store.sessions(&ada(), limit(1), None).await.unwrap();
    assert_eq!(listed, [the_session(store, 1).await]);
    assert_eq!(listed[0].message_count, 2);
}

pub(crate) async fn the_first_and_the_last_moment_are_stored(store: &dyn MemoryStore) {
    let moments = [
        Timestamp::MIN,
        Timestamp::from_micros(-1).unwrap(),
        Timestamp::UNIX_EPOCH,
        Timestamp::from_micros(1).unwrap(),
        Timestamp::MAX,
    ];
    for (id, moment) in (1..).zip(moments) {
        let new = new_session(id, "");
        let created = store.create_session(&ada(), new, moment).await.unwrap();
        assert_eq!(created.created_at, moment);
        assert_eq!(the_session(store, id).await.updated_at, moment);
    }
    for rows in [1, 1_000] {
        assert_eq!(ids_by_pages_of(store, rows).await, [5, 4, 3, 2, 1]);
    }
    let ada = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(
        (ada.created_at, ada.last_active_at),
        (Timestamp::MIN, Timestamp::MAX)
    );
}
