//! What becomes of a command whose output nobody takes, or that writes data to standard output.

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::sources::jarvis;

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["migrate", "--url", "a.db"]).status, 0);
    for command in ["stats --json", "stats", "--help"] {
        let said = sandbox.shell(&format!(
            "memory {command} > /dev/full --url a.db || exit $?"
        ));
        said.assert_failed(3, &["standard output", "No space left"]);
    }
}

/// Runs a command whose one stream is a pipe that nobody reads any more; the other's is a file.
fn unread(sandbox: &Sandbox, command: &str) -> String {
    let script = format!(
        "rm -f status; (sleep 0.3; s=0; memory {command} || s=$?; echo $s > status) | true
        while [ ! -s status ]; do sleep 0.05; done"
    );
    sandbox.shell(&script);
    std::fs::read_to_string(sandbox.path("status")).unwrap()
}

#[test]
fn a_reader_that_is_gone_is_no_failure() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    for (command, status) in [
        ("migrate --help 2> said", "0"),
        ("migrate --url a.db 2> said", "0"),
        ("migrate statsu 2>&1 > said", "2"),
        ("migrate --from none.db --to b.db 2>&1 > said", "3"),
        ("migrate --from jarvis.db --to c.db --json 2>&1 > said", "0"),
        ("export --url a.db --to a.jsonl --json 2>&1 > said", "0"),
    ] {
        assert_eq!(unread(&sandbox, command).trim(), status, "{command}");
        let said = std::fs::read_to_string(sandbox.path("said")).unwrap();
        assert!(!said.contains("panicked"), "{said}");
    }
    sandbox.carry("jarvis.db", "d.db", &[]);
    sandbox.assert_equal("c.db", "d.db");
}

#[test]
fn where_the_data_go_to_standard_output_a_failure_does_not() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["export", "--json", "--url", "none.db"]);
    assert_eq!((said.status, said.out.as_str()), (3, ""), "{said:?}");
    let document: Value = serde_json::from_str(&said.err).unwrap();
    assert!(document["error"].as_str().unwrap().contains("none.db"));
    let said = sandbox.run(&["export", "--json", "--url", "none.db", "--to", "a.jsonl"]);
    assert_eq!((said.status, said.err.as_str()), (3, ""), "{said:?}");
    assert!(said.out.contains("none.db"), "{said:?}");
}
