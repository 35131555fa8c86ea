//! The writer's laws, with bodies that no verb would have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use futures_like::join_all;
use memory_domain::{NewSession, SessionId, TenantId, Timestamp};
use memory_storage::{Config, ConversationStore, Storage, StorageError};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::SqliteStorage;
use crate::error::Failure;
use crate::executor::Executor;

type Body = Box<dyn FnOnce(&mut SqliteConnection) -> Result<i64, Failure> + Send>;

struct Fixture {
    store: Arc<SqliteStorage>,
    folder: TempDir,
}

impl Fixture {
    async fn new(change: impl FnOnce(Config) -> Config) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let config = change(Config::from_url(path.to_str().unwrap()).unwrap());
        let store = Arc::new(SqliteStorage::open(&config).await.unwrap());
        store
            .0
            .write("making a table", |connection| {
                Ok(connection.batch_execute("create table t (n integer)")?)
            })
            .await
            .unwrap();
        Fixture { store, folder }
    }

    /// Runs SQL as a job of its own.
    async fn sql(&self, sql: &'static str) -> Result<(), StorageError> {
        self.store
            .0
            .write("running SQL", move |connection| {
                Ok(connection.batch_execute(sql)?)
            })
            .await
    }

    /// What is in the table.
    async fn rows(&self) -> Vec<i64> {
        let reading = crate::executor::Reading::of("reading");
        self.store
            .0
            .read(reading, |connection| Ok(rows(connection)?))
            .await
            .unwrap()
    }

    /// Holds the writer up until the sender is dropped, so that what is asked meanwhile waits
    /// behind it.
    async fn hold_up(&self) -> (mpsc::Sender<()>, JoinHandle<Result<(), StorageError>>) {
        let (release, held) = mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let store = self.store.clone();
        let task = tokio::spawn(async move {
            store
                .0
                .write("holding the writer up", move |_| {
                    let _ = begun.send(());
                    let _ = held.recv();
                    Ok(())
                })
                .await
        });
        has_begun.await.unwrap();
        (release, task)
    }
}

fn rows(connection: &mut SqliteConnection) -> QueryResult<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let rows: Vec<Row> = diesel::sql_query("select n from t order by rowid").load(connection)?;
    Ok(rows.into_iter().map(|row| row.n).collect())
}

fn refused() -> Failure {
    let id = String::new();
    Failure::Refused(StorageError::NotFound { what: "thing", id })
}

/// Waits for all, without another dependency.
mod futures_like {
    pub(super) async fn join_all<T: Send + 'static>(
        futures: Vec<impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    }
}

/// Asks for jobs that are in one group for certain: each waits behind one that is held up, whose
/// own result is given too.
async fn as_a_group<T: Send + 'static>(
    fixture: &Fixture,
    jobs: Vec<impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static>,
) -> (Result<(), StorageError>, Vec<Result<T, StorageError>>) {
    let (release, holding) = fixture.hold_up().await;
    let mut tasks = Vec::new();
    for job in jobs {
        let store = fixture.store.clone();
        let (asked, has_asked) = tokio::sync::oneshot::channel();
        let mut asked = Some(asked);
        tasks.push(tokio::spawn(async move {
            let mut write = std::pin::pin!(store.0.write("working", job));
            std::future::poll_fn(|context| {
                let polled = write.as_mut().poll(context);
                asked.take().map(|asked| asked.send(()));
                polled
            })
            .await
        }));
        // In their order.
        has_asked.await.unwrap();
    }
    drop(release);
    let held_up = holding.await.unwrap();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    (held_up, results)
}

