//! What no sound source or store does: the engine must find it all the same. Sound ones are tried
//! for real in `memory-cli/tests`.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use async_trait::async_trait;
use memory_domain::{
    Digest, JsonObject, Message, MessageId, Record, RecordKey, RecordKind, Role, Session,
    SessionId, Tenant, TenantId, Timestamp,
};
use memory_storage::{
    Conversion, InsertOutcome, LedgerEntry, RawValue, RecordSource, RecordWriter, RuleUse, RunId,
    RunStatus, Sealed, SourceColumn, SourceDescription, SourceError, SourceRow, SourceTable,
    StorageError, TransferRun,
};
use uuid::Uuid;

use super::carry;
use crate::{MigrateError, Outcome, Report, TransferOptions, silent};

/// A source that gives prepared rows of one table.
struct Rows {
    description: SourceDescription,
    tables: Vec<SourceTable>,
    batches: VecDeque<Vec<SourceRow>>,
}

impl Rows {
    fn new(claimed: u64, batches: Vec<Vec<SourceRow>>) -> Rows {
        Rows {
            description: SourceDescription {
                kind: "test".to_owned(),
                name: "test".to_owned(),
                location: "nowhere".to_owned(),
                settings: BTreeMap::new(),
            },
            tables: vec![table("chats", claimed, true)],
            batches: batches.into(),
        }
    }
}

#[async_trait]
impl RecordSource for Rows {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    async fn tables(&mut self) -> Result<Vec<SourceTable>, SourceError> {
        Ok(self.tables.clone())
    }

    async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, SourceError> {
        Ok(self.batches.pop_front())
    }
}

fn table(name: &str, rows: u64, mapped: bool) -> SourceTable {
    let column = |name: &str, target: Option<&str>| SourceColumn {
        name: name.to_owned(),
        target: target.map(str::to_owned),
        non_null: rows,
    };
    SourceTable {
        name: name.to_owned(),
        rows,
        mapped,
        columns: vec![column("id", Some("sessions.id")), column("mood", None)],
    }
}

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    /// It says that it inserted a record, and did not.
    LosesARecord,
    /// It forgets a record and its ledger entry.
    LosesARecordAndItsEntry,
    /// It changes a value.
    ChangesAValue,
    /// It says nothing about one of the records.
    LosesAnOutcome,
}

/// A store's transaction in memory.
struct Shelf {
    defect: Defect,
    records: BTreeMap<RecordKey, Record>,
    ledger: BTreeMap<RecordKey, Digest>,
}

impl Shelf {
    fn new(defect: Defect) -> Shelf {
        Shelf {
            defect,
            records: BTreeMap::new(),
            ledger: BTreeMap::new(),
        }
    }

    fn holding(records: &[Record]) -> Shelf {
        let mut shelf = Shelf::new(Defect::None);
        for record in records {
            shelf.records.insert(record.key(), record.clone());
        }
        shelf
    }

    fn insert_one(&mut self, record: Record) -> InsertOutcome {
        let key = record.key();
        if let Some(standing) = self.records.get(&key) {
            return if standing.digest() == record.digest() {
                InsertOutcome::AlreadyThere
            } else {
                InsertOutcome::Conflict {
                    standing: key,
                    reason: "same id, other content".to_owned(),
                }
            };
        }
        if let Record::Message(message) = &record {
            let id = message.session_id.uuid();
            let session = key_of(RecordKind::Session, id);
            if !self.records.contains_key(&session) {
                let reference = format!("session {id}");
                return InsertOutcome::MissingReference { reference };
            }
        }
        let digest = record.digest();
        match (self.defect, record) {
            (Defect::LosesARecord, _) => {
                self.ledger.insert(key, digest);
            }
            (Defect::LosesARecordAndItsEntry, _) => {}
            (Defect::ChangesAValue, Record::Session(mut session)) => {
                session.updated_at = Timestamp::from_micros(1).unwrap();
                self.records.insert(key.clone(), Record::Session(session));
                self.ledger.insert(key, digest);
            }
            (_, record) => {
                self.records.insert(key.clone(), record);
                self.ledger.insert(key, digest);
            }
        }
        InsertOutcome::Inserted
    }
}

