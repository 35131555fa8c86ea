//! The pitfalls of moving memory, each with a source file of its own: `docs/transfer.md` lists them,
//! and what happens to each, beside the test.

mod continuum;
mod damage;
mod json;
mod number;
mod page;
mod reference;
mod shape;
mod text;
mod time;
mod trial;
