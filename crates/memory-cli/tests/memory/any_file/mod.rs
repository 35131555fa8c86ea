//! Files of the known tables, with values of every storage class in columns without a type, and of the
//! known JSON Lines: mostly sound rows, partly hostile ones. Carried to a new store, the rows of every table add up, every
//! sound row stands with its exact values, and nothing panics.
//!
//! The cases are the same in every run. `MEMORY_TEST_FILES=5000 cargo test -p memory-cli any_file`
//! tries more of them: so many of each system, of which the first are those of the suite.

mod ai_pal;
mod consultant;
mod continuum;
mod flux_rag;
mod jarvis;
mod lines;
mod seed;
mod tables;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use memory_core::legacy::LegacyKind;
use memory_core::migrate::{self, Classes, Report, TransferOptions};
use memory_core::{Clock, SystemClock};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::Value;

use self::seed::{Seed, seeds};
use self::tables::{Made, Sound};
use crate::sandbox::{Sandbox, quarantine_lines};

/// How many files of each system are tried; see above.
const VARIABLE: &str = "MEMORY_TEST_FILES";
const FILES: u32 = 32;

/// What became of all rows of all files.
#[derive(Debug, Default)]
struct Totals {
    sound: u64,
    carried: u64,
    changed: u64,
    quarantined: u64,
    rows: u64,
}

#[test]
fn whatever_stands_in_a_flux_rag_file_the_sound_rows_are_carried() {
    assert_shares(&try_files(None, flux_rag::make));
}

#[test]
fn whatever_stands_in_a_jarvis_file_the_sound_rows_are_carried() {
    assert_shares(&try_files(None, jarvis::make));
}

#[test]
fn whatever_stands_in_a_consultant_file_the_sound_rows_are_carried() {
    assert_shares(&try_files(None, consultant::make));
}

#[test]
fn whatever_stands_in_a_continuum_file_the_sound_rows_are_carried() {
    assert_shares(&try_files(None, continuum::make));
}

#[test]
fn whatever_stands_in_an_ai_pal_file_the_sound_rows_are_carried() {
    assert_shares(&try_files(None, ai_pal::make));
}

#[test]
fn whatever_stands_in_an_audit_log_the_sound_lines_are_carried() {
    assert_shares(&try_files(Some(LegacyKind::AiPalAudit), lines::audit));
}

#[test]
fn whatever_stands_in_a_feedback_file_the_sound_lines_are_carried() {
    assert_shares(&try_files(
        Some(LegacyKind::FluxRagFeedback),
        lines::feedback,
    ));
}

/// Holds that the files are neither all sound nor all hostile, so that the test tests something.
fn assert_shares(totals: &Totals) {
    let percent = |count: u64| count * 100 / totals.rows;
    assert!(totals.rows >= 200, "{totals:?}");
    assert!(percent(totals.sound) >= 65, "{totals:?}");
    assert!(percent(totals.carried) >= 30, "{totals:?}");
    assert!(percent(totals.changed) >= 20, "{totals:?}");
    assert!(percent(totals.quarantined) >= 10, "{totals:?}");
}

