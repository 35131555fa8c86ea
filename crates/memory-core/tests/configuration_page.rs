//! The page that documents the options says what the code does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use memory_core::Config;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    std::fs::read_to_string(path).unwrap()
}

/// The rows of the table under a heading, each as its cells.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, section) = page.split_once(heading).unwrap();
    let section = section.split_once("\n## ").map_or(section, |(own, _)| own);
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let lines = section.lines().filter(|line| line.starts_with('|'));
    lines.skip(2).map(cells).collect()
}

#[test]
fn the_table_of_options_is_that_of_the_code() {
    let code: Vec<Vec<String>> = Config::all_options()
        .iter()
        .map(|option| {
            vec![
                format!("`{}`", option.name),
                format!("`{}`", option.variable()),
                format!("`{}`", option.builder),
                option.default.to_owned(),
                option.backend.as_str().to_owned(),
            ]
        })
        .collect();
    assert_eq!(rows(&page(), "\n## Every option"), code);
}

#[test]
fn an_old_systems_variable_leads_to_one_that_is_there() {
    let page = page();
    let rows = rows(&page, "\n## From the older systems");
    let said: String = rows.iter().map(|row| row[0].as_str()).collect();
    for name in [
        "DATABASE_BACKEND",
        "POSTGRES_DSN",
        "DB_POOL_SIZE",
        "PG_HOST",
        "KG_BACKEND",
        "POSTGRES_POOL_SIZE",
    ] {
        assert!(said.contains(&format!("`{name}`")), "{name}");
    }
    for row in &rows {
        let here = row[1]
            .split('`')
            .find(|word| word.starts_with("MEMORY_"))
            .unwrap();
        let is_option = |option: &memory_core::ConfigOption| option.variable() == here;
        assert!(
            here == "MEMORY_URL" || Config::all_options().iter().any(is_option),
            "{row:?}"
        );
    }
}
