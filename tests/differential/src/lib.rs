//! The clearing crate and the real contract on the same rounds.
//!
//! | module | what is in it |
//! |---|---|
//! | [`evm`] | the contracts' bytecode on an EVM inside the process, with time set by hand |
//! | [`staged`] | makes a round come about in the contract by calls alone, and settles it |
//! | [`random`] | random and adversarial rounds that a market can hold |
//!
//! Test-only code: everything here panics where a set-up step that must succeed does not.

pub mod evm;
pub mod random;
pub mod staged;
