use memory_domain::{Limit, Message, MessageCursor, MessageRange, NewMessage, Role, Timestamp};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_refused, at, given_session, limit, message_id, new_message, new_session, object,
    session_id, tenant,
};

fn numbers(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.number).collect()
}

fn ids(messages: &[Message]) -> Vec<u128> {
    messages
        .iter()
        .map(|message| message.id.uuid().as_u128())
        .collect()
}

/// Appends messages with these ids and the content "x" to session 1.
async fn append(store: &dyn MemoryStore, ids: &[u128], seconds: i64) -> Vec<Message> {
    let messages = ids.iter().map(|id| new_message(*id, "x")).collect();
    store
        .append(&ada(), session_id(1), messages, at(seconds))
        .await
        .unwrap()
}

async fn history(store: &dyn MemoryStore, rows: u32, before: Option<i64>) -> Vec<i64> {
    let messages = store
        .history(&ada(), session_id(1), limit(rows), before)
        .await
        .unwrap();
    numbers(&messages)
}

/// The count and the time of update of session 1.
async fn count_and_time(store: &dyn MemoryStore) -> (i64, Timestamp) {
    let session = store.session(&ada(), session_id(1)).await.unwrap().unwrap();
    (session.message_count, session.updated_at)
}

pub(crate) async fn appending_numbers_messages_and_touches_the_session(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let metadata = object(json!({"tokens": 12}));
    let messages = vec![
        new_message(20, "hello"),
        NewMessage::assistant("안녕 🦀")
            .with_id(message_id(10))
            .with_metadata(metadata.clone()),
    ];
    let appended = store
        .append(&ada(), session_id(1), messages, at(3))
        .await
        .unwrap();
    let first = Message {
        tenant_id: ada(),
        id: message_id(20),
        session_id: session_id(1),
        number: 1,
        role: Role::USER,
        content: "hello".to_owned(),
        metadata: object(json!({})),
        created_at: at(3),
    };
    let second = Message {
        id: message_id(10),
        number: 2,
        role: Role::ASSISTANT,
        content: "안녕 🦀".to_owned(),
        metadata,
        ..first.clone()
    };
    assert_eq!(appended, [first.clone(), second.clone()]);
    for wanted in [first, second] {
        let found = store.message(&ada(), wanted.id).await.unwrap();
        assert_eq!(found, Some(wanted));
    }
    assert_eq!(count_and_time(store).await, (2, at(3)));
    assert_eq!(numbers(&append(store, &[5, 4, 30], 8).await), [3, 4, 5]);
    assert_eq!(count_and_time(store).await, (5, at(8)));
}

pub(crate) async fn the_same_message_again_is_the_same_message(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let first = append(store, &[1, 2], 1).await;
    assert_eq!(append(store, &[1, 2], 9).await, first);
    assert_eq!(append(store, &[2], 9).await, first[1..]);
    assert_eq!(count_and_time(store).await, (2, at(1)));
    // New ones among known ones get the next numbers, without a gap.
    let mixed = append(store, &[7, 1, 8, 2], 10).await;
    assert_eq!(numbers(&mixed), [3, 1, 4, 2]);
    assert_eq!(
        (mixed[1].clone(), mixed[3].clone()),
        (first[0].clone(), first[1].clone())
    );
    assert_eq!(count_and_time(store).await, (4, at(10)));
    assert_eq!(history(store, 10, None).await, [1, 2, 3, 4]);
}

pub(crate) async fn a_message_twice_in_one_batch_is_one_message(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let appended = append(store, &[1, 2, 1, 3, 2], 1).await;
    assert_eq!(numbers(&appended), [1, 2, 1, 3, 2]);
    assert_eq!(ids(&appended), [1, 2, 1, 3, 2]);
    assert_eq!(count_and_time(store).await, (3, at(1)));
    assert_eq!(numbers(&append(store, &[4], 1).await), [4]);
}

pub(crate) async fn a_message_with_other_content_is_a_conflict(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let other = new_session(2, "other");
    store.create_session(&ada(), other, at(0)).await.unwrap();
    append(store, &[1], 1).await;
    let metadata = object(json!({"a": 1}));
    for (session, message) in [
        (1, new_message(1, "X")),
        (1, new_message(1, "x").with_metadata(metadata)),
        (1, NewMessage::assistant("x").with_id(message_id(1))),
        (2, new_message(1, "x")),
    ] {
        // The good ones around it are not stored either.
        let batch = vec![new_message(2, "x"), message, new_message(3, "x")];
        let result = store
            .append(&ada(), session_id(session), batch, at(2))
            .await;
        assert_refused!(result, Conflict);
    }
    assert_eq!(count_and_time(store).await, (1, at(1)));
    assert_eq!(store.message(&ada(), message_id(2)).await.unwrap(), None);
    assert_eq!(numbers(&append(store, &[2], 3).await), [2]);
}

