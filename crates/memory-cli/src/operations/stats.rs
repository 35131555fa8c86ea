//! `memory stats`.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use memory_core::{Clock, Limit, Storage, SystemClock, TableSize, TenantUsage};
use serde_json::json;

use super::{columns, shown_bytes};
use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::store;

/// What counts as active.
const DAY: Duration = Duration::from_hours(24);

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct StatsArgs {
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Also lists this many tenants, last active first, with what they have and what of it was
    /// active in the last 24 hours
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    tenants: u32,
}

pub(crate) async fn run(args: &StatsArgs) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(args.url.as_deref())?;
    let location = config.to_string();
    let storage = store::open_to_read(config).await?;
    let read = read(storage.as_ref(), args.tenants).await;
    let pool = storage.pool_stats();
    store::close(storage.as_ref()).await;
    let (tables, tenants) = read?;

    let mut text = format!("{location}\n\n{}", shown_tables(&tables));
    if args.tenants > 0 {
        let _ = write!(text, "\n{}", shown_tenants(&tenants));
    }
    let _ = writeln!(
        text,
        "\nconnections: {} opened, {} in use at once at most, {} waits",
        pool.opened, pool.most_in_use, pool.waits
    );
    let document = json!({
        "store": location,
        "tables": tables,
        "tenants": tenants,
        "pool": pool,
    });
    Ok(Outcome::new(0, text, "stats", document).with_notes(notes))
}

async fn read(
    storage: &dyn Storage,
    wanted: u32,
) -> Result<(Vec<TableSize>, Vec<TenantUsage>), Failure> {
    let tables = storage.maintenance().table_sizes().await;
    let tables = tables.map_err(|error| Failure::store("measuring the tables", error))?;
    let now = SystemClock.now();
    let since = now.before(DAY);
    let mut tenants: Vec<TenantUsage> = Vec::new();
    loop {
        let left = (wanted as usize).saturating_sub(tenants.len());
        let limit = u32::try_from(left.min(100)).unwrap_or_default();
        if limit == 0 {
            return Ok((tables, tenants));
        }
        let after = tenants.last().map(|usage| usage.tenant.cursor());
        let page = storage
            .tenant_usage(since, Limit::new(limit)?, after)
            .await
            .map_err(|error| Failure::store("counting what tenants have", error))?;
        let is_last = page.len() < limit as usize;
        tenants.extend(page);
        if is_last {
            return Ok((tables, tenants));
        }
    }
}

fn shown_tables(tables: &[TableSize]) -> String {
    let heading = ["table", "rows", "size", "indexes"];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    let line = |name: &str, rows: u64, bytes: u64, index_bytes: u64| {
        let size = shown_bytes(bytes);
        vec![
            name.to_owned(),
            rows.to_string(),
            size,
            shown_bytes(index_bytes),
        ]
    };
    for table in tables {
        lines.push(line(
            &table.table,
            table.rows,
            table.bytes,
            table.index_bytes,
        ));
    }
    lines.push(line(
        "in all",
        tables.iter().map(|table| table.rows).sum(),
        tables.iter().map(|table| table.bytes).sum(),
        tables.iter().map(|table| table.index_bytes).sum(),
    ));
    columns(&lines)
}

fn shown_tenants(tenants: &[TenantUsage]) -> String {
    let heading = [
        "tenant",
        "nodes",
        "entities",
        "active nodes",
        "active sessions",
        "last active",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    for usage in tenants {
        lines.push(vec![
            usage.tenant.id.to_string(),
            usage.nodes.to_string(),
            usage.entities.to_string(),
            usage.active_nodes.to_string(),
            usage.active_sessions.to_string(),
            usage.tenant.last_active_at.to_string(),
        ]);
    }
    columns(&lines)
}
