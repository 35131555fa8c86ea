//! Remembers a conversation and a small graph, closes the store, and finds both again.
//!
//! `cargo run --example demo` uses a SQLite file in a temporary folder; with a URL as its argument
//! it uses that store, `postgres://…` too (feature `postgres`).

use std::error::Error;

use memory_core::{
    Direction, EntityType, Memory, NewMessage, NewNode, NewRelationship, NewSession,
    RelationshipKind, SessionId,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("memory.db").display().to_string();
    let url = std::env::args().nth(1).unwrap_or(file);

    let memory = memory_core::open(&url).await?;
    println!("Opened {url}");
    let session = remember(&memory).await?;
    memory.close().await?;

    println!("Closed it, and opened it again.\n");
    let memory = memory_core::open(&url).await?;
    show(&memory, session).await?;
    memory.close().await?;
    Ok(())
}

async fn remember(memory: &Memory) -> Result<SessionId, Box<dyn Error>> {
    let ada = memory.tenant("ada")?;
    let session = ada
        .create_session(NewSession::new("A trip to Lyon"))
        .await?
        .id;
    ada.append(
        session,
        NewMessage::user("I would like to see Lyon, but I don't fly."),
    )
    .await?;
    ada.append(
        session,
        NewMessage::assistant("Then let us take the train."),
    )
    .await?;

    // What was learnt takes effect together, or not at all.
    let work = ada.begin().await?;
    let lyon = NewNode::entity(EntityType::new("city")?, "Lyon")?.with_summary("Ada wants to go");
    let lyon = work.remember(lyon).await?;
    let train = NewNode::entity(EntityType::CONCEPT, "train")?.with_summary("Ada does not fly");
    let train = work.remember(train).await?;
    let link = NewRelationship::new(lyon, RelationshipKind::DEPENDS_ON, train).with_strength(0.8);
    work.relate(link).await?;
    work.commit().await?;
    Ok(session)
}

async fn show(memory: &Memory, session: SessionId) -> Result<(), Box<dyn Error>> {
    let ada = memory.tenant("ada")?;
    println!("The conversation:");
    for message in ada.history(session, 20, None).await? {
        println!(
            "  {}. {:<9} {}",
            message.number, message.role, message.content
        );
    }

    println!("\nThe graph:");
    let graph = ada.load(50).await?;
    for node in &graph.nodes {
        let name = node.name.as_deref().unwrap_or("(no name)");
        println!("  {name}: {}", node.summary);
        for next in ada
            .neighbours(node.id, Direction::Outgoing, None, 10)
            .await?
        {
            let to = next.node.name.as_deref().unwrap_or("(no name)");
            let link = next.relationship;
            println!("    {} {to}, strength {}", link.kind, link.strength);
        }
    }

    let stats = ada.stats().await?;
    println!(
        "\n{} messages, {} nodes, {} relationship(s).",
        stats.messages, stats.nodes, stats.relationships
    );
    Ok(())
}