pub(crate) async fn a_message_twice_in_one_batch_with_other_content_is_a_conflict(
    store: &dyn MemoryStore,
) {
    given_session(store, &ada()).await;
    let batch = vec![
        new_message(1, "x"),
        new_message(2, "x"),
        new_message(1, "y"),
    ];
    let result = store.append(&ada(), session_id(1), batch, at(1)).await;
    assert_refused!(result, Conflict);
    assert_eq!(count_and_time(store).await, (0, at(0)));
    assert_eq!(history(store, 10, None).await, [0_i64; 0]);
}

pub(crate) async fn appending_to_no_session_is_a_missing_reference(store: &dyn MemoryStore) {
    let batch = || vec![new_message(1, "x")];
    let result = store.append(&ada(), session_id(1), batch(), at(1)).await;
    assert_refused!(result, MissingReference);
    given_session(store, &tenant("bea")).await;
    given_session(store, &ada()).await;
    let result = store.append(&ada(), session_id(2), batch(), at(1)).await;
    assert_refused!(result, MissingReference);
    assert_eq!(store.message(&ada(), message_id(1)).await.unwrap(), None);
    store
        .delete_session(&ada(), session_id(1), at(1))
        .await
        .unwrap();
    let result = store.append(&ada(), session_id(1), batch(), at(1)).await;
    assert_refused!(result, MissingReference);
}

pub(crate) async fn a_batch_of_messages_has_at_most_1000(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    assert_eq!(append(store, &[], 1).await, []);
    let batch = (1..=1_001).map(|id| new_message(id, "x")).collect();
    let result = store.append(&ada(), session_id(1), batch, at(1)).await;
    assert_refused!(result, Invalid);
    assert_eq!(count_and_time(store).await, (0, at(0)));
    let ids: Vec<u128> = (1..=1_000).collect();
    let wanted: Vec<i64> = (1..=1_000).collect();
    assert_eq!(numbers(&append(store, &ids, 1).await), wanted);
    assert_eq!(history(store, 1_000, None).await, wanted);
    assert_eq!(count_and_time(store).await.0, 1_000);
}

pub(crate) async fn history_gives_the_newest_oldest_first_and_pages_backwards(
    store: &dyn MemoryStore,
) {
    given_session(store, &ada()).await;
    // Times run against the numbers, and ids too: only numbers count.
    for (id, seconds) in [
        (9, 50),
        (8, 40),
        (7, 30),
        (6, 20),
        (5, 10),
        (4, 10),
        (3, 10),
    ] {
        append(store, &[id], seconds).await;
    }
    assert_eq!(history(store, 3, None).await, [5, 6, 7]);
    assert_eq!(history(store, 3, Some(5)).await, [2, 3, 4]);
    assert_eq!(history(store, 3, Some(2)).await, [1]);
    assert_eq!(history(store, 3, Some(1)).await, [0_i64; 0]);
    assert_eq!(history(store, 3, Some(0)).await, [0_i64; 0]);
    assert_eq!(history(store, 3, Some(i64::MIN)).await, [0_i64; 0]);
    assert_eq!(history(store, 2, Some(i64::MAX)).await, [6, 7]);
    assert_eq!(history(store, 2, Some(100)).await, [6, 7]);
    assert_eq!(history(store, 0, None).await, [0_i64; 0]);
    assert_eq!(history(store, 1_000, None).await, [1, 2, 3, 4, 5, 6, 7]);
}

pub(crate) async fn history_of_no_session_is_empty(store: &dyn MemoryStore) {
    assert_eq!(history(store, 10, None).await, [0_i64; 0]);
    given_session(store, &ada()).await;
    assert_eq!(history(store, 10, None).await, [0_i64; 0]);
}

pub(crate) async fn history_gives_50_when_nothing_is_said(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    append(store, &(1..=60).collect::<Vec<_>>(), 0).await;
    let newest = store
        .history(&ada(), session_id(1), Limit::default(), None)
        .await
        .unwrap();
    assert_eq!(numbers(&newest), (11..=60).collect::<Vec<i64>>());
}

/// Two sessions with messages at the seconds that equal the tens of their ids.
async fn given_messages_over_time(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let other = new_session(2, "other");
    store.create_session(&ada(), other, at(0)).await.unwrap();
    for (session, id) in [
        (1, 32),
        (1, 31),
        (2, 33),
        (1, 10),
        (2, 20),
        (2, 40),
        (1, 50),
    ] {
        let seconds = i64::try_from(id).unwrap() / 10;
        let batch = vec![new_message(id, "x")];
        store
            .append(&ada(), session_id(session), batch, at(seconds))
            .await
            .unwrap();
    }
}

