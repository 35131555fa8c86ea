use std::fmt::Write as _;

use memory_domain::{
    ContextType, EntityType, Found, NewMessage, NewNode, NodePatch, Role, SearchFilter, SearchHit,
    SearchMode, SearchPlace, SearchQuery, SearchScope,
};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_refused, at, given_session, limit, message_id, new_message, new_node, new_session,
    node_id, object, session_id, tenant,
};

fn number(hit: &SearchHit) -> u128 {
    hit.cursor().id.as_u128()
}

async fn hits(store: &dyn MemoryStore, query: SearchQuery) -> Vec<SearchHit> {
    store.search(&ada(), query, limit(1_000)).await.unwrap()
}

async fn found(store: &dyn MemoryStore, query: SearchQuery) -> Vec<u128> {
    hits(store, query).await.iter().map(number).collect()
}

async fn given_messages(store: &dyn MemoryStore, texts: &[&str]) {
    given_session(store, &ada()).await;
    for (id, text) in (1..).zip(texts) {
        let message = vec![new_message(id, text)];
        let moment = at(i64::try_from(id).unwrap());
        store
            .append(&ada(), session_id(1), message, moment)
            .await
            .unwrap();
    }
}

/// What is searched, the first being 1; each is newer than the one before.
const TEXTS: [&str; 21] = [
    "The multi-agent loop",
    "multi agent systems",
    "Reads 3 GB/s from disk",
    "GB s",
    "I don't know",
    "I don’t care",
    "ask @nasa now",
    "NASA said",
    "C++ or C",
    "C/C++, Rust",
    "say a\"b twice",
    "this AND that",
    "col:val or col val",
    "2*3 = 6",
    "100% sure",
    "100 sure",
    "snake_case",
    "去北京大学",
    "한국어를 배우다",
    "ship 🦀 it",
    "",
];

/// Texts, and which of [`TEXTS`] they find: newest first.
const FOUND: &[(SearchMode, &str, &[u128])] = &[
    (SearchMode::Words, "multi-agent", &[2, 1]),
    (SearchMode::Words, "MULTI agent", &[2, 1]),
    (SearchMode::Words, "agent multi", &[2, 1]),
    (SearchMode::Words, "GB/s", &[3]),
    (SearchMode::Words, "gb s", &[4, 3]),
    (SearchMode::Words, "don't", &[6, 5]),
    (SearchMode::Words, "don’t", &[6, 5]),
    (SearchMode::Words, "@nasa", &[7]),
    (SearchMode::Words, "nasa", &[8, 7]),
    (SearchMode::Words, "C++", &[10, 9]),
    (SearchMode::Words, "Ｃ＋＋", &[10, 9]),
    (SearchMode::Words, "c", &[10, 9]),
    (SearchMode::Words, "a\"b", &[11]),
    (SearchMode::Words, "AND", &[12]),
    (SearchMode::Words, "this AND that", &[12]),
    (SearchMode::Words, "this OR that", &[]),
    (SearchMode::Words, "NOT", &[]),
    (SearchMode::Words, "col:val", &[13]),
    (SearchMode::Words, "*", &[14]),
    (SearchMode::Words, "100%", &[15]),
    (SearchMode::Words, "100", &[16, 15]),
    (SearchMode::Words, "(sure)", &[16, 15]),
    (SearchMode::Words, "sure:*", &[]),
    (SearchMode::Words, "su*", &[]),
    (SearchMode::Words, "_", &[17]),
    (SearchMode::Words, "snake case", &[17]),
    (SearchMode::Words, "北京", &[18]),
    (SearchMode::Words, "北京大学", &[18]),
    (SearchMode::Words, "京", &[18]),
    (SearchMode::Words, "学", &[18]),
    (SearchMode::Words, "京北", &[]),
    (SearchMode::Words, "한국어", &[19]),
    (SearchMode::Words, "한국어를", &[19]),
    (SearchMode::Words, "🦀", &[20]),
    (SearchMode::Words, "", &[]),
    (SearchMode::Words, "\" ' ( - , NEAR(", &[]),
    (SearchMode::Words, "\"", &[]),
    (SearchMode::Words, "\\", &[]),
    (SearchMode::Words, "sure '", &[16, 15]),
    (SearchMode::Phrase, "agent loop", &[1]),
    (SearchMode::Phrase, "loop agent", &[]),
    (SearchMode::Phrase, "multi agent", &[2, 1]),
    (SearchMode::Phrase, "say a b", &[11]),
    (SearchMode::Phrase, "去北京", &[18]),
    (SearchMode::Prefix, "mul", &[2, 1]),
    (SearchMode::Prefix, "multi-ag", &[2, 1]),
    (SearchMode::Prefix, "loop mul", &[1]),
    (SearchMode::Prefix, "@na", &[7]),
    (SearchMode::Prefix, "C+", &[10, 9]),
    (SearchMode::Prefix, "kno", &[5]),
    (SearchMode::Prefix, "北京大", &[18]),
    (SearchMode::Prefix, "", &[]),
    (SearchMode::Prefix, "*", &[14]),
    (SearchMode::Substring, "multi-agent", &[1]),
    (SearchMode::Substring, "gent", &[2, 1]),
    (SearchMode::Substring, "GB/s", &[3]),
    (SearchMode::Substring, "don't", &[6, 5]),
    (SearchMode::Substring, "@nasa", &[7]),
    (SearchMode::Substring, "C++", &[10, 9]),
    (SearchMode::Substring, "a\"b", &[11]),
    (SearchMode::Substring, "AND", &[12]),
    (SearchMode::Substring, "col:val", &[13]),
    (SearchMode::Substring, "*", &[14]),
    (SearchMode::Substring, "100%", &[15]),
    (SearchMode::Substring, "%", &[15]),
    (SearchMode::Substring, "_", &[17]),
    (SearchMode::Substring, "_case", &[17]),
    (SearchMode::Substring, "北京", &[18]),
    (SearchMode::Substring, "北京大", &[18]),
    (SearchMode::Substring, "한국어", &[19]),
    (SearchMode::Substring, "🦀", &[20]),
    (SearchMode::Substring, " 🦀 ", &[20]),
    (SearchMode::Substring, "", &[]),
    (SearchMode::Substring, "sure ", &[]),
];

