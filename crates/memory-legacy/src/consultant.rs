//! consultant: a knowledge graph, in the tables `memory_nodes` and `memory_relationships`.
//!
//! A thread is a tenant. Its row in `memory_threads` becomes the tenant, whose metadata also holds
//! `agent_name` and `task_id` where the row has them; a thread that only nodes name becomes a
//! tenant from its first node's creation to its last one's access. Rows of a thread whose own row
//! is quarantined are quarantined with it.
//!
//! A node's key is (`entity_system`, `entity_id`). Where one of the two is NULL there is no key,
//! and the other half goes to the metadata. Tags are lower-cased and lose their order, which has no
//! meaning there. A relationship is directed, and of the tenant of its two ends; where these are of
//! two tenants it is quarantined.
//!
//! The full-text table `memory_search` holds once more what nodes hold: its rows are merged into
//! their nodes, because a store of ours keeps its own index.

mod aside;
pub(crate) mod node;
pub(crate) mod relationship;
mod search;
mod tags;
pub(crate) mod thread;

use memory_domain::{JsonObject, Record, Tenant, TenantId};
use memory_storage::{Conversion, SourceError};

use crate::catalog::Table;
use crate::cells::value;
use crate::converting::Converting;
use crate::format::{Format, MappedColumn, MappedTable};
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading, Sink, Stop};

use aside::{Aside, Thread};
use node::Nodes;
use relationship::{End, Relationships};
use thread::Threads;

/// The reader of consultant's tables, which a server calls otherwise than a file.
pub(crate) struct Consultant {
    tables: &'static [MappedTable],
    shape: Option<&'static str>,
    /// The column that names the tenant.
    tenant: &'static str,
    /// The columns of a tenant's row that go into its metadata.
    in_metadata: &'static [&'static str],
}

/// The tables of a file.
pub(crate) static FILE: Consultant = Consultant {
    tables: &FILE_TABLES,
    shape: None,
    tenant: "thread_id",
    in_metadata: &["agent_name", "task_id"],
};

/// The tables of a server.
pub(crate) static SERVER: Consultant = Consultant {
    tables: &SERVER_TABLES,
    shape: Some(SERVER_SHAPE),
    tenant: "user_id",
    in_metadata: &[],
};

/// How a quarantine names the server's tables.
pub(crate) const SERVER_SHAPE: &str = "server";

const THREADS: usize = 0;
const NODES: usize = 1;
const RELATIONSHIPS: usize = 2;
const SEARCH: usize = 3;

static FILE_TABLES: [MappedTable; 4] = [
    MappedTable {
        name: "memory_threads",
        columns: &[
            MappedColumn::optional("thread_id", "tenants.id"),
            MappedColumn::optional("created_at", "tenants.created_at"),
            MappedColumn::optional("last_activity", "tenants.last_active_at"),
            MappedColumn::optional("agent_name", "tenants.metadata.agent_name"),
            MappedColumn::optional("task_id", "tenants.metadata.task_id"),
            MappedColumn::optional("metadata", "tenants.metadata"),
        ],
    },
    MappedTable {
        name: "memory_nodes",
        columns: &FILE_NODES,
    },
    MappedTable {
        name: "memory_relationships",
        columns: &[
            MappedColumn::required("id", "relationships.id"),
            MappedColumn::required("from_node_id", "relationships.from"),
            MappedColumn::required("to_node_id", "relationships.to"),
            MappedColumn::required("relationship_type", "relationships.kind"),
            MappedColumn::required("strength", "relationships.strength"),
            MappedColumn::required(
                "created_at",
                "relationships.created_at, relationships.last_reinforced_at",
            ),
            MappedColumn::required("metadata", "relationships.metadata"),
        ],
    },
    MappedTable {
        name: "memory_search",
        columns: &[
            MappedColumn::optional("node_id", search::REBUILT),
            MappedColumn::optional("content", search::REBUILT),
            MappedColumn::optional("summary", search::REBUILT),
            MappedColumn::optional("tags", search::REBUILT),
        ],
    },
];

