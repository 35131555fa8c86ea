//! Files made for a test, and reading them whole.

use std::path::{Path, PathBuf};

use memory_legacy::{Options, open};
use memory_storage::{Conversion, RecordSource, SourceError, SourceRow, SourceTable};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const FLUX_RAG: &str = "
    create table sessions (
      id text primary key, user_id text default '', title text default '',
      created_at text not null, updated_at text not null, metadata text default '{}');
    create table messages (
      id text primary key, session_id text not null, role text not null, content text not null,
      metadata text default '{}', created_at text not null,
      foreign key (session_id) references sessions (id) on delete cascade);";

pub(crate) const FLUX_RAG_WITHOUT_USERS: &str = "
    create table sessions (
      id text primary key, title text default '',
      created_at text not null, updated_at text not null, metadata text default '{}');
    create table messages (
      id text primary key, session_id text not null, role text not null, content text not null,
      metadata text default '{}', created_at text not null);";

pub(crate) const JARVIS: &str = "
    create table entities (
      id integer primary key autoincrement, type text not null, name text not null, metadata text,
      created_at text not null, updated_at text not null, unique (type, name));
    create table relationships (
      id integer primary key autoincrement, from_id integer not null, to_id integer not null,
      type text not null, metadata text, created_at text not null);
    create table mission_history (
      id integer primary key autoincrement, mission_id text not null unique, status text not null,
      domain text, cost_usd real, iterations integer, duration_seconds real,
      files_modified integer, metadata text, created_at text not null);
    create table file_snapshots (
      id integer primary key autoincrement, file_path text not null, mission_id text,
      size_bytes integer, lines_of_code integer, hash text, created_at text not null,
      metadata text);";

/// As the system makes them, with the triggers that keep the full-text table.
pub(crate) const CONSULTANT: &str = "
    create table memory_nodes (
      node_id text primary key, thread_id text not null, content text not null,
      context_type text not null, summary text, created_at timestamp not null,
      last_accessed timestamp not null, access_count integer default 1,
      base_relevance real default 0.5, tags text, metadata text,
      entity_id text, entity_type text, entity_system text, unique (entity_id, entity_system));
    create table memory_relationships (
      id integer primary key autoincrement, from_node_id text not null, to_node_id text not null,
      relationship_type text not null, strength real default 1.0, created_at timestamp not null,
      metadata text, unique (from_node_id, to_node_id, relationship_type),
      foreign key (from_node_id) references memory_nodes (node_id) on delete cascade,
      foreign key (to_node_id) references memory_nodes (node_id) on delete cascade);
    create table memory_threads (
      thread_id text primary key, created_at timestamp not null,
      last_activity timestamp not null, agent_name text, task_id text, metadata text);
    create virtual table memory_search
      using fts5(node_id unindexed, content, summary, tags, tokenize='porter');
    create trigger memory_search_insert after insert on memory_nodes begin
      insert into memory_search (node_id, content, summary, tags)
      values (new.node_id, new.content, new.summary, new.tags); end;
    create trigger memory_search_delete after delete on memory_nodes begin
      delete from memory_search where node_id = old.node_id; end;";

/// CONTINUUM as v0.2.0 makes it.
pub(crate) const CONTINUUM_FIRST: &str = "
    create table entities (
      id integer primary key autoincrement, name text not null, entity_type text not null,
      description text, created_at text not null, tenant_id text default 'default');
    create table auto_messages (
      id integer primary key autoincrement, instance_id text not null, timestamp real not null,
      message_number integer not null, role text not null, content text not null, metadata text,
      tenant_id text default 'default');
    create table decisions (
      id integer primary key autoincrement, instance_id text not null, timestamp real not null,
      decision_text text not null, context text, extracted_from text,
      tenant_id text default 'default');
    create table attention_links (
      id integer primary key autoincrement, concept_a text not null, concept_b text not null,
      link_type text not null, strength real default 0.5, created_at text not null,
      tenant_id text default 'default');
    create table compound_concepts (
      id integer primary key autoincrement, compound_name text not null,
      component_concepts text not null, co_occurrence_count integer default 1,
      last_seen text not null, tenant_id text default 'default');
    create table tenants (
      tenant_id text primary key, created_at text not null, last_active text,
      metadata text default '{}');";

/// What later versions add; where they upgrade, `last_accessed` comes last.
pub(crate) const CONTINUUM_LATER: &str = "
    alter table attention_links add column last_accessed text;
    create table messages (
      id integer primary key autoincrement, user_message text, ai_response text, session_id text,
      created_at text not null, tenant_id text default 'default', metadata text default '{}');
    create table beliefs (id integer primary key autoincrement, belief text not null);";