pub(crate) async fn what_is_typed_is_found_as_it_is(store: &dyn MemoryStore) {
    given_messages(store, &TEXTS).await;
    for (mode, text, wanted) in FOUND {
        let query = SearchQuery::words(*text).with_mode(*mode);
        assert_eq!(found(store, query).await, *wanted, "{mode:?} {text:?}");
    }
}

pub(crate) async fn a_node_is_found_by_its_values_and_not_by_their_keys(store: &dyn MemoryStore) {
    let nodes = (1..).zip(TEXTS).map(|(id, text)| NewNode {
        content: object(json!({"text": text, "more": {"key": [1.5, true, null, "apart"]}})),
        ..new_node(id)
    });
    for node in nodes {
        let moment = at(i64::try_from(node.id.uuid().as_u128()).unwrap());
        store.remember(&ada(), vec![node], moment).await.unwrap();
    }
    for (mode, text, wanted) in FOUND {
        let query = SearchQuery::words(*text).with_mode(*mode);
        assert_eq!(found(store, query).await, *wanted, "{mode:?} {text:?}");
    }
    for absent in ["text", "more", "key", "true", "null"] {
        let query = SearchQuery::words(absent);
        assert_eq!(found(store, query).await, [0; 0], "{absent}");
    }
    assert_eq!(found(store, SearchQuery::words("1.5")).await.len(), 21);
    // Two values do not stand next to each other.
    assert_eq!(found(store, SearchQuery::phrase("5 apart")).await, [0; 0]);
    assert_eq!(found(store, SearchQuery::words("5 apart")).await.len(), 21);
}

