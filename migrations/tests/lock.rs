//! A migration, once merged, never changes, and both backends have the same ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const LOCK: &str = "migrations.lock";

/// Every SQL file of both backends with its digest.
fn digests() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut digests = BTreeMap::new();
    for backend in ["sqlite", "postgres"] {
        for folder in fs::read_dir(root.join(backend)).expect("the migrations can be read") {
            let folder = folder.expect("the migrations can be read");
            for direction in ["up.sql", "down.sql"] {
                let name = folder
                    .file_name()
                    .into_string()
                    .expect("the migrations can be read");
                let sql =
                    fs::read(folder.path().join(direction)).expect("the migrations can be read");
                let digest = blake3::hash(&sql).to_string();
                digests.insert(format!("{backend}/{name}/{direction}"), digest);
            }
        }
    }
    digests
}

fn locked() -> BTreeMap<String, String> {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(LOCK))
        .expect("the migrations can be read");
    lock.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (digest, file) = line
                .split_once("  ")
                .expect("a line is a digest and a file");
            (file.to_owned(), digest.to_owned())
        })
        .collect()
}

#[test]
fn a_merged_migration_never_changes() {
    let (digests, locked) = (digests(), locked());
    for (file, digest) in &locked {
        assert_eq!(
            digests.get(file),
            Some(digest),
            "{file} was changed or removed after it was merged; write a new migration instead"
        );
    }
    for (file, digest) in &digests {
        assert!(
            locked.contains_key(file),
            "{file} is new: add this line to migrations/{LOCK}:\n{digest}  {file}"
        );
    }
}

#[test]
fn both_backends_have_the_same_migrations() {
    let of = |backend: &str| -> Vec<String> {
        digests()
            .into_keys()
            .filter_map(|file| Some(file.strip_prefix(backend)?.to_owned()))
            .collect()
    };
    assert_eq!(of("sqlite"), of("postgres"));
    assert!(!of("sqlite").is_empty());
}
