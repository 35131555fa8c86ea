use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use memory_domain::{
    CompoundFilter, Concept, ContextType, Decision, DecisionFilter, EntityKey, EntityType, Limit,
    NewDecision, NewMessage, NodeId, Record, RecordKind, RelationshipFilter, RelationshipKind,
    SearchQuery, Turn, TurnDecision,
};
use memory_storage::{MemoryStore, Storage};

use crate::support::{
    ada, assert_close, assert_refused, at, everything, message_id, new_message, new_session,
    session_id, tenant, turn_id,
};
use crate::{Backend, StoreOptions};

fn turn(id: u128, message: u128, concepts: &[&str]) -> Turn {
    let turn = Turn::new(session_id(1)).with_id(turn_id(id));
    let concepts = concepts.iter().copied().map(Concept::new);
    concepts.fold(turn.saying(new_message(message, "words")), Turn::about)
}

async fn learn(store: &dyn MemoryStore, turn: Turn, seconds: i64) -> Vec<NodeId> {
    let learned = store.learn(&ada(), turn, at(seconds)).await.unwrap();
    learned.concepts
}

/// The attention between two nodes.
async fn attention(store: &dyn MemoryStore, a: NodeId, b: NodeId) -> f64 {
    let filter = RelationshipFilter {
        from: Some(a.min(b)),
        to: Some(a.max(b)),
        kind: Some(RelationshipKind::ATTENTION),
        ..RelationshipFilter::default()
    };
    let links = store
        .relationships(&ada(), filter, Limit::MAX)
        .await
        .unwrap();
    assert_eq!(links.len(), 1, "{links:?}");
    assert!(!links[0].directed);
    links[0].strength
}

/// What was settled in the session of the turns, newest first.
async fn settled(store: &dyn MemoryStore) -> Vec<Decision> {
    let filter = DecisionFilter {
        session: Some(session_id(1).to_string()),
        ..DecisionFilter::default()
    };
    store.decisions(&ada(), filter, Limit::MAX).await.unwrap()
}

/// How often a compound of that name was counted.
async fn count(store: &dyn MemoryStore, name: &str) -> i64 {
    let filter = CompoundFilter {
        name: Some(name.to_owned()),
        ..CompoundFilter::default()
    };
    let found = store.compounds(&ada(), filter, Limit::MAX).await.unwrap();
    found.first().map_or(0, |compound| compound.occurrences)
}

pub(crate) async fn a_turn_appends_remembers_links_and_counts(store: &dyn MemoryStore) {
    let turn = turn(1, 1, &["Rust", "async", "tokio"])
        .saying(NewMessage::assistant("more").with_id(message_id(2)));
    let learned = store.learn(&ada(), turn.clone(), at(7)).await.unwrap();
    assert_eq!((learned.id, learned.learned_at), (turn_id(1), at(7)));
    let session = store.session(&ada(), session_id(1)).await.unwrap().unwrap();
    assert_eq!((session.title.as_str(), session.message_count), ("", 2));
    let history = store
        .history(&ada(), session_id(1), Limit::MAX, None)
        .await
        .unwrap();
    let said: Vec<(i64, &str)> = history
        .iter()
        .map(|message| (message.number, message.content.as_str()))
        .collect();
    assert_eq!(said, [(1, "words"), (2, "more")]);
    let key = EntityKey::new("concept", "rust").unwrap();
    let node = store.node_by_key(&ada(), &key).await.unwrap().unwrap();
    assert_eq!(node.id, learned.concepts[0]);
    assert_eq!(node.name.as_deref(), Some("Rust"));
    assert_eq!(node.entity_type, Some(EntityType::CONCEPT));
    assert_eq!(node.context_type, ContextType::DomainEntity);
    assert_eq!(node.created_at, at(7));
    let [rust, task, tokio] = learned.concepts[..] else {
        panic!("{learned:?}")
    };
    for (a, b) in [(rust, task), (rust, tokio), (task, tokio)] {
        assert_close(attention(store, a, b).await, 0.1);
    }
    assert_eq!(count(store, "async + rust + tokio").await, 1);
    let found = store.turn(&ada(), turn_id(1)).await.unwrap();
    assert_eq!(found, Some(learned));
    assert_eq!(store.turn(&ada(), turn_id(2)).await.unwrap(), None);
}