pub(crate) async fn hits_in_a_title_come_first_then_the_newest_then_the_smaller_id(
    store: &dyn MemoryStore,
) {
    given_session(store, &ada()).await;
    let content = |id| NewNode {
        content: object(json!({"a": "blue"})),
        ..new_node(id)
    };
    let summary = |id, text: &str| new_node(id).with_summary(text);
    let named = |id| NewNode {
        name: Some("Blue".to_owned()),
        ..new_node(id)
    };
    let nodes = vec![
        content(7),
        summary(5, "a blue one"),
        named(6),
        // Only one of the words is in the title.
        summary(4, "whale").with_content(object(json!({"a": "blue"}))),
    ];
    store.remember(&ada(), nodes, at(1)).await.unwrap();
    store.remember(&ada(), vec![named(2)], at(2)).await.unwrap();
    store
        .remember(&ada(), vec![content(3)], at(3))
        .await
        .unwrap();
    let messages = vec![new_message(7, "blue"), new_message(1, "Blue whale")];
    store
        .append(&ada(), session_id(1), messages, at(1))
        .await
        .unwrap();

    let all = hits(store, SearchQuery::words("blue")).await;
    let shown: Vec<_> = all
        .iter()
        .map(|hit| {
            let kind = matches!(hit.found, Found::Node(_)).then_some("node");
            (number(hit), kind.unwrap_or("message"), hit.in_title)
        })
        .collect();
    let wanted = [
        (2, "node", true),
        (5, "node", true),
        (6, "node", true),
        (3, "node", false),
        (1, "message", false),
        (4, "node", false),
        (7, "message", false),
        (7, "node", false),
    ];
    assert_eq!(shown, wanted);
    assert_eq!(found(store, SearchQuery::words("blue whale")).await, [1, 4]);
    assert_eq!(
        found(store, SearchQuery::substring("blu")).await,
        [2, 5, 6, 3, 1, 4, 7, 7]
    );

    for rows in [1, 2, 3, 8] {
        let (mut paged, mut query) = (Vec::new(), SearchQuery::words("blue"));
        loop {
            let page = store
                .search(&ada(), query.clone(), limit(rows))
                .await
                .unwrap();
            assert!(page.len() <= rows as usize);
            let Some(last) = page.last() else { break };
            query = query.after(last.cursor());
            paged.extend(page);
        }
        assert_eq!(paged, all, "by {rows}");
    }
    let none = store
        .search(&ada(), SearchQuery::words("blue"), limit(0))
        .await;
    assert_eq!(none.unwrap(), []);
}

pub(crate) async fn a_hit_is_whole_and_says_where_it_was_found(store: &dyn MemoryStore) {
    use SearchPlace::{Content, Name, Summary, Tags};
    given_session(store, &ada()).await;
    let node = NewNode {
        name: Some("Ada".to_owned()),
        ..new_node(1)
    };
    let node = node
        .with_summary("Ada of London")
        .with_tag("Ada")
        .with_tag("London")
        .with_content(object(
            json!({"entity_data": {"place": "London"}, "by": "ada"}),
        ));
    store.remember(&ada(), vec![node], at(1)).await.unwrap();
    let message = vec![new_message(2, "London")];
    store
        .append(&ada(), session_id(1), message, at(2))
        .await
        .unwrap();
    let node = store.node(&ada(), node_id(1)).await.unwrap().unwrap();
    let message = store.message(&ada(), message_id(2)).await.unwrap().unwrap();
    let in_node = |in_title, places: &[SearchPlace]| SearchHit {
        found: Found::Node(Box::new(node.clone())),
        in_title,
        places: places.iter().copied().collect(),
    };
    let in_message = SearchHit {
        found: Found::Message(Box::new(message)),
        in_title: false,
        places: [Content].into(),
    };
    let london = in_node(true, &[Summary, Tags, Content]);
    let wanted = [london, in_message];
    assert_eq!(hits(store, SearchQuery::words("london")).await, wanted);
    assert_eq!(hits(store, SearchQuery::substring("ondon")).await, wanted);
    let everywhere = [in_node(true, &[Name, Summary, Tags, Content])];
    assert_eq!(hits(store, SearchQuery::words("ada")).await, everywhere);
    assert_eq!(
        hits(store, SearchQuery::words("ada london")).await,
        everywhere
    );
    assert_eq!(
        hits(store, SearchQuery::phrase("of London")).await,
        [in_node(true, &[Summary])]
    );
}

