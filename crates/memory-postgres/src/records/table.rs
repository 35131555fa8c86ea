//! What the statements over a table of records are made of. A further kind is a line here and its
//! columns in [`crate::columns`].

use std::borrow::Cow;

use diesel::deserialize::FromSqlRow;
use diesel::pg::Pg;
use memory_diesel::{
    AgencySnapshotRow, AuditEventRow, CompoundRow, DecisionRow, FeedbackRow, FileSnapshotRow,
    GoalRow, LearnedTurnRow, MessageRow, MissionRow, NodeRow, PatchRow, RelationshipRow,
    SessionRow, TaskRow, TenantRow,
};
use memory_domain::{
    AgencySnapshot, AuditEvent, Compound, Decision, Feedback, FileSnapshot, Goal, LearnedTurn,
    Message, Mission, Node, PatchRequest, Record, RecordKind, Relationship, Session, Task, Tenant,
};
use memory_storage::StorageError;

use crate::columns::{
    AgencySnapshots, Arrays, AuditEvents, Compounds, Decisions, Feedbacks, FileSnapshots, Goals,
    Messages, Missions, Nodes, Patches, Relationships, Sessions, Tasks, Tenants, Turns,
};
use crate::connection::Row;
use crate::copy::CopyRows;
use crate::executor::read;
use crate::statement::Statement;

/// A table of records.
pub(super) struct Table {
    pub(super) kind: RecordKind,
    /// Its columns, in the order in which rows are read and arrays given.
    pub(super) columns: &'static [&'static str],
    /// What is stored in each column, as an expression over the arrays.
    pub(super) stored: fn() -> Vec<Cow<'static, str>>,
    /// Gives the next parameters an array for each column.
    pub(super) arrays: for<'a> fn(Statement<'a>, &[&Record]) -> Statement<'a>,
    /// Adds a record to what is copied, all columns of it.
    pub(super) copy: fn(&Record, &mut CopyRows),
    /// Makes records of rows of all columns.
    pub(super) records: fn(&'static str, &[Row]) -> Result<Vec<Record>, StorageError>,
}

impl Table {
    pub(super) fn of(kind: RecordKind) -> Table {
        match kind {
            RecordKind::Tenant => Table::new::<Tenant, TenantRow, Tenants>(kind),
            RecordKind::Session => Table::new::<Session, SessionRow, Sessions>(kind),
            RecordKind::Message => Table::new::<Message, MessageRow, Messages>(kind),
            RecordKind::Node => Table::new::<Node, NodeRow, Nodes>(kind),
            RecordKind::Relationship => {
                Table::new::<Relationship, RelationshipRow, Relationships>(kind)
            }
            RecordKind::Compound => Table::new::<Compound, CompoundRow, Compounds>(kind),
            RecordKind::LearnedTurn => Table::new::<LearnedTurn, LearnedTurnRow, Turns>(kind),
            RecordKind::Feedback => Table::new::<Feedback, FeedbackRow, Feedbacks>(kind),
            RecordKind::Decision => Table::new::<Decision, DecisionRow, Decisions>(kind),
            RecordKind::AuditEvent => Table::new::<AuditEvent, AuditEventRow, AuditEvents>(kind),
            RecordKind::Task => Table::new::<Task, TaskRow, Tasks>(kind),
            RecordKind::Mission => Table::new::<Mission, MissionRow, Missions>(kind),
            RecordKind::FileSnapshot => {
                Table::new::<FileSnapshot, FileSnapshotRow, FileSnapshots>(kind)
            }
            RecordKind::PatchRequest => Table::new::<PatchRequest, PatchRow, Patches>(kind),
            RecordKind::Goal => Table::new::<Goal, GoalRow, Goals>(kind),
            RecordKind::AgencySnapshot => {
                Table::new::<AgencySnapshot, AgencySnapshotRow, AgencySnapshots>(kind)
            }
        }
    }

    fn new<T, R, S>(kind: RecordKind) -> Table
    where
        T: TryFrom<Record> + TryFrom<R, Error = StorageError> + Into<Record>,
        R: From<T> + Arrays + FromSqlRow<S, Pg>,
    {
        Table {
            kind,
            columns: R::NAMES,
            stored: R::stored,
            arrays: |statement, records| {
                // They are all of the kind.
                let entities = records
                    .iter()
                    .filter_map(|&it| T::try_from(it.clone()).ok());
                let rows: Vec<R> = entities.map(R::from).collect();
                R::arrays(statement, &rows)
            },
            copy: |record, rows| {
                // It is of the kind.
                if let Ok(entity) = T::try_from(record.clone()) {
                    R::from(entity).copy(rows);
                }
            },
            records: |step, rows| {
                let rows = read::<S, R>(step, rows)?.into_iter();
                rows.map(|row| T::try_from(row).map(Into::into)).collect()
            },
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.kind.table()
    }

    /// `tenant_id, id, …`
    pub(super) fn list(&self) -> String {
        self.columns.join(", ")
    }

    /// `x.tenant_id, x.id, …`
    pub(super) fn list_of(&self, of: &str) -> String {
        let columns = self.columns.iter();
        let columns: Vec<String> = columns.map(|column| format!("{of}.{column}")).collect();
        columns.join(", ")
    }

    /// What the arrays take: `$1, $2, …`
    pub(super) fn parameters(&self) -> String {
        let numbers = 1..=self.columns.len();
        let parameters: Vec<String> = numbers.map(|number| format!("${number}")).collect();
        parameters.join(", ")
    }
}

/// Whether what a column of the `given` records refers to is there.
///
/// `offset 0` keeps a look-up a look-up. Nothing is known yet of tables that the same transaction
/// fills, and what the planner made of it as a join took 2.5 s for a thousand relationships, and more
/// with each thousand, where the look-ups take 0.1 s.
pub(super) fn is_there(column: &str, kind: RecordKind) -> String {
    let table = kind.table();
    match kind {
        // Several, given as JSON.
        _ if column == MEMBERS => format!("{} is null", missing_member()),
        RecordKind::Tenant => {
            format!("exists (select from tenants where tenants.id = given.{column} offset 0)")
        }
        _ => format!(
            "exists (
                select from {table}
                where {table}.tenant_id = given.tenant_id and {table}.id = given.{column}
                offset 0
            )"
        ),
    }
}

/// The column that refers to several nodes.
pub(super) const MEMBERS: &str = "members";

/// The first member of the `given` compounds that is not there, or null.
pub(super) fn missing_member() -> String {
    "(
        select member::uuid from jsonb_array_elements_text(given.members) as member
        where not exists (
            select from nodes
            where nodes.tenant_id = given.tenant_id and nodes.id = member::uuid offset 0
        )
        order by 1 limit 1
    )"
    .to_owned()
}

/// Whether the run, whose number is the parameter, brought the session of the `given` messages.
pub(super) fn is_brought(run: usize) -> String {
    format!(
        "exists (
            select from transfer_ledger as brought
            where brought.run_id = ${run} and brought.table_name = 'sessions'
                and brought.tenant_id = given.tenant_id and brought.record_id = given.session_id
            offset 0
        )"
    )
}
