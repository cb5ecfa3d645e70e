//! The clearing crate and the real contract on the same rounds.
//!
//! | module | what is in it |
//! |---|---|
//! | [`evm`] | the contracts' bytecode on an EVM inside the process, with time set by hand |
//! | [`auditor`] | the contract's check of a round by itself, on any round |
//! | [`pages`] | entries of a round, and ways to cut it into pages |
//! | [`staged`] | makes a round come about in the contract by calls alone, and settles it |
//! | [`world`] | a market in which anything may be called at any time, and its history from events |
//! | `model` | the rules of a market in plain Rust |
//! | [`play`] | random calls to the model and to the contract, and what they say compared |
//! | [`proofs`] | Groth16 proofs next to true ones, and the contract that checks them |
//! | [`settings`] | how much to do, from the environment |
//! | [`random`] | random and adversarial rounds that a market can hold |
//! | [`wrong`] | certificates and bids next to the right ones |
//!
//! Test-only code: everything here panics where a set-up step that must succeed does not.

pub mod auditor;
pub mod evm;
mod model;
pub mod pages;
pub mod play;
pub mod proofs;
pub mod random;
pub mod settings;
pub mod staged;
pub mod world;
pub mod wrong;