pub(crate) async fn scope_and_filter_leave_out_what_does_not_meet_them(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    store
        .create_session(&ada(), new_session(2, "other"), at(0))
        .await
        .unwrap();
    for (id, session, role) in [
        (1, 1, Role::USER),
        (2, 1, Role::ASSISTANT),
        (3, 2, Role::USER),
    ] {
        let message = NewMessage::new(role, "red").with_id(message_id(id));
        let moment = at(i64::try_from(id).unwrap());
        store
            .append(&ada(), session_id(session), vec![message], moment)
            .await
            .unwrap();
    }
    let typed = |id, context_type, entity_type| NewNode {
        context_type,
        entity_type,
        ..new_node(id).with_content(object(json!({"a": "red"})))
    };
    let fact = ContextType::ConversationFact;
    for node in [
        typed(4, fact, None).with_tag("T"),
        typed(5, ContextType::ToolOutput, None).with_tag("u"),
        typed(6, fact, Some(EntityType::FILE))
            .with_tag("t")
            .with_tag("u"),
    ] {
        let moment = at(i64::try_from(node.id.uuid().as_u128()).unwrap());
        store.remember(&ada(), vec![node], moment).await.unwrap();
    }
    let only = |set: &dyn Fn(&mut SearchFilter)| {
        let mut filter = SearchFilter::default();
        set(&mut filter);
        filter
    };
    let tag = |tag: &str| Some(tag.to_owned());
    let file = || Some(EntityType::FILE);
    for (filter, wanted) in [
        (only(&|_| ()), vec![6, 5, 4, 3, 2, 1]),
        (only(&|f| f.session = Some(session_id(1))), vec![2, 1]),
        (only(&|f| f.role = Some(Role::USER)), vec![3, 1]),
        (
            only(&|f| (f.session, f.role) = (Some(session_id(1)), Some(Role::USER))),
            vec![1],
        ),
        (only(&|f| f.context_type = Some(fact)), vec![6, 4]),
        (only(&|f| f.entity_type = file()), vec![6]),
        (only(&|f| f.tag = tag("T")), vec![6, 4]),
        (
            only(&|f| (f.tag, f.context_type) = (tag("u"), Some(fact))),
            vec![6],
        ),
        (
            only(&|f| (f.tag, f.role) = (tag("u"), Some(Role::USER))),
            vec![],
        ),
        (
            only(&|f| (f.from, f.to) = (Some(at(2)), Some(at(5)))),
            vec![5, 4, 3, 2],
        ),
        (only(&|f| f.from = Some(at(7))), vec![]),
    ] {
        for query in [
            SearchQuery::words("red"),
            SearchQuery::substring("red"),
            SearchQuery::substring("re"),
        ] {
            let query = query.with_filter(filter.clone());
            assert_eq!(found(store, query.clone()).await, wanted, "{query:?}");
            for (scope, ids) in [(SearchScope::Messages, 1..=3), (SearchScope::Nodes, 4..=6)] {
                let wanted: Vec<u128> = wanted
                    .iter()
                    .copied()
                    .filter(|id| ids.contains(id))
                    .collect();
                let query = query.clone().with_scope(scope);
                assert_eq!(found(store, query.clone()).await, wanted, "{query:?}");
            }
        }
    }
}

