//! The node against a real chain with real proofs.

mod binary;
mod lifecycle;
mod takeover;
mod world;
