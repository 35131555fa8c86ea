//! Search: what is found, and how a text becomes what an index holds.
//!
//! The same words give the same hits in the same order on every backend because everything that
//! decides about a hit is here: how a text is folded, which terms it has, in which parts a long one
//! is indexed, and what a query asks for. A backend stores terms and looks terms up; it never sees
//! what a user typed.

mod chunk;
mod document;
mod fold;
mod hit;
mod query;
mod tenant;
mod terms;
mod unit;

pub use chunk::{IndexChunk, SEPARATOR};
pub use document::{
    ALL_ENTITY_DATA, FieldId, IndexPlace, Indexed, message_chunks, message_values, node_chunks,
    node_values, replaced_fields,
};
pub use fold::fold;
pub use hit::{Found, SearchHit, SearchPlace};
pub use query::{
    Requirement, Search, SearchCursor, SearchFilter, SearchMode, SearchQuery, SearchScope, Wanted,
};
pub use tenant::TenantTerms;
pub use terms::Terms;
