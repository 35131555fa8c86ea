//! The table of pitfalls in `docs/transfer.md` and the tests beside this file are in step.

use std::collections::BTreeSet;
use std::path::Path;

const FILES: [(&str, &str); 8] = [
    ("text", include_str!("text.rs")),
    ("json", include_str!("json.rs")),
    ("number", include_str!("number.rs")),
    ("time", include_str!("time.rs")),
    ("reference", include_str!("reference.rs")),
    ("shape", include_str!("shape.rs")),
    ("continuum", include_str!("continuum.rs")),
    ("damage", include_str!("damage.rs")),
];

/// The tests of a file by their names in the table.
fn tests(module: &str, source: &str) -> Vec<String> {
    let after = source.split("#[test]\nfn ").skip(1);
    let names = after.map(|rest| rest.split_once('(').unwrap().0);
    names.map(|name| format!("`{module}::{name}`")).collect()
}

/// The rows of the table, as cells.
fn rows() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/transfer.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, section) = page.split_once("\n## Pitfalls\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    lines.skip(2).map(cells).collect()
}

#[test]
fn every_pitfall_of_the_page_has_its_test_and_every_test_its_pitfall() {
    let mut tested = BTreeSet::new();
    for (module, source) in FILES {
        tested.extend(tests(module, source));
    }
    let mut named = BTreeSet::new();
    for row in rows() {
        assert_eq!(row.len(), 3, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        for name in row[2].split(", ") {
            assert!(named.insert(name.to_owned()), "{name} stands twice");
        }
    }
    assert_eq!(named, tested);
    assert!(named.len() >= 35, "only {} were found", named.len());
}

#[test]
fn every_file_of_pitfalls_is_looked_through() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/memory/pitfalls");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut with_tests: BTreeSet<String> = names.collect();
    for without in ["mod.rs", "page.rs", "trial.rs"] {
        assert!(with_tests.remove(without), "{without}");
    }
    let read: BTreeSet<String> = FILES
        .iter()
        .map(|(module, _)| format!("{module}.rs"))
        .collect();
    assert_eq!(with_tests, read);
}
