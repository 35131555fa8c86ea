use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use memory_domain::RecordKind;
use memory_storage::{MemoryStore, Storage};
use tokio::runtime::{Builder, Runtime};

use crate::{Backend, StoreOptions};

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A law with what it needs.
#[derive(Clone, Copy)]
pub enum Law {
    /// A law about verbs, that holds in a unit of work as it does on the store.
    OfVerbs(for<'a> fn(&'a dyn MemoryStore) -> Running<'a>),
    /// A law about a whole store, that opens it as it needs it.
    OfBackend(for<'a> fn(&'a dyn Backend) -> Running<'a>),
}

/// One scenario: a law in words and the code that holds a backend to it.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Its file and function: `tenants::the_first_write_creates_the_tenant`.
    pub name: &'static str,
    /// The law.
    pub law: Law,
}

/// Every scenario.
pub fn scenarios() -> &'static [Scenario] {
    crate::list::SCENARIOS
}

/// Runs the scenario of that name on a runtime of its own, and panics where the law is broken.
///
/// A law about verbs is held twice: in a unit of work, which is then rolled back and must leave
/// nothing, and on the store itself.
pub fn run(name: &str, backend: &dyn Backend) {
    let scenario = scenarios()
        .iter()
        .find(|scenario| scenario.name == name)
        .unwrap_or_else(|| panic!("there is no scenario {name}"));
    runtime().block_on(async {
        match scenario.law {
            Law::OfVerbs(law) => hold_in_work_and_store(law, backend).await,
            Law::OfBackend(law) => law(backend).await,
        }
    });
}

/// A runtime like that of an application: several threads, all drivers.
pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("the system has threads to give")
}

async fn hold_in_work_and_store(
    law: for<'a> fn(&'a dyn MemoryStore) -> Running<'a>,
    backend: &dyn Backend,
) {
    let storage = backend.open(StoreOptions::default()).await;
    let work = storage.begin().await.unwrap();
    law(&*work).await;
    work.rollback().await.unwrap();
    assert_empty(&*storage).await;
    law(&*storage).await;
    storage.close(Duration::from_secs(10)).await.unwrap();
}

async fn assert_empty(storage: &dyn Storage) {
    let mut reader = storage.reader().await.unwrap();
    for kind in RecordKind::ALL {
        let left = reader.count(kind, None).await.unwrap();
        assert_eq!(
            left, 0,
            "{kind} left by a unit of work that was rolled back"
        );
    }
}
