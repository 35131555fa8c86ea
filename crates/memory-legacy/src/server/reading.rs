use std::collections::HashSet;

use memory_domain::{JsonObject, Record, Tenant, TenantId};
use memory_storage::{Conversion, RawRow, RawValue, SourceError, SourceRow};
use tokio_postgres::Row;

use super::session::{Session, failed};
use super::tables::{ServerTables, raw_values};
use crate::catalog::Table;
use crate::cells::{NaiveTimes, value};
use crate::consultant::SERVER;
use crate::consultant::node::Nodes;
use crate::consultant::relationship::{End, context};
use crate::converting::Converting;
use crate::format::{Format, MappedTable};
use crate::ids::SourceIds;
use crate::reading::{Sink, Stop, key};
use crate::source::Event;
use crate::sqlite_file::unusable;
use crate::{LegacyKind, SourceTimezone, time};

/// A schema with everything that was decided about how to read it.
pub(super) struct ServerJob {
    pub(super) session: Session,
    pub(super) tables: ServerTables,
    pub(super) name: String,
    pub(super) naive: NaiveTimes,
    pub(super) unnamed: TenantId,
}

const USERS: usize = 0;
const NODES: usize = 1;
const RELATIONSHIPS: usize = 2;

impl ServerJob {
    pub(super) fn run(&self, sink: &mut Sink) -> Result<(), Stop> {
        let tables = self.tables.account(&self.session, SERVER.tables(), sink)?;
        sink.send(Event::Tables(tables))?;
        let converting = Converting {
            kind: LegacyKind::Consultant,
            format: &SERVER,
            ids: SourceIds::new(&self.name),
            naive: self.naive,
            unnamed: &self.unnamed,
        };
        let refused = self.read_users(&converting, sink)?;
        self.read_nodes(&converting, &refused, sink)?;
        self.read_relationships(&converting, sink)?;
        sink.flush()
    }

    /// A mapped table, which was held to be there.
    fn table(&self, index: usize) -> Result<(&'static MappedTable, &Table), SourceError> {
        let mapped = &SERVER.tables()[index];
        let table = self.tables.catalog.table(mapped.name).ok_or_else(|| {
            let problem = format!("it lacks the table {}", mapped.name);
            unusable(&self.session.location, problem)
        })?;
        Ok((mapped, table))
    }

    fn raw(&self, row: &Row, table: &Table) -> Result<RawRow, SourceError> {
        raw_values(row, table.columns.len(), &self.session.location)
    }

    fn get<'r, T: tokio_postgres::types::FromSql<'r>>(
        &self,
        row: &'r Row,
        at: usize,
    ) -> Result<T, SourceError> {
        row.try_get(at)
            .map_err(|error| failed(&self.session.location, "reading a value", error))
    }

    /// Reads the users, and tells those whose row is quarantined: one name each, and few.
    fn read_users(
        &self,
        converting: &Converting<'_>,
        sink: &mut Sink,
    ) -> Result<HashSet<Vec<u8>>, Stop> {
        let (mapped, table) = self.table(USERS)?;
        let users = SERVER.threads(converting, table);
        let sql = format!(
            "select {} from {} t order by t.user_id",
            self.tables.select_list(&table.name),
            self.tables.sql(&table.name)
        );
        let mut refused = HashSet::new();
        self.session.each(&sql, sink, |row, sink| {
            let raw = self.raw(row, table)?;
            let conversion = converting.conclude(table, &raw, users.convert(&raw));
            if let (Conversion::Quarantined { .. }, RawValue::Text(name)) =
                (&conversion, value(&raw, users.id))
            {
                refused.insert(name.clone());
            }
            sink.push(source_row(USERS, mapped, table, raw, conversion))
        })?;
        Ok(refused)
    }

