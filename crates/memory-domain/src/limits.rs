//! The limits and defaults of the domain. Both backends hold them, at the limit and one beyond.

/// The most bytes that a key text (an indexed, ordered or unique text) may have.
pub const KEY_TEXT_BYTES: usize = 512;
/// The most bytes of a [`TenantId`](crate::TenantId).
pub const TENANT_ID_BYTES: usize = 255;
/// The most bytes of a relationship's label, which may be empty.
pub const LABEL_BYTES: usize = 512;
/// The most bytes of a free text: 64 MiB.
pub const FREE_TEXT_BYTES: usize = 64 * 1024 * 1024;
/// The most tags of a node.
pub const TAGS: usize = 64;
/// The deepest nesting of a JSON object, counting the object itself.
pub const JSON_DEPTH: usize = 64;
/// How many rows a listing returns when nothing is said.
pub const LISTING_DEFAULT: u32 = 50;
/// The most rows that one call of a listing returns.
pub const LISTING_MAX: u32 = 1_000;
/// The most items that one batch verb takes.
pub const BATCH_MAX: usize = 1_000;
/// A node's relevance when nothing is said, from 0 to 1.
pub const BASE_RELEVANCE_DEFAULT: f64 = 0.5;
/// A relationship's strength when nothing is said, from 0 to 1.
pub const STRENGTH_DEFAULT: f64 = 1.0;
/// The deepest that a traversal goes.
pub const TRAVERSE_DEPTH_MAX: u32 = 10;
/// How deep a traversal goes when nothing is said.
pub const TRAVERSE_DEPTH_DEFAULT: u32 = 2;
/// The most nodes from which a traversal goes on at each depth: those with the best weight.
pub const TRAVERSE_NODES: usize = 1_000;
/// The most relationships of one node that a traversal follows each way: the strongest.
pub const TRAVERSE_LINKS: u32 = 1_000;
/// The most members that a compound is recorded with.
pub const COMPOUND_MEMBERS: usize = 64;
/// The most concepts of a turn, each two of which are linked.
pub const TURN_CONCEPTS: usize = 64;
/// The most decisions of a turn.
pub const TURN_DECISIONS: usize = 64;
/// A task's priority when nothing is said; the higher, the sooner it is claimed.
pub const TASK_PRIORITY_DEFAULT: i64 = 5;
/// How often a task may be tried again after a failure when nothing is said.
pub const TASK_RETRIES_DEFAULT: i64 = 3;
/// The most bytes of a file's path.
pub const PATH_BYTES: usize = 1_024;
/// The greatest amount that a sum takes in whole, either way: what is beyond counts as this, so that
/// no sum leaves the range of doubles.
pub const SUMMED_MAX: f64 = 1e290;
/// The most bytes that may be searched for, as they are given and as they are folded.
pub const SEARCH_TEXT_BYTES: usize = 512;
/// The most words of a text that recall looks up.
pub const RECALL_WORDS: usize = 64;
/// How many terms of a text may be a whole name for recall: all of 64 words, or three of each of a
/// few hundred characters where words are not spaced.
pub const RECALL_NAMES: usize = 1_000;
/// The longest term of recall, in bytes, folded: what is longer is no name.
pub const RECALL_TERM_BYTES: usize = 512;
/// The most nodes that a text names, from which recall goes on; also the most at each depth.
pub const RECALL_NODES: usize = 100;
/// The most relationships of one node that recall follows each way: the strongest.
pub const RECALL_LINKS: u32 = 50;
/// The most compounds of one node by which recall comes to others: the most frequent.
pub const RECALL_COMPOUNDS: u32 = 50;
