//! A source that is written to while it is carried: one state of it comes out.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use memory_core::{NewMessage, NewSession, Tenant};

use crate::conversation::with_tenant;
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, ask};

/// How many pairs there are before the transfer begins.
const BEFORE: i64 = 300;

/// Says to whoever writes when to stop, and to others how many pairs there are.
#[derive(Default)]
struct Pairs {
    count: AtomicI64,
    is_enough: AtomicBool,
}

impl Pairs {
    /// Numbers the next pair, as long as another is wanted.
    fn next(&self) -> Option<i64> {
        if self.is_enough.load(SeqCst) {
            return None;
        }
        Some(self.count.load(SeqCst) + 1)
    }

    fn wrote(&self, pair: i64) {
        self.count.store(pair, SeqCst);
    }
}

struct Stop<'a>(&'a Pairs);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.is_enough.store(true, SeqCst);
    }
}

/// Lets `write` go on committing pairs while they are carried, at once and resumably, and holds that
/// what comes out is what there was between two of them.
fn carried_while_written(sandbox: &Sandbox, from: &str, write: impl Fn(&Pairs) + Sync) {
    let pairs = Pairs::default();
    thread::scope(|scope| {
        scope.spawn(|| write(&pairs));
        // Also where a test fails, or it would never end.
        let _stop = Stop(&pairs);
        while pairs.count.load(SeqCst) < BEFORE {
            thread::sleep(Duration::from_millis(5));
        }
        for (to, more) in [("atomic.db", &[][..]), ("resumable.db", &["--resumable"])] {
            let begun = pairs.count.load(SeqCst);
            let options = [&["--batch-size", "20"], more].concat();
            let (status, document) = sandbox.transfer(from, to, &options);
            let ended = pairs.count.load(SeqCst);
            // No message without its session, or a row would be in quarantine.
            assert_eq!(status, 0, "{document:#}");
            let one = |sql: &str| -> i64 { ask(&sandbox.path(to), sql).parse().unwrap() };
            let carried = one("select count(*) from sessions");
            assert_eq!(one("select count(*) from messages"), carried);
            let whole =
                "select count(*) from sessions as s join messages as m on m.session_id = s.id
                where m.content = 'of ' || s.title and s.message_count = 1";
            assert_eq!(one(whole), carried);
            // Those of the first moment and no later one, without a gap.
            assert_eq!(
                one("select max(cast(title as integer)) from sessions"),
                carried
            );
            assert!(
                begun <= carried && carried < ended,
                "{begun} {carried} {ended}"
            );
        }
    });
}

/// Makes a flux-rag file in write-ahead mode, and writes pairs to it.
fn write_file(path: &Path, pairs: &Pairs) {
    let mut file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch(
        "pragma journal_mode = wal;
        create table sessions (
            id text primary key, user_id text default '', title text default '',
            created_at text not null, updated_at text not null, metadata text default '{}'
        );
        create table messages (
            id text primary key, session_id text not null, role text not null,
            content text not null, metadata text default '{}', created_at text not null,
            foreign key (session_id) references sessions (id) on delete cascade
        );",
    )
    .unwrap();
    while let Some(pair) = pairs.next() {
        let id = format!("{pair:08x}-0000-4000-8000-000000000000");
        let at = "2024-01-01T00:00:00Z";
        let work = file.transaction().unwrap();
        work.execute(
            "insert into sessions values (?1, 'ada', ?2, ?3, ?3, '{}')",
            (&id, pair.to_string(), at),
        )
        .unwrap();
        work.execute(
            "insert into messages values (?1, ?1, 'user', 'of ' || ?2, '{}', ?3)",
            (&id, pair, at),
        )
        .unwrap();
        work.commit().unwrap();
        pairs.wrote(pair);
    }
}

/// Writes pairs to a store of ours.
fn write_store(url: &str, pairs: &Pairs) {
    with_tenant(url, "ada", async |ada: &Tenant| {
        while let Some(pair) = pairs.next() {
            let work = ada.begin().await.unwrap();
            let session = NewSession::new(pair.to_string());
            let session = work.create_session(session).await.unwrap().id;
            let message = NewMessage::user(format!("of {pair}"));
            work.append(session, message).await.unwrap();
            work.commit().await.unwrap();
            pairs.wrote(pair);
        }
    });
}

#[test]
fn an_old_file_that_is_written_to_is_carried_in_one_state() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("flux.db");
    carried_while_written(&sandbox, "flux.db", |pairs| write_file(&path, pairs));
}

#[test]
fn a_sqlite_store_that_is_written_to_is_carried_in_one_state() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("store.db").to_string_lossy().into_owned();
    carried_while_written(&sandbox, "store.db", |pairs| write_store(&path, pairs));
}

#[test]
fn a_postgres_store_that_is_written_to_is_carried_in_one_state() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::migrated(&sandbox);
    let url = postgres.url();
    carried_while_written(&sandbox, &url, |pairs| write_store(&url, pairs));
}
