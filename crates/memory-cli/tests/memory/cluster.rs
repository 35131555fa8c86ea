//! A PostgreSQL server of its own, which can be stopped under a transfer; made with the programs of the
//! one that the test command started.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::postgres::Postgres;

/// Stopped and removed with this value.
pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    account: Option<(u32, u32)>,
    port: u16,
}

impl Cluster {
    /// Starts a server.
    pub(crate) fn start() -> Cluster {
        let programs = Postgres::new().ask("select setting from pg_config where name = 'BINDIR'");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cluster = Cluster {
            folder: tempfile::tempdir().unwrap(),
            programs: PathBuf::from(programs),
            account: account(),
            port: listener.local_addr().unwrap().port(),
        };
        drop(listener);
        if let Some((uid, gid)) = cluster.account {
            chown(cluster.folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let options = ["--username=memory", "--auth=trust", "--no-sync"];
        cluster.run("initdb", &options);
        cluster.go_on();
        cluster
    }

    /// A database of the server.
    pub(crate) fn url(&self) -> String {
        format!("postgres://memory@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops the server in the middle of what it does, as a failure of the machine does.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["stop", "--mode=immediate"]);
    }

    /// Starts it again.
    pub(crate) fn go_on(&self) {
        let log = self.folder.path().join("log");
        let port = self.port;
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''");
        let log = log.to_str().unwrap();
        self.run("pg_ctl", &["start", "--wait", "--log", log, "-o", &options]);
    }

    fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(args)
            .arg("--pgdata")
            .arg(self.folder.path().join("data"))
            .current_dir(self.folder.path())
            // A server that inherits them keeps the test's output open.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
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
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.stop();
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