pub(crate) async fn a_turn_counts_once(store: &dyn MemoryStore) {
    let first = store
        .learn(&ada(), turn(1, 1, &["Rust", "async"]), at(0))
        .await
        .unwrap();
    let again = store
        .learn(&ada(), turn(1, 1, &["Rust", "async"]), at(9))
        .await
        .unwrap();
    assert_eq!(again, first);
    let [a, b] = first.concepts[..] else {
        panic!("{first:?}")
    };
    assert_close(attention(store, a, b).await, 0.1);
    assert_eq!(count(store, "async + rust").await, 1);
    let node = store.node(&ada(), a).await.unwrap().unwrap();
    assert_eq!(node.update_count, 0);
    // Also when what it wrote has gone.
    store.forget_node(&ada(), a, at(10)).await.unwrap();
    let again = store
        .learn(&ada(), turn(1, 1, &["Rust", "async"]), at(11))
        .await
        .unwrap();
    assert_eq!(again, first);
    assert_eq!(store.node(&ada(), a).await.unwrap(), None);
}

pub(crate) async fn what_was_settled_in_a_turn_is_a_decision_of_its_session(
    store: &dyn MemoryStore,
) {
    let turn = turn(1, 1, &["Rust"])
        .deciding(
            TurnDecision::new("Use tokio")
                .with_context("runtime")
                .with_extracted_from("tokio it is"),
        )
        .deciding(TurnDecision::new("Use tokio"));
    store.learn(&ada(), turn.clone(), at(7)).await.unwrap();
    let decisions = settled(store).await;
    assert_eq!(decisions.len(), 2, "{decisions:?}");
    for decision in &decisions {
        assert_eq!(decision.text, "Use tokio");
        assert_eq!(decision.decided_at, at(7));
        let found = store.decision(&ada(), decision.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(decision));
    }
    let mut details: Vec<_> = decisions
        .iter()
        .map(|decision| {
            (
                decision.context.as_deref(),
                decision.extracted_from.as_deref(),
            )
        })
        .collect();
    details.sort_unstable();
    assert_eq!(
        details,
        [(None, None), (Some("runtime"), Some("tokio it is"))]
    );
    // The same turn again counts once, and with another decision it is another turn.
    store.learn(&ada(), turn.clone(), at(9)).await.unwrap();
    assert_eq!(settled(store).await, decisions);
    let other = turn.deciding(TurnDecision::new("Use async-std"));
    assert_refused!(store.learn(&ada(), other, at(10)).await, Conflict);
    // With nothing said there are decisions all the same.
    let silent = Turn::new(session_id(1))
        .with_id(turn_id(2))
        .deciding(TurnDecision::new("Wait"));
    store.learn(&ada(), silent, at(11)).await.unwrap();
    assert_eq!(settled(store).await[0].text, "Wait");
    let erasure = store.erase_tenant(&ada()).await.unwrap();
    assert_eq!(erasure.records[&RecordKind::Decision], 3);
}

pub(crate) async fn a_decision_that_stands_with_other_content_refuses_the_turn(
    store: &dyn MemoryStore,
) {
    let turn = turn(1, 1, &["Rust"])
        .deciding(TurnDecision::new("first"))
        .deciding(TurnDecision::new("second"));
    let taken = turn.clone().plan().unwrap().decisions[1].id;
    let standing = NewDecision::new("other").with_id(taken);
    store
        .record_decision(&ada(), standing, at(0))
        .await
        .unwrap();
    assert_refused!(store.learn(&ada(), turn.clone(), at(1)).await, Conflict);
    assert_eq!(settled(store).await, []);
    assert_eq!(store.turn(&ada(), turn_id(1)).await.unwrap(), None);
    assert_eq!(store.message(&ada(), message_id(1)).await.unwrap(), None);
    // The limit, and one beyond.
    let mut most = Turn::new(session_id(1)).with_id(turn_id(2));
    most.decisions = vec![TurnDecision::new("again"); 64];
    store.learn(&ada(), most.clone(), at(2)).await.unwrap();
    assert_eq!(settled(store).await.len(), 64);
    most.decisions.push(TurnDecision::new("again"));
    let most = most.with_id(turn_id(3));
    assert_refused!(store.learn(&ada(), most, at(3)).await, Invalid);
}

pub(crate) async fn further_turns_strengthen_and_count(store: &dyn MemoryStore) {
    let first = learn(store, turn(1, 1, &["Rust", "async"]), 0).await;
    let second = learn(store, turn(2, 2, &["ASYNC", "rust", "tokio"]), 0).await;
    assert_eq!(second[..2], [first[1], first[0]]);
    assert_close(attention(store, first[0], first[1]).await, 0.2);
    assert_close(attention(store, first[0], second[2]).await, 0.1);
    let node = store.node(&ada(), first[0]).await.unwrap().unwrap();
    assert_eq!((node.update_count, node.name.as_deref()), (1, Some("rust")));
    let mut third = turn(3, 3, &["rust", "Async"]);
    third.step = 0.25;
    third.decay = 0.5;
    let days = 2 * 86_400;
    learn(store, third, days).await;
    assert_close(attention(store, first[0], first[1]).await, 0.3);
    assert_eq!(count(store, "async + rust").await, 2);
    assert_eq!(count(store, "async + rust + tokio").await, 1);
    let session = store.session(&ada(), session_id(1)).await.unwrap().unwrap();
    assert_eq!((session.message_count, session.updated_at), (3, at(days)));
}

