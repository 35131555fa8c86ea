//! `memory search`.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use memory_core::{
    Found, Limit, SearchHit, SearchMode, SearchPlace, SearchQuery, SearchScope, Storage, TenantId,
};
use serde_json::json;

use super::excerpt::{excerpt, one_line};
use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::store;

/// Said at the end of `memory search --help`.
const EXAMPLES: &str = "\
Nothing that is typed is syntax: `C++`, `don't`, `*` and `AND` stand for themselves. Hits in a name or
summary come first, then the newest.

Examples:
  memory search 'train lyon' --tenant ada
  memory search 'e tra' --tenant ada --mode substring --scope messages
  memory search -- -v --tenant ada

Nothing found is exit status 1, as of grep.
";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{EXIT_STATUS}"))]
pub(crate) struct SearchArgs {
    /// What to look for, as one argument
    text: String,
    /// Whose messages and nodes are searched
    #[arg(long, value_name = "TENANT")]
    tenant: TenantId,
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// How it is looked for
    #[arg(long, value_enum, default_value_t = Mode::Words)]
    mode: Mode,
    /// Where it is looked for
    #[arg(long, value_enum, default_value_t = Scope::All)]
    scope: Scope,
    /// The most hits, up to 1,000
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// What has all words, wherever
    Words,
    /// What has the words next to each other
    Phrase,
    /// As words, and the last one may go on
    Prefix,
    /// What has the very characters
    Substring,
}

impl From<Mode> for SearchMode {
    fn from(mode: Mode) -> SearchMode {
        match mode {
            Mode::Words => SearchMode::Words,
            Mode::Phrase => SearchMode::Phrase,
            Mode::Prefix => SearchMode::Prefix,
            Mode::Substring => SearchMode::Substring,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// Among messages
    Messages,
    /// Among nodes
    Nodes,
    /// Among both
    All,
}

impl From<Scope> for SearchScope {
    fn from(scope: Scope) -> SearchScope {
        match scope {
            Scope::Messages => SearchScope::Messages,
            Scope::Nodes => SearchScope::Nodes,
            Scope::All => SearchScope::Everything,
        }
    }
}

pub(crate) async fn run(args: &SearchArgs) -> Result<Outcome, Failure> {
    let limit = Limit::new(args.limit)?;
    let query = SearchQuery::words(args.text.clone())
        .with_mode(args.mode.into())
        .with_scope(args.scope.into());
    // Refused before a store is looked for.
    query.clone().prepared()?;
    let (config, mut notes) = store::chosen(args.url.as_deref())?;
    let location = config.to_string();
    let storage = store::open_to_read(config).await?;
    let found = search(storage.as_ref(), &args.tenant, query, limit).await;
    store::close(storage.as_ref()).await;
    let hits = found?;

    if limit.rows() > 0 && hits.len() == limit.rows() as usize {
        notes.push(format!(
            "these are the first {}; there may be more: give a greater --limit",
            hits.len()
        ));
    }
    let mut text = format!("{location}, tenant {}\n", one_line(args.tenant.as_str()));
    for hit in &hits {
        text.push_str(&shown(hit, &args.text));
    }
    let _ = match hits.len() {
        0 => writeln!(text, "nothing was found"),
        1 => writeln!(text, "1 hit"),
        count => writeln!(text, "{count} hits"),
    };
    let document = json!({ "store": location, "tenant": args.tenant, "hits": hits });
    let status = u8::from(hits.is_empty());
    Ok(Outcome::new(status, text, "search", document).with_notes(notes))
}

async fn search(
    storage: &dyn Storage,
    tenant: &TenantId,
    query: SearchQuery,
    limit: Limit,
) -> Result<Vec<SearchHit>, Failure> {
    let there = storage.tenant(tenant).await;
    if there.map_err(failed)?.is_none() {
        let problem = format!("there is no tenant {tenant} in the store");
        let remedy = "`memory stats --tenants 50` lists those that there are";
        return Err(Failure::usage(problem).with_remedy(remedy));
    }
    storage.search(tenant, query, limit).await.map_err(failed)
}

fn failed(error: memory_core::StorageError) -> Failure {
    Failure::store("searching", error)
}

/// A hit in two lines: what it is, and what it says around what was looked for.
fn shown(hit: &SearchHit, looked_for: &str) -> String {
    let (what, says) = match &hit.found {
        Found::Message(message) => (
            format!(
                "message {}, {}, number {} of session {}",
                message.id, message.role, message.number, message.session_id
            ),
            excerpt(&message.content, looked_for),
        ),
        Found::Node(node) => {
            let key = node.key.as_ref().map(ToString::to_string);
            let name = node.name.clone().or(key);
            let what = [
                format!("node {}", node.id),
                node.context_type.to_string(),
                name.unwrap_or_default(),
            ];
            let what = what.join(", ");
            let says = if node.summary.is_empty() {
                serde_json::Value::from(node.content.clone()).to_string()
            } else {
                node.summary.clone()
            };
            (what, excerpt(&says, looked_for))
        }
    };
    let places: Vec<&str> = hit.places.iter().copied().map(place).collect();
    format!(
        "\n{}  {}  (in {})\n    {says}\n",
        hit.created_at(),
        one_line(what.trim_end_matches(", ")),
        places.join(", ")
    )
}

fn place(place: SearchPlace) -> &'static str {
    match place {
        SearchPlace::Name => "name",
        SearchPlace::Summary => "summary",
        SearchPlace::Tags => "tags",
        SearchPlace::Content => "content",
    }
}