/// CONTINUUM's separate writer `extraction`, which knows no tenants.
pub(crate) const CONTINUUM_EXTRACTION: &str = "
    create table entities (
      id integer primary key autoincrement, name text not null, entity_type text not null,
      description text, first_seen text, last_seen text, mention_count integer default 1,
      metadata text, unique (name, entity_type));
    create table auto_messages (
      id integer primary key autoincrement, instance_id text not null, timestamp real not null,
      message_number integer not null, role text not null, content text not null, metadata text);
    create table decisions (
      id integer primary key autoincrement, instance_id text not null, timestamp real not null,
      decision_text text not null, context text, extracted_from text);
    create table attention_links (
      id integer primary key autoincrement, concept_a text not null, concept_b text not null,
      link_type text not null, strength real not null, context text, instance_id text,
      timestamp real not null, unique (concept_a, concept_b, link_type));
    create table compound_concepts (
      id integer primary key autoincrement, compound_name text unique not null,
      component_concepts text not null, co_occurrence_count integer default 1,
      first_seen text, last_seen text);";

/// The same tables without any constraint or type, so that every storage class gets in.
pub(crate) const LOOSE_FLUX_RAG: &str = "
    create table sessions (id, user_id, title, created_at, updated_at, metadata);
    create table messages (id, session_id, role, content, metadata, created_at);";

pub(crate) const LOOSE_JARVIS: &str = "
    create table entities (id, type, name, metadata, created_at, updated_at);
    create table relationships (id, from_id, to_id, type, metadata, created_at);";

/// The two tables of missions, as loose.
pub(crate) const LOOSE_MISSIONS: &str = "
    create table mission_history (id, mission_id, status, domain, cost_usd, iterations,
      duration_seconds, files_modified, metadata, created_at);
    create table file_snapshots (id, file_path, mission_id, size_bytes, lines_of_code, hash,
      created_at, metadata);";

/// All columns that CONTINUUM ever had.
pub(crate) const LOOSE_CONTINUUM: &str = "
    create table tenants (tenant_id, created_at, last_active, metadata);
    create table entities (id, name, entity_type, description, created_at, last_seen,
      mention_count, metadata, tenant_id);
    create table auto_messages (id, instance_id, timestamp, message_number, role, content,
      metadata, tenant_id);
    create table messages (id, user_message, ai_response, session_id, created_at, tenant_id,
      metadata);
    create table attention_links (id, concept_a, concept_b, link_type, strength, created_at,
      last_accessed, context, instance_id, tenant_id);
    create table compound_concepts (id, compound_name, component_concepts, co_occurrence_count,
      last_seen, tenant_id);
    create table decisions (id, instance_id, timestamp, decision_text, context, extracted_from,
      tenant_id);";

pub(crate) const LOOSE_CONSULTANT: &str = "
    create table memory_nodes (node_id, thread_id, content, context_type, summary, created_at,
      last_accessed, access_count, base_relevance, tags, metadata, entity_id, entity_type,
      entity_system);
    create table memory_relationships (id, from_node_id, to_node_id, relationship_type, strength,
      created_at, metadata);
    create table memory_threads (thread_id, created_at, last_activity, agent_name, task_id,
      metadata);";

/// A file in a folder of its own.
pub(crate) struct Made {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
}

/// Makes a file that is not called after what is in it.
pub(crate) fn made(sql: &[&str]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.thing");
    let connection = Connection::open(&path).unwrap();
    // Nothing here survives the test, so nothing waits for the disk.
    connection
        .pragma_update(None, "synchronous", "off")
        .unwrap();
    // Legacy programs never switch them on, and their files hold dangling references.
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    for sql in sql {
        connection.execute_batch(sql).unwrap();
    }
    Made {
        folder,
        path,
        connection,
    }
}

/// Everything that a source gives.
pub(crate) struct Read {
    pub(crate) tables: Vec<SourceTable>,
    pub(crate) rows: Vec<SourceRow>,
}

pub(crate) fn read(path: &Path) -> Read {
    read_with(path, Options::default())
}

pub(crate) fn read_with(path: &Path, options: Options) -> Read {
    read_source(open(path, options).unwrap()).unwrap()
}

