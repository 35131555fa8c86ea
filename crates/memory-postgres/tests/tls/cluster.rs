//! A server of its own that speaks TLS, made with the programs of the one that the test command
//! started.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::certificates::Pair;
use crate::common::client;

/// Who may come in, and how. Nobody is asked for a password.
const RULES: &str = "
host      all memory   127.0.0.1/32 trust
hostssl   all secure   127.0.0.1/32 trust
hostnossl all plain    127.0.0.1/32 trust
hostssl   all guarded  127.0.0.1/32 cert
";

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
ssl_ca_file = 'clients.crt'
";

/// Stopped and removed with this value.
pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    account: Option<(u32, u32)>,
    pub(crate) port: u16,
}

impl Cluster {
    /// Starts a server that shows this certificate, and believes clients whose certificates come
    /// from that authority.
    pub(crate) async fn start(certificate: &Pair, clients: &str) -> Cluster {
        let sql = "select setting from pg_config where name = 'BINDIR'";
        let programs: String = client().await.query_one(sql, &[]).await.unwrap().get(0);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cluster = Cluster {
            folder: tempfile::tempdir().unwrap(),
            programs: PathBuf::from(programs),
            account: account(),
            port: listener.local_addr().unwrap().port(),
        };
        drop(listener);
        cluster.own(cluster.folder.path());
        cluster.run(
            "initdb",
            &["--username=memory", "--auth=trust", "--no-sync"],
        );
        cluster.write("clients.crt", clients);
        cluster.write_certificate(certificate);
        cluster.write("pg_hba.conf", RULES);
        let settings = fs::read_to_string(cluster.data().join("postgresql.conf")).unwrap();
        let port = cluster.port;
        cluster.write(
            "postgresql.conf",
            &format!("{settings}{SETTINGS}port = {port}\n"),
        );
        let log = cluster.folder.path().join("log");
        cluster.run(
            "pg_ctl",
            &["start", "--wait", "--log", log.to_str().unwrap()],
        );
        let roles = "create role secure superuser login; create role plain superuser login;
            create role guarded superuser login; create database memory";
        for sql in roles.split(';') {
            cluster
                .client("postgres")
                .await
                .batch_execute(sql)
                .await
                .unwrap();
        }
        cluster
    }

    /// Shows another certificate from now on.
    pub(crate) async fn show(&self, certificate: &Pair) {
        let sql = "select extract(epoch from pg_conf_load_time())::double precision";
        let loaded = async || -> f64 {
            let row = self.client("memory").await.query_one(sql, &[]).await;
            row.unwrap().get(0)
        };
        let before = loaded().await;
        self.write_certificate(certificate);
        self.run("pg_ctl", &["reload"]);
        while loaded().await <= before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A connection without TLS, beside the adapter.
    pub(crate) async fn client(&self, database: &str) -> tokio_postgres::Client {
        let url = format!("postgres://memory@127.0.0.1:{}/{database}", self.port);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    fn write_certificate(&self, pair: &Pair) {
        self.write("server.crt", &pair.certificate);
        self.write("server.key", &pair.key);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.own(&path);
    }

    fn own(&self, path: &Path) {
        if let Some((uid, gid)) = self.account {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(args)
            .arg("--pgdata")
            .arg(self.data())
            .current_dir(self.folder.path())
            // A server that inherits them keeps the test's output open.
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        let status = command.status().unwrap();
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(status.success(), "{program} {args:?}: {status}\n{log}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() || self.data().join("postmaster.pid").exists() {
            self.run("pg_ctl", &["stop", "--mode=immediate"]);
        }
    }
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
fn account() -> Option<(u32, u32)> {
    let id = |args: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(args).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}