pub(crate) async fn what_changed_is_found_as_it_is_now(store: &dyn MemoryStore) {
    use crate::support::new_file;
    let words = |text: &str| SearchQuery::words(text);
    let first = new_file(1, "main")
        .with_summary("old summary")
        .with_tag("oldtag")
        .with_content(object(
            json!({"a": "olda", "b": "oldb", "entity_data": {"x": "oldx", "y": "oldy"}}),
        ));
    store.remember(&ada(), vec![first], at(1)).await.unwrap();
    let second = new_file(2, "main").with_tag("newtag").with_content(object(
        json!({"b": "newb", "c": ["newc"], "entity_data": {"y": "newy", "z": "newz"}}),
    ));
    store.remember(&ada(), vec![second], at(2)).await.unwrap();
    for text in [
        "old summary",
        "oldtag",
        "newtag",
        "olda",
        "newb",
        "newc",
        "oldx",
        "newy",
        "newz",
    ] {
        assert_eq!(found(store, words(text)).await, [1], "{text}");
    }
    for text in ["oldb", "oldy"] {
        assert_eq!(found(store, words(text)).await, [0; 0], "{text}");
        assert_eq!(
            found(store, SearchQuery::substring(text)).await,
            [0; 0],
            "{text}"
        );
    }

    // Several of one key in one batch, and entity data that is no object any more.
    let batch = vec![
        new_file(3, "main").with_content(object(json!({"c": "once", "entity_data": "flat"}))),
        new_file(4, "main")
            .with_summary("new summary")
            .with_content(object(json!({"c": "twice"}))),
    ];
    store.remember(&ada(), batch, at(3)).await.unwrap();
    for text in ["new summary", "flat", "twice", "olda"] {
        assert_eq!(found(store, words(text)).await, [1], "{text}");
    }
    for text in ["old summary", "oldx", "newy", "newz", "once", "newc"] {
        assert_eq!(found(store, words(text)).await, [0; 0], "{text}");
    }
    let again = new_file(5, "main").with_content(object(json!({"entity_data": {"x": "backx"}})));
    store.remember(&ada(), vec![again], at(4)).await.unwrap();
    assert_eq!(found(store, words("flat")).await, [0; 0]);
    assert_eq!(found(store, words("backx")).await, [1]);

    let patch = NodePatch {
        name: Some(None),
        content: Some(object(json!({"d": "patched"}))),
        tags: Some(["fresh".to_owned()].into()),
        ..NodePatch::default()
    };
    store
        .update_node(&ada(), node_id(1), patch, at(5))
        .await
        .unwrap();
    for text in ["new summary", "patched", "fresh"] {
        assert_eq!(found(store, words(text)).await, [1], "{text}");
    }
    for text in ["main", "oldtag", "olda", "backx"] {
        assert_eq!(found(store, words(text)).await, [0; 0], "{text}");
    }
    // A batch of which one is refused.
    let batch = vec![
        new_file(6, "main").with_summary("refused"),
        new_node(1).with_summary("refused"),
    ];
    assert_refused!(store.remember(&ada(), batch, at(6)).await, Conflict);
    assert_eq!(found(store, words("refused")).await, [0; 0]);
    assert_eq!(found(store, words("new summary")).await, [1]);
    // What has no text takes away what had.
    let patch = NodePatch {
        summary: Some(String::new()),
        ..NodePatch::default()
    };
    store
        .update_node(&ada(), node_id(1), patch, at(6))
        .await
        .unwrap();
    assert_eq!(found(store, words("new summary")).await, [0; 0]);
    let empty = new_file(7, "main").with_content(object(json!({"d": null})));
    store.remember(&ada(), vec![empty], at(6)).await.unwrap();
    assert_eq!(found(store, words("patched")).await, [0; 0]);
    assert_eq!(found(store, words("fresh")).await, [1]);
    store.forget_node(&ada(), node_id(1), at(6)).await.unwrap();
    assert_eq!(found(store, words("patched")).await, [0; 0]);
    let anew = new_file(1, "main").with_summary("anew");
    store.remember(&ada(), vec![anew], at(7)).await.unwrap();
    assert_eq!(found(store, words("patched")).await, [0; 0]);
    assert_eq!(found(store, words("anew")).await, [1]);
}

pub(crate) async fn a_message_is_found_until_it_is_gone(store: &dyn MemoryStore) {
    given_session(store, &ada()).await;
    let words = |text: &str| SearchQuery::words(text);
    let message = vec![new_message(1, "said")];
    store
        .append(&ada(), session_id(1), message.clone(), at(8))
        .await
        .unwrap();
    store
        .append(&ada(), session_id(1), message.clone(), at(9))
        .await
        .unwrap();
    assert_eq!(found(store, words("said")).await, [1]);
    store
        .clear_session(&ada(), session_id(1), at(10))
        .await
        .unwrap();
    assert_eq!(found(store, words("said")).await, [0; 0]);
    store
        .append(&ada(), session_id(1), message, at(11))
        .await
        .unwrap();
    assert_eq!(found(store, words("said")).await, [1]);
    store
        .delete_session(&ada(), session_id(1), at(12))
        .await
        .unwrap();
    assert_eq!(found(store, words("said")).await, [0; 0]);
}