#[async_trait]
impl RecordWriter for Shelf {
    async fn expect(&mut self, _: u64) -> Result<(), StorageError> {
        Ok(())
    }

    async fn take_turn(&mut self, _: &SourceDescription, _: bool) -> Result<(), StorageError> {
        Ok(())
    }

    async fn open_run(&mut self, _: &TransferRun) -> Result<(), StorageError> {
        Ok(())
    }

    async fn insert_sealed(
        &mut self,
        _: RunId,
        records: Vec<Sealed>,
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        let records: Vec<Record> = records.iter().map(|it| it.record().clone()).collect();
        let kind = records[0].kind();
        assert!(records.iter().all(|record| record.kind() == kind));
        for record in &records {
            if let Record::Session(session) = record
                && session.title == "refused"
            {
                return Err(memory_domain::InvalidInput::new("title", "refused", "no").into());
            }
        }
        let mut outcomes: Vec<_> = records
            .into_iter()
            .map(|record| self.insert_one(record))
            .collect();
        if self.defect == Defect::LosesAnOutcome {
            outcomes.pop();
        }
        Ok(outcomes)
    }

    async fn fetch(&mut self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StorageError> {
        let found = |key| self.records.get(key).cloned();
        Ok(keys.iter().map(found).collect())
    }

    async fn read_back(
        &mut self,
        _: RunId,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<(LedgerEntry, Option<Record>)>, StorageError> {
        let entries = self.ledger.iter();
        Ok(entries
            .filter(|(key, _)| key.kind == kind && after.is_none_or(|after| *key > after))
            .take(limit as usize)
            .map(|(key, digest)| {
                let entry = LedgerEntry {
                    key: key.clone(),
                    digest: *digest,
                };
                (entry, self.records.get(key).cloned())
            })
            .collect())
    }

    async fn built_upon(&mut self, _: RunId, _: u32) -> Result<Vec<RecordKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn delete_run(&mut self, _: RunId) -> Result<u64, StorageError> {
        Ok(0)
    }

    async fn close_run(
        &mut self,
        _: RunId,
        _: RunStatus,
        _: Timestamp,
        _: JsonObject,
    ) -> Result<(), StorageError> {
        Ok(())
    }

    async fn run(&mut self, _: RunId) -> Result<Option<TransferRun>, StorageError> {
        Ok(None)
    }

    async fn unfinished(&mut self) -> Result<Vec<TransferRun>, StorageError> {
        Ok(Vec::new())
    }

    async fn checkpoint(
        &mut self,
        _: RunId,
        _: &JsonObject,
        _: &JsonObject,
    ) -> Result<(), StorageError> {
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        Ok(())
    }
}

fn tenant() -> TenantId {
    TenantId::new("ada").unwrap()
}

fn key_of(kind: RecordKind, id: Uuid) -> RecordKey {
    RecordKey {
        kind,
        tenant_id: tenant(),
        id: Some(id),
    }
}

fn session(id: u128, title: &str) -> Session {
    Session {
        tenant_id: tenant(),
        id: SessionId::from_uuid(Uuid::from_u128(id)),
        title: title.to_owned(),
        metadata: JsonObject::new(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        message_count: 1,
    }
}

fn message(id: u128, session: u128, number: i64) -> Record {
    Record::Message(Message {
        tenant_id: tenant(),
        id: MessageId::from_uuid(Uuid::from_u128(id)),
        session_id: SessionId::from_uuid(Uuid::from_u128(session)),
        number,
        role: Role::USER,
        content: String::new(),
        metadata: JsonObject::new(),
        created_at: Timestamp::UNIX_EPOCH,
    })
}

fn row(key: &str, record: Record) -> SourceRow {
    let ada = Tenant {
        id: tenant(),
        created_at: Timestamp::UNIX_EPOCH,
        last_active_at: Timestamp::UNIX_EPOCH,
        metadata: JsonObject::new(),
    };
    SourceRow {
        table: 0,
        key: key.to_owned(),
        conversion: Conversion::Record {
            record: Box::new(record),
            rules: Vec::new(),
            beyond: vec![Record::Tenant(ada)],
        },
        raw: vec![RawValue::Text(key.as_bytes().to_vec()), RawValue::Null],
        context: Vec::new(),
    }
}

fn sessions(ids: std::ops::Range<u128>) -> Vec<SourceRow> {
    ids.map(|id| row(&id.to_string(), Record::Session(session(id, ""))))
        .collect()
}

fn rule(from: &str) -> RuleUse {
    RuleUse {
        rule: "rounded",
        column: "at".to_owned(),
        from: from.to_owned(),
        to: "0".to_owned(),
    }
}

fn options(folder: &Path) -> TransferOptions {
    let mut options = TransferOptions::new(Timestamp::UNIX_EPOCH);
    options.quarantine_file = Some(folder.join("quarantine.jsonl"));
    options.batch_size = 2;
    options
}

async fn run(
    source: Rows,
    shelf: Shelf,
    change: impl FnOnce(&mut TransferOptions),
) -> (Result<Report, MigrateError>, Vec<serde_json::Value>) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    change(&mut options);
    let target = "shelf".to_owned();
    let report = carry(
        Box::new(source),
        Box::new(shelf),
        target,
        &options,
        &mut silent,
    )
    .await;
    let file = std::fs::read_to_string(folder.path().join("quarantine.jsonl")).unwrap_or_default();
    let lines = file.lines().skip(1);
    let lines = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (report, lines)
}

fn unchanged(_: &mut TransferOptions) {}

#[tokio::test]
async fn a_sound_run_accounts_for_every_row() {
    let source = Rows::new(5, vec![sessions(1..4), sessions(4..6)]);
    let (report, quarantine) = run(source, Shelf::new(Defect::None), unchanged).await;
    let report = report.unwrap();
    assert_eq!(report.outcome, Outcome::Committed);
    assert_eq!(report.tables[0].classes.carried, 5);
    assert_eq!(report.tables[0].beyond, BTreeMap::from([("tenants", 1)]));
    let verification = report.verification.clone().unwrap();
    assert_eq!(verification.records, 6);
    assert_eq!(verification.digests.len(), 2);
    assert!(quarantine.is_empty());
    // The column without a place is the only problem.
    assert_eq!(report.problems().len(), 1);
    assert_eq!(report.exit_status(), 1);
}

#[tokio::test]
async fn a_column_is_allowed_by_name_or_with_its_table() {
    for allowed in ["chats", "chats.mood"] {
        let source = Rows::new(1, vec![sessions(1..2)]);
        let (report, _) = run(source, Shelf::new(Defect::None), |options| {
            options.allow_unmapped.insert(allowed.to_owned());
        })
        .await;
        assert_eq!(report.unwrap().exit_status(), 0, "{allowed}");
    }
}

#[tokio::test]
async fn an_unmapped_table_is_a_problem_unless_it_is_empty_or_allowed() {
    for (rows, allow, status) in [(3, false, 1), (3, true, 0), (0, false, 0)] {
        let mut source = Rows::new(0, Vec::new());
        source.tables.push(table("missions", rows, false));
        let (report, _) = run(source, Shelf::new(Defect::None), |options| {
            if allow {
                options.allow_unmapped.insert("missions".to_owned());
            }
        })
        .await;
        let report = report.unwrap();
        assert_eq!(report.tables[1].classes.unmapped, rows);
        assert_eq!(report.exit_status(), status);
        assert_eq!(report.outcome, Outcome::NothingToCarry);
    }
}

#[tokio::test]
async fn the_columns_of_an_unmapped_table_are_listed_with_their_values() {
    let mut source = Rows::new(0, Vec::new());
    source.tables.push(table("missions", 3, false));
    source.tables[1].columns[1].non_null = 0;
    let (report, _) = run(source, Shelf::new(Defect::None), unchanged).await;
    let report = report.unwrap();
    let columns = report.tables[1].unmapped_columns.iter();
    let told: Vec<(&str, u64)> = columns
        .map(|column| (column.column.as_str(), column.non_null))
        .collect();
    assert_eq!(told, [("id", 3), ("mood", 0)]);
    let text = report.to_string();
    assert!(text.contains("missions.id: 3 values"), "{text}");
    assert!(text.contains("missions.mood: 0 values"), "{text}");
    // Beside the table they are no problem of their own.
    assert_eq!(report.problems().len(), 1);
}

#[tokio::test]
async fn what_may_stay_behind_must_be_there_and_have_no_place() {
    for (name, accepted) in [
        ("missions", true),
        ("chats", true),
        ("chats.mood", true),
        ("mission", false),
        ("chats.id", false),
        ("missions.mood", false),
    ] {
        let mut source = Rows::new(0, Vec::new());
        source.tables.push(table("missions", 3, false));
        let (report, _) = run(source, Shelf::new(Defect::None), |options| {
            options.allow_unmapped.insert(name.to_owned());
        })
        .await;
        if accepted {
            report.unwrap();
        } else {
            let error = report.unwrap_err().to_string();
            let wanted = format!(
                "option allow-unmapped has the value {name:?}: the source has without a place: \
                chats.mood, missions"
            );
            assert_eq!(error, wanted);
        }
    }
}

#[tokio::test]
async fn a_source_that_skips_or_repeats_a_row_fails_the_run() {
    for claimed in [2, 4] {
        let source = Rows::new(claimed, vec![sessions(1..4)]);
        let (report, _) = run(source, Shelf::new(Defect::None), unchanged).await;
        let error = report.unwrap_err();
        assert!(
            matches!(error, MigrateError::Accounting { classed: 3, .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn whatever_a_store_loses_or_changes_fails_the_run() {
    for (defect, named) in [
        (Defect::LosesARecord, "it was inserted, but is not there"),
        (Defect::LosesARecordAndItsEntry, "do not add up"),
        (Defect::ChangesAValue, "not what the source held"),
        (Defect::LosesAnOutcome, "the target broke its contract"),
    ] {
        let source = Rows::new(3, vec![sessions(1..4)]);
        let (report, quarantine) = run(source, Shelf::new(defect), unchanged).await;
        let error = report.unwrap_err().to_string();
        assert!(error.contains(named), "{defect:?}: {error}");
        assert!(quarantine.is_empty());
    }
}

#[tokio::test]
async fn what_is_not_read_back_is_said() {
    let source = Rows::new(1, vec![sessions(1..2)]);
    let (report, _) = run(source, Shelf::new(Defect::ChangesAValue), |options| {
        options.verify = false;
    })
    .await;
    assert!(report.unwrap().to_string().contains("NOT VERIFIED"));
}

#[tokio::test]
async fn a_second_row_of_one_id_meets_the_first() {
    let rows = vec![
        row("a", Record::Session(session(1, "x"))),
        row("b", Record::Session(session(1, "x"))),
        row("c", Record::Session(session(1, "y"))),
    ];
    let (report, quarantine) = run(
        Rows::new(3, vec![rows]),
        Shelf::new(Defect::None),
        |options| {
            options.batch_size = 100;
        },
    )
    .await;
    let classes = report.unwrap().tables[0].classes;
    assert_eq!(
        (classes.carried, classes.already_there, classes.conflict),
        (1, 1, 1)
    );
    assert_eq!(quarantine[0]["class"], "conflict");
    assert_eq!(quarantine[0]["key"], "c");
    assert_eq!(quarantine[0]["values"]["id"], "c");
    assert_eq!(quarantine[0]["record"]["title"], "y");
}

#[tokio::test]
async fn a_conflict_that_is_accepted_is_only_counted() {
    let shelf = || Shelf::holding(&[Record::Session(session(1, "stands"))]);
    let source = || {
        let mut source = Rows::new(1, vec![sessions(1..2)]);
        source.tables[0].columns.pop();
        source
    };
    let (report, quarantine) = run(source(), shelf(), unchanged).await;
    let report = report.unwrap();
    assert_eq!((report.conflicts.count, report.exit_status()), (1, 1));
    assert_eq!(quarantine.len(), 1);
    assert!(report.to_string().contains("--source-name"), "{report}");

    let (report, quarantine) = run(source(), shelf(), |options| {
        options.on_conflict = crate::OnConflict::Keep;
    })
    .await;
    let report = report.unwrap();
    assert_eq!((report.conflicts.count, report.exit_status()), (1, 0));
    assert!(quarantine.is_empty() && report.quarantine_file.is_none());
}

#[tokio::test]
async fn a_row_that_the_store_refuses_does_not_keep_the_others_back() {
    let rows = vec![
        row("a", Record::Session(session(1, ""))),
        row("b", Record::Session(session(2, "refused"))),
    ];
    let (report, quarantine) = run(
        Rows::new(2, vec![rows]),
        Shelf::new(Defect::None),
        unchanged,
    )
    .await;
    let classes = report.unwrap().tables[0].classes;
    assert_eq!((classes.carried, classes.quarantined), (1, 1));
    assert_eq!(quarantine[0]["key"], "b");
}

#[tokio::test]
async fn merged_changed_and_quarantined_rows_have_their_classes() {
    let mut rows = sessions(1..2);
    let mut changed = row("changed", Record::Session(session(2, "")));
    if let Conversion::Record { rules, .. } = &mut changed.conversion {
        rules.push(rule("0.5"));
    }
    rows.push(changed);
    let bare = |key: &str, conversion| SourceRow {
        table: 0,
        key: key.to_owned(),
        conversion,
        raw: vec![RawValue::Integer(1), RawValue::Null],
        context: Vec::new(),
    };
    rows.push(bare(
        "merged",
        Conversion::Merged {
            into: key_of(RecordKind::Session, Uuid::from_u128(1)),
            rule: rule("x"),
        },
    ));
    rows.push(bare(
        "bad",
        Conversion::Quarantined {
            reason: "column mood is no text".to_owned(),
        },
    ));
    let (report, quarantine) = run(
        Rows::new(4, vec![rows]),
        Shelf::new(Defect::None),
        unchanged,
    )
    .await;
    let report = report.unwrap();
    let classes = report.tables[0].classes;
    assert_eq!(
        (
            classes.carried,
            classes.changed,
            classes.merged,
            classes.quarantined
        ),
        (1, 1, 1, 1)
    );
    assert_eq!((report.rules.len(), report.rules[0].count), (1, 2));
    assert_eq!(report.rules[0].examples[0].from, "0.5");
    assert_eq!(quarantine[0]["reason"], "column mood is no text");
    assert_eq!(quarantine[0]["values"]["id"], 1);
}

#[tokio::test]
async fn a_message_keeps_to_the_count_of_a_session_that_stands() {
    let standing = [
        Record::Session(session(1, "")),
        // Stands beyond the count, in a store that somebody else wrote to.
        message(12, 1, 9),
    ];
    let rows = vec![
        row("within", message(11, 1, 1)),
        row("beyond", message(13, 1, 2)),
        row("stands", message(12, 1, 9)),
        row("nowhere", message(14, 7, 1)),
    ];
    let (report, quarantine) = run(
        Rows::new(4, vec![rows]),
        Shelf::holding(&standing),
        unchanged,
    )
    .await;
    let classes = report.unwrap().tables[0].classes;
    assert_eq!(
        (classes.carried, classes.already_there, classes.quarantined),
        (1, 1, 2)
    );
    let reason = |line: usize| quarantine[line]["reason"].as_str().unwrap().to_owned();
    assert!(
        reason(0).contains("beyond the message count 1"),
        "{}",
        reason(0)
    );
    assert!(reason(1).contains("is not in the target"), "{}", reason(1));
}

#[tokio::test]
async fn a_message_beyond_a_row_keeps_to_the_count_as_the_row_does() {
    let turn = |key: &str, id: u128, session_id: u128, number: i64| {
        let mut row = row(key, message(id, session_id, number));
        if let Conversion::Record { beyond, .. } = &mut row.conversion {
            let mut whole = session(9, "");
            whole.message_count = 2;
            beyond.push(Record::Session(whole));
            beyond.push(message(id + 1, session_id, number + 1));
        }
        row
    };
    let standing = [Record::Session(session(1, ""))];
    let rows = vec![turn("stands", 11, 1, 1), turn("new", 21, 9, 1)];
    let (report, quarantine) = run(
        Rows::new(2, vec![rows]),
        Shelf::holding(&standing),
        unchanged,
    )
    .await;
    let report = report.unwrap();
    let table = &report.tables[0];
    assert_eq!((table.classes.carried, table.classes.quarantined), (1, 1));
    // The reply of the turn that was carried, and not that of the other.
    assert_eq!(table.beyond.get("messages"), Some(&1));
    let reason = quarantine[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("number 2 lies beyond the message count 1"),
        "{reason}"
    );
}

#[tokio::test]
async fn rows_of_other_tenants_and_tables_are_counted_as_not_selected() {
    let source = Rows::new(2, vec![sessions(1..3)]);
    let (report, _) = run(source, Shelf::new(Defect::None), |options| {
        options.tenant = Some(TenantId::new("bob").unwrap());
    })
    .await;
    let report = report.unwrap();
    assert_eq!(report.tables[0].classes.not_selected, 2);
    assert!(report.tables[0].beyond.is_empty());

    let mut source = Rows::new(2, vec![sessions(1..3)]);
    source.tables.push(table("missions", 3, false));
    let (report, _) = run(source, Shelf::new(Defect::None), |options| {
        options.tables.insert("missions".to_owned());
    })
    .await;
    let report = report.unwrap();
    assert_eq!(report.tables[0].classes.not_selected, 2);
    assert_eq!(report.tables[1].classes.unmapped, 3);
    // The column of the table that was not asked for is no problem.
    assert_eq!(report.problems().len(), 1);
}

#[tokio::test]
async fn an_unknown_table_lists_the_known_ones() {
    let (report, _) = run(
        Rows::new(0, Vec::new()),
        Shelf::new(Defect::None),
        |options| {
            options.tables.insert("chat".to_owned());
        },
    )
    .await;
    let error = report.unwrap_err().to_string();
    assert!(error.contains("chats"), "{error}");
}

#[tokio::test]
async fn sessions_and_messages_are_carried_together() {
    let source = || {
        let mut source = Rows::new(0, Vec::new());
        let mut lines = table("lines", 0, true);
        lines.columns[0].target = Some("messages.id".to_owned());
        source.tables.push(lines);
        source.tables.push(table("others", 0, true));
        source.tables[2].columns[0].target = Some("nodes.id".to_owned());
        source
    };
    for (tables, accepted) in [
        (&["chats"][..], false),
        (&["lines"], false),
        (&["chats", "lines"], true),
        (&["others"], true),
    ] {
        let (report, _) = run(source(), Shelf::new(Defect::None), |options| {
            options.tables = tables.iter().map(|table| (*table).to_owned()).collect();
        })
        .await;
        assert_eq!(report.is_ok(), accepted, "{tables:?}");
    }
}

#[tokio::test]
async fn a_row_of_a_table_that_was_not_named_fails_the_run() {
    let mut rows = sessions(1..2);
    rows[0].table = 5;
    let (report, _) = run(
        Rows::new(1, vec![rows]),
        Shelf::new(Defect::None),
        unchanged,
    )
    .await;
    assert!(matches!(report.unwrap_err(), MigrateError::Contract { .. }));
}

#[tokio::test]
async fn the_report_is_fit_for_every_store() {
    let rows = vec![SourceRow {
        table: 0,
        key: "id=\0".to_owned(),
        conversion: Conversion::Quarantined {
            reason: "column a holds \"\0\"".to_owned(),
        },
        raw: vec![RawValue::Text(b"\0".to_vec()), RawValue::Null],
        context: Vec::new(),
    }];
    let (report, quarantine) = run(
        Rows::new(1, vec![rows]),
        Shelf::new(Defect::None),
        unchanged,
    )
    .await;
    assert_eq!(report.unwrap().quarantined.count, 1);
    assert_eq!(quarantine[0]["key"], "id=\0");
}
