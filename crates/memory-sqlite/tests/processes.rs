//! Several processes on one file: opening it new, writing it together, being killed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_domain::{Limit, MessageId, NewMessage, NewSession, SessionId, TenantId, Timestamp};
use memory_sqlite::SqliteStorage;
use memory_storage::{Config, ConversationStore, Storage};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;

/// Names the case for a child process: what to do, and where.
const CASE: &str = "MEMORY_TEST_PROCESS_CASE";

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

fn session() -> SessionId {
    "00000000-0000-0000-0000-000000000001".parse().unwrap()
}

async fn open(path: &Path, query: &str) -> SqliteStorage {
    let url = format!("sqlite://{}{query}", path.display());
    SqliteStorage::open(&Config::from_url(&url).unwrap())
        .await
        .unwrap()
}

async fn append(store: &SqliteStorage, content: String) -> (MessageId, i64) {
    let message = NewMessage::user(content);
    let at = Timestamp::UNIX_EPOCH;
    let stands = store
        .append(&ada(), session(), vec![message], at)
        .await
        .unwrap();
    (stands[0].id, stands[0].number)
}

async fn create(store: &SqliteStorage) {
    let new = NewSession::new("talk").with_id(session());
    store
        .create_session(&ada(), new, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
}

/// Starts this test binary again, to do one case.
fn spawn(case: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_case_in_a_process_of_its_own", "--nocapture"])
        .env(CASE, format!("{case}:{}", path.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn assert_succeeds(child: Child) {
    let output = child.wait_with_output().unwrap();
    let (said, error) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{said}{error}");
}

#[test]
fn a_case_in_a_process_of_its_own() {
    let Ok(case) = std::env::var(CASE) else {
        return; // Only a child is one.
    };
    let (case, path) = case.split_once(':').unwrap();
    let path = Path::new(path);
    Runtime::new().unwrap().block_on(async {
        match case {
            "open" => {
                let store = open(path, "").await;
                create(&store).await;
            }
            "append" => {
                let store = Arc::new(open(path, "").await);
                let tasks: Vec<_> = (0..4)
                    .map(|_| {
                        let store = store.clone();
                        tokio::spawn(async move {
                            for n in 0..APPENDED_BY_A_TASK {
                                append(&store, n.to_string()).await;
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            }
            "acknowledge" => {
                let store = Arc::new(open(path, "?synchronous=full").await);
                for _ in 0..4 {
                    let store = store.clone();
                    tokio::spawn(async move {
                        loop {
                            let (id, number) = append(&store, "x".repeat(300)).await;
                            println!("acknowledged {id} {number}");
                        }
                    });
                }
                std::future::pending::<()>().await;
            }
            other => panic!("no case {other}"),
        }
    });
}

/// How many messages each of a process's four tasks appends.
const APPENDED_BY_A_TASK: usize = 50;

#[test]
fn processes_that_open_a_new_file_at_once_migrate_it_once() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let children: Vec<Child> = (0..8).map(|_| spawn("open", &path)).collect();
        for child in children {
            assert_succeeds(child);
        }
        Runtime::new().unwrap().block_on(async {
            let store = open(&path, "?mode=rw").await;
            let states = store.schema().status().await.unwrap();
            assert!(states.iter().all(|state| state.applied && state.known));
            let sessions = store.sessions(&ada(), Limit::MAX, None).await.unwrap();
            assert_eq!(sessions.len(), 1);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn stores_of_one_process_that_open_a_new_file_at_once_all_succeed() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let barrier = Arc::new(Barrier::new(16));
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (path, barrier) = (path.clone(), barrier.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    let store = open(&path, "").await;
                    create(&store).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}

#[test]
fn processes_that_write_one_session_lose_nothing_and_meet_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.db");
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async { create(&open(&path, "").await).await });
    let children: Vec<Child> = (0..4).map(|_| spawn("append", &path)).collect();
    for child in children {
        assert_succeeds(child);
    }
    runtime.block_on(async {
        let store = open(&path, "").await;
        let messages = store
            .history(&ada(), session(), Limit::MAX, None)
            .await
            .unwrap();
        let numbers: Vec<i64> = messages.iter().map(|message| message.number).collect();
        assert_eq!(numbers, (1..=800).collect::<Vec<i64>>());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_on_one_file_write_without_a_lock_being_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.db");
    let stores = [
        Arc::new(open(&path, "").await),
        Arc::new(open(&path, "").await),
    ];
    create(&stores[0]).await;
    let begun = Instant::now();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let store = stores[task % 2].clone();
            tokio::spawn(async move {
                let mut longest = Duration::ZERO;
                for n in 0..40 {
                    let begun = Instant::now();
                    append(&store, n.to_string()).await;
                    longest = longest.max(begun.elapsed());
                }
                longest
            })
        })
        .collect();
    let mut longest = Duration::ZERO;
    for task in tasks {
        longest = longest.max(task.await.unwrap());
    }
    println!(
        "640 appends in {:?}, the longest took {longest:?}",
        begun.elapsed()
    );
    let messages = stores[0]
        .history(&ada(), session(), Limit::MAX, None)
        .await
        .unwrap();
    let numbers: Vec<i64> = messages.iter().map(|message| message.number).collect();
    assert_eq!(numbers, (1..=640).collect::<Vec<i64>>());
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.db");
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async { create(&open(&path, "").await).await });
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let mut child = spawn("acknowledge", &path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // It is killed while work is under way: only what was seen before counts.
        let wanted = 50 + 37 * round;
        let mut seen = Vec::new();
        while seen.len() < wanted {
            let line = lines
                .next()
                .expect("the child goes on until it is killed")
                .unwrap();
            if let Some(rest) = line.split("acknowledged ").nth(1) {
                seen.push(rest.to_owned());
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said between the last line that was read and its end was acknowledged too.
        seen.extend(lines.map_while(Result::ok).filter_map(|line| {
            let rest = line.split("acknowledged ").nth(1)?;
            (rest.split(' ').count() == 2).then(|| rest.to_owned())
        }));
        acknowledged.extend(seen);
    }
    runtime.block_on(async {
        let store = open(&path, "").await;
        for line in &acknowledged {
            let (id, number) = line.split_once(' ').unwrap();
            let message = store.message(&ada(), id.parse().unwrap()).await.unwrap();
            let message = message.unwrap_or_else(|| panic!("{id} was acknowledged and is gone"));
            assert_eq!(message.number.to_string(), number);
        }
        let talk = store.session(&ada(), session()).await.unwrap().unwrap();
        assert!(talk.message_count >= i64::try_from(acknowledged.len()).unwrap());
        let (_, next) = append(&store, "after".to_owned()).await;
        assert_eq!(next, talk.message_count + 1, "numbers go on without a gap");
    });
}
