//! What JSON and numbers must survive unchanged.

use memory_domain::limits::JSON_DEPTH;
use memory_storage::MemoryStore;
use serde_json::{Value, json};

use crate::support::{ada, at, new_node, new_session, object, session_id, the_node};

fn demanding() -> Vec<Value> {
    vec![
        json!({}),
        json!({"": {"": []}}),
        json!({"n": null, "t": true, "f": false, "o": {}, "a": [], "s": ""}),
        json!({"i": [0, -1, i64::MAX, i64::MIN, u64::MAX, 9_007_199_254_740_993_i64]}),
        json!({"d": [0.1, -0.1, 1.5, 5e-324, 2.225_073_858_507_201_4e-308]}),
        json!({"d": [0.300_000_000_000_000_04, 1.797_693_134_862_315_7e308]}),
        json!({"d": [123_456_789.123_456_79, -1e-300, 4.35]}),
        json!({"text": "\u{1}\u{1f}\u{7f}\u{2028}\u{feff}\u{10ffff} 🦀 \\ \" / \\u0000 \\x00"}),
        json!({"b": 1, "a": 2, "B": 3, "é": 4, "e\u{301}": 5, " ": 6, "日本": 7}),
        json!({"mixed": [1, "1", 1.5, null, [1, [2]], {"k": "v"}]}),
    ]
}

fn nested(levels: usize) -> Value {
    let inner = (1..levels).fold(json!(1), |inner, _| json!([inner]));
    json!({"deep": inner})
}

/// Stores an object in a node's content and metadata and a session's, and reads it back.
async fn stored(store: &dyn MemoryStore, id: u128, value: &Value) -> [Value; 3] {
    let node = new_node(id)
        .with_content(object(value.clone()))
        .with_metadata(object(value.clone()));
    store.remember(&ada(), vec![node], at(0)).await.unwrap();
    let session = new_session(id, "").with_metadata(object(value.clone()));
    store.create_session(&ada(), session, at(0)).await.unwrap();
    let node = the_node(store, &ada(), id).await;
    let session = store.session(&ada(), session_id(id)).await;
    [
        node.content,
        node.metadata,
        session.unwrap().unwrap().metadata,
    ]
    .map(Value::Object)
}

pub(crate) async fn json_is_given_back_as_it_was(store: &dyn MemoryStore) {
    for (id, value) in (1..).zip(demanding()) {
        for found in stored(store, id, &value).await {
            assert_eq!(found, value);
        }
    }
}

pub(crate) async fn what_was_given_back_is_the_same_write(store: &dyn MemoryStore) {
    for (id, value) in (1..).zip(demanding()) {
        stored(store, id, &value).await;
        stored(store, id, &value).await;
        assert_eq!(the_node(store, &ada(), id).await.update_count, 0);
    }
}

pub(crate) async fn integral_doubles_become_integers(store: &dyn MemoryStore) {
    let given = json!({"a": 1.0, "b": [-0.0, 1e3, 1e15], "c": 1.8e19, "d": -2.0, "e": 1e300});
    let wanted = json!({
        "a": 1, "b": [0, 1_000, 1_000_000_000_000_000_i64], "c": 18_000_000_000_000_000_000_u64,
        "d": -2, "e": 1e300
    });
    for found in stored(store, 1, &given).await {
        assert_eq!(found, wanted);
    }
}

pub(crate) async fn doubles_beyond_64_bits_stay_doubles(store: &dyn MemoryStore) {
    let given = json!({"d": [1e308, -1e308, 1e19, 1.844_674_407_370_955_2e19, -9.3e18, 1e20]});
    let wanted = json!({
        "d": [1e308, -1e308, 10_000_000_000_000_000_000_u64, 1.844_674_407_370_955_2e19, -9.3e18,
        1e20]
    });
    for found in stored(store, 1, &given).await {
        assert_eq!(found, wanted);
    }
}

pub(crate) async fn json_may_be_64_levels_deep(store: &dyn MemoryStore) {
    let deepest = nested(JSON_DEPTH);
    for found in stored(store, 1, &deepest).await {
        assert_eq!(found, deepest);
    }
}

pub(crate) async fn a_megabyte_of_json_is_stored(store: &dyn MemoryStore) {
    let long = json!({"long": "ü€🦀x".repeat(104_858)});
    let wide: Value = (0..2_000)
        .map(|n| (format!("key {n}"), json!([n])))
        .collect();
    for (id, value) in [(1, long), (2, wide)] {
        for found in stored(store, id, &value).await {
            assert!(found == value, "value {id} came back otherwise");
        }
    }
}

pub(crate) async fn relevance_is_kept_to_the_bit(store: &dyn MemoryStore) {
    let numbers = [
        0.0,
        1.0,
        0.1,
        5e-324,
        2.225e-308,
        0.999_999_999_999_999_9,
        1.0 / 3.0,
    ];
    for (id, number) in (1..).zip(numbers) {
        let mut node = new_node(id);
        node.base_relevance = number;
        for _ in 0..2 {
            let again = vec![node.clone()];
            store.remember(&ada(), again, at(0)).await.unwrap();
        }
        let found = the_node(store, &ada(), id).await.base_relevance;
        assert_eq!(found.to_bits(), number.to_bits(), "{number}");
    }
    let mut node = new_node(100);
    node.base_relevance = -0.0;
    store.remember(&ada(), vec![node], at(0)).await.unwrap();
    let found = the_node(store, &ada(), 100).await.base_relevance;
    assert_eq!(found.to_bits(), 0, "minus zero becomes zero");
}
