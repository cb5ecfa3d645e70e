//! Clears a round of the proof market: a pure function from a closed round to prices, winners and assignment,
//! and the certificate by which the contract checks all of it without sorting.
//!
//! | module | what is in it |
//! |---|---|
//! | `ranking` | user order and prover order |
//! | `demand` | how much is wanted at a price |
//! | `prefix` | the users taken up to a limit, and the first one left out |
//! | `core` | the mechanism `core`, truthful for both sides: [`clear`], [`certificate`], [`clear_with_certificate`] |
//! | `assignment` | who proves what |
//! | `certificate` | what the contract is given: [`Certificate`], [`UserPivot`] |
//! | `verify` | the contract's checks in plain Rust, one pass and no sort: [`verify()`], [`Rejection`] |
//! | `outcome` | the result and its written form: [`CoreOutcome`], [`ClearedRound`] |
//!
//! Everything is integers and deterministic; ties go to the lower index. No function here panics or returns a
//! number that overflowed: a total over one round is below 2^64 (less than 2^32 bids, at most 2^32 asks, each
//! below 2^32 units), and a product of two totals is below 2^128. Saturating operations are used for their
//! lack of a panic; within these bounds they are exact.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_arithmetic
)]

mod assignment;
mod certificate;
mod core;
mod demand;
mod outcome;
mod prefix;
mod ranking;
mod verify;

pub use crate::certificate::{Certificate, UserPivot};
pub use crate::core::{certificate, clear, clear_with_certificate};
pub use crate::outcome::{ClearedRound, CoreOutcome};
pub use crate::verify::{Rejection, verify};
