//! Shows how turns are learned, each counted once, and what a later question brings to mind.

use std::error::Error;

use memory_core::{Concept, NewMessage, SessionId, Turn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let memory = memory_core::open("sqlite::memory:").await?;
    let ada = memory.tenant("ada")?;

    let session = SessionId::generate();
    let first = Turn::new(session)
        .saying(NewMessage::user(
            "How do I share state between async tasks in Rust?",
        ))
        .saying(NewMessage::assistant(
            "With an Arc<Mutex>, or by message passing in Tokio.",
        ))
        .about(Concept::new("Rust"))
        .about(Concept::new("Tokio"))
        .about(Concept::new("message passing"));
    ada.learn(first.clone()).await?;
    // The answer was lost, so it is sent again: it counts once.
    ada.learn(first).await?;
    let second = Turn::new(session)
        .saying(NewMessage::user("Which channel does Tokio have for that?"))
        .about(Concept::new("tokio"))
        .about(Concept::new("channels"));
    ada.learn(second).await?;

    for recalled in ada
        .recall("Tell me about message passing in RUST", 10)
        .await?
    {
        let name = recalled.node.name.unwrap_or_default();
        println!("{:.3} {name}", recalled.score);
    }
    let stats = ada.stats().await?;
    println!("{} messages, {} concepts", stats.messages, stats.nodes);
    memory.close().await?;
    Ok(())
}
