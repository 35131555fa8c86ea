//! Bad input: the exit status, and an error that says what to do.

use crate::postgres::Postgres;
use crate::sandbox::Sandbox;
use crate::sources::{execute, flux_rag, jarvis};

#[test]
fn a_missing_source_is_not_made_and_neither_is_the_target() {
    let sandbox = Sandbox::new();
    for from in ["none.db", "sqlite://none.db"] {
        let said = sandbox.run(&["migrate", "--from", from, "--to", "a.db"]);
        said.assert_failed(3, &["none.db", "is not there"]);
    }
    assert!(!sandbox.has("none.db") && !sandbox.has("a.db"));
}

#[test]
fn a_store_is_not_carried_into_itself() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["migrate", "--url", "a.db"]).status, 0);
    std::fs::hard_link(sandbox.path("a.db"), sandbox.path("hard.db")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(sandbox.path("a.db"), sandbox.path("soft.db")).unwrap();
    for to in [
        "a.db",
        "./a.db",
        "sqlite://a.db",
        "hard.db",
        #[cfg(unix)]
        "soft.db",
    ] {
        let said = sandbox.run(&["migrate", "--from", "a.db", "--to", to]);
        said.assert_failed(2, &["same store"]);
    }
    let postgres = Postgres::migrated(&sandbox);
    let said = sandbox.run(&[
        "migrate",
        "--from",
        &postgres.url(),
        "--to",
        &postgres.url(),
    ]);
    said.assert_failed(2, &["same store"]);
}

#[test]
fn what_is_no_source_is_refused_before_a_target_is_made() {
    let sandbox = Sandbox::new();
    std::fs::write(
        sandbox.path("text.db"),
        "no database, but a text of some length",
    )
    .unwrap();
    std::fs::write(sandbox.path("empty.db"), "").unwrap();
    std::fs::create_dir(sandbox.path("folder.db")).unwrap();
    execute(
        &sandbox.path("other.db"),
        "create table recipes (id integer)",
    );
    for from in ["text.db", "empty.db", "folder.db", "other.db"] {
        let said = sandbox.run(&["migrate", "--from", from, "--to", "a.db"]);
        said.assert_failed(3, &[from]);
        assert!(!sandbox.has("a.db"), "{from}");
    }
}

#[test]
fn an_old_file_is_no_store() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    for args in [
        &["migrate", "--url", "jarvis.db"][..],
        &["migrate", "status", "--url", "jarvis.db"],
        &["verify", "jarvis.db", "jarvis.db"],
        &["migrate", "--from", "jarvis.db", "--to", "jarvis.db"],
    ] {
        let said = sandbox.run(args);
        assert!(said.status >= 2, "{said:?}");
    }
    let said = sandbox.run(&["migrate", "--url", "jarvis.db"]);
    said.assert_failed(3, &["--from"]);
}

#[test]
fn a_target_without_schema_is_refused_with_the_option_that_makes_it() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    let postgres = Postgres::new();
    let said = sandbox.run(&["migrate", "--from", "flux.db", "--to", &postgres.url()]);
    said.assert_failed(3, &["2026-", "--create-schema"]);
    sandbox.carry("flux.db", &postgres.url(), &["--create-schema"]);
}

#[test]
fn wrong_options_are_a_wrong_use() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    let base = ["migrate", "--from", "flux.db", "--to", "a.db"];
    for (more, words) in [
        (&["--batch-size", "0"][..], &["batch-size", "10000"][..]),
        (&["--source-kind", "jarvs"], &["jarvs", "jarvis"]),
        (
            &["--source-timezone", "Mars/Olympus"],
            &["Mars/Olympus", "Europe/Berlin"],
        ),
        (&["--tenant", ""], &["tenant"]),
        (&["--on-conflict", "overwrite"], &["overwrite", "keep"]),
    ] {
        sandbox
            .run(&[&base[..], more].concat())
            .assert_failed(2, words);
    }
    let said = sandbox.run(&["migrate", "--url", "mysql://h/d"]);
    said.assert_failed(2, &["mysql", "postgres://"]);
    let said = sandbox.run(&["migrate", "--url", "postgres://h/d?sslmode=always"]);
    said.assert_failed(2, &["sslmode", "verify-full"]);
    assert!(!sandbox.has("a.db"));
}

#[test]
fn options_for_old_files_are_refused_for_a_store() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["migrate", "--url", "a.db"]).status, 0);
    let said = sandbox.run(&[
        "migrate",
        "--from",
        "a.db",
        "--to",
        "b.db",
        "--source-timezone",
        "UTC",
    ]);
    said.assert_failed(2, &["--source-timezone"]);
}

#[test]
fn an_unreachable_server_is_named_and_its_password_is_not() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    let url = "postgres://ada:s3cr%40t@127.0.0.1:9/mind?connect_timeout=2";
    for args in [
        &["migrate", "--url", url][..],
        &["migrate", "status", "--url", url],
        &["migrate", "--from", "flux.db", "--to", url],
        &["migrate", "--from", url, "--to", "a.db"],
        &["verify", url, url],
        &["migrate", "--url", url, "--json"],
    ] {
        let said = sandbox.run(args);
        assert_eq!(said.status, 3, "{said:?}");
        let all = format!("{}{}", said.out, said.err);
        assert!(all.contains("127.0.0.1"), "{all}");
        assert!(!all.contains("s3cr"), "{all}");
    }
    let said = sandbox.run(&["migrate", url]);
    assert_eq!(said.status, 2);
    assert!(!said.err.contains("s3cr"), "{}", said.err);
}

#[test]
fn a_refused_password_is_not_printed() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::new();
    let url = postgres.url_as("nobody_of_that_name", "s3cret-word");
    let said = sandbox.run(&["migrate", "--url", &url]);
    assert_eq!(said.status, 3, "{said:?}");
    assert!(said.err.contains("nobody_of_that_name"), "{}", said.err);
    assert!(!said.err.contains("s3cret"), "{}", said.err);
}

#[test]
fn a_variable_that_does_not_fit_is_named() {
    for (name, value, words) in [
        (
            "MEMORY_POOL_MAX_SISE",
            "4",
            &["MEMORY_POOL_MAX_SISE", "MEMORY_POOL_MAX_SIZE"],
        ),
        (
            "MEMORY_POOL_MAX_SIZE",
            "x",
            &["MEMORY_POOL_MAX_SIZE", "number"],
        ),
        (
            "MEMORY_SSLMODE",
            "require",
            &["MEMORY_SSLMODE", "PostgreSQL only"],
        ),
    ] {
        let sandbox = Sandbox::new().with_variable(name, value);
        sandbox.run(&["migrate"]).assert_failed(2, words);
        assert!(!sandbox.has("memory.db"));
    }
}