static SERVER_TABLES: [MappedTable; 3] = [
    MappedTable {
        name: "user_metadata",
        columns: &[
            MappedColumn::required("user_id", "tenants.id"),
            MappedColumn::required("created_at", "tenants.created_at"),
            MappedColumn::required("last_activity", "tenants.last_active_at"),
            MappedColumn::required("total_nodes", DERIVED),
            MappedColumn::required("total_relationships", DERIVED),
            MappedColumn::required("metadata", "tenants.metadata"),
        ],
    },
    MappedTable {
        name: "nodes",
        columns: &SERVER_NODES,
    },
    MappedTable {
        name: "relationships",
        columns: &[
            MappedColumn::required("id", "relationships.id"),
            MappedColumn::required("user_id", "relationships.tenant_id"),
            MappedColumn::required("from_node_id", "relationships.from"),
            MappedColumn::required("to_node_id", "relationships.to"),
            MappedColumn::required("relationship_type", "relationships.kind"),
            MappedColumn::required("strength", "relationships.strength"),
            MappedColumn::required(
                "created_at",
                "relationships.created_at, relationships.last_reinforced_at",
            ),
            MappedColumn::required("metadata", "relationships.metadata"),
        ],
    },
];

static FILE_NODES: [MappedColumn; 14] = node_columns("thread_id");
static SERVER_NODES: [MappedColumn; 14] = node_columns("user_id");

/// The columns of nodes, of which only the tenant's is called otherwise on a server.
const fn node_columns(tenant: &'static str) -> [MappedColumn; 14] {
    [
        MappedColumn::required("node_id", "nodes.id"),
        MappedColumn::required(tenant, "nodes.tenant_id"),
        MappedColumn::required("content", "nodes.content"),
        MappedColumn::required("context_type", "nodes.context_type"),
        MappedColumn::required("summary", "nodes.summary"),
        MappedColumn::required("created_at", "nodes.created_at, nodes.updated_at"),
        MappedColumn::required("last_accessed", "nodes.last_accessed_at"),
        MappedColumn::required("access_count", "nodes.access_count"),
        MappedColumn::required("base_relevance", "nodes.base_relevance"),
        MappedColumn::required("tags", "nodes.tags"),
        MappedColumn::required("metadata", "nodes.metadata"),
        MappedColumn::required("entity_id", "nodes.key.id"),
        MappedColumn::required("entity_type", "nodes.entity_type"),
        MappedColumn::required("entity_system", "nodes.key.system"),
    ]
}

/// Where totals go that a store counts itself.
const DERIVED: &str = "counted by the store";

impl Format for Consultant {
    fn tables(&self) -> &'static [MappedTable] {
        self.tables
    }

    fn shape(&self) -> Option<&'static str> {
        self.shape
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let aside = Aside::new(reading)?;
        if let Some(mapped) = reading.optional_table(THREADS)? {
            self.read_threads(reading, mapped, &aside, sink)?;
        }
        let table = reading.table(NODES)?.table;
        let nodes = Nodes::new(&reading.converting, table, self.tenant);
        aside.note_tenants(&nodes)?;
        read_nodes(reading, &nodes, &aside, sink)?;
        self.read_relationships(reading, sink)?;
        if self.tables.len() > SEARCH {
            search::read(reading, SEARCH, sink)?;
        }
        Ok(())
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        _unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        match record {
            Record::Tenant(tenant) => thread::inverse(tenant, self.in_metadata),
            Record::Node(node) => node::inverse(node),
            Record::Relationship(relationship) => relationship::inverse(relationship),
            _ => Vec::new(),
        }
    }
}

