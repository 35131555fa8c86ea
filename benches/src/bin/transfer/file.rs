//! A file in the shape of JARVIS, the same at each making.

use std::path::Path;

use rusqlite::{Connection, Result, params};

/// The tables as the system makes them.
const TABLES: &str = "
    create table entities (
        id integer primary key autoincrement, type text not null, name text not null,
        metadata text, created_at text not null, updated_at text not null, unique (type, name)
    );
    create index idx_entities_name on entities (name);
    create index idx_entities_type on entities (type);
    create table relationships (
        id integer primary key autoincrement, from_id integer not null, to_id integer not null,
        type text not null, metadata text, created_at text not null,
        foreign key (from_id) references entities (id) on delete cascade,
        foreign key (to_id) references entities (id) on delete cascade
    );
    create index idx_relationships_from on relationships (from_id);
    create index idx_relationships_to on relationships (to_id);
    create index idx_relationships_type on relationships (type);
    create table mission_history (
        id integer primary key autoincrement, mission_id text not null, status text not null,
        domain text, cost_usd real, iterations integer, duration_seconds real,
        files_modified integer, metadata text, created_at text not null, unique (mission_id)
    );
    create index idx_mission_history_created on mission_history (created_at);
    create index idx_mission_history_domain on mission_history (domain);
    create index idx_mission_history_status on mission_history (status);
    create table file_snapshots (
        id integer primary key autoincrement, file_path text not null, mission_id text,
        size_bytes integer, lines_of_code integer, hash text, created_at text not null,
        metadata text
    );
    create index idx_file_snapshots_created on file_snapshots (created_at);
    create index idx_file_snapshots_mission on file_snapshots (mission_id);
    create index idx_file_snapshots_path on file_snapshots (file_path);";

/// How many rows the tables of a file have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    entities: i64,
    relationships: i64,
    missions: i64,
    snapshots: i64,
    /// How many bytes of prose each entity and relationship has.
    text: usize,
}

impl Rows {
    /// A hundredth of the file by which the speed is measured, times `percent`; `text` bytes of prose
    /// beside.
    pub(crate) const fn percent(percent: i64, text: usize) -> Rows {
        Rows {
            text,
            entities: 1_000 * percent,
            relationships: 2_500 * percent,
            missions: 100 * percent,
            snapshots: 200 * percent,
        }
    }

    pub(crate) const fn total(self) -> i64 {
        self.entities + self.relationships + self.missions + self.snapshots
    }
}

/// Makes the file.
pub(crate) fn make(path: &Path, rows: Rows) -> Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(TABLES)?;
    let transaction = connection.transaction()?;
    let mut dice = Dice(20_260_205);
    entities(&transaction, rows, &mut dice)?;
    relationships(&transaction, rows, &mut dice)?;
    missions(&transaction, rows, &mut dice)?;
    snapshots(&transaction, rows, &mut dice)?;
    transaction.commit()
}

fn entities(connection: &Connection, rows: Rows, dice: &mut Dice) -> Result<()> {
    let mut insert = connection.prepare("insert into entities values (?, ?, ?, ?, ?, ?)")?;
    for n in 1..=rows.entities {
        let (kind, name) = match n % 10 {
            0 => ("concept", format!("concept {}", n / 10)),
            1 => ("bug", format!("#{n}")),
            2 => ("mission", mission(n / 10)),
            _ => ("file", path(n)),
        };
        let metadata = match kind {
            "file" => Some(format!(
                r#"{{"language": "rust", "lines": {}, "owner": "team-{}"}}"#,
                dice.below(2_000),
                dice.below(12)
            )),
            "bug" => Some(format!(
                r#"{{"title": "panic in {} after {} retries", "severity": {}}}"#,
                path(dice.below(rows.entities)),
                dice.below(9),
                dice.below(5)
            )),
            "mission" => Some("{}".to_owned()),
            _ => None,
        };
        let (created, updated) = (moment(n, 0), moment(n, 1 + dice.below(900_000)));
        let metadata = with_notes(metadata, rows.text, dice);
        insert.execute(params![n, kind, name, metadata, created, updated])?;
    }
    Ok(())
}

