use memory_domain::{InvalidInput, RecordKey, RecordKind, TenantId};
use memory_storage::{Conversion, RawRow, RuleUse, SourceRow};
use uuid::Uuid;

use crate::catalog::Place;
use crate::cells::{show, value};
use crate::reading::{Reading, Sink, Stop, key, raw_values};
use crate::rules;

/// Where the columns of the full-text table go.
pub(super) const REBUILT: &str = "the store's own index";

/// Merges the rows of the full-text table, at `index` of the format's tables, into their nodes.
pub(super) fn read(reading: &Reading<'_>, index: usize, sink: &mut Sink) -> Result<(), Stop> {
    let name = reading.converting.format.tables()[index].name;
    let Some(table) = reading.catalog.table(name) else {
        return Ok(());
    };
    if table.columns.is_empty() {
        // Its module is not in this SQLite, so its rows are neither counted nor read.
        return Ok(());
    }
    let node_id = table.place("node_id");
    let count = table.columns.len();
    let join = match node_id.at {
        Some(_) => "n.id = t.node_id",
        None => "false",
    };
    let sql = format!(
        "select {}, n.tenant, n.uuid from {} t
        left join temp.consultant_node n on {join}",
        table.select_list("t"),
        table.sql(),
    );
    let position = reading.position(index);
    let mut number = 0_u64;
    reading.each(&sql, |row| {
        number += 1;
        let raw = raw_values(row, count);
        let tenant = reading.get::<Option<String>>(row, count)?;
        let uuid = reading.get::<Option<[u8; 16]>>(row, count + 1)?;
        let node = tenant
            .and_then(|tenant| TenantId::new(tenant).ok())
            .zip(uuid.map(Uuid::from_bytes));
        sink.push(SourceRow {
            table: position,
            key: key(node_id, &raw).unwrap_or_else(|| format!("row {number}")),
            conversion: conversion(node_id, &raw, node),
            raw,
            context: Vec::new(),
        })
    })
}

fn conversion(node_id: Place, raw: &RawRow, node: Option<(TenantId, Uuid)>) -> Conversion {
    let shown = show(value(raw, node_id));
    let Some((tenant_id, uuid)) = node else {
        let problem = "it is searched for a node that is not carried; mend or drop that";
        return Conversion::Quarantined {
            reason: InvalidInput::new(node_id.name, shown, problem).to_string(),
        };
    };
    Conversion::Merged {
        into: RecordKey {
            kind: RecordKind::Node,
            tenant_id,
            id: Some(uuid),
        },
        rule: RuleUse {
            rule: rules::SEARCH_REBUILT,
            column: node_id.name.to_owned(),
            from: shown.into_owned(),
            to: format!("node {uuid}"),
        },
    }
}
