//! A part of a source.

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class};
use crate::sources::{flux_rag, jarvis};

#[test]
fn one_tenant_goes_out_and_back() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "all.db", &[]);
    let postgres = Postgres::migrated(&sandbox);
    let document = sandbox.carry("all.db", &postgres.url(), &["--tenant", "ada"]);
    assert_eq!(class(&document, "tenants", "carried"), 1);
    assert_eq!(class(&document, "sessions", "carried"), 2);
    assert_eq!(class(&document, "messages", "carried"), 3);
    sandbox.carry(&postgres.url(), "ada.db", &["--tenant", "ada"]);
    sandbox.assert_equal("ada.db", &postgres.url());
    let of = |tenant: &str| {
        let (status, _) = sandbox.json(&["verify", "all.db", "ada.db", "--tenant", tenant]);
        status
    };
    assert_eq!((of("ada"), of("bob")), (0, 1));
    // The other one comes later.
    sandbox.carry("all.db", &postgres.url(), &["--tenant", "bob"]);
    sandbox.assert_equal("all.db", &postgres.url());
}

#[test]
fn one_tenant_of_an_old_file_is_carried_and_the_others_are_counted() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    let document = sandbox.carry("flux.db", "bob.db", &["--tenant", "bob"]);
    assert_eq!(class(&document, "sessions", "carried"), 1);
    assert_eq!(class(&document, "sessions", "not_selected"), 2);
    assert_eq!(class(&document, "messages", "carried"), 1);
    let (_, verified) = sandbox.verify("bob.db", "bob.db");
    assert_eq!(verified["verify"]["tables"][0]["equal"], 1);
}

#[test]
fn tables_are_carried_one_after_the_other() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    sandbox.carry("jarvis.db", "all.db", &[]);
    let document = sandbox.carry("jarvis.db", "a.db", &["--table", "entities"]);
    assert_eq!(class(&document, "relationships", "not_selected"), 4);
    assert_eq!(class(&document, "mission_history", "not_selected"), 1);
    for table in ["relationships", "mission_history", "file_snapshots"] {
        sandbox.carry("jarvis.db", "a.db", &["--table", table]);
    }
    sandbox.assert_equal("all.db", "a.db");
}

#[test]
fn a_table_by_itself_brings_its_tenant_along() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    for (place, table) in ["mission_history", "file_snapshots"]
        .into_iter()
        .enumerate()
    {
        let to = format!("{place}.db");
        let document = sandbox.carry("jarvis.db", &to, &["--table", table]);
        assert_eq!(class(&document, table, "carried"), 1);
        assert_eq!(class(&document, "entities", "carried"), 0);
    }
}

#[test]
fn sessions_and_their_messages_are_carried_together() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "all.db", &[]);
    for (from, table) in [
        ("flux.db", "sessions"),
        ("flux.db", "messages"),
        ("all.db", "sessions"),
    ] {
        let args = ["migrate", "--from", from, "--to", "a.db", "--table", table];
        sandbox
            .run(&args)
            .assert_failed(2, &["give sessions,messages"]);
    }
    sandbox.carry("flux.db", "a.db", &["--table", "sessions,messages"]);
    sandbox.assert_equal("all.db", "a.db");
}

#[test]
fn a_table_that_the_source_does_not_have_is_named_with_those_that_it_has() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    let args = [
        "migrate",
        "--from",
        "jarvis.db",
        "--to",
        "a.db",
        "--table",
        "entitys",
    ];
    sandbox
        .run(&args)
        .assert_failed(2, &["entitys", "entities, "]);
}

#[test]
fn rows_that_name_no_tenant_go_to_the_one_that_was_given() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    let (_, document) = sandbox.transfer("jarvis.db", "a.db", &["--default-tenant", "eve"]);
    assert_eq!(
        document["report"]["verification"]["digests"][0]["tenant"],
        "eve"
    );
}

#[test]
fn a_tenant_that_the_source_does_not_have_is_a_finding() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "all.db", &[]);
    let args = ["export", "--url", "all.db", "--to", "all.jsonl"];
    assert_eq!(sandbox.run(&args).status, 0);
    let args = ["export", "--url", "all.db", "--tenant", "adda"];
    sandbox.run(&args).assert_failed(2, &["adda", "all.db"]);
    let transfer = ["migrate", "--to", "none.db", "--tenant", "adda", "--from"];
    let import = ["import", "--url", "none.db", "--tenant", "adda"];
    for (args, source) in [
        (&transfer[..], "flux.db"),
        (&transfer[..], "all.db"),
        (&import[..], "all.jsonl"),
    ] {
        let said = sandbox.run(&[args, &[source]].concat());
        assert_eq!(said.status, 1, "{source}: {said:?}");
        let told = "the source has nothing of tenant adda";
        assert!(said.out.contains(told), "{source}: {said:?}");
    }
}