/// Reads to the end, and holds what holds of every source: each row of each mapped table comes
/// exactly once, with its values, and no batch mixes tables.
pub(crate) fn read_source(mut source: Box<dyn RecordSource>) -> Result<Read, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async move {
        let tables = source.tables().await?;
        let mut counts = vec![0; tables.len()];
        let mut rows = Vec::new();
        while let Some(batch) = source.next().await? {
            assert!(!batch.is_empty(), "a batch has rows");
            assert!(batch.iter().all(|row| row.table == batch[0].table));
            for row in batch {
                counts[row.table] += 1;
                assert_eq!(row.raw.len(), tables[row.table].columns.len(), "{row:?}");
                rows.push(row);
            }
        }
        assert!(source.next().await?.is_none(), "the end stays the end");
        assert_eq!(source.tables().await?, tables);
        for (table, count) in tables.iter().zip(counts) {
            let wanted = if table.mapped { table.rows } else { 0 };
            assert_eq!(count, wanted, "rows of {}", table.name);
        }
        Ok(Read { tables, rows })
    })
}

impl Read {
    /// The row with that key.
    pub(crate) fn row(&self, table: &str, key: &str) -> &SourceRow {
        let is_it = |row: &&SourceRow| self.tables[row.table].name == table && row.key == key;
        self.rows
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("no {key} in {table}: {:?}", self.keys()))
    }

    fn keys(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.key.as_str()).collect()
    }

    /// The record of a row that no rule touched.
    pub(crate) fn identical(&self, table: &str, key: &str) -> Value {
        let row = self.row(table, key);
        assert!(rules(row).is_empty(), "{row:?}");
        record(row)
    }

    /// The record of a row and the rules that changed it.
    pub(crate) fn changed(&self, table: &str, key: &str) -> (Value, Vec<&'static str>) {
        let row = self.row(table, key);
        (record(row), rules(row))
    }

    /// Why a row is quarantined.
    pub(crate) fn reason(&self, table: &str, key: &str) -> &str {
        let row = self.row(table, key);
        match &row.conversion {
            Conversion::Quarantined { reason } => reason,
            other => panic!("{key} is not quarantined: {other:?}"),
        }
    }

    /// The key of what a row was merged into, and the rule.
    pub(crate) fn merged(&self, table: &str, key: &str) -> (String, &'static str) {
        let row = self.row(table, key);
        match &row.conversion {
            Conversion::Merged { into, rule } => (into.to_string(), rule.rule),
            other => panic!("{key} is not merged: {other:?}"),
        }
    }

    /// What was made beyond a row, without the tenant.
    pub(crate) fn beyond_row(&self, table: &str, key: &str) -> Vec<Value> {
        let row = self.row(table, key);
        let Conversion::Record { beyond, .. } = &row.conversion else {
            panic!("{key} is no record: {row:?}");
        };
        let is_tenant =
            |record: &&memory_domain::Record| record.kind() == memory_domain::RecordKind::Tenant;
        let beyond = beyond.iter().filter(|record| !is_tenant(record));
        beyond
            .map(|record| serde_json::to_value(record).unwrap())
            .collect()
    }

    /// `identical`, `quarantined` or the rules, of the only row of a table.
    pub(crate) fn class(&self, table: &str) -> String {
        let mut rows = self
            .rows
            .iter()
            .filter(|row| self.tables[row.table].name == table);
        let row = rows.next().unwrap();
        assert!(rows.next().is_none());
        match &row.conversion {
            Conversion::Quarantined { .. } => "quarantined".to_owned(),
            _ if rules(row).is_empty() => "identical".to_owned(),
            _ => rules(row).join(" "),
        }
    }

    /// What was made beyond the rows.
    pub(crate) fn beyond(&self) -> Vec<Value> {
        let beyond = self.rows.iter().filter_map(|row| match &row.conversion {
            Conversion::Record { beyond, .. } => Some(beyond),
            _ => None,
        });
        beyond
            .flatten()
            .map(|record| serde_json::to_value(record).unwrap())
            .collect()
    }
}

fn record(row: &SourceRow) -> Value {
    match &row.conversion {
        Conversion::Record { record, .. } => match &**record {
            // Not through `Record`, whose tag is called as a relationship's own field is.
            memory_domain::Record::Relationship(relationship) => {
                serde_json::to_value(relationship).unwrap()
            }
            record => serde_json::to_value(record).unwrap(),
        },
        other => panic!("{} is no record: {other:?}", row.key),
    }
}

pub(crate) fn rules(row: &SourceRow) -> Vec<&'static str> {
    match &row.conversion {
        Conversion::Record { rules, .. } => rules.iter().map(|rule| rule.rule).collect(),
        _ => Vec::new(),
    }
}
