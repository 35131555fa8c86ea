//! Why records that do not stand by their id were not inserted, all in one statement.

use diesel::sql_types::{Bool, Nullable, Text};
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::{Record, RecordKey, RecordKind};
use memory_storage::{InsertOutcome, RunId, StorageError};

use super::table::{MEMBERS, Table, is_brought, is_there, missing_member};
use crate::connection::Row;
use crate::executor::read;
use crate::statement::Statement;

/// The statement that looks for what was in the way; none for tenants, which refer to nothing.
///
/// It gives one row per record, in the order given: what it refers to that is not there, whether
/// its run brought what it is part of, and the id of what holds a key that must be unique. As
/// look-ups, for the reason that is given there.
pub(super) fn question<'a>(
    run: RunId,
    kind: RecordKind,
    records: &[&Record],
) -> Option<Statement<'a>> {
    if kind == RecordKind::Tenant {
        return None;
    }
    let table = Table::of(kind);
    let statement = Statement::reading(STEP, text(&table, records));
    let statement = (table.arrays)(statement, records);
    Some(match kind {
        RecordKind::Message => statement.id(run.0),
        _ => statement,
    })
}

const STEP: &str = "looking for what is in the way";

fn text(table: &Table, records: &[&Record]) -> String {
    let brought = match table.kind {
        RecordKind::Message => is_brought(table.columns.len() + 1),
        _ => "true".to_owned(),
    };
    format!(
        "with given as (
            select * from unnest({parameters}) with ordinality as given ({columns}, place)
        )
        select {missing}, {holder}, {brought} from given order by place",
        missing = missing(table.kind),
        holder = holder(table, records),
        parameters = table.parameters(),
        columns = table.list(),
    )
}

/// The first thing that is referred to and not there: `node 0198…`.
fn missing(kind: RecordKind) -> String {
    let cases: Vec<String> = kind
        .references()
        .iter()
        .map(|(column, to)| {
            let id = match *column {
                MEMBERS => missing_member(),
                _ => format!("given.{column}"),
            };
            format!(
                "when not {} then '{} ' || {id}",
                is_there(column, *to),
                to.noun()
            )
        })
        .collect();
    format!("case {} end", cases.join(" "))
}

/// The id of the record that has the unique key.
fn holder(table: &Table, records: &[&Record]) -> String {
    let Some(key) = records.iter().find_map(|record| record.unique_key()) else {
        return "null::uuid".to_owned();
    };
    let conditions: Vec<String> = key
        .columns
        .iter()
        .map(|(column, _)| format!(" and x.{column} = given.{column}"))
        .collect();
    format!(
        "(
            select x.id from {} as x where x.tenant_id = given.tenant_id{} offset 0
        )",
        table.name(),
        conditions.concat(),
    )
}

/// What the answer means, record by record.
pub(super) fn outcomes(
    records: &[&Record],
    rows: &[Row],
) -> Result<Vec<InsertOutcome>, StorageError> {
    let answers = read::<AnswerSql, Answer>(STEP, rows)?;
    Ok(std::iter::zip(records, answers)
        .map(|(record, answer)| outcome(record, answer))
        .collect())
}

type AnswerSql = (Nullable<Text>, Nullable<Id>, Bool);
type Answer = (Option<String>, Option<IdValue>, bool);

fn outcome(record: &Record, (missing, holder, brought): Answer) -> InsertOutcome {
    let key = record.key();
    if let Some(reference) = missing {
        return InsertOutcome::MissingReference { reference };
    }
    match (record, holder) {
        (Record::Message(message), None) if !brought => conflict(
            RecordKey {
                kind: RecordKind::Session,
                id: Some(message.session_id.uuid()),
                ..key
            },
            "the session stands already and takes no more messages",
        ),
        (record, Some(holder)) => {
            let taken = record.unique_key().map_or(WRITTEN, |key| key.taken);
            let id = Some(holder.0);
            conflict(RecordKey { id, ..key }, taken)
        }
        (_, None) => conflict(key, WRITTEN),
    }
}

const WRITTEN: &str = "it is being written by another";

fn conflict(standing: RecordKey, reason: &str) -> InsertOutcome {
    InsertOutcome::Conflict {
        standing,
        reason: reason.to_owned(),
    }
}
