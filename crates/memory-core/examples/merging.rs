//! Shows how knowledge about one thing from many sides becomes one node: what is remembered under
//! a known key is merged, even when many tasks do so at once.

use std::error::Error;

use memory_core::{ContextType, EntityKey, NewNode};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let memory = memory_core::open("sqlite::memory:").await?;
    let key = EntityKey::new("salesforce", "001-ACME")?;

    let mut tasks = Vec::new();
    for number in 0..8 {
        let tenant = memory.tenant("acme")?;
        let content = json!({"entity_data": {(format!("fact_{number}")): number}});
        let node = NewNode::new(ContextType::DomainEntity)
            .with_key(key.clone())
            .with_content(content.as_object().cloned().unwrap_or_default());
        tasks.push(tokio::spawn(async move { tenant.remember(node).await }));
    }
    for task in tasks {
        task.await??;
    }

    let node = memory
        .tenant("acme")?
        .node_by_key(&key)
        .await?
        .ok_or("the node is missing")?;
    println!("{}", serde_json::to_string_pretty(&node.content)?);
    println!("merged {} times into {}", node.update_count, node.id);
    memory.close().await?;
    Ok(())
}
