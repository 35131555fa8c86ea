//! `memory search`.

use memory_core::{EntityType, NewMessage, NewNode, NewSession};
use serde_json::Value;

use crate::conversation::with_tenant;
use crate::postgres::Postgres;
use crate::sandbox::Sandbox;

/// A store, `a.db`, in which ada talks of trains, and the same on PostgreSQL.
fn filled() -> (Sandbox, Postgres) {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["migrate", "up", "--url", "a.db"]).status, 0);
    let file = sandbox.path("a.db").to_string_lossy().into_owned();
    with_tenant(&file, "ada", async |ada| {
        let session = ada.create_session(NewSession::new("")).await.unwrap().id;
        for text in [
            "I take the train.\n\u{1b}[31mRather C++ than C.",
            "no train today",
        ] {
            ada.append(session, NewMessage::user(text)).await.unwrap();
        }
        let node = NewNode::entity(EntityType::CONCEPT, "Train").unwrap();
        ada.remember(node.with_summary("what Ada likes"))
            .await
            .unwrap();
    });
    with_tenant(&file, "bea", async |bea| {
        bea.create_session(NewSession::new("")).await.unwrap();
    });
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("a.db", &postgres.url(), &[]);
    (sandbox, postgres)
}

/// What was found, each as the kind and its text.
fn found(document: &Value) -> Vec<String> {
    let hits = document["search"]["hits"].as_array().unwrap();
    let text = |hit: &Value| {
        let found = &hit["found"];
        let of = |kind: &str, field: &str| Some(format!("{kind} {}", found[kind][field].as_str()?));
        of("message", "content")
            .or_else(|| of("node", "name"))
            .unwrap()
    };
    hits.iter().map(text).collect()
}

#[test]
fn what_is_looked_for_is_found_on_both_backends() {
    let (sandbox, postgres) = filled();
    let first = "message I take the train.\n\u{1b}[31mRather C++ than C.";
    let (second, node) = ("message no train today", "node Train");
    for url in ["a.db", &postgres.url()] {
        let search = |args: &[&str]| {
            let args = [&["search", "--tenant", "ada", "--url", url], args].concat();
            let (status, document) = sandbox.json(&args);
            let found = found(&document);
            assert_eq!(status, i32::from(found.is_empty()), "{document:#}");
            found
        };
        assert_eq!(search(&["TRAIN"]), [node, second, first]);
        assert_eq!(search(&["train", "--scope", "messages"]), [second, first]);
        assert_eq!(search(&["train", "--scope", "nodes"]), [node]);
        assert_eq!(search(&["train", "--limit", "1"]), [node]);
        assert_eq!(search(&["train take"]), [first]);
        assert_eq!(search(&["train take", "--mode", "phrase"]), [""; 0]);
        assert_eq!(search(&["the train", "--mode", "phrase"]), [first]);
        assert_eq!(search(&["tod", "--mode", "prefix"]), [second]);
        assert_eq!(search(&["o tra", "--mode", "substring"]), [second]);
        assert_eq!(search(&["C++"]), [first]);
        assert_eq!(search(&["*"]), [""; 0]);
    }
}

#[test]
fn hits_are_readable_at_a_terminal() {
    let (sandbox, postgres) = filled();
    for url in ["a.db", &postgres.url()] {
        let said = sandbox.run(&["search", "train", "--tenant", "ada", "--url", url]);
        assert_eq!(said.status, 0, "{said:?}");
        for words in [
            "domain_entity, Train  (in name)\n    what Ada likes\n",
            "I take the train. \u{fffd}[31mRather C++ than C.\n",
            "user, number 2 of session",
            "3 hits\n",
        ] {
            assert!(said.out.contains(words), "{words:?} is not in {}", said.out);
        }
        assert!(!said.out.contains('\u{1b}'), "{said:?}");
        let args = [
            "search", "train", "--tenant", "ada", "--limit", "2", "--url", url,
        ];
        let said = sandbox.run(&args);
        assert!(said.out.contains("2 hits\n"), "{said:?}");
        assert!(said.err.contains("greater --limit"), "{said:?}");
        let said = sandbox.run(&["search", "train", "--tenant", "bea", "--url", url]);
        assert_eq!(said.status, 1, "{said:?}");
        assert!(said.out.contains("nothing was found"), "{said:?}");
    }
}

#[test]
fn what_cannot_be_searched_says_what_to_do() {
    let (sandbox, postgres) = filled();
    for url in ["a.db", &postgres.url()] {
        let said = sandbox.run(&["search", "train", "--tenant", "cleo", "--url", url]);
        said.assert_failed(2, &["no tenant cleo", "memory stats --tenants"]);
    }
    let long = "x".repeat(513);
    let said = sandbox.run(&["search", &long, "--tenant", "ada", "--url", "a.db"]);
    said.assert_failed(2, &["512"]);
    let args = [
        "search", "x", "--tenant", "ada", "--limit", "1001", "--url", "a.db",
    ];
    sandbox.run(&args).assert_failed(2, &["1000"]);
    let args = [
        "search", "x", "--tenant", "ada", "--mode", "fuzzy", "--url", "a.db",
    ];
    sandbox.run(&args).assert_failed(2, &["substring"]);
    sandbox
        .run(&["search", "x", "--url", "a.db"])
        .assert_failed(2, &["--tenant"]);
    let said = sandbox.run(&["search", "x", "--tenant", "ada", "--url", "none.db"]);
    said.assert_failed(3, &["none.db", "is not there"]);
    assert!(!sandbox.has("none.db"));
}
