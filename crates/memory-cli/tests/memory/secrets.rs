//! Passwords: where they come from, and that hiding them harms nothing else.

use crate::postgres::Postgres;
use crate::sandbox::Sandbox;
use crate::sources::jarvis;

#[test]
fn a_connection_string_becomes_no_file_and_is_not_shown() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    let pairs = "host=db user=ada password=s3cret-word dbname=mind";
    let bare = "ada:s3cret-word@h/d";
    for args in [
        &["migrate", "--url", pairs][..],
        &["migrate", "--url", bare],
        &["check", "--url", "postgres//ada:s3cret-word@h/d"],
        &["migrate", "--from", bare, "--to", "a.db"],
        &["migrate", "--from", "jarvis.db", "--to", pairs],
        &["verify", bare, pairs],
        &["migrate", pairs],
        &["check", "Server=h;Port=5432;Password=s3cret-word"],
    ] {
        let said = sandbox.run(args);
        assert_eq!(said.status, 2, "{said:?}");
        let all = format!("{}{}", said.out, said.err);
        assert!(!all.contains("s3cret"), "{args:?}: {all}");
    }
    let files = std::fs::read_dir(sandbox.path(".")).unwrap();
    assert_eq!(files.count(), 1);
}

#[test]
fn a_password_that_is_also_a_word_damages_nothing() {
    let sandbox = Sandbox::new()
        .with_variable("DATABASE_URL", "postgres://dev:1@localhost/x")
        .with_variable(
            "MEMORY_URL",
            "postgres://u:exit_status@127.0.0.1:9/d?connect_timeout=2",
        );
    assert_eq!(
        sandbox.run(&["migrate", "--url", "exit_status.db"]).status,
        0
    );
    let (status, document) = sandbox.json(&["check", "--url", "exit_status.db"]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(document["exit_status"], 0);
    assert_eq!(document["check"]["store"], "sqlite://exit_status.db");
    // The store that cannot be reached: the document's keys stay.
    let (status, document) = sandbox.json(&["check"]);
    assert_eq!(status, 3, "{document:#}");
    assert_eq!(document["exit_status"], 3);
}

#[test]
fn a_short_password_is_hidden_only_where_a_url_has_it() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["migrate", "postgres://u:or@h/d"]);
    said.assert_failed(2, &["error", "postgres://u:…@h/d"]);
}

#[test]
fn the_environment_says_how_both_ends_are_reached_where_their_urls_do_not() {
    let sandbox = Sandbox::new().with_variable("MEMORY_SSLMODE", "verify-full");
    jarvis(&sandbox.path("jarvis.db"));
    let postgres = Postgres::new();
    let url = postgres.url();
    // The server of the tests has no certificate.
    let to = [
        "migrate",
        "--from",
        "jarvis.db",
        "--to",
        &url,
        "--create-schema",
    ];
    sandbox.run(&to).assert_failed(3, &["TLS"]);
    sandbox
        .run(&["verify", &url, &url])
        .assert_failed(3, &["TLS"]);
    let plain = format!("{url}&sslmode=disable");
    let to = [
        "migrate",
        "--from",
        "jarvis.db",
        "--to",
        &plain,
        "--create-schema",
    ];
    assert_eq!(sandbox.run(&to).status, 0);
    assert_eq!(sandbox.run(&["verify", &plain, &plain]).status, 0);
    // A file has no use for it.
    sandbox.carry("jarvis.db", "a.db", &[]);
}
