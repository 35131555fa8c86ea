//! Taking a transfer back, exactly.

use serde_json::Value;

use crate::conversation::{relate_to_all, say};
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, tamper};
use crate::sources::{flux_rag, jarvis};

/// The session of the flux-rag file with three messages.
const SESSION: &str = "11111111-1111-4111-8111-111111111111";

/// Two stores, `a.db` and a PostgreSQL, into which the JARVIS file was carried, with `before.db` as
/// they are then, and into which the flux-rag file was carried after.
struct Stores {
    sandbox: Sandbox,
    postgres: Postgres,
}

impl Stores {
    fn new() -> Stores {
        let sandbox = Sandbox::new();
        jarvis(&sandbox.path("jarvis.db"));
        flux_rag(&sandbox.path("flux.db"));
        sandbox.carry("jarvis.db", "before.db", &[]);
        let postgres = Postgres::migrated(&sandbox);
        for to in ["a.db".to_owned(), postgres.url()] {
            sandbox.carry("before.db", &to, &[]);
            sandbox.carry("flux.db", &to, &[]);
        }
        Stores { sandbox, postgres }
    }

    fn urls(&self) -> [String; 2] {
        let file = self.sandbox.path("a.db").to_string_lossy().into_owned();
        [file, self.postgres.url()]
    }

    /// The newest run first.
    fn runs(&self, url: &str) -> Vec<Value> {
        let (status, document) = self.sandbox.json(&["migrate", "runs", "--url", url]);
        assert_eq!(status, 0);
        document["runs"].as_array().unwrap().clone()
    }

    fn rollback(&self, url: &str, run: &Value, more: &[&str]) -> (i32, Value) {
        let args = [
            "migrate",
            "rollback",
            run["id"].as_str().unwrap(),
            "--url",
            url,
        ];
        self.sandbox.json(&[&args, more].concat())
    }
}

#[test]
fn after_a_rollback_the_store_is_what_it_was_before() {
    let stores = Stores::new();
    for url in stores.urls() {
        let runs = stores.runs(&url);
        assert_eq!(runs.len(), 2);
        assert_eq!(
            (&runs[0]["source_kind"], &runs[0]["status"]),
            (&"flux-rag".into(), &"completed".into())
        );
        let (status, document) = stores.rollback(&url, &runs[0], &[]);
        assert_eq!(status, 0, "{document:#}");
        let removed = &document["rollback"]["removed"];
        assert_eq!(
            (
                &removed["messages"],
                &removed["sessions"],
                &removed["tenants"]
            ),
            (&4.into(), &3.into(), &2.into())
        );
        stores.sandbox.assert_equal("before.db", &url);
        let again = stores.runs(&url);
        assert_eq!(again[0]["status"], "rolled_back");
        assert_eq!(again[0]["report"]["rollback"]["forced"], false);
        assert_eq!(again[1], runs[1]);
        // What was taken back can be carried again.
        stores.sandbox.carry("flux.db", &url, &[]);
        assert_eq!(stores.runs(&url).len(), 3);
    }
}

#[test]
fn a_run_is_taken_back_once() {
    let stores = Stores::new();
    for url in stores.urls() {
        let runs = stores.runs(&url);
        assert_eq!(stores.rollback(&url, &runs[0], &[]).0, 0);
        let (status, document) = stores.rollback(&url, &runs[0], &[]);
        assert_eq!(status, 3);
        assert!(
            document["error"].as_str().unwrap().contains("before"),
            "{document:#}"
        );
    }
}

#[test]
fn what_was_built_upon_a_run_keeps_it_from_being_taken_back() {
    let stores = Stores::new();
    for url in stores.urls() {
        let runs = stores.runs(&url);
        say(&url, "ada", Some(SESSION));
        let (status, document) = stores.rollback(&url, &runs[0], &[]);
        assert_eq!(status, 1, "{document:#}");
        let refused = &document["rollback"];
        assert_eq!(refused["rolled_back"], false);
        assert_eq!(refused["built_upon"]["count"], 1);
        // The session, whose count went up, and its tenant, who was active.
        let changed = refused["changed"]["first"].to_string();
        assert!(changed.contains(SESSION), "{changed}");
        // Nothing was touched: the run can still be taken back with force.
        assert_eq!(stores.runs(&url)[0]["status"], "completed");
        let (status, document) = stores.rollback(&url, &runs[0], &["--force"]);
        assert_eq!(status, 0, "{document:#}");
        stores.sandbox.assert_equal("before.db", &url);
    }
}

#[test]
fn an_earlier_run_is_held_by_what_came_to_its_nodes_later() {
    let stores = Stores::new();
    for url in stores.urls() {
        let first = stores.runs(&url)[1].clone();
        relate_to_all(&url, "default");
        let (status, document) = stores.rollback(&url, &first, &[]);
        assert_eq!(status, 1);
        // The new node, in the tenant that the run brought, and its five relationships.
        assert_eq!(
            document["rollback"]["built_upon"]["count"], 6,
            "{document:#}"
        );
        assert_eq!(stores.rollback(&url, &first, &["--force"]).0, 0);
        let (status, _) = stores.sandbox.transfer("flux.db", &url, &["--dry-run"]);
        assert_eq!(status, 0);
    }
}

