//! What AI-PAL left behind, carried to both backends.

use std::collections::BTreeSet;

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class};
use crate::sources::ai_pal;

#[test]
fn an_ai_pal_file_is_carried_whole_to_both_backends() {
    let sandbox = Sandbox::new();
    ai_pal(&sandbox.path("old.db"));
    let postgres = Postgres::migrated(&sandbox);
    for to in ["a.db".to_owned(), postgres.url()] {
        // A table without a place is allowed by name, or the exit status is 1.
        assert_eq!(sandbox.transfer("old.db", &to, &["--dry-run"]).0, 1);
        let allowed = ["--allow-unmapped", "edm_debts"];
        let document = sandbox.carry("old.db", &to, &allowed);
        assert_eq!(document["report"]["source"]["kind"], "ai-pal");
        for (table, classed, rows) in [
            ("ari_snapshots", "changed", 1),
            ("ffe_goals", "changed", 1),
            ("background_tasks", "changed", 2),
            ("patch_requests", "changed", 1),
            ("edm_debts", "unmapped", 2),
        ] {
            assert_eq!(class(&document, table, classed), rows, "{table} {classed}");
        }
        let rules = document["report"]["rules"].as_array().unwrap();
        let rules: BTreeSet<&str> = rules
            .iter()
            .map(|rule| rule["rule"].as_str().unwrap())
            .collect();
        let wanted = ["id-became-uuid-v5", "naive-time-read-as-utc"];
        assert_eq!(rules, BTreeSet::from(wanted));
        let again = sandbox.carry("old.db", &to, &allowed);
        assert_eq!(again["report"]["outcome"], "nothing_to_carry");
        assert_eq!(class(&again, "background_tasks", "already_there"), 2);
    }
    sandbox.assert_equal("a.db", &postgres.url());
}