pub(crate) async fn two_tenants_with_the_same_texts_find_their_own(store: &dyn MemoryStore) {
    let bea = tenant("bea");
    for (who, id) in [(ada(), 1), (bea.clone(), 2)] {
        given_session(store, &who).await;
        let message = vec![new_message(id, "the same text")];
        store
            .append(&who, session_id(1), message, at(1))
            .await
            .unwrap();
        let node = vec![new_node(id + 2).with_summary("the same text")];
        store.remember(&who, node, at(1)).await.unwrap();
    }
    for query in [
        SearchQuery::words("same"),
        SearchQuery::phrase("the same text"),
        SearchQuery::prefix("sa"),
        SearchQuery::substring("same text"),
        SearchQuery::substring("e"),
    ] {
        assert_eq!(found(store, query.clone()).await, [3, 1], "{query:?}");
        let theirs = store.search(&bea, query.clone(), limit(10)).await.unwrap();
        assert!(theirs.iter().map(number).eq([4, 2]), "{query:?}");
        let nobodys = store.search(&tenant("cy"), query, limit(10)).await;
        assert_eq!(nobodys.unwrap(), []);
    }
}

pub(crate) async fn a_long_text_is_found_from_its_first_word_to_its_last(store: &dyn MemoryStore) {
    let mut long = String::new();
    for word in 0..20_000 {
        write!(long, "w{word} ").unwrap();
    }
    long.push_str("- C+++");
    // One word that is never there twice at the same place, so many that a part holds them not.
    let again = "again ".repeat(1_000) + "end";
    let unbroken = "0123456789".repeat(3_000) + "x";
    given_messages(store, &[&long, &again, &unbroken]).await;
    for word in (0..19_990).step_by(437) {
        let phrase: Vec<String> = (word..word + 9).map(|word| format!("w{word}")).collect();
        let phrase = phrase.join(" ");
        for query in [
            SearchQuery::phrase(&phrase),
            SearchQuery::substring(&phrase),
        ] {
            assert_eq!(found(store, query).await, [1], "{phrase}");
        }
    }
    assert_eq!(found(store, SearchQuery::phrase("w1 w3")).await, [0; 0]);
    assert_eq!(
        found(store, SearchQuery::words("w0 w19999 C+++")).await,
        [1]
    );
    let phrase = "again ".repeat(63) + "end";
    assert_eq!(found(store, SearchQuery::phrase(&phrase)).await, [2]);
    assert_eq!(
        found(store, SearchQuery::substring("7890123456789x")).await,
        [3]
    );
    assert_eq!(found(store, SearchQuery::words("01234")).await, [0; 0]);
    assert_eq!(found(store, SearchQuery::prefix("01234")).await, [3]);
}

pub(crate) async fn a_word_at_the_end_of_ten_megabytes_is_found(store: &dyn MemoryStore) {
    let mut text = "lorem ipsum dolor sit amet ".repeat(400_000);
    text.push_str("zanzibar at last");
    given_messages(store, &[&text, "zanzibar"]).await;
    for (query, wanted) in [
        (SearchQuery::words("Zanzibar"), vec![2, 1]),
        (SearchQuery::phrase("zanzibar at last"), vec![1]),
        (SearchQuery::prefix("dolor zan"), vec![1]),
        (SearchQuery::substring("t zanz"), vec![1]),
    ] {
        assert_eq!(found(store, query.clone()).await, wanted, "{query:?}");
    }
}

pub(crate) async fn a_text_to_search_for_has_at_most_512_bytes(store: &dyn MemoryStore) {
    for mode in [
        SearchMode::Words,
        SearchMode::Phrase,
        SearchMode::Prefix,
        SearchMode::Substring,
    ] {
        for text in [
            "x".repeat(512),
            "é".repeat(256),
            "+-".repeat(256),
            "京".repeat(170),
        ] {
            let query = SearchQuery::words(text).with_mode(mode);
            assert_eq!(found(store, query).await, [0; 0]);
        }
        for text in ["x".repeat(513), "ﷺ".repeat(16), "a\0b".to_owned()] {
            let query = SearchQuery::words(text).with_mode(mode);
            assert_refused!(store.search(&ada(), query, limit(1)).await, Invalid);
        }
    }
    let filter = SearchFilter {
        tag: Some(String::new()),
        ..SearchFilter::default()
    };
    let query = SearchQuery::words("x").with_filter(filter);
    assert_refused!(store.search(&ada(), query, limit(1)).await, Invalid);
}