fn relationships(connection: &Connection, rows: Rows, dice: &mut Dice) -> Result<()> {
    let mut insert = connection.prepare("insert into relationships values (?, ?, ?, ?, ?, ?)")?;
    for n in 1..=rows.relationships {
        let kind = [
            "worked_on",
            "depends_on",
            "caused_bug",
            "fixed_bug",
            "relates_to",
        ];
        let kind = kind[usize::try_from(dice.below(5)).unwrap_or_default()];
        let (from, to) = (1 + dice.below(rows.entities), 1 + dice.below(rows.entities));
        let metadata = match n % 4 {
            0 => Some("{}".to_owned()),
            1 => Some(format!(r#"{{"weight": 0.{:02}}}"#, dice.below(100))),
            _ => None,
        };
        let metadata = with_notes(metadata, rows.text, dice);
        insert.execute(params![n, from, to, kind, metadata, moment(n, 3)])?;
    }
    Ok(())
}

fn missions(connection: &Connection, rows: Rows, dice: &mut Dice) -> Result<()> {
    let mut insert =
        connection.prepare("insert into mission_history values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    for n in 1..=rows.missions {
        let status = ["success", "success", "success", "failed", "aborted"];
        let status = status[usize::try_from(dice.below(5)).unwrap_or_default()];
        let domain = ["backend", "frontend", "infra"];
        let domain = domain[usize::try_from(dice.below(3)).unwrap_or_default()];
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let real = |n: i64| n as f64;
        insert.execute(params![
            n,
            mission(n),
            status,
            domain,
            real(dice.below(5_000)) / 1_000.0,
            dice.below(40),
            real(dice.below(3_600_000)) / 1_000.0,
            dice.below(30),
            format!(r#"{{"model": "large", "tokens": {}}}"#, dice.below(200_000)),
            moment(n, 5),
        ])?;
    }
    Ok(())
}

fn snapshots(connection: &Connection, rows: Rows, dice: &mut Dice) -> Result<()> {
    let mut insert =
        connection.prepare("insert into file_snapshots values (?, ?, ?, ?, ?, ?, ?, ?)")?;
    for n in 1..=rows.snapshots {
        let lines = dice.below(2_000);
        insert.execute(params![
            n,
            path(dice.below(rows.entities)),
            mission(1 + dice.below(rows.missions)),
            lines * 37,
            lines,
            format!("{:016x}{:016x}", dice.next(), dice.next()),
            moment(n, 7),
            (n % 2 == 0).then_some(r#"{"language": "rust"}"#),
        ])?;
    }
    Ok(())
}

/// Adds prose of about so many bytes to an object of JSON.
fn with_notes(metadata: Option<String>, bytes: usize, dice: &mut Dice) -> Option<String> {
    const SYLLABLES: [&str; 16] = [
        "ba", "con", "de", "fer", "gra", "in", "lo", "mem", "nor", "po", "qui", "ra", "so", "ter",
        "un", "ve",
    ];
    if bytes == 0 {
        return metadata;
    }
    let mut notes = String::with_capacity(bytes + 8);
    while notes.len() < bytes {
        // The same few thousand words, as in prose.
        for byte in &dice.next().to_le_bytes()[..3] {
            notes.push_str(SYLLABLES[usize::from(*byte) % SYLLABLES.len()]);
        }
        notes.push(' ');
    }
    let before = match metadata.as_deref() {
        None | Some("{}") => "{",
        Some(object) => object.trim_end_matches('}'),
    };
    let comma = if before == "{" { "" } else { ", " };
    Some(format!(
        "{before}{comma}\"notes\": \"{}\"}}",
        notes.trim_end()
    ))
}

fn path(n: i64) -> String {
    format!("src/module_{:03}/part_{:02}/file_{n}.rs", n % 311, n % 17)
}

fn mission(n: i64) -> String {
    format!("mission-{n:06}")
}

/// A moment, the later the greater `n`; of every fourth the fraction is zero and absent.
fn moment(n: i64, more_seconds: i64) -> String {
    let seconds = n * 97 + more_seconds;
    let (day, second) = (seconds / 86_400 % 28, seconds % 86_400);
    let month = seconds / 86_400 / 28;
    let fraction = match n % 4 {
        0 => String::new(),
        _ => format!(".{:06}", n * 7_919 % 1_000_000),
    };
    format!(
        "{}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}Z",
        2020 + month / 12,
        1 + month % 12,
        1 + day,
        second / 3_600,
        second / 60 % 60,
        second % 60,
    )
}

/// Numbers that look random. Source: Vigna, splitmix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.next() >> 1).unwrap_or_default() % limit.max(1)
    }
}
