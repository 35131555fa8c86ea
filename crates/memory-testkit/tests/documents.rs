//! The pages in `docs/` name scenarios, tests, verbs, variables and other pages: all of them exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use memory_storage::{Config, ConfigOption};
use memory_testkit::Verb;

const CAPABILITIES: &str = "docs/capabilities.md";

/// What the cell of a capability says that has no test yet.
const NOT_YET: &str = "not yet";

/// What follows a call that a page names before it is there.
const COMING: &str = " (not yet)";

/// What it says where a backend has no such thing.
const DOES_NOT_APPLY: &str = "does not apply";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|it| it == extension)
}

/// Every page, by its path from the root.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("the folder is there") {
            let entry = entry.expect("it can be read");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if has_extension(&path, "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// What stands between backticks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of a page's tables under a head that begins with `first`, as cells.
fn rows<'a>(page: &'a str, first: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
    let mut inside = false;
    page.lines().filter_map(move |line| {
        let Some(line) = line.strip_prefix("| ") else {
            inside = false;
            return None;
        };
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let head = cells[0] == first;
        let was_inside = inside;
        inside = inside || head;
        (was_inside && !head && !cells[0].starts_with("---")).then_some(cells)
    })
}

/// `CreateTenant` as the trait has it: `create_tenant`.
fn method_of(verb: Verb) -> String {
    let mut name = String::new();
    for letter in format!("{verb:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Where a code span names a scenario (`sessions::…`) or a test (`crates/….rs::…`): what is wrong.
fn broken_proof(span: &str) -> Option<String> {
    let (place, name) = span.rsplit_once("::")?;
    if has_extension(place, "rs") {
        let file = fs::read_to_string(root().join(place)).unwrap_or_default();
        return (!file.contains(&format!("fn {name}("))).then(|| format!("no test `{span}`"));
    }
    let known = memory_testkit::scenarios()
        .iter()
        .any(|scenario| scenario.name == span);
    (!known).then(|| format!("no scenario `{span}`"))
}

/// Whether what the code spans of a cell name holds the capability.
fn has_proof(cell: &str) -> bool {
    code_spans(cell).any(|span| span.contains("::"))
}

#[test]
fn every_verb_stands_in_the_table_of_capabilities() {
    let page = read(CAPABILITIES);
    let named: BTreeSet<&str> = rows(&page, "capability")
        .flat_map(|cells| code_spans(cells[1]).collect::<Vec<_>>())
        .collect();
    let missing: Vec<String> = Verb::ALL
        .iter()
        .map(|verb| method_of(*verb))
        .filter(|verb| !named.contains(verb.as_str()))
        .collect();
    assert!(missing.is_empty(), "verbs that are not named: {missing:?}");
}

#[test]
fn every_capability_is_held_on_both_backends_or_says_that_it_is_not() {
    let page = read(CAPABILITIES);
    let mut wrong = Vec::new();
    let mut count = 0;
    for cells in rows(&page, "capability") {
        count += 1;
        let [capability, _, sqlite, postgres] = cells[..] else {
            wrong.push(format!("a row of {} cells: {cells:?}", cells.len()));
            continue;
        };
        for cell in [sqlite, postgres] {
            if !has_proof(cell) && ![NOT_YET, DOES_NOT_APPLY, "the same"].contains(&cell) {
                wrong.push(format!("{capability}: `{cell}` proves nothing"));
            }
            wrong.extend(code_spans(cell).filter_map(broken_proof));
        }
        let scenario = code_spans(sqlite).any(|span| span.contains("::") && !span.contains('/'));
        if postgres == "the same" && has_proof(sqlite) && !scenario {
            wrong.push(format!("{capability}: no scenario runs on both"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 40, "only {count} capabilities were found");
}

#[test]
fn every_call_that_a_page_names_is_there_or_marked_as_coming() {
    let mut sources = String::new();
    for file in [
        "crates/memory-core/src/lib.rs",
        "crates/memory-core/src/memory.rs",
    ] {
        sources += &read(file);
    }
    let folder = root().join("crates/memory-core/src/tenant");
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        sources += &fs::read_to_string(path).expect("it can be read");
    }
    let mut wrong = BTreeSet::new();
    let mut count = 0;
    for page in pages() {
        let text = read(&page);
        let pieces: Vec<&str> = text.split('`').collect();
        for (span, after) in pieces.iter().zip(&pieces[1..]).skip(1).step_by(2) {
            let Some((handle, rest)) = span.split_once("::") else {
                continue;
            };
            if !["Memory", "Tenant", "Work"].contains(&handle) {
                continue;
            }
            count += 1;
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let call = &rest[..end.unwrap_or(rest.len())];
            let is_there = ["(", "<"]
                .iter()
                .any(|next| sources.contains(&format!("fn {call}{next}")));
            match (is_there, after.starts_with(COMING)) {
                (false, false) => wrong.insert(format!("{page}: `{span}` is not there")),
                (true, true) => wrong.insert(format!("{page}: `{span}` is there by now")),
                _ => false,
            };
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 100, "only {count} calls were found");
}

#[test]
fn every_variable_that_a_page_names_is_read() {
    let options: BTreeSet<String> = Config::all_options()
        .iter()
        .map(ConfigOption::variable)
        .collect();
    let mut wrong = BTreeSet::new();
    for page in pages() {
        let text = read(&page);
        for (at, _) in text.match_indices("MEMORY_") {
            let rest = &text[at..];
            let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            // `MEMORY_…` and `MEMORY_TEST_` stand for several.
            if !name.ends_with('_') && name != "MEMORY_URL" && !options.contains(name) {
                wrong.insert(format!("{page}: {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "variables that nothing reads: {wrong:#?}");
}

#[test]
fn every_page_that_a_page_links_to_is_there() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = read(&page);
        let here = root().join(&page);
        let here = here.parent().expect("a page is in a folder");
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap_or_default();
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !here.join(file).exists() {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "links to nowhere: {wrong:#?}");
}
