//! A schema of its own for each test, in the database that the tests were given.

use std::future::Future;

use memory_core::SessionId;
use tokio_postgres::{Client, NoTls};

/// Names the server; `cargo xtask test` sets it.
const VARIABLE: &str = "MEMORY_TEST_POSTGRES_URL";

/// A schema that is dropped with this value.
pub(crate) struct Postgres {
    server: String,
    schema: String,
}

impl Postgres {
    /// A schema's name that nobody has yet; nothing is made.
    pub(crate) fn new() -> Postgres {
        let server = std::env::var(VARIABLE)
            .unwrap_or_else(|_| panic!("{VARIABLE} is not set: run `cargo xtask test`"));
        Postgres::on(server)
    }

    /// The same on another server.
    pub(crate) fn on(server: String) -> Postgres {
        let schema = format!("cli_{}", SessionId::generate().uuid().simple());
        Postgres { server, schema }
    }

    /// A schema with the newest migrations.
    pub(crate) fn migrated(sandbox: &crate::sandbox::Sandbox) -> Postgres {
        Postgres::new().migrate(sandbox)
    }

    /// The same, with the newest migrations.
    pub(crate) fn migrate(self, sandbox: &crate::sandbox::Sandbox) -> Postgres {
        let said = sandbox.run(&["migrate", "up", "--url", &self.url()]);
        assert_eq!(said.status, 0, "{said:?}");
        self
    }

    /// Makes the schema, empty.
    pub(crate) fn create(&self) {
        self.execute(&format!("create schema {}", self.schema));
    }

    /// The store's URL.
    pub(crate) fn url(&self) -> String {
        let joint = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{joint}schema={}", self.server, self.schema)
    }

    /// The store's URL with other credentials.
    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let host = rest.split_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{user}:{password}@{host}")
    }

    /// Runs statements in the schema.
    pub(crate) fn execute(&self, sql: &str) {
        let sql = format!("set search_path to {}; {sql}", self.schema);
        self.with_client(async move |client| client.batch_execute(&sql).await.unwrap());
    }

    /// One value, as text.
    pub(crate) fn ask(&self, sql: &str) -> String {
        let path = format!("set search_path to {}", self.schema);
        let sql = format!("select ({sql})::text");
        self.with_client(async move |client| {
            client.batch_execute(&path).await.unwrap();
            client.query_one(&sql, &[]).await.unwrap().get(0)
        })
    }

    /// Does something while a table of the schema is held, and lets go once so many others wait for
    /// that, be it for each other.
    pub(crate) fn while_held<T>(&self, table: &str, others: i64, task: impl FnOnce() -> T) -> T {
        let hold = format!("begin; lock table {}.{table}", self.schema);
        let waiting = "with recursive waiting (pid) as (
                select pg_backend_pid()
                union
                select a.pid from pg_stat_activity as a
                join waiting as w on w.pid = any (pg_blocking_pids(a.pid))
            )
            select count(*) - 1 from waiting";
        self.with_client(async move |client| {
            client.batch_execute(&hold).await.unwrap();
            let done = task();
            for _ in 0..1_000 {
                // The server's list of who is there stands still within a transaction.
                let sql = "select pg_stat_clear_snapshot()";
                client.batch_execute(sql).await.unwrap();
                let row = client.query_one(waiting, &[]).await.unwrap();
                if row.get::<_, i64>(0) >= others {
                    client.batch_execute("commit").await.unwrap();
                    return done;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            panic!("nobody waits for {table}");
        })
    }

    /// What `pg_dump` writes of the schema.
    pub(crate) fn dump(&self) -> String {
        let server = self.server.split('?').next().unwrap();
        let output = std::process::Command::new("pg_dump")
            .args(["--schema", &self.schema, server])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn with_client<T, F: Future<Output = T>>(&self, task: impl FnOnce(Client) -> F) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.server, NoTls).await.unwrap();
            tokio::spawn(connection);
            task(client).await
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let sql = format!("drop schema if exists {} cascade", self.schema);
        // A test that fails has said why already; a second panic here would hide it.
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.with_client(async move |client| client.batch_execute(&sql).await.is_ok())
        }));
        if !matches!(dropped, Ok(true)) {
            eprintln!("schema {} could not be dropped", self.schema);
        }
    }
}
