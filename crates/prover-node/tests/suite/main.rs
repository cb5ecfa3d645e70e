//! The node against a real chain with real proofs.
//!
//! | module | what it shows |
//! |---|---|
//! | `world` | a market with people in it, for the others |
//! | `capacity` | a node that measures itself, is too slow, or cannot prove |
//! | `lifecycle` | a seat from registration to its end; garbage; a crash |
//! | `lots` | tasks of one entry; what is published late, in part or never |
//! | `operator` | a node whose key is not the prover's |
//! | `queue` | proving on several machines |
//! | `sealed` | asks that are committed to and opened; a crash in between |
//! | `takeover` | tasks that others let default |
//! | `binary` | the program as an operator meets it |
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod binary;
mod capacity;
mod lifecycle;
mod lots;
mod operator;
#[cfg(feature = "queue")]
mod queue;
mod sealed;
mod takeover;
mod world;