impl Consultant {
    /// The column that names the tenant.
    #[cfg(feature = "postgres")]
    pub(crate) fn tenant(&self) -> &'static str {
        self.tenant
    }

    pub(crate) fn threads<'a>(&self, converting: &'a Converting<'a>, table: &Table) -> Threads<'a> {
        Threads::new(converting, table, self.tenant, self.in_metadata)
    }

    pub(crate) fn relationships<'a>(
        &self,
        converting: &'a Converting<'a>,
        table: &Table,
        is_replay: bool,
    ) -> Relationships<'a> {
        Relationships::new(converting, table, is_replay, self.tenant)
    }

    fn read_threads(
        &self,
        reading: &Reading<'_>,
        mapped: Mapped<'_>,
        aside: &Aside<'_>,
        sink: &mut Sink,
    ) -> Result<(), Stop> {
        let threads = self.threads(&reading.converting, mapped.table);
        reading.each_row(&mapped, "", "", |_, rowid, raw| {
            let mut conversion = reading.conclude(&mapped, &raw, threads.convert(&raw));
            let is_carried = matches!(conversion, Conversion::Record { .. });
            let is_new = aside.add_thread(value(&raw, threads.id), is_carried)?;
            if !is_new && is_carried {
                conversion = aside::repeated(threads.id, &raw);
            }
            sink.push(mapped.source_row(rowid, raw, conversion))
        })
    }

    fn read_relationships(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let mapped = reading.table(RELATIONSHIPS)?;
        let relationships =
            self.relationships(&reading.converting, mapped.table, reading.is_replay);
        let more = ", f.id is not null, f.tenant, e.id is not null, e.tenant";
        let joins = "
            left join temp.consultant_node f on f.id = t.from_node_id
            left join temp.consultant_node e on e.id = t.to_node_id";
        let at = mapped.rowid_at();
        reading.each_row(&mapped, more, joins, |row, rowid, raw| {
            let end = |at, known| -> Result<End, SourceError> {
                let is_there = reading.get(row, at)?;
                let tenant = if is_there {
                    reading.get(row, at + 1)?
                } else {
                    reading.context(&mapped, rowid, known)?
                };
                Ok(End::new(is_there, tenant))
            };
            let from = end(at + 1, relationship::FROM_TENANT)?;
            let to = end(at + 3, relationship::TO_TENANT)?;
            let context = relationship::context(&from, &to);
            let converted = relationships.convert(&raw, from, to);
            let conversion = reading.conclude(&mapped, &raw, converted);
            let mut row = mapped.source_row(rowid, raw, conversion);
            row.context = context;
            sink.push(row)
        })
    }
}

fn read_nodes(
    reading: &Reading<'_>,
    nodes: &Nodes<'_>,
    aside: &Aside<'_>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let mapped = reading.table(NODES)?;
    reading.each_row(&mapped, "", "", |_, rowid, raw| {
        let thread = aside.thread(value(&raw, nodes.tenant))?;
        let converted = nodes.convert(&raw, thread == Thread::Refused);
        let mut conversion = reading.conclude(&mapped, &raw, converted);
        let is_new = aside.add_node(value(&raw, nodes.id), &conversion)?;
        if !is_new && matches!(conversion, Conversion::Record { .. }) {
            conversion = aside::repeated(nodes.id, &raw);
        }
        if let Conversion::Record { record, beyond, .. } = &mut conversion
            && thread == Thread::Absent
        {
            beyond.extend(tenant(aside, record.tenant_id())?);
        }
        sink.push(mapped.source_row(rowid, raw, conversion))
    })
}

/// A tenant that only nodes name, for the first of them.
fn tenant(aside: &Aside<'_>, id: &TenantId) -> Result<Option<Record>, SourceError> {
    let times = aside.take_tenant(id)?;
    Ok(times.map(|(created_at, last_active_at)| {
        Record::Tenant(Tenant {
            id: id.clone(),
            created_at,
            last_active_at,
            metadata: JsonObject::new(),
        })
    }))
}
