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