async fn between(store: &dyn MemoryStore, range: MessageRange, rows: u32) -> Vec<u128> {
    let messages = store.messages_between(&ada(), range, limit(rows)).await;
    ids(&messages.unwrap())
}

pub(crate) async fn messages_between_includes_both_ends(store: &dyn MemoryStore) {
    given_messages_over_time(store).await;
    let always = MessageRange::between(Timestamp::MIN, Timestamp::MAX);
    let all = [10, 20, 31, 32, 33, 40, 50];
    assert_eq!(between(store, always, 1_000).await, all);
    let range = MessageRange::between(at(2), at(4));
    assert_eq!(between(store, range, 1_000).await, [20, 31, 32, 33, 40]);
    let moment = MessageRange::between(at(3), at(3));
    assert_eq!(between(store, moment, 1_000).await, [31, 32, 33]);
    let microsecond = |micros| Timestamp::from_micros(at(3).micros() + micros).unwrap();
    let range = MessageRange::between(microsecond(1), at(4));
    assert_eq!(between(store, range, 1_000).await, [40]);
    let range = MessageRange::between(at(2), microsecond(-1));
    assert_eq!(between(store, range, 1_000).await, [20]);
    let backwards = MessageRange::between(at(4), at(2));
    assert_eq!(between(store, backwards, 1_000).await, [0_u128; 0]);
    assert_eq!(between(store, always, 0).await, [0_u128; 0]);
    assert_eq!(between(store, always, 2).await, [10, 20]);
}

pub(crate) async fn messages_between_of_one_session(store: &dyn MemoryStore) {
    given_messages_over_time(store).await;
    let mut range = MessageRange::between(at(2), at(5));
    range.session = Some(session_id(1));
    assert_eq!(between(store, range, 1_000).await, [31, 32, 50]);
    range.session = Some(session_id(9));
    assert_eq!(between(store, range, 1_000).await, [0_u128; 0]);
}

pub(crate) async fn messages_between_pages_without_gap_or_repetition(store: &dyn MemoryStore) {
    given_messages_over_time(store).await;
    let sessions = [
        (None, vec![10, 20, 31, 32, 33, 40, 50]),
        (Some(session_id(2)), vec![20, 33, 40]),
    ];
    for (session, wanted) in sessions {
        for rows in 1..=4 {
            let mut range = MessageRange::between(at(1), at(5));
            range.session = session;
            let mut found = Vec::new();
            loop {
                let page = store.messages_between(&ada(), range, limit(rows)).await;
                let page = page.unwrap();
                let Some(last) = page.last() else { break };
                range.after = Some(last.cursor());
                found.extend(ids(&page));
                assert!(found.len() <= 20, "the listing does not end");
            }
            assert_eq!(found, wanted, "by {rows}");
        }
    }
    // A cursor need not name a message that is there.
    let mut range = MessageRange::between(at(1), at(5));
    let (created_at, id) = (at(3), message_id(32));
    range.after = Some(MessageCursor { created_at, id });
    store
        .delete_session(&ada(), session_id(1), at(6))
        .await
        .unwrap();
    assert_eq!(between(store, range, 1_000).await, [33, 40]);
}

pub(crate) async fn content_is_kept_to_the_byte(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let long = "0123456789abcdef".repeat(65_536);
    let contents = [
        "",
        "  two  spaces  ",
        "line\r\nline\n\n",
        "\u{1}\u{1f}\u{7f}\u{80}\u{fffd}\u{10ffff}",
        "한국어 日本語 中文 العربية 🏳️‍🌈",
        r#"\x00 \u0000 {"a": 'b'} $$ -- /* ? ?? :name @x %s"#,
        &long,
    ];
    let batch = (1..)
        .zip(contents)
        .map(|(id, content)| new_message(id, content))
        .collect();
    store
        .append(&ada(), session_id(1), batch, at(0))
        .await
        .unwrap();
    for (id, content) in (1..).zip(contents) {
        let found = store.message(&ada(), message_id(id)).await.unwrap();
        assert!(found.unwrap().content == content, "{content:.20?}");
    }
}

pub(crate) async fn a_role_of_ones_own_has_up_to_512_bytes(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let role = Role::new("é".repeat(256)).unwrap();
    let message = NewMessage::new(role.clone(), "x").with_id(message_id(1));
    store
        .append(&ada(), session_id(1), vec![message], at(0))
        .await
        .unwrap();
    let found = store.message(&ada(), message_id(1)).await.unwrap();
    assert_eq!(found.unwrap().role, role);
    assert!(Role::new("é".repeat(256) + "x").is_err());
}

pub(crate) async fn a_session_is_never_updated_backwards(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    append(store, &[1], 50).await;
    let early = append(store, &[2], 20).await;
    assert_eq!((early[0].number, early[0].created_at), (2, at(20)));
    assert_eq!(count_and_time(store).await, (2, at(50)));
}
