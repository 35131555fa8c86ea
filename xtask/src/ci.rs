//! `ci`: everything that a change must pass, the cheap checks first.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use crate::failure::{During, Result};
use crate::pg::{Held, LOCALE_VARIABLE};
use crate::steps::Steps;
use crate::test::URL_VARIABLE;
use crate::workspace::{cargo, target_dir};
use crate::{process, test};

/// The feature sets in which `memory-core` must build, as cargo's arguments.
const FEATURE_SETS: [(&str, &[&str]); 7] = [
    ("none", &["--no-default-features"]),
    ("sqlite", &["--no-default-features", "--features=sqlite"]),
    (
        "postgres",
        &["--no-default-features", "--features=postgres"],
    ),
    (
        "sqlite, postgres",
        &["--no-default-features", "--features=sqlite,postgres"],
    ),
    ("migrate", &["--no-default-features", "--features=migrate"]),
    ("legacy", &["--no-default-features", "--features=legacy"]),
    ("all", &["--all-features"]),
];

/// Orders text unlike its bytes, and folds `I` unlike everybody else: Turkish.
const OTHER_LOCALE: &str = "tr";

/// The members of the workspace that are not for the registry.
const UNPUBLISHED: [&str; 3] = ["memory-benches", "memory-testkit", "xtask"];

/// Runs every check and stops at the first that fails.
pub(crate) fn ci() -> Result<ExitCode> {
    let mut steps = Steps::default();
    let outcome = run_all(&mut steps);
    steps.print_summary();
    outcome?;
    println!("ci passed");
    Ok(ExitCode::SUCCESS)
}

fn run_all(steps: &mut Steps) -> Result<()> {
    steps.run("format", &mut cargo(["fmt", "--all", "--check"]))?;
    deny(steps)?;
    steps.run("clippy", &mut clippy(&WHOLE_WORKSPACE))?;
    for (name, features) in FEATURE_SETS {
        // The library alone: with its tests, their dependencies would switch features on again.
        let args = [&["--package=memory-core", "--lib"], features].concat();
        steps.run(
            &format!("clippy memory-core, features: {name}"),
            &mut clippy(&args),
        )?;
    }
    steps.run("documentation", &mut documentation())?;
    // The very command that the README gives, so that it is known to work.
    steps.run("tests", &mut cargo(["xtask", "test"]))?;
    let mut elsewhere = cargo(["xtask", "test"]);
    elsewhere.env(LOCALE_VARIABLE, OTHER_LOCALE);
    steps.run("tests, in another locale", &mut elsewhere)?;
    let server = steps.step("start PostgreSQL", Held::start)?;
    steps.run("benches", benches().env(URL_VARIABLE, server.url()))?;
    steps.run("build the transfer benchmark", &mut programs())?;
    steps.run("transfers", transfers()?.env(URL_VARIABLE, server.url()))?;
    steps.step("stop PostgreSQL", || server.stop())?;
    steps.run("demo", &mut cargo(["xtask", "demo"]))?;
    steps.step("forget packages", forget_packages)?;
    steps.run("package", &mut package()?)
}

const WHOLE_WORKSPACE: [&str; 3] = ["--workspace", "--all-targets", "--all-features"];

fn clippy(args: &[&str]) -> Command {
    let mut command = cargo(["clippy"]);
    // Not by RUSTFLAGS: those would build every dependency anew.
    command.args(args).args(["--", "-D", "warnings"]);
    command
}

fn documentation() -> Command {
    let mut command = cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Packs every crate for the registry and builds it from its package alone.
///
/// That finds a file left out of a package, and a crate that builds only while another member
/// switches a feature on for it.
fn package() -> Result<Command> {
    let mut command = cargo(["package", "--workspace", "--allow-dirty", "--target-dir"]);
    command.arg(target_dir()?);
    // A package does not see our profile, which builds dependencies without debug information. With
    // this and one target folder their builds are shared, and three quarters of the work saved.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    for name in UNPUBLISHED {
        command.args(["--exclude", name]);
    }
    Ok(command)
}

/// Removes what an earlier run of `package` from this folder left: a version of a package never changes
/// for cargo, so it would build the others against the code that was packed then.
fn forget_packages() -> Result<()> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    if let Some(home) = home {
        for kind in ["src", "cache"] {
            // A registry on the network has its host's name before the dash.
            for registry in named(&home.join("registry").join(kind), "-")? {
                remove(&named(&registry, "memory-")?)?;
            }
        }
    }
    remove(&named(
        &target_dir()?.join("debug/.fingerprint"),
        "memory-",
    )?)
}

/// What a folder, which may be missing, has under names that begin so.
fn named(folder: &Path, beginning: &str) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.during(|| format!("cannot list `{}`", folder.display()))?;
        if entry.file_name().to_string_lossy().starts_with(beginning) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn remove(paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let removed = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
        removed.during(|| format!("cannot remove `{}`", path.display()))?;
    }
    Ok(())
}

/// Each benchmark once, in the tests' build: a release build would cost as much as the tests.
fn benches() -> Command {
    let mut command = test::suite();
    command.args(["--bench", "*"]);
    command
}

/// Every program of the workspace, in the tests' build.
fn programs() -> Command {
    cargo(["build", "--workspace", "--all-features", "--bins"])
}

/// What `transfer-bench` runs, once and on a small file, with the tests' build.
fn transfers() -> Result<Command> {
    let built = target_dir()?.join("debug");
    let mut command = Command::new(built.join("transfer"));
    command.arg("--memory").arg(built.join("memory"));
    command.args(["--percent", "2", "--rounds", "1", "--alone"]);
    Ok(command)
}

fn deny(steps: &mut Steps) -> Result<()> {
    if process::answer("cargo", &["deny", "--version"]).is_some() {
        return steps.run("deny", &mut cargo(["deny", "check"]));
    }
    steps.skip(
        "deny",
        "cargo-deny is not installed: cargo install --locked cargo-deny",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::workspace::root;

    fn manifests() -> Vec<String> {
        let crates = fs::read_dir(root().join("crates")).unwrap();
        let mut folders: Vec<PathBuf> = crates.map(|entry| entry.unwrap().path()).collect();
        folders.extend(["migrations", "benches", "xtask"].map(|name| root().join(name)));
        let manifests = folders.iter().map(|folder| folder.join("Cargo.toml"));
        manifests.flat_map(fs::read_to_string).collect()
    }

    #[test]
    fn packaging_leaves_out_what_is_not_for_the_registry() {
        let private = manifests()
            .into_iter()
            .filter(|m| m.contains("publish = false"));
        let mut names: Vec<String> = private
            .filter_map(|manifest| {
                let line = manifest.lines().find(|line| line.starts_with("name = "))?;
                Some(line.split('"').nth(1)?.to_owned())
            })
            .collect();
        names.sort();
        assert_eq!(names, UNPUBLISHED);
    }
}