#[test]
fn a_record_that_was_changed_or_deleted_since_is_named() {
    let stores = Stores::new();
    tamper(
        &stores.sandbox.path("a.db"),
        "update messages set content = 'x' where number = 2",
    );
    tamper(
        &stores.sandbox.path("a.db"),
        "delete from messages where number = 3",
    );
    stores
        .postgres
        .execute("update messages set content = 'x' where number = 2");
    stores
        .postgres
        .execute("delete from messages where number = 3");
    for url in stores.urls() {
        let run = stores.runs(&url)[0].clone();
        let (status, document) = stores.rollback(&url, &run, &[]);
        assert_eq!(status, 1);
        let refused = &document["rollback"];
        let named = "messages ada/aaaaaaaa-0000-4000-8000-000000000002";
        assert_eq!(refused["changed"]["first"], serde_json::json!([named]));
        let named = "messages ada/aaaaaaaa-0000-4000-8000-000000000003";
        assert_eq!(refused["gone"]["first"], serde_json::json!([named]));
        assert_eq!(stores.rollback(&url, &run, &["--force"]).0, 0);
        stores.sandbox.assert_equal("before.db", &url);
    }
}

#[test]
fn a_run_that_is_not_there_is_said_to_be_unknown() {
    let stores = Stores::new();
    for url in stores.urls() {
        let run = "0198c1a2-7b3c-7d4e-8f50-123456789abc";
        let said = stores
            .sandbox
            .run(&["migrate", "rollback", run, "--url", &url]);
        said.assert_failed(3, &[run, "memory migrate runs"]);
        let said = stores
            .sandbox
            .run(&["migrate", "rollback", "latest", "--url", &url]);
        said.assert_failed(2, &["latest", "UUID"]);
    }
}

#[test]
fn what_went_with_its_table_is_told_before_a_run_is_taken_back() {
    let stores = Stores::new();
    for url in stores.urls() {
        let run = stores.runs(&url)[1].clone();
        let migrate = |args: &[&str]| {
            let args = [&["migrate"], args, &["--url", &url]].concat();
            stores.sandbox.json(&args)
        };
        let steps = steps_down_to(&stores.sandbox, &url, "missions");
        assert_eq!(migrate(&["down", "--steps", &steps, "--force"]).0, 0);
        let (status, document) = stores.rollback(&url, &run, &[]);
        assert_eq!(status, 3, "{document:#}");
        assert!(document.to_string().contains("migrate up"), "{document:#}");
        assert_eq!(migrate(&["up"]).0, 0);
        let (status, document) = stores.rollback(&url, &run, &[]);
        assert_eq!(status, 1, "{document:#}");
        let gone = &document["rollback"]["gone"];
        assert_eq!(gone["count"], 2, "{document:#}");
        let first = gone["first"].to_string();
        assert!(
            first.contains("missions") && first.contains("file_snapshots"),
            "{first}"
        );
        let (status, document) = stores.rollback(&url, &run, &["--force"]);
        assert_eq!(status, 0, "{document:#}");
        assert_eq!(document["rollback"]["removed"]["nodes"], 5, "{document:#}");
    }
}

#[test]
fn what_a_later_run_brought_again_keeps_the_earlier_one_from_being_taken_back() {
    let stores = Stores::new();
    for url in stores.urls() {
        let earlier = stores.runs(&url)[1].clone();
        let steps = steps_down_to(&stores.sandbox, &url, "missions");
        let args = [
            "migrate", "redo", "--steps", &steps, "--force", "--url", &url,
        ];
        assert_eq!(stores.sandbox.json(&args).0, 0);
        stores.sandbox.carry("before.db", &url, &[]);
        let later = stores.runs(&url)[0].clone();
        let (status, document) = stores.rollback(&url, &earlier, &[]);
        assert_eq!(status, 1, "{document:#}");
        let refused = &document["rollback"];
        assert_eq!(refused["gone"]["count"], 0, "{document:#}");
        let again = refused["built_upon"]["first"].to_string();
        for table in ["missions", "file_snapshots"] {
            assert!(again.contains(table), "{again}");
        }
        assert_eq!(refused["built_upon"]["count"], 2, "{document:#}");
        // The later one brought just these, and the earlier one then lacks them.
        let (status, document) = stores.rollback(&url, &later, &[]);
        assert_eq!(status, 0, "{document:#}");
        let removed = serde_json::json!({"missions": 1, "file_snapshots": 1});
        assert_eq!(document["rollback"]["removed"], removed);
        let (status, document) = stores.rollback(&url, &earlier, &[]);
        assert_eq!(
            (status, &document["rollback"]["gone"]["count"]),
            (1, &2.into())
        );
    }
}

/// How many migrations there are from one on, by its noun.
fn steps_down_to(sandbox: &Sandbox, url: &str, noun: &str) -> String {
    let (_, schema) = sandbox.json(&["migrate", "status", "--url", url]);
    let migrations = schema["schema"]["migrations"].as_array().unwrap();
    let is_it = |one: &Value| one["name"].as_str().unwrap().ends_with(noun);
    let before = migrations.iter().position(is_it).unwrap();
    (migrations.len() - before).to_string()
}
