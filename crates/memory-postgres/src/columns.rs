//! The columns of each table, in the order in which its row struct reads them, and their types.

use std::borrow::Cow;

use diesel::dsl::SqlTypeOf;
use diesel::query_source::Table;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Nullable, Text};
use memory_diesel::sql_types::{
    AnyJson, AnyJsonValue, Id, IdValue, IdsValue, Instant, InstantValue, Json, JsonValue, TagsValue,
};
use serde_json::Value;

use crate::copy::CopyRows;
use crate::json::JsonArray;
use crate::statement::Statement;

type Columns<T> = SqlTypeOf<<T as Table>::AllColumns>;

/// Defines, for each table, a macro that writes its columns out (`session_columns!("s")` is
/// `s.tenant_id, s.id, …`) and the type of them all.
///
/// The first token is a `$`, which the macros that are defined need and which cannot stand here.
macro_rules! columns {
    ($d:tt $($list:ident of $table:ident as $types:ident: $first:ident $($column:ident)*;)*) => {
        $(
            pub(crate) type $types = Columns<memory_diesel::schema::$table::table>;

            macro_rules! $list {
                ($d of:literal) => {
                    concat!(
                        $d of, ".", stringify!($first)
                        $(, ", ", $d of, ".", stringify!($column))*
                    )
                };
            }
            pub(crate) use $list;

            #[cfg(test)]
            mod $table {
                #[test]
                fn names_the_columns_of_its_table_in_their_order() {
                    use diesel::query_dsl::QueryDsl;
                    use memory_diesel::schema::$table;
                    let query = $table::table.select($table::all_columns);
                    let sql = diesel::debug_query::<diesel::pg::Pg, _>(&query).to_string();
                    let sql = sql.replace('"', "");
                    let ours = $list!("x").replace("x.", concat!(stringify!($table), "."));
                    assert!(sql.contains(&format!("SELECT {ours} FROM")), "{sql}\n{ours}");
                }
            }
        )*
    };
}

/// Defines the same for tables of records, whose rows can be given as arrays too.
macro_rules! record_columns {
    ($d:tt $($list:ident of $table:ident as $types:ident in $row:ident: $($column:ident)*;)*) => {
        columns! { $d $($list of $table as $types: $($column)*;)* }

        $(
            impl Arrays for memory_diesel::$row {
                const NAMES: &'static [&'static str] = &[$(stringify!($column)),*];

                fn stored() -> Vec<Cow<'static, str>> {
                    vec![$(stored(|row: &Self| &row.$column, stringify!($column))),*]
                }

                fn arrays<'a>(statement: Statement<'a>, rows: &[Self]) -> Statement<'a> {
                    $(let statement = array(statement, rows, |row| &row.$column);)*
                    statement
                }

                fn copy(&self, rows: &mut CopyRows) {
                    rows.begin(Self::NAMES.len());
                    $(rows.value(&self.$column);)*
                }
            }
        )*
    };
}

record_columns! { $
    tenant_columns of tenants as Tenants in TenantRow:
        id created_at last_active_at metadata;
    session_columns of sessions as Sessions in SessionRow:
        tenant_id id title metadata created_at updated_at message_count;
    message_columns of messages as Messages in MessageRow:
        tenant_id id session_id number role content metadata created_at;
    node_columns of nodes as Nodes in NodeRow:
        tenant_id id context_type key_system key_id entity_type name content summary tags metadata
        base_relevance created_at updated_at last_accessed_at access_count update_count;
    relationship_columns of relationships as Relationships in RelationshipRow:
        tenant_id id from_id to_id kind label directed strength metadata created_at
        last_reinforced_at;
    compound_columns of compounds as Compounds in CompoundRow:
        tenant_id id name members occurrences last_seen_at;
    turn_columns of turns as Turns in LearnedTurnRow:
        tenant_id id digest concepts learned_at;
    feedback_columns of feedback as Feedbacks in FeedbackRow:
        tenant_id id session_id message_id rating comment correction created_at;
    decision_columns of decisions as Decisions in DecisionRow:
        tenant_id id session_id text context extracted_from decided_at;
    audit_columns of audit_events as AuditEvents in AuditEventRow:
        tenant_id id event_type severity session_id actor component action details result
        ip_address resource at;
    task_columns of tasks as Tasks in TaskRow:
        tenant_id id name task_type status priority attempts max_retries arguments result error
        traceback external_id claimed_by claimed_until created_at started_at completed_at;
    mission_columns of missions as Missions in MissionRow:
        tenant_id id key status domain cost_usd iterations duration_seconds files_modified metadata
        created_at;
    file_snapshot_columns of file_snapshots as FileSnapshots in FileSnapshotRow:
        tenant_id id path mission_key size_bytes lines_of_code hash metadata taken_at;
    patch_columns of patch_requests as Patches in PatchRow:
        tenant_id id target_file reasoning diff new_code component improvement_type confidence
        status reviewed_by review_comment application_error feedback_ids metrics created_at
        reviewed_at applied_at;
    goal_columns of goals as Goals in GoalRow:
        tenant_id id description importance complexity estimated_value status deadline created_at
        completed_at;
    agency_columns of agency_snapshots as AgencySnapshots in AgencySnapshotRow:
        tenant_id id decision_quality skill_development ai_reliance bottleneck_resolution
        user_confidence engagement autonomy_perception autonomy_retention delta_agency
        task_description task_complexity taken_at;
}

