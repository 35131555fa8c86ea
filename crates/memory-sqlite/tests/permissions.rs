//! Files and folders that this user may only read. Run in a child process without rights, because
//! root may write anything.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use memory_domain::{NewSession, TenantId, Timestamp};
use memory_sqlite::SqliteStorage;
use memory_storage::{Config, ConversationStore, OpenError, Storage, StorageError, TenantStore};

/// Names the case for the child.
const CASE: &str = "MEMORY_TEST_PERMISSIONS_CASE";

/// A user without rights; every Unix has it, under whatever name.
const NOBODY: u32 = 65_534;

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

async fn open(url: String) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(&Config::from_url(&url).unwrap()).await
}

/// Runs one of the cases below as a user without rights, on a store that holds a session.
fn as_nobody(case: &str, prepare: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = open(path.display().to_string()).await.unwrap();
        let session = NewSession::new("x");
        store
            .create_session(&ada(), session, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        store
            .close(std::time::Duration::from_secs(5))
            .await
            .unwrap();
    });
    drop(runtime);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    prepare(folder.path());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "a_case_without_rights", "--nocapture"])
        .env(CASE, format!("{case}:{}", path.display()));
    // Only root can become another user, and only root needs to: nobody else has rights here.
    if is_root() {
        child.uid(NOBODY).gid(NOBODY);
    }
    let output = child.output().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("case passed"),
        "{said}{error}"
    );
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_case_without_rights() {
    let Ok(case) = std::env::var(CASE) else {
        return; // Only a child is one.
    };
    let (case, path) = case.split_once(':').unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let to_write = open(path.to_owned()).await.map(drop);
        let to_read = open(format!("sqlite://{path}?mode=ro")).await;
        match case {
            "file" | "folder" => {
                let error = to_write.unwrap_err();
                assert!(matches!(error, OpenError::Inaccessible { .. }), "{error:?}");
                assert!(error.to_string().contains("mode=ro"), "{error}");
                let store = to_read.unwrap();
                assert!(store.tenant(&ada()).await.unwrap().is_some());
                let result = store.begin().await.map(drop);
                assert!(matches!(result, Err(StorageError::ReadOnly)), "{result:?}");
            }
            "unreadable" => {
                for error in [to_write.unwrap_err(), to_read.map(drop).unwrap_err()] {
                    assert!(matches!(error, OpenError::Inaccessible { .. }), "{error:?}");
                    assert!(error.to_string().contains("right"), "{error}");
                }
            }
            "new" => {
                let folder = Path::new(path).parent().unwrap();
                let new = folder.join("new.db").display().to_string();
                let error = open(new).await.map(drop).unwrap_err();
                assert!(matches!(error, OpenError::Inaccessible { .. }), "{error:?}");
            }
            other => panic!("no case {other}"),
        }
    });
    println!("case passed");
}

#[test]
fn a_file_that_may_only_be_read_is_opened_for_reading_alone() {
    as_nobody("file", |folder| set_mode(folder, 0o777));
}

#[test]
fn a_folder_that_may_only_be_read_is_enough_for_reading() {
    as_nobody("folder", |folder| {
        set_mode(folder, 0o555);
    });
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    as_nobody("unreadable", |folder| {
        set_mode(folder, 0o755);
        set_mode(&folder.join("memory.db"), 0o000);
    });
}

#[test]
fn no_file_is_made_where_none_may_be_made() {
    as_nobody("new", |folder| set_mode(folder, 0o555));
}
