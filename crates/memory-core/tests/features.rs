//! A set of features brings what it needs and no foreign driver.

use std::process::Command;

/// The names of all crates that an application gets with these features.
fn crates_with(features: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "memory-core",
            "--edges",
            "no-dev",
            "--prefix",
            "none",
        ])
        .args([
            "--format",
            "{p}",
            "--no-default-features",
            "--features",
            features,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, as it runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines()
        .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
        .collect()
}

fn assert_brings(features: &str, wanted: &[&str], foreign: &[&str]) {
    let crates = crates_with(features);
    for name in wanted {
        assert!(
            crates.iter().any(|found| found == name),
            "{features:?} lacks {name}"
        );
    }
    for name in foreign {
        assert!(
            !crates.iter().any(|found| found == name),
            "{features:?} brings {name}"
        );
    }
}

const SQLITE: &[&str] = &["memory-sqlite", "libsqlite3-sys"];
const POSTGRES: &[&str] = &["memory-postgres", "tokio-postgres"];

#[test]
fn without_a_feature_there_is_no_driver() {
    assert_brings(
        "",
        &["memory-domain"],
        &[SQLITE, POSTGRES, &["diesel", "rusqlite"]].concat(),
    );
}

#[test]
fn sqlite_alone_brings_no_postgres_driver() {
    assert_brings(
        "sqlite",
        SQLITE,
        &[POSTGRES, &["diesel-async", "rusqlite"]].concat(),
    );
}

#[test]
fn postgres_alone_brings_no_sqlite_and_no_libpq() {
    assert_brings(
        "postgres",
        POSTGRES,
        &[SQLITE, &["rusqlite", "pq-sys"]].concat(),
    );
}

#[test]
fn both_backends_stand_side_by_side() {
    assert_brings(
        "sqlite,postgres",
        &[SQLITE, POSTGRES].concat(),
        &["rusqlite", "pq-sys"],
    );
}

#[test]
fn migrate_brings_no_backend_and_legacy_brings_sqlite() {
    assert_brings("migrate", &["memory-migrate"], &[SQLITE, POSTGRES].concat());
    assert_brings(
        "legacy",
        &["memory-legacy", "rusqlite", "libsqlite3-sys"],
        POSTGRES,
    );
}

#[test]
fn legacy_and_postgres_together_read_servers_too() {
    assert_brings(
        "legacy,postgres",
        &[POSTGRES, &["memory-legacy"]].concat(),
        &["memory-sqlite", "pq-sys"],
    );
}
