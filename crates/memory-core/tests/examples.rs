//! The examples do what they say: each runs and ends well.
#![cfg(feature = "sqlite")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs an example that cargo built with the tests, and returns what it said.
fn run(name: &str) -> String {
    let test = env::current_exe().expect("a test knows its own path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("it lies in target/<profile>/deps");
    let output = Command::new(profile.join("examples").join(name))
        .output()
        .unwrap_or_else(|error| panic!("{name} was not built: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[test]
fn the_demo_finds_again_what_it_remembered() {
    let said = run("demo");
    assert!(
        said.contains("2. assistant Then let us take the train."),
        "{said}"
    );
    assert!(said.contains("depends_on train, strength 0.8"), "{said}");
}

#[test]
fn a_retry_is_stored_once() {
    let said = run("retries");
    assert!(said.contains("numbers 1 and 1"), "{said}");
    assert!(said.contains("refused: message"), "{said}");
}

#[test]
fn eight_tasks_merge_eight_facts() {
    let said = run("merging");
    for fact in 0..8 {
        assert!(said.contains(&format!("\"fact_{fact}\": {fact}")), "{said}");
    }
    assert!(said.contains("merged 7 times"), "{said}");
}

#[test]
fn what_was_learned_comes_to_mind() {
    let said = run("recall");
    for line in [
        "1.000 Rust",
        "1.000 message passing",
        "0.600 tokio",
        "0.004 channels",
        "3 messages, 4 concepts",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn no_example_is_forgotten_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the examples are there")
        .map(|entry| entry.expect("readable").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    assert_eq!(names, ["demo", "merging", "recall", "retries"]);
}
