//! Every command that the documents give is run, as it stands there.

use std::fs;
use std::path::Path;

use crate::postgres::Postgres;
use crate::sandbox::Sandbox;

/// The commands of `cargo xtask` that CI runs, or that xtask's own tests hold.
const XTASK: [&str; 5] = ["bench", "ci", "demo", "pg", "test"];

/// The shell's blocks of a document, each as one script.
fn scripts(document: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join(document)).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

fn run_commands_of(document: &str) -> usize {
    let postgres = Postgres::new();
    let sandbox = Sandbox::new().with_variable("POSTGRES_URL", &postgres.url());
    // The reader of a document has a store already.
    assert_eq!(sandbox.run(&["migrate"]).status, 0);
    let mut ran = 0;
    for script in scripts(document) {
        if script.starts_with("memory ") {
            let said = sandbox.shell(&script);
            assert_eq!(said.status, 0, "{document}: {script}{said:?}");
            ran += 1;
        }
    }
    ran
}

#[test]
fn the_commands_of_the_readme_work_in_their_order() {
    assert!(run_commands_of("README.md") > 0);
}

#[test]
fn the_commands_of_the_page_on_transfers_work_in_their_order() {
    assert!(run_commands_of("docs/transfer.md") > 0);
}

#[test]
fn the_commands_for_developers_are_those_that_ci_runs() {
    let mut found = 0;
    for script in scripts("README.md") {
        for line in script.lines() {
            if let Some(rest) = line.strip_prefix("cargo xtask ") {
                let command = rest.split_whitespace().next().unwrap();
                assert!(XTASK.contains(&command), "nothing runs `{line}`");
                found += 1;
            }
        }
    }
    assert!(found >= 2, "only {found} commands were found");
}
