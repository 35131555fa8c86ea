//! The project's guide, so that its snippets run as tests.

/// How to open a store.
#[doc = include_str!("../../../docs/guide/open-and-configure.md")]
struct OpenAndConfigure;

/// How to keep conversations.
#[doc = include_str!("../../../docs/guide/conversations.md")]
struct Conversations;

/// How to build a graph and to recall from it.
#[doc = include_str!("../../../docs/guide/graph-and-recall.md")]
struct GraphAndRecall;

/// How to record what an assistant did.
#[doc = include_str!("../../../docs/guide/activity.md")]
struct Activity;

/// How to search.
#[doc = include_str!("../../../docs/guide/search.md")]
struct Search;

/// How to look after a store.
#[doc = include_str!("../../../docs/guide/operations.md")]
struct Operations;

/// How to use a PostgreSQL server.
#[doc = include_str!("../../../docs/guide/postgresql.md")]
struct Postgresql;
