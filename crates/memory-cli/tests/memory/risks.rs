//! What can be asked of missions and files that came out of a JARVIS file.

use std::fmt::Write;

use memory_core::RiskyFile;

use crate::conversation::with_tenant;
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class};
use crate::sources::execute;

/// Sixty missions on ten files with three bugs, of which some relationships are parallel.
fn generated() -> String {
    let mut sql = String::from(
        "create table entities (
            id integer primary key autoincrement, type text not null, name text not null,
            metadata text, created_at text not null, updated_at text not null, unique (type, name)
        );
        create table relationships (
            id integer primary key autoincrement, from_id integer not null,
            to_id integer not null, type text not null, metadata text, created_at text not null
        );
        create table mission_history (
            id integer primary key autoincrement, mission_id text not null, status text not null,
            domain text, cost_usd real, iterations integer, duration_seconds real,
            files_modified integer, metadata text, created_at text not null, unique (mission_id)
        );
        create table file_snapshots (
            id integer primary key autoincrement, file_path text not null, mission_id text,
            size_bytes integer, lines_of_code integer, hash text, created_at text not null,
            metadata text
        );",
    );
    let at = "'2024-03-01T10:00:00Z'";
    let mut entity = |id: i32, of: &str, name: &str| {
        writeln!(
            sql,
            "insert into entities values ({id}, '{of}', '{name}', '{{}}', {at}, {at});"
        )
        .unwrap();
    };
    for file in 0..10 {
        entity(101 + file, "file", &format!("src/{file}.rs"));
    }
    for bug in 0..3 {
        entity(201 + bug, "bug", &format!("#{bug}"));
    }
    for mission in 0..60 {
        entity(1 + mission, "mission", &format!("m-{mission}"));
    }
    for mission in 0..60 {
        let (file, other, bug) = (
            101 + mission % 10,
            101 + mission * 3 % 10,
            201 + mission % 3,
        );
        let mut link = |to: i32, kind: &str| {
            writeln!(
                sql,
                "insert into relationships (from_id, to_id, type, created_at)
                 values ({}, {to}, '{kind}', {at});",
                mission + 1
            )
            .unwrap();
        };
        link(file, "worked_on");
        link(other, "worked_on");
        if mission % 5 == 0 {
            link(file, "worked_on");
        }
        if mission % 11 == 0 {
            link(bug, "caused_bug");
            link(bug, "caused_bug");
        }
        if mission % 13 == 0 {
            link(file, "caused_bug");
        }
        if mission % 4 == 0 {
            link(bug, "fixed_bug");
        }
        let status = match mission {
            _ if mission % 7 == 0 => "failed",
            _ if mission % 17 == 0 => "aborted",
            _ => "success",
        };
        let known = |is_known: bool, value: f64| {
            if is_known {
                value.to_string()
            } else {
                "null".to_owned()
            }
        };
        writeln!(
            sql,
            "insert into mission_history (mission_id, status, cost_usd, duration_seconds, created_at)
             values ('m-{mission}', '{status}', {}, {}, {at});
             insert into file_snapshots (file_path, mission_id, size_bytes, created_at)
             values ('src/{}.rs', 'm-{mission}', 5000000000, {at});",
            known(mission % 3 == 0, f64::from(mission) * 0.01),
            known(mission % 6 == 0, f64::from(mission) * 0.5),
            mission % 10,
        )
        .unwrap();
    }
    sql
}

fn risky(path: &str, bugs: u64, failed_missions: u64, missions: u64) -> RiskyFile {
    RiskyFile {
        path: path.to_owned(),
        bugs,
        failed_missions,
        missions,
    }
}

/// The numbers were computed from the same rules in Python.
fn assert_known(url: &str) {
    with_tenant(url, "default", async |tenant| {
        let found = tenant.risky_files(20).await.unwrap();
        let wanted = [
            risky("src/2.rs", 3, 2, 12),
            risky("src/6.rs", 3, 2, 12),
            risky("src/3.rs", 3, 1, 12),
            risky("src/9.rs", 3, 1, 12),
            risky("src/0.rs", 2, 1, 6),
            risky("src/1.rs", 1, 2, 12),
            risky("src/4.rs", 1, 2, 12),
            risky("src/7.rs", 1, 2, 12),
            risky("src/8.rs", 1, 2, 12),
            risky("src/5.rs", 1, 1, 6),
        ];
        assert_eq!(found, wanted);
        let stats = tenant.knowledge_stats().await.unwrap();
        let entities: Vec<u64> = stats.entities.values().copied().collect();
        let relationships: Vec<u64> = stats.relationships.values().copied().collect();
        // Bugs, files, missions; caused, fixed, worked on.
        assert_eq!(entities, [3, 10, 60]);
        assert_eq!(relationships, [17, 15, 132]);
        let missions = (
            stats.missions,
            stats.successful_missions,
            stats.failed_missions,
        );
        assert_eq!((missions, stats.files), ((60, 48, 9), 10));
        assert!((stats.cost_usd_total - 5.7).abs() < 1e-12);
        assert!((stats.cost_usd_mean.unwrap() - 0.285).abs() < 1e-12);
        assert!((stats.duration_seconds_mean.unwrap() - 13.5).abs() < 1e-12);
        let files = tenant.files_of_mission("m-4", 10, None).await.unwrap();
        let names: Vec<_> = files
            .iter()
            .filter_map(|file| file.name.as_deref())
            .collect();
        assert_eq!(names, ["src/2.rs", "src/4.rs"]);
        let history = tenant.file_history("src/4.rs", 50, None).await.unwrap();
        assert_eq!(history.len(), 6);
        assert_eq!(history[0].size_bytes, Some(5_000_000_000));
    });
}

#[test]
fn risks_and_stats_are_the_same_wherever_a_jarvis_file_goes() {
    let sandbox = Sandbox::new();
    execute(&sandbox.path("jarvis.db"), &generated());
    let postgres = Postgres::migrated(&sandbox);
    let file = sandbox.path("a.db").to_string_lossy().into_owned();
    for to in [file.clone(), postgres.url()] {
        let document = sandbox.carry("jarvis.db", &to, &[]);
        assert_eq!(class(&document, "mission_history", "carried"), 60);
        assert_eq!(class(&document, "file_snapshots", "carried"), 60);
        assert_known(&to);
    }
    sandbox.assert_equal("a.db", &postgres.url());
}