    /// Reads the nodes user by user; a user without a row becomes a tenant with the first of them
    /// that is carried.
    fn read_nodes(
        &self,
        converting: &Converting<'_>,
        refused: &HashSet<Vec<u8>>,
        sink: &mut Sink,
    ) -> Result<(), Stop> {
        let (mapped, table) = self.table(NODES)?;
        let nodes = Nodes::new(converting, table, SERVER.tenant());
        let sql = format!(
            "select {list}, a.first, a.last from {nodes} t
            left join (
                select n.user_id, min(least(n.created_at, n.last_accessed))::text as first,
                    max(greatest(n.created_at, n.last_accessed))::text as last
                from {nodes} n
                where isfinite(n.created_at) and isfinite(n.last_accessed)
                    and not exists (select from {users} m where m.user_id = n.user_id)
                group by n.user_id
            ) a on a.user_id = t.user_id
            order by t.user_id, t.node_id",
            list = self.tables.select_list(&table.name),
            nodes = self.tables.sql(&table.name),
            users = self.tables.sql(SERVER.tables()[USERS].name),
        );
        let count = table.columns.len();
        let mut with_tenant = RawValue::Null;
        self.session.each(&sql, sink, |row, sink| {
            let raw = self.raw(row, table)?;
            let user = value(&raw, nodes.tenant);
            let is_refused = matches!(user, RawValue::Text(name) if refused.contains(name));
            let converted = nodes.convert(&raw, is_refused);
            let mut conversion = converting.conclude(table, &raw, converted);
            if let Conversion::Record { record, beyond, .. } = &mut conversion
                && *user != with_tenant
            {
                with_tenant = user.clone();
                let first: Option<&str> = self.get(row, count)?;
                let last: Option<&str> = self.get(row, count + 1)?;
                beyond.extend(tenant(record.tenant_id(), first, last));
            }
            sink.push(source_row(NODES, mapped, table, raw, conversion))
        })
    }

    fn read_relationships(&self, converting: &Converting<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let (mapped, table) = self.table(RELATIONSHIPS)?;
        let relationships = SERVER.relationships(converting, table, false);
        let sql = format!(
            "select {list}, f.node_id is not null, f.user_id, e.node_id is not null, e.user_id
            from {relationships} t
            left join {nodes} f on f.node_id = t.from_node_id
            left join {nodes} e on e.node_id = t.to_node_id
            order by t.id",
            list = self.tables.select_list(&table.name),
            relationships = self.tables.sql(&table.name),
            nodes = self.tables.sql(SERVER.tables()[NODES].name),
        );
        let count = table.columns.len();
        self.session.each(&sql, sink, |row, sink| {
            let raw = self.raw(row, table)?;
            // Whether a node that is there is carried, the target says itself.
            let end = |at| -> Result<End, SourceError> {
                Ok(End::new(self.get(row, at)?, self.get(row, at + 1)?))
            };
            let (from, to) = (end(count)?, end(count + 2)?);
            let context = context(&from, &to);
            let converted = relationships.convert(&raw, from, to);
            let conversion = converting.conclude(table, &raw, converted);
            let mut row = source_row(RELATIONSHIPS, mapped, table, raw, conversion);
            row.context = context;
            sink.push(row)
        })
    }
}

/// A tenant that only nodes name; `None` for one with a row of its own.
fn tenant(id: &TenantId, first: Option<&str>, last: Option<&str>) -> Option<Record> {
    let moment = |text: Option<&str>| time::read(text?, SourceTimezone::UTC).ok();
    let (first, last) = moment(first).zip(moment(last))?;
    Some(Record::Tenant(Tenant {
        id: id.clone(),
        created_at: first.timestamp,
        last_active_at: last.timestamp,
        metadata: JsonObject::new(),
    }))
}

fn source_row(
    index: usize,
    mapped: &MappedTable,
    table: &Table,
    raw: RawRow,
    conversion: Conversion,
) -> SourceRow {
    SourceRow {
        table: index,
        key: key(table.place(mapped.key()), &raw).unwrap_or_default(),
        conversion,
        raw,
        context: Vec::new(),
    }
}
