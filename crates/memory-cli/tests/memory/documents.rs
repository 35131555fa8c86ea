//! Every command that the documents give is run, as it stands there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, tamper};
use crate::sources;

/// The commands of `cargo xtask` that CI runs, or that xtask's own tests hold.
const XTASK: [&str; 6] = ["bench", "ci", "demo", "pg", "test", "transfer-bench"];

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
    // The reader of a document has a store already, may have a file of an older system, and one
    // with a flaw in it.
    assert_eq!(sandbox.run(&["migrate"]).status, 0);
    fs::create_dir(sandbox.path("data")).unwrap();
    fs::create_dir(sandbox.path("continuum_data")).unwrap();
    sources::continuum(&sandbox.path("continuum_data/memory.db"));
    sources::flux_rag(&sandbox.path("data/memory.db"));
    sources::feedback(&sandbox.path("data/feedback.jsonl"));
    sources::jarvis(&sandbox.path("data/knowledge_graph.db"));
    sources::ai_pal(&sandbox.path("data/ai_pal.db"));
    sources::audit(&sandbox.path("data/audit_20260205.jsonl"));
    sources::consultant(&sandbox.path("memory_store.db"));
    sources::consultant(&sandbox.path("old.db"));
    tamper(
        &sandbox.path("old.db"),
        "update memory_nodes set base_relevance = 1.7 where summary = 'found'",
    );
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
fn the_commands_of_the_guide_work_in_their_order() {
    for page in ["open-and-configure", "operations", "postgresql"] {
        let ran = run_commands_of(&format!("docs/guide/{page}.md"));
        assert!(ran > 0, "{page}");
    }
}

#[test]
fn the_commands_of_the_pages_coming_from_work_in_their_order() {
    for page in ["ai-pal", "consultant", "continuum", "flux-rag", "jarvis"] {
        let ran = run_commands_of(&format!("docs/coming-from/{page}.md"));
        assert!(ran > 0, "{page}");
    }
}

#[test]
fn the_commands_of_the_page_on_transfers_work_in_their_order() {
    assert!(run_commands_of("docs/transfer.md") > 0);
}

#[test]
fn the_commands_of_the_page_on_operations_work_in_their_order() {
    assert!(run_commands_of("docs/operations.md") > 0);
}

#[test]
fn the_commands_of_the_page_on_files_work_in_their_order() {
    assert!(run_commands_of("docs/export.md") > 0);
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

#[test]
fn every_command_that_a_page_names_is_there_or_marked_as_coming() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut folders = vec![root];
    let mut commands = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                commands.extend(commands_in(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    let sandbox = Sandbox::new();
    for (command, is_coming) in &commands {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.push("--help");
        let said = sandbox.run(&args);
        let is_there = said.status == 0;
        assert_ne!(is_there, *is_coming, "`memory {command}`: {said:?}");
    }
    assert!(commands.len() >= 5, "only {commands:?} were found");
}

/// The commands between backticks, such as `migrate up` of "`memory migrate up --url …`", each with
/// whether it is marked as coming.
fn commands_in(text: &str) -> Vec<(String, bool)> {
    let pieces: Vec<&str> = text.split('`').collect();
    let spans = pieces.iter().zip(&pieces[1..]).skip(1).step_by(2);
    let command = |(span, after): (&&str, &&str)| {
        let rest = span.strip_prefix("memory ")?;
        let is_word = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase());
        let words: Vec<&str> = rest.split(' ').take_while(is_word).collect();
        let is_coming = after.starts_with(" (not yet)");
        (!words.is_empty()).then(|| (words.join(" "), is_coming))
    };
    spans.filter_map(command).collect()
}
