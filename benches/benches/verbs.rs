//! The same verbs on both backends, side by side: one client, and sixteen at once.

use std::future::Future;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use memory_benches::Filled;
use memory_core::{
    Direction, NewMessage, NewNode, NodeFilter, Reinforcement, StorageError, Tenant,
};
use tokio::runtime::Runtime;

/// How many tasks write at once in the concurrent group.
const CLIENTS: u64 = 16;

fn verbs(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime starts");
    let stores = [
        runtime.block_on(Filled::sqlite()),
        runtime.block_on(Filled::postgres()),
    ];
    for store in &stores {
        one_client(criterion, &runtime, store);
    }
    let mut group = criterion.benchmark_group("append_by_16_clients");
    for store in &stores {
        group.bench_function(BenchmarkId::from_parameter(store.backend), |bencher| {
            bencher
                .to_async(&runtime)
                .iter_custom(|rounds| append_at_once(store, rounds));
        });
    }
    group.finish();
    for store in stores {
        runtime.block_on(store.finish());
    }
}

fn one_client(criterion: &mut Criterion, runtime: &Runtime, store: &Filled) {
    let tenant = &store.tenant;
    let (session, node, other) = (store.session, store.nodes[500], store.nodes[900]);
    let mut bench = |verb: &str, call: &dyn Fn() -> BoxedVerb| {
        criterion.benchmark_group(verb).bench_function(
            BenchmarkId::from_parameter(store.backend),
            |bencher| {
                bencher.to_async(runtime).iter(call);
            },
        );
    };
    let with = |tenant: &Tenant| tenant.clone();
    bench("node", &|| {
        let tenant = with(tenant);
        verb(async move { tenant.node(node).await })
    });
    bench("node_by_key", &|| {
        let (tenant, key) = (with(tenant), store.key.clone());
        verb(async move { tenant.node_by_key(&key).await })
    });
    bench("nodes", &|| {
        let tenant = with(tenant);
        verb(async move { tenant.nodes(NodeFilter::default(), 50).await })
    });
    bench("neighbours", &|| {
        let tenant = with(tenant);
        verb(async move { tenant.neighbours(node, Direction::Both, None, 50).await })
    });
    bench("history", &|| {
        let tenant = with(tenant);
        verb(async move { tenant.history(session, 50, None).await })
    });
    bench("append", &|| {
        let tenant = with(tenant);
        verb(async move { tenant.append(session, NewMessage::user("hello")).await })
    });
    bench("remember_merging", &|| {
        let (tenant, key) = (with(tenant), store.key.clone());
        let node = NewNode::new(memory_core::ContextType::DomainEntity).with_key(key);
        verb(async move { tenant.remember(node).await })
    });
    bench("reinforce", &|| {
        let tenant = with(tenant);
        verb(async move { tenant.reinforce(Reinforcement::new(node, other)).await })
    });
}

type BoxedVerb = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs a verb for its effect; one that fails would be measured as fast, so it ends the benchmark.
fn verb<T>(call: impl Future<Output = Result<T, StorageError>> + Send + 'static) -> BoxedVerb {
    Box::pin(async move {
        black_box(call.await.expect("the verb succeeds"));
    })
}

/// The time of `rounds` appends, shared out among the clients.
async fn append_at_once(store: &Filled, rounds: u64) -> Duration {
    let start = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (tenant, session) = (store.tenant.clone(), store.session);
            let share = rounds / CLIENTS + u64::from(client < rounds % CLIENTS);
            tokio::spawn(async move {
                for _ in 0..share {
                    let message = NewMessage::user("hello");
                    tenant
                        .append(session, message)
                        .await
                        .expect("the session is there");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no client panics");
    }
    start.elapsed()
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = verbs
}
criterion_main!(benches);