/// Makes and carries files of a system, and says what became of all rows. Lines are of a kind that is
/// told: of a file without a sound line it cannot be recognised.
fn try_files(kind: Option<LegacyKind>, make: fn(&Path, &[Vec<Seed>; 4]) -> Made) -> Totals {
    let cases = std::env::var(VARIABLE).map_or(FILES, |files| files.parse().unwrap());
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let totals = RefCell::new(Totals::default());
    TestRunner::new_with_rng(config, rng)
        .run(&[seeds(), seeds(), seeds(), seeds()], |seeds| {
            try_file(kind, make, &seeds, &mut totals.borrow_mut())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    totals.into_inner()
}

fn try_file(
    kind: Option<LegacyKind>,
    make: fn(&Path, &[Vec<Seed>; 4]) -> Made,
    seeds: &[Vec<Seed>; 4],
    totals: &mut Totals,
) -> Result<(), TestCaseError> {
    let sandbox = Sandbox::new();
    let file = make(&sandbox.path("source"), seeds);
    let (report, stands) = carry(&sandbox, kind);
    let mut sum = Classes::default();
    for (table, rows) in &file.rows {
        let told = report
            .tables
            .iter()
            .find(|told| told.table == *table)
            .unwrap();
        let classes = told.classes;
        prop_assert_eq!((told.rows, classes.total()), (*rows, *rows), "{}", table);
        prop_assert_eq!(classes.unmapped + classes.not_selected + classes.merged, 0);
        prop_assert_eq!(classes.already_there, 0, "the target was empty");
        sum.carried += classes.carried;
        sum.changed += classes.changed;
        sum.conflict += classes.conflict;
        sum.quarantined += classes.quarantined;
    }
    let left = sum.conflict + sum.quarantined;
    prop_assert_eq!(report.exit_status(), u8::from(left > 0));
    let files = sandbox.quarantine_files();
    let lines = files.iter().map(|file| quarantine_lines(file).len() as u64);
    prop_assert_eq!(lines.sum::<u64>(), left, "each is in the file");
    for sound in &file.sound {
        assert_stands(sound, &stands)?;
    }
    let ruled = file.sound.iter().filter(|sound| sound.is_ruled).count() as u64;
    totals.sound += file.sound.len() as u64;
    prop_assert!(sum.changed >= ruled, "{ruled} are changed");
    prop_assert!(sum.carried >= file.sound.len() as u64 - ruled);
    totals.carried += sum.carried;
    totals.changed += sum.changed;
    totals.quarantined += sum.quarantined;
    totals.rows += file.rows.iter().map(|(_, rows)| rows).sum::<u64>();
    Ok(())
}

/// Carries the file to a new store, and gives the report and every record that then stands.
fn carry(sandbox: &Sandbox, kind: Option<LegacyKind>) -> (Report, Vec<Value>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = memory_core::legacy::Options {
            kind,
            ..Default::default()
        };
        let source = memory_core::legacy::open(sandbox.path("source"), options).unwrap();
        let config = memory_core::ConfigSource::new("sqlite::memory:")
            .read()
            .unwrap();
        let target = memory_core::connect(&config).await.unwrap();
        let at = SystemClock.now();
        let options = TransferOptions {
            quarantine_file: Some(sandbox.path("quarantine.jsonl")),
            ..TransferOptions::new(at)
        };
        let report = migrate::transfer(source, target.as_ref(), options, &mut |_| {})
            .await
            .unwrap();
        let mut lines = Vec::new();
        migrate::export(target.as_ref(), None, at, &mut lines, &mut |_| {})
            .await
            .unwrap();
        target
            .close(std::time::Duration::from_secs(5))
            .await
            .unwrap();
        (report, records(&lines))
    })
}

/// The records of an export; relationships also have the names of the nodes that they join.
fn records(lines: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(lines).unwrap().lines();
    let mut records: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let nodes = records.iter().filter(|record| record["record"] == "node");
    let names: BTreeMap<String, Value> = nodes
        .map(|node| (node["id"].to_string(), node["name"].clone()))
        .collect();
    for record in records
        .iter_mut()
        .filter(|record| record["record"] == "relationship")
    {
        for (end, name) in [("from", "from_name"), ("to", "to_name")] {
            record[name] = names[&record[end].to_string()].clone();
        }
    }
    records
}

/// Holds that one record, and no other, stands for a row, with its exact values.
fn assert_stands(sound: &Sound, records: &[Value]) -> Result<(), TestCaseError> {
    let of_kind = || {
        records
            .iter()
            .filter(|record| record["record"] == sound.kind)
    };
    let has = |record: &Value, (field, value): &(&str, Value)| record[*field] == *value;
    let found = of_kind().filter(|record| sound.fields.iter().all(|own| has(record, own)));
    if found.count() != 1 {
        let named: Vec<&Value> = of_kind()
            .filter(|record| has(record, &sound.fields[0]))
            .collect();
        prop_assert!(false, "{sound:?} is not what stands: {named:?}");
    }
    Ok(())
}