pub(crate) async fn a_turn_may_be_small(store: &dyn MemoryStore) {
    let silent = Turn::new(session_id(1)).with_id(turn_id(1));
    assert_eq!(learn(store, silent, 0).await, []);
    // Nothing was said, so there is no session.
    assert_eq!(store.session(&ada(), session_id(1)).await.unwrap(), None);
    assert!(store.tenant(&ada()).await.unwrap().is_some());
    let alone = Turn::new(session_id(1)).with_id(turn_id(2));
    let concept = Concept::new("main.rs").of_type(EntityType::FILE);
    assert_eq!(learn(store, alone.about(concept), 0).await.len(), 1);
    let compounds = store
        .compounds(&ada(), CompoundFilter::default(), Limit::MAX)
        .await
        .unwrap();
    assert_eq!(compounds, []);
    let session = new_session(1, "named before");
    store.create_session(&ada(), session, at(0)).await.unwrap();
    learn(store, turn(3, 1, &[]), 1).await;
    let session = store.session(&ada(), session_id(1)).await.unwrap().unwrap();
    assert_eq!(
        (session.title.as_str(), session.message_count),
        ("named before", 1)
    );
}

pub(crate) async fn what_is_learned_is_found(store: &dyn MemoryStore) {
    let first = turn(1, 1, &["Borrow checker", "async"]);
    learn(store, first.clone(), 0).await;
    learn(store, first, 1).await;
    let other = turn(2, 2, &["BORROW CHECKER"]).saying(new_message(3, "lifetimes"));
    learn(store, other, 2).await;
    for (text, wanted) in [("borrow", 1), ("words", 2), ("lifetimes", 1), ("tokio", 0)] {
        let query = SearchQuery::words(text);
        let hits = store.search(&ada(), query, Limit::MAX).await.unwrap();
        assert_eq!(hits.len(), wanted, "{text}: {hits:?}");
    }
}

pub(crate) async fn erasing_a_tenant_takes_what_it_learned(store: &dyn MemoryStore) {
    learn(store, turn(1, 1, &["Rust", "async"]), 0).await;
    learn(store, turn(2, 2, &["Rust"]), 0).await;
    let erasure = store.erase_tenant(&ada()).await.unwrap();
    assert_eq!(erasure.records[&RecordKind::Compound], 1);
    assert_eq!(erasure.records[&RecordKind::LearnedTurn], 2);
    assert_eq!(store.turn(&ada(), turn_id(1)).await.unwrap(), None);
    learn(store, turn(1, 1, &["Rust", "async"]), 5).await;
    assert_eq!(count(store, "async + rust").await, 1);
}

pub(crate) async fn another_turn_under_a_known_id_is_a_conflict(store: &dyn MemoryStore) {
    learn(store, turn(1, 1, &["Rust"]), 0).await;
    let mut stronger = turn(1, 1, &["Rust"]);
    stronger.step = 0.5;
    for other in [turn(1, 2, &["Rust"]), turn(1, 1, &["async"]), stronger] {
        let result = store.learn(&ada(), other, at(1)).await;
        assert_refused!(result, Conflict);
    }
    let bea = tenant("bea");
    let learned = store.learn(&bea, turn(1, 9, &["Rust"]), at(1)).await;
    assert_eq!(learned.unwrap().tenant_id, bea);
}

pub(crate) async fn a_turn_that_is_refused_leaves_nothing(store: &dyn MemoryStore) {
    learn(store, turn(1, 1, &["Rust", "async"]), 0).await;
    // The message stands with other content.
    let refused = turn(2, 1, &["rust", "async", "tokio"])
        .saying(new_message(3, "new"))
        .saying(NewMessage::user("other").with_id(message_id(1)));
    let bea = tenant("bea");
    for tenant in [ada(), bea.clone()] {
        let result = store.learn(&tenant, refused.clone(), at(1)).await;
        assert_refused!(result, Conflict);
    }
    assert_eq!(store.tenant(&bea).await.unwrap(), None);
    assert_eq!(store.turn(&ada(), turn_id(2)).await.unwrap(), None);
    assert_eq!(store.message(&ada(), message_id(3)).await.unwrap(), None);
    assert_eq!(count(store, "async + rust").await, 1);
    let mut bad = turn(3, 4, &["Rust"]);
    bad.concepts.push(Concept::new(""));
    assert_refused!(store.learn(&ada(), bad, at(1)).await, Invalid);
    let many: Vec<String> = (0..65).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let result = store.learn(&ada(), turn(3, 4, &many), at(1)).await;
    assert_refused!(result, Invalid);
    // At the limit each two of 64 are linked, and a repeated message is one message.
    let message = new_message(4, "words");
    let most = turn(3, 4, &many[..64]).saying(message);
    assert_eq!(learn(store, most, 1).await.len(), 64);
    let stats = store.tenant_stats(&ada()).await.unwrap();
    assert_eq!((stats.relationships, stats.messages), (1 + 2_016, 2));
}

