//! The columns of each table, in the order in which its row struct reads them, and their types.

use diesel::dsl::SqlTypeOf;
use diesel::query_source::Table;
use memory_diesel::schema::{
    messages, nodes, relationships, sessions, tenants, transfer_ledger, transfer_runs,
};

type Columns<T> = SqlTypeOf<<T as Table>::AllColumns>;

pub(crate) type Tenants = Columns<tenants::table>;
pub(crate) type Sessions = Columns<sessions::table>;
pub(crate) type Messages = Columns<messages::table>;
pub(crate) type Nodes = Columns<nodes::table>;
pub(crate) type Relationships = Columns<relationships::table>;
pub(crate) type Runs = Columns<transfer_runs::table>;
pub(crate) type Ledger = Columns<transfer_ledger::table>;

macro_rules! tenant_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".id, ",
            $of,
            ".created_at, ",
            $of,
            ".last_active_at, ",
            $of,
            ".metadata"
        )
    };
}

macro_rules! session_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".tenant_id, ",
            $of,
            ".id, ",
            $of,
            ".title, ",
            $of,
            ".metadata, ",
            $of,
            ".created_at, ",
            $of,
            ".updated_at, ",
            $of,
            ".message_count"
        )
    };
}

macro_rules! message_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".tenant_id, ",
            $of,
            ".id, ",
            $of,
            ".session_id, ",
            $of,
            ".number, ",
            $of,
            ".role, ",
            $of,
            ".content, ",
            $of,
            ".metadata, ",
            $of,
            ".created_at"
        )
    };
}

macro_rules! node_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".tenant_id, ",
            $of,
            ".id, ",
            $of,
            ".context_type, ",
            $of,
            ".key_system, ",
            $of,
            ".key_id, ",
            $of,
            ".entity_type, ",
            $of,
            ".name, ",
            $of,
            ".content, ",
            $of,
            ".summary, ",
            $of,
            ".tags, ",
            $of,
            ".metadata, ",
            $of,
            ".base_relevance, ",
            $of,
            ".created_at, ",
            $of,
            ".updated_at, ",
            $of,
            ".last_accessed_at, ",
            $of,
            ".access_count, ",
            $of,
            ".update_count"
        )
    };
}

macro_rules! relationship_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".tenant_id, ",
            $of,
            ".id, ",
            $of,
            ".from_id, ",
            $of,
            ".to_id, ",
            $of,
            ".kind, ",
            $of,
            ".label, ",
            $of,
            ".directed, ",
            $of,
            ".strength, ",
            $of,
            ".metadata, ",
            $of,
            ".created_at, ",
            $of,
            ".last_reinforced_at"
        )
    };
}

macro_rules! run_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".id, ",
            $of,
            ".source_kind, ",
            $of,
            ".source_name, ",
            $of,
            ".source_location, ",
            $of,
            ".started_at, ",
            $of,
            ".finished_at, ",
            $of,
            ".status, ",
            $of,
            ".report"
        )
    };
}

macro_rules! ledger_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".run_id, ",
            $of,
            ".table_name, ",
            $of,
            ".tenant_id, ",
            $of,
            ".record_id, ",
            $of,
            ".digest"
        )
    };
}

pub(crate) use {
    ledger_columns, message_columns, node_columns, relationship_columns, run_columns,
    session_columns, tenant_columns,
};

#[cfg(test)]
mod tests {
    use diesel::debug_query;
    use diesel::pg::Pg;
    use diesel::query_dsl::QueryDsl;

    #[test]
    fn every_list_names_the_columns_of_its_table_in_their_order() {
        macro_rules! same {
            ($table:ident, $columns:ident) => {{
                use memory_diesel::schema::$table;
                let query = $table::table.select($table::all_columns);
                let sql = debug_query::<Pg, _>(&query).to_string().replace('"', "");
                let ours = $columns!("x").replace("x.", concat!(stringify!($table), "."));
                assert!(
                    sql.contains(&format!("SELECT {ours} FROM")),
                    "{sql}\n{ours}"
                );
            }};
        }
        same!(tenants, tenant_columns);
        same!(sessions, session_columns);
        same!(messages, message_columns);
        same!(nodes, node_columns);
        same!(relationships, relationship_columns);
        same!(transfer_runs, run_columns);
        same!(transfer_ledger, ledger_columns);
    }
}