fn insert(n: i64) -> impl FnOnce(&mut SqliteConnection) -> Result<i64, Failure> + Send {
    move |connection| {
        connection.batch_execute(&format!("insert into t values ({n})"))?;
        Ok(n)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_takes_nobody_along() {
    let fixture = Fixture::new(|config| config).await;
    let jobs: Vec<Body> = vec![
        Box::new(insert(1)),
        Box::new(|connection| {
            connection.batch_execute("insert into t values (2)")?;
            Err(refused())
        }),
        Box::new(insert(3)),
        Box::new(|connection| {
            connection.batch_execute("insert into t values (4); insert into nowhere values (4)")?;
            Ok(4)
        }),
        Box::new(|connection| {
            connection.batch_execute("insert into t values (5)")?;
            panic!("on purpose")
        }),
        Box::new(insert(6)),
    ];
    let (held_up, results) = as_a_group(&fixture, jobs).await;
    held_up.unwrap();
    assert_eq!(fixture.rows().await, [1, 3, 6]);
    let [one, two, three, four, five, six] = <[_; 6]>::try_from(results).unwrap();
    assert_eq!((one.unwrap(), three.unwrap(), six.unwrap()), (1, 3, 6));
    assert!(matches!(two, Err(StorageError::NotFound { .. })));
    assert!(
        matches!(four, Err(StorageError::SchemaMismatch { .. })),
        "{four:?}"
    );
    let Err(StorageError::Backend { step, source }) = five else {
        panic!("{five:?}");
    };
    assert_eq!(
        (step, source.to_string().as_str()),
        ("working", "a panic: on purpose")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unguarded_refusal_undoes_the_whole_work() {
    let fixture = Fixture::new(|config| config).await;
    for unguarded in [false, true] {
        let lease = fixture.store.0.lease(None).await.unwrap();
        lease.run("working", insert(1)).await.unwrap();
        let refuse = |connection: &mut SqliteConnection| {
            connection.batch_execute("insert into t values (2)")?;
            Err::<(), _>(refused())
        };
        let result = if unguarded {
            lease.run_unguarded("working", refuse).await
        } else {
            lease.run("working", refuse).await
        };
        assert!(matches!(result, Err(StorageError::NotFound { .. })));
        let after = lease.run("working", insert(3)).await;
        if unguarded {
            let Err(StorageError::WorkAborted { reason }) = after else {
                panic!("{after:?}");
            };
            assert_eq!(reason, "the store refused while working");
            assert_eq!(fixture.rows().await, [1, 3]);
        } else {
            after.unwrap();
            lease.commit().await.unwrap();
            assert_eq!(fixture.rows().await, [1, 3]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_wait_share_a_commit() {
    let fixture = Fixture::new(|config| config).await;
    // Within one transaction, what the one inserts the next one counts; a reader sees all or none.
    let jobs = (0..50)
        .map(|n| {
            move |connection: &mut SqliteConnection| {
                assert_eq!(i64::try_from(rows(connection)?.len()), Ok(n));
                insert(n)(connection)
            }
        })
        .collect();
    let path = fixture.folder.path().join("a.db");
    let watched = Arc::new(AtomicBool::new(true));
    let watching = {
        let (watched, path) = (watched.clone(), path.display().to_string());
        std::thread::spawn(move || {
            let mut connection = SqliteConnection::establish(&path).unwrap();
            while watched.load(SeqCst) {
                let seen = rows(&mut connection).unwrap().len();
                assert!(seen == 0 || seen == 50, "{seen} of 50 are visible");
            }
        })
    };
    for result in as_a_group(&fixture, jobs).await.1 {
        result.unwrap();
    }
    watched.store(false, SeqCst);
    watching.join().unwrap();
    assert_eq!(fixture.rows().await.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_every_caller_of_the_group_and_the_store_goes_on() {
    let fixture = Fixture::new(|config| config).await;
    let fill: Body = Box::new(|connection| {
        connection.batch_execute(
            "pragma max_page_count = 1; insert into t values (randomblob(10000000))",
        )?;
        Ok(2)
    });
    let jobs: Vec<Body> = vec![Box::new(insert(1)), fill, Box::new(insert(3))];
    let (held_up, results) = as_a_group(&fixture, jobs).await;
    // The second one's own error is the cause that those before it are told; the third one was not
    // begun in that group, and works on the new connection.
    let [first, filling, third] = <[_; 3]>::try_from(results).unwrap();
    let told = held_up.unwrap_err();
    assert!(matches!(told, StorageError::Backend { .. }), "{told:?}");
    let Err(StorageError::Backend { source, .. }) = &filling else {
        panic!("{filling:?}");
    };
    assert_eq!(source.to_string(), "database or disk is full");
    let Err(StorageError::Backend { source, .. }) = &first else {
        panic!("the first one was told {first:?}, though its write is gone");
    };
    assert_eq!(source.to_string(), "working: database or disk is full");
    assert_eq!(third.unwrap(), 3);
    assert_eq!(fixture.rows().await, [3]);
    fixture.sql("insert into t values (4)").await.unwrap();
    assert_eq!(fixture.rows().await, [3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_a_lone_job_and_the_store_goes_on() {
    let fixture = Fixture::new(|config| config).await;
    let full = fixture
        .sql("pragma max_page_count = 1; insert into t values (randomblob(10000000))")
        .await;
    assert!(
        matches!(full, Err(StorageError::Backend { .. })),
        "{full:?}"
    );
    // Nothing of the limit is left, because the connection is another one.
    fixture.sql("insert into t values (1)").await.unwrap();
    assert_eq!(fixture.rows().await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_aborts_a_unit_of_work() {
    let fixture = Fixture::new(|config| config).await;
    let lease = fixture
        .store
        .0
        .lease(Some(Duration::from_secs(9)))
        .await
        .unwrap();
    lease.run("working", insert(1)).await.unwrap();
    let fill = "pragma max_page_count = 1; insert into t values (randomblob(10000000))";
    let filling = lease
        .run("filling", move |connection| {
            Ok(connection.batch_execute(fill)?)
        })
        .await;
    assert!(
        matches!(filling, Err(StorageError::Backend { .. })),
        "{filling:?}"
    );
    let after = lease.run("working", insert(2)).await;
    assert!(
        matches!(after, Err(StorageError::WorkAborted { .. })),
        "{after:?}"
    );
    let commit = lease.commit().await;
    assert!(
        matches!(commit, Err(StorageError::WorkAborted { .. })),
        "{commit:?}"
    );
    fixture.sql("insert into t values (3)").await.unwrap();
    assert_eq!(fixture.rows().await, [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_busy_has_written_nothing() {
    let fixture = Fixture::new(|config| {
        let mut pool = config.pool.clone();
        pool.acquire_timeout = Duration::from_millis(30);
        config.with_pool(pool)
    })
    .await;
    // The writer is held up about as long as the others wait, so that giving up and beginning meet;
    // once for much longer and once not at all, so that both happen however fast the machine is.
    let mut told = (0, 0);
    for round in 0..60 {
        let (release, holding) = fixture.hold_up().await;
        let waiting: Vec<_> = (0..8)
            .map(|n| {
                let store = fixture.store.clone();
                async move { store.0.write("working", insert(round * 10 + n)).await }
            })
            .collect();
        let held = match round {
            0 => 500,
            59 => 0,
            _ => 25 + round % 10,
        };
        let releasing = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(held.unsigned_abs()));
            drop(release);
        });
        let results = join_all(waiting).await;
        releasing.join().unwrap();
        holding.await.unwrap().unwrap();
        let written = fixture.rows().await;
        for (n, result) in (0..).zip(results) {
            let there = written.contains(&(round * 10 + n));
            match result {
                Ok(_) => {
                    told.0 += 1;
                    assert!(there, "acknowledged, and not there");
                }
                Err(StorageError::Busy { .. }) => {
                    told.1 += 1;
                    assert!(!there, "busy, and there all the same");
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    assert!(
        told.0 > 0 && told.1 > 0,
        "only one of both was met: {told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_went_away_before_its_turn_writes_nothing() {
    let fixture = Fixture::new(|config| config).await;
    let (release, holding) = fixture.hold_up().await;
    let store = fixture.store.clone();
    let gone = tokio::time::timeout(
        Duration::from_millis(20),
        store.0.write("working", insert(1)),
    );
    assert!(gone.await.is_err());
    drop(release);
    holding.await.unwrap().unwrap();
    fixture.sql("insert into t values (2)").await.unwrap();
    assert_eq!(fixture.rows().await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_undone() {
    let limit = Duration::from_millis(100);
    let fixture = Fixture::new(|config| config.with_statement_timeout(limit)).await;
    let begun = Instant::now();
    let result = fixture
        .store
        .0
        .write("working", |connection| {
            insert(1)(connection)?;
            std::thread::sleep(Duration::from_millis(400));
            Ok(())
        })
        .await;
    assert!(
        matches!(result, Err(StorageError::Timeout { .. })),
        "{result:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_millis(350),
        "{:?}",
        begun.elapsed()
    );
    fixture.sql("insert into t values (2)").await.unwrap();
    assert_eq!(fixture.rows().await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_process_ends_in_busy_in_time() {
    let wait = Duration::from_millis(200);
    let fixture = Fixture::new(|config| {
        let mut pool = config.pool.clone();
        pool.acquire_timeout = wait;
        config.with_pool(pool)
    })
    .await;
    let path = fixture.folder.path().join("a.db").display().to_string();
    let mut other = SqliteConnection::establish(&path).unwrap();
    other.batch_execute("begin immediate").unwrap();
    for _ in 0..2 {
        let begun = Instant::now();
        let result = fixture.sql("insert into t values (1)").await;
        assert!(
            matches!(result, Err(StorageError::Busy { .. })),
            "{result:?}"
        );
        let waited = begun.elapsed();
        assert!((wait / 2..wait * 10).contains(&waited), "{waited:?}");
        let work = fixture.store.begin().await.map(drop);
        assert!(matches!(work, Err(StorageError::Busy { .. })), "{work:?}");
    }
    other.batch_execute("rollback").unwrap();
    fixture.sql("insert into t values (2)").await.unwrap();
    assert_eq!(fixture.rows().await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thread_ends_with_the_last_handle() {
    let fixture = Fixture::new(|config| config).await;
    // The log is moved into the file, and goes, when the last connection is closed.
    let log = fixture.folder.path().join("a.db-wal");
    assert!(log.exists());
    drop(fixture.store);
    let begun = Instant::now();
    while log.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "a connection is still open"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_work_outlives_the_handle_of_its_store() {
    let fixture = Fixture::new(|config| config).await;
    let work = fixture.store.begin().await.unwrap();
    let path = fixture.folder.path().join("a.db").display().to_string();
    drop(fixture.store);
    let tenant = TenantId::new("ada").unwrap();
    let session = NewSession::new("x").with_id(SessionId::generate());
    let at = Timestamp::UNIX_EPOCH;
    work.create_session(&tenant, session.clone(), at)
        .await
        .unwrap();
    work.commit().await.unwrap();
    let again = SqliteStorage::open(&Config::from_url(&path).unwrap())
        .await
        .unwrap();
    assert!(again.session(&tenant, session.id).await.unwrap().is_some());
}
