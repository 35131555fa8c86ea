//! What consultant left behind, carried to both backends and taken back.

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class};
use crate::sources::consultant;

#[test]
fn a_consultant_file_is_carried_whole_to_both_backends() {
    let sandbox = Sandbox::new();
    consultant(&sandbox.path("old.db"));
    let postgres = Postgres::migrated(&sandbox);
    for to in ["a.db".to_owned(), postgres.url()] {
        let document = sandbox.carry("old.db", &to, &[]);
        assert_eq!(document["report"]["source"]["kind"], "consultant");
        for (table, classed, rows) in [
            ("memory_threads", "carried", 1),
            ("memory_nodes", "carried", 2),
            ("memory_nodes", "changed", 1),
            ("memory_relationships", "carried", 1),
            ("memory_search", "merged", 3),
        ] {
            assert_eq!(class(&document, table, classed), rows, "{table} {classed}");
        }
        // The second thread, which has no row of its own.
        assert_eq!(document["report"]["tables"][1]["beyond"]["tenants"], 1);
        let rules = document["report"]["rules"].as_array().unwrap();
        let rules: Vec<&str> = rules
            .iter()
            .map(|rule| rule["rule"].as_str().unwrap())
            .collect();
        assert_eq!(rules, ["search-index-is-rebuilt", "tag-lower-cased"]);
        let again = sandbox.carry("old.db", &to, &[]);
        assert_eq!(again["report"]["outcome"], "nothing_to_carry");
        assert_eq!(class(&again, "memory_nodes", "already_there"), 3);
    }
    sandbox.assert_equal("a.db", &postgres.url());
}
