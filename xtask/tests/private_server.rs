//! A private server never outlives its run, however the run ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

#[test]
fn the_server_ends_with_the_process_that_needs_it() {
    let target = target("ends");
    let (mut holder, address) = hold(&target);
    assert!(TcpStream::connect(&address).is_ok());
    // What the system does for a process that dies, by whatever signal.
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err());
    assert_eq!(runs(&target), 0);
}

#[test]
fn the_next_start_clears_up_after_a_killed_holder() {
    let target = target("killed");
    let (mut killed, left_behind) = hold(&target);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(TcpStream::connect(&left_behind).is_ok());
    let (mut holder, _) = hold(&target);
    assert!(TcpStream::connect(&left_behind).is_err());
    assert_eq!(runs(&target), 1);
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
}

#[test]
fn two_runs_at_once_have_two_servers() {
    let target = target("two");
    let ((mut one, first), (mut two, second)) = (hold(&target), hold(&target));
    assert_ne!(first, second);
    drop(one.stdin.take());
    one.wait().unwrap();
    assert!(TcpStream::connect(&second).is_ok());
    drop(two.stdin.take());
    two.wait().unwrap();
}

fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("xtask-{name}"))
}

/// Starts a holder, and returns the host and port of its server.
fn hold(target: &Path) -> (Child, String) {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("pg-hold")
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("xtask runs");
    let mut url = String::new();
    let mut said = BufReader::new(holder.stdout.take().expect("stdout is piped"));
    said.read_line(&mut url).expect("a line of text");
    let (_, rest) = url.split_once('@').expect("a URL with a password");
    let (address, _) = rest.split_once('/').expect("a URL with a database");
    (holder, address.to_owned())
}

fn runs(target: &Path) -> usize {
    let entries = fs::read_dir(target.join("pg")).expect("a folder of records");
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("run-"))
        .count()
}