columns! { $
    run_columns of transfer_runs as Runs:
        id source_kind source_name source_location started_at finished_at status report;
    ledger_columns of transfer_ledger as Ledger:
        run_id table_name tenant_id record_id digest;
}

/// A row of which many are given as arrays, one for each column.
pub(crate) trait Arrays: Sized {
    /// The columns.
    const NAMES: &'static [&'static str];

    /// What is stored in each column, as an expression over what the arrays hold.
    fn stored() -> Vec<Cow<'static, str>>;

    /// Gives the next parameters their values.
    fn arrays<'a>(statement: Statement<'a>, rows: &[Self]) -> Statement<'a>;

    /// Adds the row to what is copied.
    fn copy(&self, rows: &mut CopyRows);
}

/// The value of a column.
trait Column: Clone {
    /// The expression that gives what is stored.
    fn stored(name: &'static str) -> Cow<'static, str> {
        Cow::Borrowed(name)
    }

    fn array(statement: Statement<'_>, values: Vec<Self>) -> Statement<'_>;
}

fn stored<R, C: Column>(_: impl Fn(&R) -> &C, name: &'static str) -> Cow<'static, str> {
    C::stored(name)
}

fn array<'a, R, C: Column>(
    statement: Statement<'a>,
    rows: &[R],
    column: impl Fn(&R) -> &C,
) -> Statement<'a> {
    C::array(
        statement,
        rows.iter().map(|row| column(row).clone()).collect(),
    )
}

macro_rules! column {
    ($($value:ty as $sql:ty;)*) => {
        $(
            impl Column for $value {
                fn array(statement: Statement<'_>, values: Vec<Self>) -> Statement<'_> {
                    statement.bind::<Array<$sql>, _>(values)
                }
            }

            impl Column for Option<$value> {
                fn array(statement: Statement<'_>, values: Vec<Self>) -> Statement<'_> {
                    statement.bind::<Array<Nullable<$sql>>, _>(values)
                }
            }
        )*
    };
}

column! {
    String as Text;
    IdValue as Id;
    InstantValue as Instant;
    JsonValue as Json;
    AnyJsonValue as AnyJson;
    i64 as BigInt;
    f64 as Double;
    bool as Bool;
    Vec<u8> as Binary;
}

/// Arrays of different lengths, which an SQL array cannot hold: so they come as JSON.
impl Column for TagsValue {
    fn stored(name: &'static str) -> Cow<'static, str> {
        Cow::Owned(format!("array(select jsonb_array_elements_text({name}))"))
    }

    fn array(statement: Statement<'_>, values: Vec<Self>) -> Statement<'_> {
        let array = |tags: TagsValue| JsonArray(tags.0.into_iter().map(Value::String).collect());
        statement.array::<Json, JsonArray>(values.into_iter().map(array).collect())
    }
}

/// The same.
impl Column for IdsValue {
    fn stored(name: &'static str) -> Cow<'static, str> {
        Cow::Owned(format!(
            "array(select jsonb_array_elements_text({name})::uuid)"
        ))
    }

    fn array(statement: Statement<'_>, values: Vec<Self>) -> Statement<'_> {
        let text = |id: uuid::Uuid| Value::String(id.to_string());
        let array = |ids: IdsValue| JsonArray(ids.0.into_iter().map(text).collect());
        statement.array::<Json, JsonArray>(values.into_iter().map(array).collect())
    }
}