pub(crate) async fn a_refused_turn_leaves_its_work_usable(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let work = store.begin().await.unwrap();
    learn(&*work, turn(1, 1, &["Rust", "async"]), 0).await;
    let refused =
        turn(2, 2, &["Rust", "tokio"]).saying(NewMessage::user("other").with_id(message_id(1)));
    assert_refused!(work.learn(&ada(), refused, at(0)).await, Conflict);
    learn(&*work, turn(3, 3, &["Rust", "async"]), 0).await;
    assert_eq!(count(&*work, "async + rust").await, 2);
    assert_eq!(count(&*store, "async + rust").await, 0);
    work.commit().await.unwrap();
    assert_eq!(count(&*store, "async + rust").await, 2);
    assert_eq!(store.message(&ada(), message_id(2)).await.unwrap(), None);
}

/// The names of the concepts of a turn: each shares some with others, in another order.
fn shared(turn: u128) -> Vec<&'static str> {
    const NAMES: [&str; 5] = ["rust", "async", "tokio", "diesel", "sql"];
    let start = usize::try_from(turn % 5).unwrap();
    let mut names: Vec<&str> = (0..3).map(|n| NAMES[(start + n) % 5]).collect();
    if turn.is_multiple_of(2) {
        names.reverse();
    }
    names
}

pub(crate) async fn sixty_four_turns_at_once_are_as_if_one_came_after_the_other(
    backend: &dyn Backend,
) {
    let store: Arc<dyn Storage> = backend.open(StoreOptions::default()).await;
    let tasks: Vec<_> = (0..64_u128)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                // Two sessions, two messages each; every fourth turn is sent twice at once.
                let mut turn = turn(number, 1_000 + 2 * number, &shared(number))
                    .saying(new_message(1_001 + 2 * number, "more"));
                turn.session = session_id(number % 2);
                turn.step = 1.0 / 128.0;
                let ada = ada();
                let once = store.learn(&ada, turn.clone(), at(0));
                if number.is_multiple_of(4) {
                    let twice = store.learn(&ada, turn.clone(), at(0));
                    let (first, second) = tokio::join!(once, twice);
                    assert_eq!(first.unwrap(), second.unwrap());
                } else {
                    once.await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        let ended = tokio::time::timeout(Duration::from_mins(1), task).await;
        ended.expect("turns wait for each other in turn").unwrap();
    }
    for session in 0..2 {
        let history = store
            .history(&ada(), session_id(session), Limit::MAX, None)
            .await
            .unwrap();
        let numbers: Vec<i64> = history.iter().map(|message| message.number).collect();
        assert_eq!(numbers, (1..=64).collect::<Vec<i64>>());
        for pair in history.chunks(2) {
            let [first, second] = [&pair[0], &pair[1]].map(|message| message.id.uuid().as_u128());
            assert_eq!(first + 1, second, "two messages of a turn are apart");
        }
    }
    // How often each two concepts and each three occur together.
    let mut pairs = std::collections::BTreeMap::<BTreeSet<&str>, u32>::new();
    let mut compounds = std::collections::BTreeMap::<BTreeSet<&str>, i64>::new();
    for turn in 0..64 {
        let names = shared(turn);
        *compounds
            .entry(names.iter().copied().collect())
            .or_default() += 1;
        for (place, a) in names.iter().enumerate() {
            for b in &names[place + 1..] {
                *pairs.entry(BTreeSet::from([*a, *b])).or_default() += 1;
            }
        }
    }
    for (names, times) in compounds {
        let name = names.into_iter().collect::<Vec<_>>().join(" + ");
        assert_eq!(count(&*store, &name).await, times, "{name}");
    }
    let node = async |name: &str| {
        let key = EntityKey::new("concept", name).unwrap();
        store.node_by_key(&ada(), &key).await.unwrap().unwrap().id
    };
    assert_eq!(pairs.len(), 10);
    for (names, times) in pairs {
        let ids = names.iter().copied().collect::<Vec<&str>>();
        let (a, b) = (node(ids[0]).await, node(ids[1]).await);
        assert_close(attention(&*store, a, b).await, f64::from(times) / 128.0);
    }
    let turns = everything(&*store, Some(&ada())).await;
    let turns = turns
        .iter()
        .filter(|record| matches!(record, Record::LearnedTurn(_)));
    assert_eq!(turns.count(), 64);
}
