//! Has the crate built anew when a migration is added, which the compiler would not notice, and lists
//! the indexes that the migrations make.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=sqlite");
    println!("cargo::rerun-if-changed=postgres");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for backend in ["sqlite", "postgres"] {
        fs::write(
            out.join(format!("{backend}_indexes.rs")),
            indexes(Path::new(backend)),
        )
        .expect("the folder for what is built can be written");
    }
}

/// The indexes that stand when every migration was applied, as a slice of names and statements.
fn indexes(folder: &Path) -> String {
    let mut migrations: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the migrations can be read")
        .map(|entry| entry.expect("the migrations can be read").path())
        .collect();
    migrations.sort();
    let mut standing: Vec<(String, String)> = Vec::new();
    for migration in migrations {
        let sql = fs::read_to_string(migration.join("up.sql")).expect("the migrations can be read");
        let sql: Vec<&str> = sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .collect();
        for statement in sql.join("\n").split(';').map(str::trim) {
            let words: Vec<&str> = statement.split_whitespace().collect();
            match words.as_slice() {
                ["create", "index", name, ..] | ["create", "unique", "index", name, ..] => {
                    standing.push(((*name).to_owned(), statement.to_owned()));
                }
                ["drop", "index", name] => standing.retain(|(standing, _)| standing != name),
                ["drop", "table", table] => {
                    let on = format!(" on {table} ");
                    standing.retain(|(_, sql)| !sql.contains(&on));
                }
                _ => {}
            }
        }
    }
    let mut list = String::from("&[\n");
    for (name, sql) in standing {
        writeln!(list, "    ({name:?}, {sql:?}),").expect("a String takes everything");
    }
    list + "]\n"
}
